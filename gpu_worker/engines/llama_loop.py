"""The llama engine's decode loop: which requests run, in which sequence, one batch per step; synchronous, one thread.

Requests run in order of urgency. All that run are decoded together; a prefill is one large batch that llama.cpp's
abort callback can stop between its operations, so that a cancel, or a more urgent request, does not wait for it; what
finished micro-batches have evaluated stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gpu_worker.engines.base import Chunk, EngineStats, Event, Finished, Request
from gpu_worker.engines.llama_decoder import DecodeStatus, Row
from gpu_worker.engines.llama_job import Job
from gpu_worker.engines.slots import Slot, choose
from gpu_worker.prompt import Prompt
from wire_protocol.frames import DoneReason, Kind

MAX_WAITING = 256
"""Requests that may wait here; the queue belongs to the edge, which can reorder it."""
SHARED_PREFILL_TOKENS = 128
"""Prompt tokens per step while others are generating: their next token does not wait for a whole prompt."""
ABORTABLE_TOKENS = 32
"""Smaller batches end sooner than an abort is worth; without the callback they are faster."""
STEP_WINDOW = 32
"""Steps over which the reported means are taken."""
MS = 1_000.0


class Decode(Protocol):
    """What the loop needs of llama.cpp; see `llama_decoder.Decoder`."""

    context_tokens: int
    batch_tokens: int

    def set_abort(self, wanted: Callable[[], bool] | None) -> None: ...
    def decode(self, rows: Sequence[Row]) -> DecodeStatus: ...
    def logits(self, count: int) -> npt.NDArray[np.float32]: ...
    def length(self, sequence: int) -> int: ...
    def truncate(self, sequence: int, length: int) -> bool: ...
    def copy(self, source: int, target: int) -> None: ...
    def clear(self) -> None: ...


class Words(Protocol):
    """What the loop needs of the vocabulary; see `llama_api.Model`."""

    end_tokens: frozenset[int]

    def piece(self, token: int) -> bytes: ...


class DecodeLoop:
    """Runs up to `parallel` requests at once over `sequences` sequences of the KV cache."""

    def __init__(
        self,
        decoder: Decode,
        words: Words,
        build: Callable[[Request], Prompt],
        *,
        parallel: int,
        sequences: int,
        clock: Callable[[], float],
    ) -> None:
        self._decoder = decoder
        self._words = words
        self._build = build
        self._parallel = parallel
        self._clock = clock
        self._slots = [Slot(index) for index in range(sequences)]
        self._waiting: list[Job] = []
        self._active: list[Job] = []
        self._uses = 0
        self._steps: deque[tuple[float, int]] = deque(maxlen=STEP_WINDOW)
        self._prefilling: frozenset[int] = frozenset()
        self._prefill_rank: tuple[int, int] | None = None
        # Written by other threads (one item at a time, which is atomic), read by the abort callback.
        self._cancelled: set[int] = set()
        self._arrived_rank: tuple[int, int] | None = None

    # Called from other threads.

    def notify_cancel(self, key: int) -> None:
        """Let a prefill of this request stop soon; the `cancel` that follows ends it."""
        self._cancelled.add(key)

    def notify_arrival(self, rank: tuple[int, int]) -> None:
        """Let a less urgent prefill stop soon; the `submit` that follows queues the request."""
        arrived = self._arrived_rank
        if arrived is None or rank < arrived:
            self._arrived_rank = rank

    # Called from the loop's own thread.

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting or self._active)

    def submit(self, request: Request, arrived: float) -> Finished | None:
        """Queue a request; Finished if it is refused."""
        self._arrived_rank = None
        if request.key in self._cancelled:
            self._cancelled.discard(request.key)
            return Finished("cancelled")
        if len(self._waiting) >= MAX_WAITING:
            return Finished("shed", message=f"{MAX_WAITING} requests wait already; send fewer at once.")
        prompt = self._build(request)
        self._waiting.append(Job(request, prompt.tokens, prompt.max_new, arrived))
        return None

    def cancel(self, key: int) -> Finished | None:
        """End a request; None if it is not here any more."""
        self._cancelled.discard(key)
        for job in (*self._active, *self._waiting):
            if job.request.key == key:
                return self._finish(job, "cancelled")
        return None

    def promote(self, key: int, kind: Kind, priority: int, give_up_ms: float, now: float) -> None:
        """From now on a request is as urgent as this, if that is more than it was; it may take the longer time."""
        for job in (*self._active, *self._waiting):
            if job.request.key == key:
                job.promote(kind, priority, give_up_ms, now)

    def forget(self, docs: Iterable[str]) -> None:
        """Empty the idle slots of these documents."""
        closed = set(docs)
        for slot in self._slots:
            if slot.doc in closed and not slot.busy:
                self._empty(slot)

    def step(self) -> list[tuple[int, Event]]:
        """One batch: what it gave, by request key."""
        events: list[tuple[int, Event]] = []
        self._expire(events)
        self._admit()
        rows, wanting, takes = self._batch()
        if not rows:
            return events
        started = self._clock()
        status = self._decode(rows, takes)
        if status is DecodeStatus.DONE:
            for job, count in takes:
                self._advance(job, count)
            generated = self._sample(wanting, events)
            self._steps.append((max(0.0, self._clock() - started), generated))
        elif status is DecodeStatus.ABORTED:
            for job, _ in takes:
                self._resynchronise(job)
        else:
            self._fail(status, events)
        return events

    def abandon(self) -> list[tuple[int, Event]]:
        """End everything, because the engine closes."""
        return [(job.request.key, self._finish(job, "cancelled")) for job in (*self._active, *self._waiting)]

    def stats(self) -> EngineStats:
        """The load now (read from other threads too: every value is taken once)."""
        steps = list(self._steps)
        seconds = sum(duration for duration, _ in steps)
        held = sum(len(slot.tokens) for slot in self._slots)
        room = self._decoder.context_tokens * len(self._slots)
        return EngineStats(
            running=len(self._active),
            waiting=len(self._waiting),
            kv_use=min(1.0, held / room) if room else 0.0,
            step_ms=seconds / len(steps) * MS if steps else 0.0,
            tokens_per_s=sum(count for _, count in steps) / seconds if seconds > 0 else 0.0,
        )

    def _expire(self, events: list[tuple[int, Event]]) -> None:
        now = self._clock()
        for job in (*self._active, *self._waiting):
            if now >= job.deadline:
                what = "it was cut" if job.generated else "nothing was generated"
                message = f"The {job.request.give_up_ms:.0f} ms after which an answer is worthless are over: {what}."
                events.append((job.request.key, self._finish(job, "shed", message)))

    def _admit(self) -> None:
        self._waiting.sort(key=lambda job: (job.request.rank, -job.request.key))
        while self._waiting:
            job = self._waiting[0]
            if len(self._active) >= self._parallel and not self._make_room(job):
                return
            self._waiting.pop(0)
            self._start(job)

    def _make_room(self, urgent: Job) -> bool:
        """Put back a request of a less urgent kind; its sequence keeps what it has, so that it goes on from there."""
        worst = max(self._active, key=lambda job: (job.request.rank, job.arrived))
        if worst.request.rank[0] <= urgent.request.rank[0]:
            return False
        self._release(worst)
        self._active.remove(worst)
        self._waiting.append(worst)
        return True

    def _start(self, job: Job) -> None:
        choice = choose(self._slots, job.tokens, job.request.doc, job.request.cache_salt)
        if choice is None:  # there are at least as many sequences as may run
            raise RuntimeError("no free sequence although fewer requests run than there are sequences")
        slot = self._slots[choice.index]
        if choice.copy_from is not None:
            self._decoder.copy(choice.copy_from, slot.index)
            slot.tokens = list(self._slots[choice.copy_from].tokens)
        self._truncate(slot, choice.reuse)
        slot.doc, slot.salt, slot.busy = job.request.doc, job.request.cache_salt, True
        self._touch(slot)
        job.begin(slot, self._clock())
        self._active.append(job)

    def _batch(self) -> tuple[list[Row], list[Job], list[tuple[Job, int]]]:
        """The next batch: its rows, the requests whose logits it gives (in order), and how much each takes."""
        self._active.sort(key=lambda job: (job.request.rank, -job.request.key))
        generating = [job for job in self._active if not job.prefilling]
        room = self._decoder.batch_tokens - len(generating)
        if generating:
            room = min(room, SHARED_PREFILL_TOKENS)
        rows: list[Row] = []
        wanting: list[Job] = []
        takes: list[tuple[Job, int]] = []
        for job in self._active:
            slot = job.slot
            if slot is None:
                continue
            count = min(job.pending, room) if job.prefilling else 1
            if count <= 0:
                continue
            if job.prefilling:
                room -= count
            start = len(slot.tokens)
            last = start + count == len(job.tokens)
            rows.extend(Row(job.tokens[at], at, slot.index, False) for at in range(start, start + count))
            if last:
                rows[-1] = Row(job.tokens[-1], len(job.tokens) - 1, slot.index, True)
                wanting.append(job)
            takes.append((job, count))
        return rows, wanting, takes

    def _decode(self, rows: list[Row], takes: list[tuple[Job, int]]) -> DecodeStatus:
        if len(rows) < ABORTABLE_TOKENS:
            self._decoder.set_abort(None)
            return self._decoder.decode(rows)
        self._prefilling = frozenset(job.request.key for job, count in takes if count > 1)
        self._prefill_rank = min((job.request.rank for job, count in takes if count > 1), default=None)
        self._decoder.set_abort(self._interrupted)
        return self._decoder.decode(rows)

    def _interrupted(self) -> bool:
        """Asked by llama.cpp during a prefill, hundreds of times a second: must stay cheap."""
        if self._cancelled and not self._cancelled.isdisjoint(self._prefilling):
            return True
        arrived, running = self._arrived_rank, self._prefill_rank
        return arrived is not None and running is not None and arrived[0] < running[0]

    def _advance(self, job: Job, count: int) -> None:
        slot = job.slot
        if slot is not None:
            start = len(slot.tokens)
            slot.tokens.extend(job.tokens[start : start + count])

    def _resynchronise(self, job: Job) -> None:
        """After an abort: keep what was evaluated, but leave the last token to do, for its logits."""
        slot = job.slot
        if slot is None:
            return
        slot.tokens = job.tokens[: self._decoder.length(slot.index)]
        self._truncate(slot, min(len(slot.tokens), len(job.tokens) - 1))

    def _sample(self, wanting: list[Job], events: list[tuple[int, Event]]) -> int:
        """Choose the most probable token for each; returns how many were generated."""
        if not wanting:
            return 0
        logits = self._decoder.logits(len(wanting))
        chosen = logits.argmax(axis=1)
        peaks = logits[np.arange(len(wanting)), chosen]
        logprobs = -np.log(np.exp(logits - peaks[:, None]).sum(axis=1))
        now = self._clock()
        generated = 0
        for job, token, logprob in zip(wanting, chosen.tolist(), logprobs.tolist(), strict=True):
            chunk: Chunk | None
            reason: DoneReason | None
            if token in self._words.end_tokens:
                chunk, reason = job.end(logprob, now), "stop"
            else:
                chunk, reason = job.add(token, self._words.piece(token), logprob, now)
                generated += 1
            if chunk is not None:
                events.append((job.request.key, chunk))
            if reason is not None:
                events.append((job.request.key, self._finish(job, reason)))
        return generated

    def _fail(self, status: DecodeStatus, events: list[tuple[int, Event]]) -> None:
        """llama.cpp could not decode: say so to everyone in the batch, and start again from an empty cache."""
        message = f"llama.cpp could not decode a batch ({status.name.lower()}); its cache was emptied."
        events.extend((job.request.key, self._finish(job, "error", message)) for job in list(self._active))
        self._decoder.clear()
        for slot in self._slots:
            slot.tokens = []

    def _finish(self, job: Job, reason: DoneReason, message: str = "") -> Finished:
        self._release(job)
        if job in self._active:
            self._active.remove(job)
        else:
            self._waiting.remove(job)
        return job.finished(reason, self._clock(), message)

    def _release(self, job: Job) -> None:
        if job.slot is not None:
            job.slot.busy = False
            self._touch(job.slot)
            job.slot = None

    def _touch(self, slot: Slot) -> None:
        self._uses += 1
        slot.last_used = self._uses

    def _truncate(self, slot: Slot, length: int) -> None:
        if len(slot.tokens) == length:
            return
        if self._decoder.truncate(slot.index, length):
            del slot.tokens[length:]
        else:  # a recurrent or sliding-window memory cannot be cut: start over
            self._decoder.truncate(slot.index, 0)
            slot.tokens = []

    def _empty(self, slot: Slot) -> None:
        self._decoder.truncate(slot.index, 0)
        slot.tokens, slot.doc, slot.salt, slot.last_used = [], "", "", 0
