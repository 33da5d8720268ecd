"""What an editor shows, as far as the answers tell: what of it stands after typing, and what became of it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import takewhile

from lsp_server.cache.indentation import left_to_type
from wire_protocol.agreement import continuation, remaining
from wire_protocol.frames import Context, Lines


class Fate(Enum):
    """What became of a shown text by the next cursor."""

    NONE = "none"
    """Nothing was shown."""
    STANDING = "standing"
    """What was typed agrees with it, and some of it is left."""
    TAKEN = "taken"
    """It was accepted, or typed to its end, or mostly."""
    REFUSED = "refused"
    """Something else was typed."""
    GONE = "gone"
    """The cursor or the text went elsewhere: nothing is known."""


@dataclass(slots=True)
class _Text:
    context: Context
    """Where the person began to see it."""
    text: str
    """From there on; grows when it is extended."""
    lines: Lines
    withheld: str = ""
    """The last text, from there on, that was not shown because this one stands."""


class Shown:
    """The ghost text of one document."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        self._text: _Text | None = None

    @property
    def characters(self) -> int:
        """Of the text that is shown, from where the person began to see it."""
        return len(self._text.text) if self._text is not None else 0

    def follow(self, context: Context) -> Fate:
        """The cursor is at `context` now: what became of the text; it is forgotten unless it stands."""
        if self._text is None:
            return Fate.NONE
        shown = self._text
        if self._left(context) is not None:
            return Fate.STANDING
        typed = continuation(shown.context, context)
        self._text = None
        if typed is None:
            return Fate.GONE
        agreed = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(shown.text, typed, strict=False)))
        return Fate.TAKEN if 2 * agreed >= len(shown.text) else Fate.REFUSED

    def standing(self, context: Context) -> str:
        """What is left of the shown text at `context`; "" if nothing stands there."""
        return self._left(context) or ""

    def tail_moved(self, context: Context) -> bool:
        """Whether what the editor put behind the cursor is another than where the text was first shown."""
        return self._text is not None and self._text.context.tail != context.tail

    def give(self, context: Context, text: str, lines: Lines) -> None:
        """`text` is shown at `context` from now on."""
        left = self._left(context)
        typed = self._typed(context)
        if self._text is not None and left is not None and typed is not None and text.startswith(left):
            self._text.text = typed + text
        else:
            self._text = _Text(context, text, lines)

    def withhold(self, context: Context, text: str) -> bool:
        """`text` is not shown because another stands; whether that is new."""
        typed = self._typed(context)
        if self._text is None or typed is None or self._text.withheld == typed + text:
            return False
        self._text.withheld = typed + text
        return True

    @property
    def lines(self) -> Lines:
        """Of the text that is shown."""
        return self._text.lines if self._text is not None else "single"

    def clear(self) -> None:
        """Nothing is shown."""
        self._text = None

    def _typed(self, context: Context) -> str | None:
        """What was typed since, if the text agrees with it to the letter and is not used up."""
        if self._text is None:
            return None
        typed = continuation(self._text.context, context)
        return typed if typed is not None and remaining(self._text.text, typed) else None

    def _left(self, context: Context) -> str | None:
        """What is left of the text, indented as the editor indented what was typed since; None if nothing stands."""
        if self._text is None:
            return None
        old = self._text.context
        if (typed := continuation(old, context)) is None:
            return None
        if left := remaining(self._text.text, typed):
            return left
        return (
            left_to_type(self._text.text, context.before + context.typed, len(old.before) + len(old.typed))[0] or None
        )
