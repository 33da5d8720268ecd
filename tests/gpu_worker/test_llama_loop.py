"""The decode loop's order: urgency, preemption, aborts and failures, with a fake llama.cpp and an injected clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from gpu_worker.engines.base import Event, Finished, Request
from gpu_worker.engines.llama_decoder import DecodeStatus, Row
from gpu_worker.engines.llama_loop import MAX_WAITING, DecodeLoop
from gpu_worker.prompt import Prompt
from wire_protocol.frames import Context

VOCABULARY = 32
LETTER = 7
LONG = 200


class FakeDecoder:
    """Holds sequences as lists; always says token LETTER; decodes, aborts or fails as told."""

    context_tokens = 1_024
    batch_tokens = 512

    def __init__(self, sequences: int) -> None:
        self.held: list[list[int]] = [[] for _ in range(sequences)]
        self.batches: list[list[Row]] = []
        self.during: Callable[[], None] = lambda: None
        self.status = DecodeStatus.DONE
        self._abort: Callable[[], bool] | None = None

    def set_abort(self, wanted: Callable[[], bool] | None) -> None:
        self._abort = wanted

    def decode(self, rows: Sequence[Row]) -> DecodeStatus:
        self.batches.append(list(rows))
        self.during()
        if self.status is not DecodeStatus.DONE:
            return self.status
        half = len(rows) // 2 if self._abort is not None and self._abort() else len(rows)
        for row in rows[:half]:
            assert row.position == len(self.held[row.sequence]), "positions must follow on"
            self.held[row.sequence].append(row.token)
        return DecodeStatus.DONE if half == len(rows) else DecodeStatus.ABORTED

    def logits(self, count: int) -> npt.NDArray[np.float32]:
        logits = np.zeros((count, VOCABULARY), np.float32)
        logits[:, LETTER] = 9.0
        return logits

    def length(self, sequence: int) -> int:
        return len(self.held[sequence])

    def truncate(self, sequence: int, length: int) -> bool:
        del self.held[sequence][length:]
        return True

    def copy(self, source: int, target: int) -> None:
        self.held[target] = list(self.held[source])

    def clear(self) -> None:
        self.held = [[] for _ in self.held]


class FakeWords:
    """Every token is the letter x; none ends."""

    end_tokens = frozenset[int]()

    def piece(self, token: int) -> bytes:
        return b"x"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A loop over a fake decoder; `prompt` lengths are set per request by its `doc`."""

    def __init__(self, parallel: int = 1, sequences: int = 3) -> None:
        self.decoder = FakeDecoder(sequences)
        self.clock = Clock()
        self.loop = DecodeLoop(
            self.decoder,
            FakeWords(),
            lambda request: Prompt([request.key % 5 + 1] * int(request.doc), request.max_tokens),
            parallel=parallel,
            sequences=sequences,
            clock=self.clock,
        )
        self.ends: dict[int, Finished] = {}
        self.order: list[int] = []

    def submit(self, key: int, length: int = 4, max_tokens: int = 3, **fields: object) -> None:
        request = Request(key=key, context=Context(), doc=str(length), max_tokens=max_tokens, **fields)  # type: ignore[arg-type]
        if finished := self.loop.submit(request, self.clock.now):
            self.note([(key, finished)])

    def note(self, events: list[tuple[int, Event]]) -> None:
        for key, event in events:
            if isinstance(event, Finished):
                assert key not in self.ends, "one end each"
                self.ends[key] = event
                self.order.append(key)

    def run(self, steps: int = 1_000) -> None:
        while self.loop.busy and steps:
            self.note(self.loop.step())
            steps -= 1


def test_invoked_goes_before_automatic_before_prefetch_and_newest_first() -> None:
    bench = Bench()
    for key, kind in ((1, "prefetch"), (2, "automatic"), (3, "automatic"), (4, "invoked")):
        bench.submit(key, kind=kind)
    bench.run()
    assert bench.order == [4, 3, 2, 1]


def test_a_lower_priority_number_goes_first_within_a_kind() -> None:
    bench = Bench()
    for key, priority in ((1, -5), (2, 0), (3, -9)):
        bench.submit(key, priority=priority)
    bench.run()
    assert bench.order == [3, 1, 2]


def test_an_urgent_request_takes_the_place_of_a_prefetch_which_then_goes_on() -> None:
    bench = Bench()
    bench.submit(1, kind="prefetch", max_tokens=6)
    bench.run(steps=3)
    bench.submit(2, kind="automatic")
    bench.run()
    assert bench.order == [2, 1]
    assert bench.ends[1].usage.generated_tokens == 6


