"""One line or several, and where a suggestion is complete so that its stream can be stopped; pure.

By indentation and brackets, which serve every language alike; a syntax tree would decide finer.
"""

from __future__ import annotations

from typing import Final

from lsp_server.anchor import CLOSERS
from lsp_server.code_lines import CLOSING, current_line, indentation, is_closing, lines_below, rest_of_line
from wire_protocol.frames import Context, Lines

MAX_LINES: Final = 8
"""More lines than this are read slower than they are typed, and cost time that a person waits for."""

MIN_LANDMARK: Final = 4
"""Characters of a line that must be there to recognise it below the cursor: `}` or `pass` alone says too little."""

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


def choose_lines(context: Context, *, invoked: bool) -> Lines:
    """Several lines on a blank line, after a block was opened, or when asked for explicitly; else one.

    With code behind the cursor on its line always one: several would tear the line apart. Within brackets that the
    editor closed, one unless asked for.
    """
    rest = rest_of_line(context).strip()
    if not set(rest) <= CLOSERS or (rest and not invoked):
        return "single"
    line = current_line(context)
    if invoked or not line.strip() or opens_block(line, context.language):
        return "multi"
    return "single"


def end_of(context: Context, text: str, lines: Lines) -> int | None:
    """Where in `text`, generated for `context`, the suggestion ends; None while more of it may be to come."""
    return _end_of_line(text) if lines == "single" else _end_of_block(context, text)


def _end_of_line(text: str) -> int | None:
    """The end of the first line that says something."""
    start = len(text) - len(text.lstrip())
    end = text.find("\n", start)
    return end if end >= 0 else None


def _end_of_block(context: Context, text: str) -> int | None:
    line = current_line(context)
    opened = bool(line.strip()) and opens_block(line, context.language)
    pieces = text.split("\n")
    base = indentation(line if line.strip() else line + pieces[0])
    landmark = _landmark(context)
    end = 0
    """Where the last line that belongs to the suggestion ends."""
    said = 0
    blank = 0
    at = 0
    for number, piece in enumerate(pieces):
        finished = number < len(pieces) - 1
        whole = line + piece if number == 0 else piece
        if not piece.strip():
            blank += 1 if number else 0
            if said and blank > (1 if opened else 0) and finished:
                return end
        else:
            if number and said and not _belongs(whole, base, opened):
                if opened and is_closing(whole) and indentation(whole) == base:
                    return at + len(piece) if finished else None
                return end
            if finished and landmark and whole.strip() == landmark:
                return end
            blank = 0
            said += 1
            end = at + len(piece)
            if finished and said >= MAX_LINES:
                return end
        at += len(piece) + 1
    return None


def _belongs(line: str, base: str, opened: bool) -> bool:
    """Whether a line is in the block of the suggestion: deeper than the line that opened it, else not shallower."""
    own = indentation(line)
    if opened:
        return own.startswith(base) and len(own) > len(base)
    return own.startswith(base) and not (own == base and line.lstrip()[0] in CLOSING)


def _landmark(context: Context) -> str:
    """The first line below the cursor by which the suggestion's end is known; "" if it is no landmark."""
    first = next(lines_below(context), "").strip()
    return first if len(first) >= MIN_LANDMARK else ""
