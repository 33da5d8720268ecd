"""The one function that all text to an edge goes through: likely secrets become as many `x`.

The mask keeps the length, so anchors and offsets stay right, and it is the same for every character, so that a secret
that is being typed only grows at its end and what came before stays in the KV cache. What a line becomes depends on
the line alone (but for the lines of a private key), and is kept: a keystroke costs the one line it is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lsp_server.privacy.secret_guess import guessed
from lsp_server.privacy.secret_kinds import Span, known
from wire_protocol.frames import Context, Snippet

MASK: Final = "x"
SHORTEST_SEEN: Final = 4
"""Length from which a run of the mask in a suggestion is taken for a repeated one."""

MAX_PREFIX: Final = 16
"""Characters of the longest public prefix of a key."""

KEPT_LINES: Final = 8_192
"""Lines of one generation of the memory; two are kept."""
KEPT_CHARACTERS: Final = 1_000
"""Longer lines are not kept: few have them, and they would fill the memory."""
MAX_PIECE: Final = 16_384
"""Characters that are looked at in one piece: more than a window has, so that no secret is cut in two."""

CONFIGURATION: Final = frozenset(
    {"yaml", "properties", "ini", "dotenv", "shellscript", "dockerfile", "docker-compose", "dockercompose", "toml",
     "plaintext", "markdown", "terraform", "hcl", "conf", "nginx", "makefile", "env", "jenkins", "helm", "ansible", ""}
)  # fmt: skip
"""LSP languages in which values need no quotes."""

CONFIGURATION_ENDS: Final = (
    ".yaml", ".yml", ".ini", ".cfg", ".conf", ".properties", ".sh", ".toml", ".tf", ".txt", ".md",
)  # fmt: skip
"""The same, by the name of a neighbouring file."""

_BODY: Final = re.compile(r"[A-Za-z0-9+/=]{8,}")
_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_PEM: Final = "PRIVATE KEY"
_RUN: Final = re.compile(rf"{MASK}{{{SHORTEST_SEEN},}}")
_CUT: Final = re.compile(r"[A-Za-z0-9+/_\-.=]{12,}")
_CUT_END: Final = re.compile(r"[A-Za-z0-9+/_\-.=]{12,}\Z")
CUT_CHARACTERS: Final = 1_000
"""Length of a part from which it may have been cut by the window's budget."""


class Masker:
    """Masks text; remembers lines. One for each editor."""

    def __init__(self) -> None:
        self._young: dict[tuple[bool, str], str] = {}
        self._old: dict[tuple[bool, str], str] = {}

    def context(self, context: Context) -> Context:
        """What of `context` may be sent."""
        bare = context.language in CONFIGURATION
        parts = (context.before, context.typed, context.tail, context.after)
        whole = "".join(parts)
        masked = _cut_ends(self.text(whole, bare=bare), len(context.before), len(context.after))
        snippets = [self._snippet(snippet) for snippet in context.snippets]
        if masked == whole and snippets == context.snippets:
            return context
        before, typed, tail, after = _split(masked, [len(part) for part in parts])
        return Context(
            before=before,
            typed=typed,
            tail=tail,
            after=after,
            snippets=snippets,
            path=context.path,
            language=context.language,
        )

    def _snippet(self, snippet: Snippet) -> Snippet:
        name = snippet.path.rpartition("/")[2].lower()
        bare = "." not in name or name.endswith(CONFIGURATION_ENDS)
        masked = self.text(snippet.text, bare=bare)
        return snippet if masked == snippet.text else Snippet(path=snippet.path, text=masked)

    def text(self, text: str, *, bare: bool) -> str:
        """`text`, as long as it was, with its likely secrets masked."""
        lines = text.split("\n")
        masked = [self._line(line, bare) for line in lines]
        if _PEM in text:
            _mask_keys(lines, masked)
        return "\n".join(masked)

    def _line(self, line: str, bare: bool) -> str:
        if len(line) < SHORTEST_SEEN:
            return line
        key = (bare, line)
        kept = self._young.get(key)
        if kept is not None:
            return kept
        kept = self._old.get(key)
        if kept is None:
            kept = mask_line(line, bare=bare)
        if len(line) <= KEPT_CHARACTERS:
            if len(self._young) >= KEPT_LINES:
                self._old, self._young = self._young, {}
            self._young[key] = kept
        return kept


