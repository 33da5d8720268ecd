"""Traces played with the completer in virtual time: seconds pass in no time, and each time the same comes out."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.client import traces
from benchmarks.client.ablation import Stage, play, right, wrong
from benchmarks.client.manners import Careless, Fickle
from benchmarks.client.oracle import Oracle
from benchmarks.client.scoring import score
from benchmarks.client.virtual_time import run

SEED = 20_261_121
PLAIN = traces.simple("49 keys", helps=False, seed=SEED)


def test_time_jumps_to_what_is_due_next() -> None:
    async def main() -> float:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(3_600)
        return asyncio.get_running_loop().time() - began

    assert run(main) == pytest.approx(3_600)


def test_of_49_keys_with_a_right_oracle_nearly_all_are_served() -> None:
    measures = score(play(Stage("49", (PLAIN,), 0.3, right), ()))
    assert measures["served_keys"] >= 44
    assert measures["wrong_keys"] == 0
    assert measures["unfinished"] == 0


def test_a_technique_that_is_off_is_missed() -> None:
    measures = score(play(Stage("49", (PLAIN,), 0.3, right), ("joining",)))
    assert measures["served_keys"] < 10


def test_the_same_comes_out_each_time() -> None:
    stage = Stage("49", (PLAIN,), 0.3, wrong)
    one, two = (score(play(stage, ())) for _ in range(2))
    for name in ("served_keys", "wrong_keys", "foreground_tokens", "prefetch_tokens"):
        assert one[name] == two[name]


def test_a_session_goes_on_from_trace_to_trace() -> None:
    runs = play(Stage("49 twice", (PLAIN, PLAIN), 0.3, right, session=True), ())
    assert [each.played.finished for each in runs] == [True, True]


@pytest.mark.parametrize("manner", [Fickle, Careless])
def test_an_oracle_with_bad_manners_begins_like_a_right_one_mostly(manner: type[Oracle]) -> None:
    rude, good = manner(PLAIN), Oracle(PLAIN, wrong=False)
    before = [PLAIN.finished[: hole.at + at] for hole in PLAIN.holes for at in range(len(hole.text))]
    answers = [(rude.answer(each, "single"), good.answer(each, "single")) for each in before]
    assert any(one != other for one, other in answers)
    assert sum(one.startswith(other[:1]) for one, other in answers) > len(answers) / 2
