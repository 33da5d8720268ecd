"""The measures: from what was seen and what was generated to the figures of the table."""

from __future__ import annotations

import math

import pytest

from benchmarks.client.clients.continue_dev import fitted
from benchmarks.client.endurance import growth
from benchmarks.client.ghost import Answer
from benchmarks.client.ledger import Ledger, Record
from benchmarks.client.play import Look, Played
from benchmarks.client.scoring import Run, factor, quantile, run_to_json, score, to_json


def generated(place: int, text: str, began_s: float = 0.0, purpose: str = "foreground", ended: str = "done") -> Record:
    record = Record("prefetch" if purpose == "prefetch" else "foreground", place, began_s, text, tokens=len(text))
    record.ended = "cancelled" if ended == "cancelled" else "done"
    return record


def test_a_generation_that_was_typed_through_was_seen_to_the_end_of_what_stood() -> None:
    ledger = Ledger([generated(10, "value + 1")])
    ledger.saw(10, "value + 1")
    ledger.saw(14, "e + 1")
    assert ledger.unseen_tokens("foreground") == 0


def test_of_two_generations_of_one_text_one_was_in_vain() -> None:
    ledger = Ledger([generated(10, "value", 1.0), generated(10, "value", 2.0)])
    ledger.saw(10, "value")
    ledger.saw(11, "alue")
    assert ledger.unseen_tokens("foreground") == 5


def test_a_cancelled_generation_gets_no_credit_for_anothers_text() -> None:
    ledger = Ledger([generated(10, "value", 1.0), generated(10, "valu", 2.0, ended="cancelled")])
    ledger.saw(10, "value")
    assert [record.seen for record in ledger.records] == [5, 0]


def test_what_stood_on_screen_behind_a_slip_was_seen() -> None:
    ledger = Ledger([generated(10, "value"), Record("foreground", None, 1.0, "alue + 1", tokens=8)])
    ledger.saw_beside("lue + 1")
    assert [record.seen for record in ledger.records] == [0, 8]


def test_prefetched_tokens_are_counted_apart() -> None:
    ledger = Ledger([generated(0, "abc"), generated(3, "de", purpose="prefetch")])
    assert (ledger.tokens("foreground"), ledger.tokens("prefetch")) == (3, 2)
    assert (ledger.requests("foreground"), ledger.requests("prefetch")) == (1, 1)


def run() -> Run:
    played = Played("Foretype", "t", keys=4, characters=20, shown=2, accepted=1, accepted_characters=11, cpu_s=0.02)
    played.looks = [Look("key", "right"), Look("key", "partly"), Look("key", "wrong"), Look("backspace", "right")]
    played.pauses = [0.1, None, 0.3]
    return Run(played, Ledger([generated(0, "x" * 11), generated(5, "y" * 4, ended="cancelled")]))


def test_the_measures_of_a_run() -> None:
    measured = score([run()])
    assert (measured["served_keys"], measured["partly_keys"], measured["wrong_keys"]) == (1, 1, 1)
    assert measured["looked_keys"] == 3
    assert measured["pauses_served"] == 2
    assert measured["pause_p50_ms"] == pytest.approx(300)
    assert math.isinf(measured["pause_p95_ms"])  # a pause without right ghost text is endless
    assert measured["requests_per_shown"] == 1
    assert measured["foreground_per_accepted"] == pytest.approx(15 / 11)
    assert measured["saved"] == pytest.approx(10 / 20)
    assert measured["cpu_ms_a_key"] == pytest.approx(5)


def test_nothing_played_gives_no_figures_rather_than_an_error() -> None:
    measured = score([])
    assert math.isnan(measured["requests_per_shown"])
    assert to_json(measured)["pause_p50_ms"] is None


@pytest.mark.parametrize(
    ("measure", "ours", "theirs", "expected"),
    [
        ("served_keys", 44, 11, 4),
        ("pause_p50_ms", 50, 300, 6),
        ("served_keys", 44, 0, math.inf),
        ("pause_p50_ms", 50, math.inf, math.inf),
        ("pause_p50_ms", math.inf, 50, 0),
    ],
)
def test_a_factor_above_1_is_in_our_favour(measure: str, ours: float, theirs: float, expected: float) -> None:
    assert factor(measure, ours, theirs) == expected


def test_no_factor_where_both_have_nothing() -> None:
    assert math.isnan(factor("served_keys", 0, 0))
    assert math.isnan(factor("pause_p50_ms", math.inf, math.inf))


def test_quantiles_are_by_nearest_rank() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([1, 2], 0.95) == 2
    assert math.isnan(quantile([], 0.5))


def test_a_runs_looks_are_counted_in_the_json() -> None:
    assert run_to_json(run())["looks"] == {"key right": 1, "key partly": 1, "key wrong": 1, "backspace right": 1}


@pytest.mark.parametrize(
    ("completion", "rest", "answer"),
    [
        ("x)", ")", Answer("x)", 1)),
        ("x", ")", Answer("x", 0)),
        ("x", "", Answer("x", 0)),
        ("x):\n    y", ")", Answer("x):\n    y", 1)),
    ],
)
def test_continues_completion_is_fitted_into_the_line(completion: str, rest: str, answer: Answer) -> None:
    assert fitted(completion, rest) == answer


def test_growth_is_counted_from_warm_up_on() -> None:
    samples = [(hour / 10, 50 if hour < 10 else 100) for hour in range(100)]
    assert growth(samples, 1.0) == 0
    assert math.isnan(growth(samples[:12], 1.0))
