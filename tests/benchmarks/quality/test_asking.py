"""Asking a contestant at every cursor."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.errors import BenchError
from benchmarks.quality.answers import Answer
from benchmarks.quality.asking import copying, take_part
from benchmarks.quality.cursors import draw
from benchmarks.quality.held_out import Record
from wire_protocol.frames import Context, Lines

CODE = "".join(f"value_{number} = compute({number}, other)\n" for number in range(40))
CURSORS = draw([Record("p", "p.py", "python", CODE)], "single", 12, seed=1)


async def test_judgements_come_in_the_cursors_order_however_many_run_at_once() -> None:
    running = most = 0

    async def slower_for_shorter(context: Context, lines: Lines) -> Answer:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(60 - len(context.typed)):
            await asyncio.sleep(0)  # lets the others run; no time passes
        running -= 1
        return Answer(context.typed)

    done: list[int] = []
    judged = await take_part(CURSORS, slower_for_shorter, 1, 3, lambda: done.append(1))
    assert [one.cursor for one in judged] == CURSORS
    assert [one.typed.first.text for one in judged] == [cursor.typed for cursor in CURSORS]
    assert (most, len(done)) == (3, len(CURSORS))


async def test_one_failure_ends_the_bench_with_its_sentence() -> None:
    async def fails(context: Context, lines: Lines) -> Answer:
        raise BenchError("The worker was lost.")

    with pytest.raises(BenchError, match=r"^The worker was lost\.$"):
        await take_part(CURSORS, fails, 1, 3, lambda: None)


async def test_the_baseline_is_asked_as_a_model_is() -> None:
    judged = await take_part(CURSORS, copying, 4, 1, lambda: None)
    assert any(one.typed.accepted for one in judged)
    assert all(one.mean_logprob is None for one in judged)
