"""What both ends of a session keep so that a request carries only what changed: one context per document; pure."""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple

from cachetools import LRUCache

from wire_protocol.codec import ProtocolError
from wire_protocol.delta import apply, diff
from wire_protocol.frames import MAX_TEXT, Complete, Context, Delta

MAX_SENDER_DOCUMENTS: Final = 128
"""Documents whose last context a client keeps: more than anyone types in at once; the others are sent in full."""

_ENTRY_BYTES: Final = 1_024
"""Charged per document beside its text, for the objects around it."""

_BYTES_PER_CODE_POINT: Final = 4
"""Python's widest string representation; charging it for all non-ASCII text never undercounts."""


class Prepared(NamedTuple):
    """What to put into a `complete`: its `rev`, its `base_rev` and its full or delta context."""

    rev: int
    base_rev: int | None
    context: Context | Delta


class ContextUnknownError(Exception):
    """The base of a delta is not here, or is not what the sender believes: answer with `resend`."""


class ContextSender:
    """The client's side: remembers the context last sent per document and sends differences to it.

    The order of calls must be the order of sending: the other side applies each `complete` on arrival.
    """

    def __init__(self, max_documents: int = MAX_SENDER_DOCUMENTS) -> None:
        self._last: LRUCache[str, tuple[int, Context]] = LRUCache(max_documents)
        self._next_rev = 0

    def prepare(self, doc: str, context: Context) -> Prepared:
        """The next revision of `doc`'s context, as a delta if the last one sent is still known."""
        self._next_rev += 1
        rev = self._next_rev
        last = self._last.get(doc)
        self._last[doc] = (rev, context)
        if last is None:
            return Prepared(rev, None, context)
        base_rev, base = last
        return Prepared(rev, base_rev, diff(base, context))

    def forget(self, doc: str) -> None:
        """`doc` was closed, or the other side asked for `resend`: its next context goes in full."""
        self._last.pop(doc, None)

    reset = forget

    def reset_all(self) -> None:
        """A new connection knows nothing: every next context goes in full."""
        self._last.clear()


def size_of(context: Context) -> int:
    """Upper estimate of the memory of `context`, in bytes."""
    parts = [context.before, context.typed, context.tail, context.after, context.path, context.language]
    for snippet in context.snippets:
        parts += [snippet.path, snippet.text]
    size = _ENTRY_BYTES
    for part in parts:
        size += len(part) if part.isascii() else _BYTES_PER_CODE_POINT * len(part)
    return size


class _Kept(NamedTuple):
    """A document's last context; `size` is its `size_of`."""

    rev: int
    context: Context
    size: int


_kept_size: Final = attrgetter("size")


class ContextStore:
    """The proxy's side: the last context of each document of one session, the least recently used evicted.

    `max_bytes` bounds the memory held; a context larger than that is used once and not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._contexts: LRUCache[str, _Kept] = LRUCache(max_bytes, getsizeof=_kept_size)

    @property
    def bytes_used(self) -> int:
        """Upper estimate of the memory held, in bytes."""
        return int(self._contexts.currsize)

    def __len__(self) -> int:
        return len(self._contexts)

    def receive(self, complete: Complete) -> Context:
        """The full context of `complete`, kept as the base of the next delta.

        Raises ContextUnknownError if its base was evicted or its checksum does not match.
        """
        if isinstance(complete.context, Context):
            context = complete.context
        else:
            context = self._rebuilt(complete.doc, complete.base_rev, complete.context)
        self._keep(complete.doc, complete.rev, context)
        return context

    def _rebuilt(self, doc: str, base_rev: int | None, delta: Delta) -> Context:
        held = self._contexts.get(doc)
        if held is None or held.rev != base_rev:
            raise ContextUnknownError(f"revision {base_rev} of the document is not here")
        try:
            context = apply(held.context, delta)
        except ProtocolError as error:
            self._contexts.pop(doc, None)
            raise ContextUnknownError(error.message) from None
        if max(len(context.before), len(context.typed), len(context.tail), len(context.after)) > MAX_TEXT:
            # Each frame is bounded, but deltas add up: without this a session could grow one context for ever.
            self._contexts.pop(doc, None)
            raise ContextUnknownError(f"a part of the context grew over {MAX_TEXT} code points")
        return context

    def _keep(self, doc: str, rev: int, context: Context) -> None:
        kept = _Kept(rev, context, size_of(context))
        self._contexts.pop(doc, None)
        if kept.size <= self._contexts.maxsize:
            self._contexts[doc] = kept

    def evict_one(self) -> int:
        """Drop the least recently used context, for a bound over all sessions; bytes freed, 0 if there was none."""
        before = self.bytes_used
        if self._contexts:
            self._contexts.popitem()
        return before - self.bytes_used

    def forget(self, doc: str) -> None:
        """The document was closed."""
        self._contexts.pop(doc, None)
