"""What a line looks like that opens a block, by language; pure."""

from __future__ import annotations

from typing import Final

_BRACES: Final = ("{", "(", "[")
_BY_LANGUAGE: Final[dict[str, tuple[str, ...]]] = {
    "python": (":", *_BRACES),
    "yaml": (":",),
    "ruby": (*_BRACES, " do", " then", "|"),
    "lua": (*_BRACES, " do", " then", " else"),
    "shellscript": (*_BRACES, " do", " then", "else"),
    "haskell": (" do", " where", " of", " ="),
    "nix": (*_BRACES, "=", " let"),
}
"""What a line ends with that opens a block, by LSP language id."""
_OTHERWISE: Final = (*_BRACES, "=>", "->")
_OPENING_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "ruby": ("def ", "class ", "module ", "if ", "unless ", "while "),
    "lua": ("function ", "local function "),
}
"""What a line starts with that opens a block without a mark at its end."""


def opens_block(line: str, language: str) -> bool:
    """Whether the next line belongs into a block that `line` opens."""
    text = line.rstrip()
    return text.endswith(_BY_LANGUAGE.get(language, _OTHERWISE)) or (
        text.lstrip().startswith(_OPENING_WORDS.get(language, ("\0",)))
    )
