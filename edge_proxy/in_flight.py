"""The generations that workers have at this moment, and which of them can answer a new ask too; pure."""

from __future__ import annotations

from edge_proxy.requests import Ask, Generation
from wire_protocol.agreement import continuation, remaining


class InFlight:
    """Found by `base_key`, so that a look-up costs the generations of one place in a document."""

    def __init__(self) -> None:
        self._by_base: dict[bytes, list[Generation]] = {}
        self._silent_prefetches: dict[int, Generation] = {}
        """Those that began for a prefetch and have produced nothing, the latest started last."""

    def __len__(self) -> int:
        return sum(map(len, self._by_base.values()))

    def add(self, generation: Generation) -> None:
        """A worker has it now."""
        self._by_base.setdefault(generation.base, []).append(generation)
        if generation.ask.kind == "prefetch" and not generation.text:
            self._silent_prefetches[generation.seq] = generation

    def spoke(self, generation: Generation) -> None:
        """It has produced something."""
        self._silent_prefetches.pop(generation.seq, None)

    def latest_silent_prefetch(self) -> Generation | None:
        """The one started last of those that have produced nothing and that nobody waits for."""
        for generation in reversed(self._silent_prefetches.values()):
            if all(reader.ask.kind == "prefetch" for reader in generation.readers):
                return generation
        return None

    def discard(self, generation: Generation) -> None:
        """It ended, or nobody wants it any more; may be called twice."""
        self._silent_prefetches.pop(generation.seq, None)
        here = self._by_base.get(generation.base)
        if here is None or generation not in here:
            return
        here.remove(generation)
        if not here:
            del self._by_base[generation.base]

    def find(self, base: bytes, ask: Ask) -> Generation | None:
        """Of those that agree with `ask`, the one that has most to give; of equals the oldest."""
        best: Generation | None = None
        most = -1
        for generation in self._by_base.get(base, ()):
            left = left_for(ask, generation)
            if left is not None and len(left) > most:
                best, most = generation, len(left)
        return best


def left_for(ask: Ask, generation: Generation) -> str | None:
    """What `generation` has produced for `ask` already; None if it cannot answer it.

    In the session that it was made for, typing on in agreement is enough; in others of the tenant the context must be
    the same, so that nobody learns of a text by guessing at it.
    """
    if generation.worker is None or not generation.ask.same_shape(ask):
        return None
    if generation.ask.session != ask.session:
        return generation.text if generation.ask.context == ask.context else None
    appended = continuation(generation.ask.context, ask.context)
    return None if appended is None else remaining(generation.text, appended)
