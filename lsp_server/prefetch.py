"""Asking for what follows a suggestion while it is shown: for which text, and how much of it may be in vain; pure."""

from __future__ import annotations

from typing import Final

from lsp_server.anchor import MAX_TYPED
from wire_protocol.frames import Context

PLACE_CHARACTERS: Final = 256
"""Of the text before a cursor, by which a place is known again after it was accepted."""

UNUSED_SHARE: Final = 0.25
"""Of the tokens that people took, so many may be prefetched in vain (issue 4)."""
ALLOWANCE_TOKENS: Final = 96
"""In vain before anything was taken, and after a long run of luck: some six lines."""

MIN_TAKEN: Final = 0.2
"""Of the suggestions shown lately, so many must have been taken; of the others what follows is in vain. Below the share
of most people (30 %, see `pacing`), so that a session begins with it."""

Place = tuple[str, str]
"""What is before a cursor, and the document's path."""


def accepted(context: Context, text: str) -> Context:
    """The context after `text` was accepted at `context`, as the anchor will have it."""
    typed = context.typed + text
    if len(typed) <= MAX_TYPED:
        return replace_typed(context, context.before, typed)
    start = typed.rfind("\n") + 1
    return replace_typed(context, context.before + typed[:start], typed[start:])


def typed_on(context: Context, inserted: str, cursor: int) -> Context:
    """The context after a key inserted so much, of which what is beyond `cursor` (a bracket closed) is behind it."""
    return replace_typed(context, context.before, context.typed + inserted[:cursor], inserted[cursor:] + context.tail)


def replace_typed(context: Context, before: str, typed: str, tail: str | None = None) -> Context:
    """`context` with another text before the cursor, and another tail if one is given."""
    return Context(
        before=before,
        typed=typed,
        tail=context.tail if tail is None else tail,
        after=context.after,
        snippets=context.snippets,
        path=context.path,
        language=context.language,
    )


def place(context: Context, appended: int = 0) -> Place:
    """The cursor of `context`, or where it was `appended` typed characters ago."""
    text = context.before + context.typed
    return text[: len(text) - appended][-PLACE_CHARACTERS:], context.path


class Budget:
    """Bounds the tokens prefetched in vain to a share of those that were taken; a leaky bucket.

    It goes into debt by what was under way when it ran dry.
    """

    def __init__(self, share: float = UNUSED_SHARE, allowance: float = ALLOWANCE_TOKENS) -> None:
        self._share = share
        self._allowance = allowance
        self._left = allowance

    @property
    def allows(self) -> bool:
        """Whether one more prefetch may be asked for."""
        return self._left > 0.0

    def took(self, tokens: float) -> None:
        """A person took a suggestion of so many."""
        self._left = min(self._allowance, self._left + self._share * tokens)

    def prefetched(self, tokens: float) -> None:
        """A prefetch produced so many."""
        self._left -= tokens

    def used(self, tokens: float) -> None:
        """A prefetch of so many was shown: they were not in vain."""
        self._left = min(self._allowance, self._left + tokens)
