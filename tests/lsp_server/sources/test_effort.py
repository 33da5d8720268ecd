"""A low battery and a busy CPU soften local work."""

from __future__ import annotations

import asyncio
import os

import pytest
from fake_peer import ask, collect, until
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.sources import power
from lsp_server.sources.effort import (
    BUSY_LOAD,
    CALM_LOAD,
    FULL,
    LOW_BATTERY_PERCENT,
    SOFT,
    SOFT_LINES,
    STEP_LINES,
    EffortPolicy,
    Power,
)
from lsp_server.sources.power import Look, PowerWatch, resident_bytes
from wire_protocol.frames import Context


def test_a_plugged_or_stationary_machine_works_fully() -> None:
    policy = EffortPolicy()
    assert policy.judge(Power()) == FULL
    assert policy.judge(Power(percent=5.0, plugged=True)) == FULL


def test_a_low_battery_means_no_prefetch_more_quiet_and_less_context() -> None:
    effort = EffortPolicy().judge(Power(percent=LOW_BATTERY_PERCENT, plugged=False))
    assert (effort.prefetch, effort.ahead, effort.hold_s, effort.lines) == (False, False, SOFT.hold_s, SOFT_LINES)
    assert "20 %" in effort.why


def test_on_battery_nothing_is_read_ahead_and_all_else_is_as_ever() -> None:
    effort = EffortPolicy().judge(Power(percent=80.0, plugged=False))
    assert (effort.prefetch, effort.ahead, effort.hold_s, effort.lines) == (True, False, 0.0, None)


def test_a_busy_machine_stays_soft_until_it_is_calm() -> None:
    policy = EffortPolicy()
    between = (BUSY_LOAD + CALM_LOAD) / 2
    states = [policy.judge(Power(load=load)).prefetch for load in (between, BUSY_LOAD, between, CALM_LOAD - 0.01)]
    assert states == [True, False, False, True]


def test_a_short_context_is_left_whole() -> None:
    context = Context(before="a\nb\n", typed="c", after="d")
    assert SOFT.shortened(context) == context
    assert FULL.shortened(context) is context


@given(st.integers(0, 400))
def test_a_long_context_is_cut_at_its_far_ends_in_steps(lines: int) -> None:
    before = "".join(f"line {number}\n" for number in range(lines))
    short = SOFT.shortened(Context(before=before, typed="x", tail=")", after="y\n" * lines))
    assert before.endswith(short.before)
    assert (short.typed, short.tail) == ("x", ")")
    kept = short.before.count("\n")
    assert kept <= SOFT_LINES
    assert kept == lines or kept > SOFT_LINES - STEP_LINES - 1
    assert (lines - kept) % STEP_LINES == 0


def test_looking_at_this_machine_never_raises() -> None:
    look = Look(lambda: (os.getpid(), 2**30))
    assert 0.0 <= look().load <= 1.0
    assert 0.0 <= look().load <= 1.0


def test_what_our_own_processes_take_is_no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    now, spent = 100.0, 0.0
    monkeypatch.setattr(power.time, "monotonic", lambda: now)
    monkeypatch.setattr(power, "cpu_seconds", lambda pid: spent)
    look = Look(lambda: (1, 2))
    assert look._own_share(4) == 0.0
    now, spent = 110.0, 10.0
    assert look._own_share(4) == pytest.approx(2 * 10 / (10 * 4))


def test_the_memory_of_a_process_is_told_while_it_lives() -> None:
    assert (resident_bytes(os.getpid()) or 0) > 1_000_000
    assert resident_bytes(2**30) is None


async def test_the_watch_follows_the_machine() -> None:
    states = iter([Power(), Power(percent=3.0, plugged=False)])
    watch = PowerWatch(lambda: next(states, Power(percent=3.0, plugged=False)), every_s=0.0)
    watch.start()
    await until(lambda: watch.effort != FULL)
    await watch.close()
    assert (watch.effort.why, watch.effort.prefetch) == ("the battery is at 3 %", False)


@pytest.fixture
def soft_watch() -> PowerWatch:
    watch = PowerWatch(lambda: Power(percent=3.0, plugged=False), every_s=60.0)
    watch.effort = SOFT
    return watch


async def test_a_soft_local_source_sheds_prefetches_without_asking_the_worker(soft_watch: PowerWatch) -> None:
    from dataclasses import replace

    from lsp_server.sources.local import LocalSource

    source = LocalSource("/nowhere.gguf", power=soft_watch)
    text, ended = await collect(source.generate(replace(ask(), kind="prefetch")))
    assert (text, ended.reason) == ("", "shed")


async def test_a_soft_local_source_waits_a_little_longer_for_the_next_key(soft_watch: PowerWatch) -> None:
    from lsp_server.sources.local import LocalSource

    source = LocalSource("/nowhere.gguf", power=soft_watch)
    began = asyncio.get_running_loop().time()
    with pytest.raises(Exception, match="Not started"):
        await collect(source.generate(ask()))
    assert asyncio.get_running_loop().time() - began >= SOFT.hold_s
