"""Answers kept: found again for the same context, or for one that typed on in agreement; pure, bounded by bytes.

An answer is found exactly by anyone of the tenant (same context, snippets, parameters and arm), and by typing through
it only in the session that it was made for. It knows whether the model stopped by itself or was cut by the token
limit, and is replayed with that reason; what was cut by time or by a cancel is not kept. Typed through to its end it
is no answer any more: the person wants what comes next.

Source of the shape: an LRU with a time to live, by bytes (cachetools.TTLCache), and beside it, per place in a
document, the few newest keys to look through.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from cachetools import TTLCache

from edge_proxy.cache_keys import snippets_key
from edge_proxy.requests import Answer, Ask
from wire_protocol.agreement import continuation, remaining
from wire_protocol.frames import Context, Done

DEFAULT_BYTES: Final = 64 * 1_048_576
DEFAULT_SECONDS: Final = 600.0
"""Ten minutes: repeats come within seconds (undo, a second look, prefetch); later the project has moved on."""

ENTRY_BYTES: Final = 700
"""Charged per answer beside its text, for the objects around it (measured: 600)."""

SIBLINGS: Final = 16
"""Answers kept per place: a burst of typing makes one or two, and a tenant's people rarely meet in one place."""


class Hit(NamedTuple):
    """What to answer: the part of the answer's text that was not typed yet."""

    text: str
    answer: Answer
    near: bool = False
    """Whether it answered a context that is only nearly the same."""


class _Key(NamedTuple):
    base: bytes
    typed: str
    tail: str
    snippets: bytes


class AnswerCache:
    """`max_bytes` bounds what is kept, `seconds` for how long; `clock` gives monotonic seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        max_bytes: int = DEFAULT_BYTES,
        seconds: float = DEFAULT_SECONDS,
    ) -> None:
        self._answers: TTLCache[_Key, Answer] = TTLCache(max_bytes, seconds, timer=clock, getsizeof=size_of)
        self._places: OrderedDict[bytes, list[_Key]] = OrderedDict()  # the longest unused first
        self._max_places: Final = max(1, max_bytes // ENTRY_BYTES)

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def bytes_used(self) -> int:
        """Upper estimate of the memory held."""
        return int(self._answers.currsize)

    def put(self, base: bytes, ask: Ask, text: str, tokens: int, done: Done, larger: str = "") -> Answer | None:
        """The whole answer to `ask`, whose `base_key` is `base`, as its worker ended it; None if it is not kept.

        `larger` is the next larger tier that there was.
        """
        if done.reason != "stop" and done.reason != "length":
            return None
        answer = Answer(
            session=ask.session,
            typed=ask.context.typed,
            tail=ask.context.tail,
            text=text,
            tokens=tokens,
            reason=done.reason,
            model=done.model,
            mean_logprob=done.mean_logprob,
            first_logprob=done.first_logprob,
            larger=larger,
        )
        return answer if self.keep(base, ask, answer) else None

    def keep(self, base: bytes, ask: Ask, answer: Answer) -> bool:
        """Keep an answer to `ask`; False if it is too large."""
        if size_of(answer) > self._answers.maxsize:
            return False
        key = _key(base, ask)
        self._answers[key] = answer
        place = self._places.setdefault(base, [])
        if key in place:
            place.remove(key)
        place.append(key)
        del place[:-SIBLINGS]
        self._places.move_to_end(base)
        if len(self._places) > self._max_places:
            self._places.popitem(last=False)
        return True

    def find(self, base: bytes, ask: Ask) -> Hit | None:
        """The answer to exactly `ask`, else the newest of its session that it typed into; None if there is none."""
        place = self._places.get(base)
        if place is None:
            return None
        exact = _key(base, ask)
        answer = self._answers.get(exact) if exact in place else None
        if answer is not None:
            return Hit(answer.text, answer)
        for key in reversed(place):
            if not exact.typed.startswith(key.typed):
                continue
            answer = self._answers.get(key)
            if answer is not None and answer.session == ask.session:
                left = typed_through(answer, ask.context)
                if left:
                    return Hit(left, answer)
        return None


def typed_through(answer: Answer, context: Context) -> str | None:
    """What of `answer` is left at `context`, which is the same but for typing; None if they disagree."""
    before = Context(typed=answer.typed, tail=answer.tail)
    appended = continuation(before, Context(typed=context.typed, tail=context.tail))
    return None if appended is None else remaining(answer.text, appended)


def size_of(answer: Answer) -> int:
    """Upper estimate of the memory of `answer` and its keys, in bytes."""
    texts = (answer.typed, answer.tail, answer.text)
    return ENTRY_BYTES + sum(len(text) * (1 if text.isascii() else 4) for text in texts)


def _key(base: bytes, ask: Ask) -> _Key:
    context = ask.context
    return _Key(base, context.typed, context.tail, snippets_key(context.snippets))
