"""One line or several, and where a suggestion is complete so that its stream can be stopped; pure.

By the syntax tree where there is a grammar, else by indentation and brackets, which serve every language alike.
"""

from __future__ import annotations

from typing import Final

from lsp_server.anchor import CLOSERS
from lsp_server.code_lines import (
    CLOSING,
    PAIRS,
    bracket_balance,
    current_line,
    indentation,
    lines_below,
    open_quote,
    rest_of_line,
)
from lsp_server.openers import opens_block
from lsp_server.spot import Spot, begins_doc, ends_in_python_string, spot
from wire_protocol.frames import Context, Lines

MAX_LINES: Final = 8
"""More lines than this are read slower than they are typed, and cost time that a person waits for."""

MIN_LANDMARK: Final = 4
"""Characters of a line that must be there to recognise it below the cursor: `}` or `pass` alone says too little."""


_LEAVING: Final = frozenset("return raise throw break continue".split())  # noqa: SIM905
"""Words of statements that nothing can follow in their block."""
_NEWLINE_ENDS: Final = frozenset(("python", "go", "ruby", "lua"))
"""Languages in which such a statement ends with its line, if its brackets are closed."""
_BACKTICK_STRINGS: Final = frozenset(("javascript", "javascriptreact", "typescript", "typescriptreact", "go"))


def choose_lines(context: Context, *, invoked: bool, by_syntax: bool = True) -> Lines:
    """Several lines in an empty block, after a block was opened, at a doc comment, or when asked for; else one.

    With code behind the cursor on its line always one: several would tear the line apart. Within brackets that the
    editor closed, one unless asked for. Without a grammar every blank line may become several. Without `by_syntax` only
    when asked for.
    """
    rest = rest_of_line(context).strip()
    if not set(rest) <= CLOSERS or (rest and not invoked):
        return "single"
    line = current_line(context)
    if invoked:
        return "multi"
    if not by_syntax:
        return "single"
    # Most keys end here: nothing is parsed for them.
    if line.strip() and not opens_block(line, context.language) and not begins_doc(line):
        return "single"
    if line.strip() and open_quote(line) and not begins_doc(line):
        return "single"
    match spot(context):
        case Spot.BLOCK | Spot.DOC:
            return "multi"
        case None:
            return "single" if begins_doc(line) else "multi"
        case _:
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
    depth = int(opened and line.rstrip()[-1:] in PAIRS)
    """Brackets that the suggestion, or the line it began on, opened and has not closed."""
    end = 0
    """Where the last line that belongs to the suggestion ends."""
    said = 0
    blank = 0
    last = ""
    level: str | None = None
    """The indentation of the block's own statements."""
    at = 0
    for number, piece in enumerate(pieces):
        finished = number < len(pieces) - 1
        whole = line + piece if number == 0 else piece
        if not piece.strip():
            blank += 1 if number else 0
            # In a block that the suggestion itself opened a blank line may be one of it: the next line tells.
            allowed = 1 if opened or depth or len(indentation(last)) > len(base) else 0
            if said and blank > allowed and finished and not _in_string(context, text[:end]):
                return end
        else:
            if (
                number
                and said
                and not _belongs(whole, base, opened, depth, blank)
                and not _in_string(context, text[:at])
            ):
                return end
            if finished and landmark and whole.rstrip() == landmark:
                return end
            depth = max(0, depth + bracket_balance(piece))
            blank = 0
            said += 1
            end = at + len(piece)
            last = whole
            if level is None and (number or not opened):
                level = indentation(whole)
            if finished and (said >= MAX_LINES or (number and opened and not depth and _closes(whole, base))):
                return end
            if finished and indentation(whole) == level and not depth and _leaves(whole, context, opened):
                return end
        at += len(piece) + 1
    return None


def _belongs(line: str, base: str, opened: bool, depth: int, blank: int) -> bool:
    """Whether a line is in the block of the suggestion: deeper than the line that opened it, else not shallower."""
    own = indentation(line)
    if own == base and line[len(own)] in CLOSING:
        return depth > 0
    if opened:
        return own.startswith(base) and len(own) > len(base)
    return own.startswith(base) and (not blank or len(own) > len(base))


def _closes(line: str, base: str) -> bool:
    """Whether a line closes what the suggestion is in."""
    own = indentation(line)
    return own == base and line[len(own)] in CLOSING


def _leaves(line: str, context: Context, opened: bool) -> bool:
    """Whether nothing can follow a line in its block, which needs no closing line of the suggestion's own."""
    if opened and current_line(context).rstrip()[-1:] in PAIRS:
        return False
    if line.split(None, 1)[0].rstrip(";") not in _LEAVING:
        return False
    ends = line.rstrip()
    return ends.endswith(";") or (context.language in _NEWLINE_ENDS and not ends.endswith("\\"))


def _in_string(context: Context, text: str) -> bool:
    """Whether `text` ends in a string of several lines, in which indentation and blank lines mean nothing."""
    whole = context.before + context.typed + text
    if context.language == "python":
        return ('"""' in whole or "'''" in whole) and ends_in_python_string(whole)
    return context.language in _BACKTICK_STRINGS and text.count("`") % 2 == 1


def _landmark(context: Context) -> str:
    """The first line below the cursor by which the suggestion's end is known; "" if it is no landmark."""
    first = next(lines_below(context), "").rstrip()
    says_too_little = len(first.strip()) < MIN_LANDMARK or opens_block(first, context.language)
    return "" if says_too_little else first
