"""What workers make: a generation's start, its text, its end, the loss of its worker, and preemption; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edge_proxy.escalation import Escalation
from edge_proxy.lifecycle import Lifecycle, holds_back
from edge_proxy.prediction import Predictor
from edge_proxy.reach import Reach
from edge_proxy.requests import CLASSES, Generation, Kept, Request, clip
from wire_protocol.frames import MAX_TEXT, Done

MAX_SUBMITS: Final = 3
"""Workers one generation may be given to: beyond that the request itself is probably what kills them."""


class Generations:
    """`clock` gives monotonic seconds; `lives` are the requests that read what is generated."""

    def __init__(
        self,
        clock: Callable[[], float],
        predictor: Predictor,
        lives: Lifecycle,
        reach: Reach,
        escalation: Escalation,
    ) -> None:
        self._clock: Final = clock
        self._predictor: Final = predictor
        self._lives: Final = lives
        self._reach: Final = reach
        self._in_flight: Final = reach.in_flight
        self._escalation: Final = escalation

    def start(self, request: Request, worker: str, tier: str = "", larger: str = "") -> Generation:
        """`request`, the next one up, goes to `worker`. A generation that lost its worker goes on where it was.

        `tier` is what answers, `larger` the next larger one that there is.
        """
        now = self._clock()
        self._lives.line.serve(request)
        generation = request.generation
        if generation is None:
            generation = request.generation = Generation(
                ask=request.ask, seq=request.seq, base=request.base, readers=[request]
            )
        generation.worker = worker
        generation.kind = request.ask.kind
        generation.tier, generation.larger = tier, larger
        generation.submitted = now
        generation.first_text = None
        generation.submits += 1
        for reader in generation.readers:
            if reader.started is None:
                reader.started = now
            reader.holds = holds_back(reader, generation)
            self._lives.catch_up(reader, generation)  # what it held back at a worker that was lost
        self._reach.started(generation)
        return generation

    def preempt(self) -> bool:
        """Take the latest prefetch that has produced nothing from its worker; False if there is none.

        It goes back to its place in the line. Before the first byte nothing is lost but a part of its prefill, which
        the worker's KV cache keeps.
        """
        generation = self._in_flight.latest_silent_prefetch()
        if generation is None:
            return False
        for reader in tuple(generation.readers):
            self._lives.detach(reader)
        return True

    def produced(self, generation: Generation, offset: int, text: str, tokens: int) -> None:
        """New text from the generation's present worker; `offset` in code points from that worker's start."""
        if not generation.readers:
            return
        before = generation.text
        if offset != len(before) - generation.segment or len(before) + len(text) > MAX_TEXT:
            for reader in tuple(generation.readers):
                self._lives.end(reader, "error", "worker_fault", "The worker's answer had a gap or had no end.")
            return
        if generation.first_text is None and text:
            generation.first_text = self._clock()
            self._predictor.saw_first_token(generation.first_text - generation.submitted)
            self._in_flight.spoke(generation)
        generation.text = before + text
        generation.tokens += tokens
        for reader in tuple(generation.readers):
            if not reader.appended:
                if not reader.holds:
                    self._lives.give(reader, text, tokens)
                continue
            part = clip(before, text, reader.appended)
            if not part.agrees:
                self._lives.detach(reader)
            elif not reader.holds:
                self._lives.give(reader, part.text, tokens)

    def ended(self, generation: Generation, done: Done) -> None:
        """The generation's worker is through with it."""
        self._predictor.saw_end(self._clock() - generation.submitted)
        readers = self._off_worker(generation)
        if not readers:
            return
        if done.reason == "cancelled":  # not by us: nobody would read it
            self._resume(readers, generation)
            return
        answer = self._reach.finished(generation, done)
        if answer is not None:
            self._lives.outcomes.append(Kept(generation.base, generation.ask, answer))
        for reader in readers:
            beyond = len(reader.appended) - len(generation.text)
            attached = reader.source == "attached"
            if reader.holds:
                reader.holds = False
                if beyond <= 0 and self._escalates(reader, generation, done):
                    continue
                self._lives.catch_up(reader, generation)
            if beyond > 0 or (attached and not reader.sent and done.reason in {"length", "shed", "error"}):
                # The generation ended before it had anything for who attached to it: that is no answer.
                self._lives.detach(reader)
            elif reader.fallback is not None and done.reason not in {"stop", "length"}:
                self._lives.fall_back(reader, reader.fallback)
            else:
                self._lives.end(reader, done.reason, f"worker_{done.reason}", done.message, done)

    def lost(self, generation: Generation) -> None:
        """The generation's worker is gone: it goes on elsewhere, after what was already streamed."""
        self._resume(self._off_worker(generation), generation)

    def _escalates(self, reader: Request, generation: Generation, done: Done) -> bool:
        """Whether the answer that `reader` held back goes on to a larger tier instead."""
        text = generation.text[len(reader.appended) :]
        left = reader.deadline - self._clock()
        whole = done.reason in {"stop", "length"}
        if not whole or not self._escalation.goes_on(reader.ask, text, done.mean_logprob, generation.larger, left):
            return False
        self._lives.escalate(reader, text, done, generation.larger)
        return True

    def _off_worker(self, generation: Generation) -> list[Request]:
        """The generation has no worker any more; the readers it had."""
        self._in_flight.discard(generation)
        generation.worker = None
        readers, generation.readers = generation.readers, []
        return readers

    def _resume(self, readers: Iterable[Request], generation: Generation) -> None:
        """Go on with another worker for `readers`, the first of whom waits for all."""
        for reader in readers:
            if len(reader.appended) > len(generation.text):
                self._lives.detach(reader)
            elif generation.tokens >= reader.ask.max_tokens:
                self._lives.end(reader, "length", "worker_length")
            elif generation.submits >= MAX_SUBMITS:
                self._lives.shed(reader, f"{MAX_SUBMITS} workers were lost during this request.", "workers_lost")
            else:
                generation.readers.append(reader)
        if generation.readers:
            generation.segment = len(generation.text)
            generation.earlier_tokens = generation.tokens
            self._lives.wait(min(generation.readers, key=lambda reader: CLASSES[reader.ask.kind]))