def test_a_promoted_prefetch_goes_before_what_is_less_urgent() -> None:
    bench = Bench()
    bench.submit(1, kind="prefetch", max_tokens=6)
    bench.submit(2, kind="automatic")
    bench.loop.promote(1, "invoked", 0, 2_000.0, bench.clock.now)
    bench.run()
    assert bench.order == [1, 2]


def test_a_promotion_never_makes_a_request_less_urgent() -> None:
    bench = Bench()
    bench.submit(1, kind="automatic")
    bench.submit(2, kind="invoked")
    bench.loop.promote(2, "prefetch", 0, 2_000.0, bench.clock.now)
    bench.run()
    assert bench.order == [2, 1]


def test_a_promoted_request_may_take_as_long_as_who_waits_for_it() -> None:
    bench = Bench()
    bench.submit(1, give_up_ms=100.0)
    bench.clock.now = 0.05
    bench.loop.promote(1, "invoked", 0, 100.0, bench.clock.now)
    bench.clock.now = 0.12
    bench.run()
    assert bench.ends[1].reason == "length"


def test_a_cancel_during_a_prefill_stops_it_and_keeps_what_was_evaluated() -> None:
    bench = Bench()
    bench.submit(1, length=LONG)
    bench.decoder.during = lambda: bench.loop.notify_cancel(1)
    bench.run(steps=1)
    finished = bench.loop.cancel(1)
    assert finished is not None
    assert finished.reason == "cancelled"
    bench.decoder.during = lambda: None
    bench.submit(6, length=LONG)  # the same tokens
    bench.run()
    assert bench.ends[6].usage.reused_tokens == LONG // 2


def test_an_urgent_arrival_interrupts_a_prefetchs_prefill_without_losing_it() -> None:
    bench = Bench()
    bench.submit(1, length=LONG, kind="prefetch")
    bench.decoder.during = lambda: bench.loop.notify_arrival((0, 0))
    bench.run(steps=1)
    bench.decoder.during = lambda: None
    bench.submit(2, kind="invoked")
    bench.run()
    assert bench.order == [2, 1]
    evaluated = sum(len(batch) for batch in bench.decoder.batches[1:])
    assert evaluated < LONG


def test_an_equally_urgent_arrival_does_not_interrupt() -> None:
    bench = Bench()
    bench.submit(1, length=LONG, kind="automatic")
    bench.decoder.during = lambda: bench.loop.notify_arrival((1, -9))
    bench.run(steps=1)
    assert len(bench.decoder.held[0]) == LONG


def test_a_cancel_that_arrives_before_its_request_is_honoured() -> None:
    bench = Bench()
    bench.loop.notify_cancel(1)
    bench.submit(1)
    assert bench.ends[1].reason == "cancelled"
    assert not bench.loop.busy


def test_the_budget_sheds_what_waits_and_cuts_what_runs() -> None:
    bench = Bench()
    bench.submit(1, max_tokens=50, give_up_ms=100.0)
    bench.run(steps=3)
    bench.submit(2, give_up_ms=50.0)
    bench.clock.now = 0.2
    bench.run()
    assert [bench.ends[key].reason for key in (1, 2)] == ["shed", "shed"]
    assert "it was cut" in bench.ends[1].message
    assert "nothing was generated" in bench.ends[2].message


def test_too_many_waiting_requests_are_shed_at_once() -> None:
    bench = Bench()
    for key in range(MAX_WAITING + 1):
        bench.submit(key)
    assert list(bench.ends) == [MAX_WAITING]
    assert bench.ends[MAX_WAITING].reason == "shed"


def test_a_failed_batch_is_an_error_for_its_requests_and_the_next_starts_clean() -> None:
    bench = Bench()
    bench.submit(1)
    bench.decoder.status = DecodeStatus.FAILED
    bench.run(steps=1)
    assert bench.ends[1].reason == "error"
    bench.decoder.status = DecodeStatus.DONE
    bench.submit(2)
    bench.run()
    assert bench.ends[2].reason == "length"


def test_a_prefill_leaves_room_for_the_next_token_of_others() -> None:
    bench = Bench(parallel=2)
    bench.submit(1, length=4, max_tokens=20)
    bench.run(steps=2)
    bench.submit(2, length=LONG)
    bench.run(steps=1)
    assert {row.sequence for row in bench.decoder.batches[-1]} == {0, 1}
    assert len(bench.decoder.batches[-1]) < LONG
