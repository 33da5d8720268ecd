"""The chance of a first token in time, against its limits and against a simulated queue."""

from __future__ import annotations

import random

import pytest

from edge_proxy.prediction import RATE_SECONDS, Predictor, first_passage

AUTOMATIC = 1


def seen(service: float, first_token: float = 0.0) -> Predictor:
    predictor = Predictor()
    predictor.saw_end(service)
    predictor.saw_first_token(first_token)
    return predictor


def test_nothing_is_shed_before_anything_was_seen() -> None:
    assert Predictor().chances(4, 0.0).of(100, AUTOMATIC, 0.1) == 1.0


def test_without_arrivals_and_with_regular_services_it_is_certain_either_way() -> None:
    chances = seen(service=1.0, first_token=0.3).chances(1, 0.0)
    assert chances.of(1, AUTOMATIC, 2.4) == 1.0  # starts after 2 s, first token at 2.3 s
    assert chances.of(1, AUTOMATIC, 2.2) == 0.0


def test_more_slots_bring_it_sooner() -> None:
    assert seen(1.0).chances(1, 0.0).of(3, AUTOMATIC, 1.5) == 0.0
    assert seen(1.0).chances(4, 0.0).of(3, AUTOMATIC, 1.5) == 1.0


def test_a_deadline_nearer_than_the_usual_first_token_is_lost() -> None:
    assert seen(0.01, first_token=0.2).chances(8, 0.0).of(0, AUTOMATIC, 0.2) == 0.0


def test_one_outlier_moves_the_first_token_by_a_tenth() -> None:
    predictor = seen(1.0, first_token=0.1)
    predictor.saw_first_token(1.1)
    assert predictor.first_token == pytest.approx(0.2)


def overloaded(rank: int = AUTOMATIC) -> Predictor:
    """Twice as many arrivals as one slot of 10 ms serves, for long enough."""
    predictor = seen(0.01)
    for arrival in range(2_000):
        predictor.arrived(rank, arrival * 0.005)
    return predictor


def test_under_overload_who_was_overtaken_often_is_lost_however_patient() -> None:
    chances = overloaded().chances(1, 10.0)
    assert chances.of(0, AUTOMATIC, 60.0) > 0.3
    assert chances.of(8, AUTOMATIC, 60.0) < 0.05


def test_arrivals_of_lower_classes_overtake_nobody() -> None:
    chances = overloaded(rank=2).chances(1, 10.0)
    assert chances.of(8, AUTOMATIC, 60.0) == 1.0


def test_withdrawn_requests_do_not_count_as_load() -> None:
    predictor = seen(0.01)
    for arrival in range(2_000):
        predictor.arrived(AUTOMATIC, arrival * 0.005)
        predictor.withdrawn(AUTOMATIC, arrival * 0.005)
    assert predictor.chances(1, 10.0).of(8, AUTOMATIC, 60.0) == 1.0


def test_the_overload_is_forgotten_when_it_is_over() -> None:
    assert overloaded().chances(1, 10.0 + 10 * RATE_SECONDS).of(8, AUTOMATIC, 60.0) > 0.9


@pytest.mark.parametrize(
    ("rate", "ahead", "within"), [(150.0, 1, 5.0), (150.0, 4, 5.0), (80.0, 3, 0.1), (95.0, 5, 0.3)]
)
def test_it_agrees_with_a_simulated_random_queue(rate: float, ahead: int, within: float) -> None:
    draw, served, service, trials = random.Random(1), 0, 100.0, 1_500
    for _ in range(trials):
        time, before = 0.0, ahead
        while time < within and before >= 0:
            time += draw.expovariate(rate + service)
            before += 1 if draw.random() < rate / (rate + service) else -1
        served += before < 0 and time <= within
    predicted = first_passage(ahead + 1, service - rate, service + rate, within)
    assert predicted == pytest.approx(served / trials, abs=0.12)


@pytest.mark.parametrize("drift", [-1e6, -1.0, 0.0, 1.0, 1e6])
@pytest.mark.parametrize("time", [1e-9, 1.0, 1e6])
def test_it_stays_a_probability(drift: float, time: float) -> None:
    assert 0.0 <= first_passage(1_000, drift, 1.0, time) <= 1.0
