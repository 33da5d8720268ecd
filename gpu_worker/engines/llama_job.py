"""One request inside the llama engine: its tokens, its text so far, its times and its end."""

from __future__ import annotations

from dataclasses import replace

from gpu_worker.engines.base import Chunk, Finished, Request
from gpu_worker.engines.slots import Slot
from gpu_worker.stops import StopFilter
from gpu_worker.utf8 import Utf8Stream
from wire_protocol.frames import DoneReason, Kind, Timings, Usage

MS = 1_000.0


class Job:
    """A request from its arrival to its end; times are seconds of the injected clock."""

    def __init__(self, request: Request, prompt: list[int], max_new: int, arrived: float) -> None:
        self.request = request
        self.tokens = list(prompt)
        """The prompt and what was generated after it."""
        self.slot: Slot | None = None
        self.arrived = arrived
        self.deadline = arrived + request.give_up_ms / MS
        self._prompt_length = len(prompt)
        self._max_new = max_new
        self._utf8 = Utf8Stream()
        self._stops = StopFilter(request.stop, request.lines)
        self._reused = 0
        self._unreported = 0
        self._logprob_sum = 0.0
        self._first_logprob: float | None = None
        self._started: float | None = None
        self._first_token: float | None = None

    @property
    def generated(self) -> int:
        """Tokens generated so far."""
        return len(self.tokens) - self._prompt_length

    @property
    def pending(self) -> int:
        """Tokens that are not in the KV cache yet."""
        return len(self.tokens) - (len(self.slot.tokens) if self.slot else 0)

    @property
    def prefilling(self) -> bool:
        """Whether more than the one last token is to be evaluated."""
        return self.pending > 1

    def promote(self, kind: Kind, priority: int, give_up_ms: float, now: float) -> None:
        """As urgent as this from `now` on, and with as much time, where that is more than it had."""
        deadline = now + give_up_ms / MS
        if deadline > self.deadline:
            self.deadline = deadline
            self.request = replace(self.request, give_up_ms=(deadline - self.arrived) * MS)
        promoted = replace(self.request, kind=kind, priority=priority)
        if promoted.rank < self.request.rank:
            self.request = promoted

    def begin(self, slot: Slot, now: float) -> None:
        """It runs (again, after it was put back) in a slot."""
        self.slot = slot
        if self._started is None:
            self._started = now
            self._reused = len(slot.tokens)

    def add(self, token: int, piece: bytes, logprob: float, now: float) -> tuple[Chunk | None, DoneReason | None]:
        """A token was chosen: the text that can leave, and whether that ends the answer."""
        if self._first_token is None:
            self._first_token = now
            self._first_logprob = logprob
        self._logprob_sum += logprob
        self.tokens.append(token)
        self._unreported += 1
        text = self._stops.feed(self._utf8.feed(piece))
        reason: DoneReason | None = None
        if self._stops.stopped:
            reason = "stop"
        elif self.generated >= self._max_new:
            text += self._stops.flush()
            reason = "length"
        return self._chunk(text), reason

    def end(self, logprob: float, now: float) -> Chunk | None:
        """The model chose to end: what was withheld can leave. `logprob` is the end token's."""
        if self._first_token is None:
            self._first_token = now
            self._first_logprob = logprob
        return self._chunk(self._stops.flush())

    def finished(self, reason: DoneReason, now: float, message: str = "") -> Finished:
        """The end, with what it took."""
        started = now if self._started is None else self._started
        first = now if self._first_token is None else self._first_token
        generated = self.generated
        return Finished(
            reason=reason,
            usage=Usage(
                prompt_tokens=self._prompt_length if self._started is not None else 0,
                reused_tokens=self._reused,
                generated_tokens=generated,
            ),
            timings=Timings(
                queue_ms=max(0.0, started - self.arrived) * MS,
                first_token_ms=max(0.0, first - self.arrived) * MS,
                total_ms=max(0.0, now - self.arrived) * MS,
            ),
            mean_logprob=self._logprob_sum / generated if generated else None,
            first_logprob=self._first_logprob,
            message=message,
        )

    def _chunk(self, text: str) -> Chunk | None:
        if not text:
            return None
        tokens, self._unreported = self._unreported, 0
        return Chunk(text, tokens)