def mask_line(line: str, *, bare: bool = False) -> str:
    """One line without its end, masked."""
    if len(line) > MAX_PIECE:
        pieces = (line[start : start + MAX_PIECE] for start in range(0, len(line), MAX_PIECE))
        return "".join(mask_line(piece, bare=bare) for piece in pieces)
    sure = list(known(line))
    likely = [span for span in guessed(line, bare=bare) if not any(_is_same(span, each) for each in sure)]
    return _cover(line, (*sure, *likely))


def _is_same(guess: Span, sure: Span) -> bool:
    """Whether a guess is the same secret with its public prefix, which is to stay."""
    return guess[1] == sure[1] and sure[0] - MAX_PREFIX <= guess[0] <= sure[0]


def repeats_mask(text: str, known_text: str) -> bool:
    """Whether a suggestion has a mask in it that the person's own text, `known_text`, does not have."""
    return any(run.group() not in known_text for run in _RUN.finditer(text))


def _cover(line: str, spans: Iterable[Span]) -> str:
    for start, end in spans:
        if end > start:
            line = f"{line[:start]}{MASK * (end - start)}{line[end:]}"
    return line


def _mask_keys(lines: list[str], masked: list[str]) -> None:
    """Mask the bodies of private keys, from the first line to the last, wherever the window cuts them."""
    inside = False
    for number, line in enumerate(lines):
        if _PEM not in line:
            if inside:
                masked[number] = _covered(line, 0)
            continue
        begin, end = _BEGIN.search(line), _END.search(line)
        if end is not None and begin is None and not inside:
            _mask_above(lines, masked, number)
        if begin is not None:
            inside = True
            masked[number] = line[: begin.end()] + _covered(line[begin.end() : end.start() if end else None], 0)
            masked[number] += line[end.start() :] if end is not None and end.start() >= begin.end() else ""
        elif end is not None and inside:
            masked[number] = _covered(line[: end.start()], 0) + line[end.start() :]
        if end is not None and (begin is None or end.start() > begin.start()):
            inside = False


def _mask_above(lines: list[str], masked: list[str], number: int) -> None:
    while number and _BODY.search(lines[number - 1]) is not None:
        number -= 1
        masked[number] = _covered(lines[number], 0)


def _covered(line: str, start: int) -> str:
    return _cover(line, [found.span() for found in _BODY.finditer(line, start)])


def _cut_ends(text: str, before: int, after: int) -> str:
    """The window may begin and end within a secret, of which then nothing tells: a long mixed token there is masked.

    `before` and `after` are the lengths of the parts: a short one is not cut but the document's own end.
    """
    first = _CUT.match(text) if before >= CUT_CHARACTERS else None
    if first is not None and _is_mixed(first.group()):
        text = _cover(text, [first.span()])
    if after >= CUT_CHARACTERS:
        last = _CUT_END.search(text[-min(after, KEPT_CHARACTERS) :])
        if last is not None and _is_mixed(last.group()):
            text = _cover(text, [(len(text) - len(last.group()), len(text))])
    return text


def _is_mixed(token: str) -> bool:
    digits, upper = sum(map(str.isdigit, token)), sum(map(str.isupper, token))
    return digits > 0 and 0 < upper < len(token) - digits


def _split(text: str, lengths: list[int]) -> list[str]:
    parts, start = [], 0
    for length in lengths:
        parts.append(text[start : start + length])
        start += length
    return parts
