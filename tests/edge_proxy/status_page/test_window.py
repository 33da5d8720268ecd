"""Figures of the last minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.metrics import LATENCY_BUCKETS, Metrics
from edge_proxy.requests import Ask, Finished, Request, Text
from edge_proxy.status_page.report import report
from edge_proxy.status_page.window import Window, grown, quantile, read, since
from edge_proxy.telemetry.observer import Observer
from wire_protocol.frames import Context, Done, DoneReason, Kind, Timings

BOUNDS = (0.1, 0.2, 0.4)


def test_a_quantile_is_interpolated_within_its_bucket() -> None:
    assert quantile(0.5, BOUNDS, [0, 10, 0, 0]) == pytest.approx(0.15)
    assert quantile(0.5, BOUNDS, [5, 5, 0, 0]) == pytest.approx(0.1)


def test_beyond_the_last_bound_it_is_the_last_bound() -> None:
    assert quantile(0.99, BOUNDS, [0, 0, 0, 3]) == 0.4


def test_nothing_observed_has_no_quantile() -> None:
    assert quantile(0.5, BOUNDS, [0, 0, 0, 0]) is None
    assert quantile(0.5, BOUNDS, []) is None


@given(st.lists(st.floats(0.0001, 9.9), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_in_the_bucket_of_the_exact_one(values: list[float], share: float) -> None:
    counts = [0] * (len(LATENCY_BUCKETS) + 1)
    for value in values:
        counts[next(index for index, bound in enumerate(LATENCY_BUCKETS) if value <= bound)] += 1
    rank = max(1, -(-share * len(values) // 1))
    exact = sorted(values)[int(rank) - 1]
    index = next(index for index, bound in enumerate(LATENCY_BUCKETS) if exact <= bound)
    found = quantile(share, LATENCY_BUCKETS, counts)
    assert found is not None
    assert (0.0, *LATENCY_BUCKETS)[index] <= found <= LATENCY_BUCKETS[index]


def test_only_what_came_since_counts() -> None:
    assert since([3, 4], [1, 4]) == [2, 0]
    assert since([3, 4], []) == [3, 4]
    assert grown({"a": 3.0, "b": 1.0}, {"a": 1.0, "b": 1.0}) == {"a": 2.0}


def ended(
    observer: Observer, reason: DoneReason, cause: str, first: float | None = None, kind: Kind = "automatic"
) -> None:
    """A completion that arrived at 0 s, with its first text at `first`."""
    ask = Ask(session=1, id=1, tenant="", doc="d", context=Context(), kind=kind)
    request = Request(ask=ask, seq=1, arrived=0.0, deadline=2.0, first_text=first)
    if first is not None:
        observer.text(Text(request, 0, "x", 1, True))
    observer.finished(Finished(request, Done(id=1, reason=reason, timings=Timings(total_ms=300.0)), cause))


def test_the_report_is_of_the_window_and_not_of_all_time() -> None:
    metrics = Metrics()
    observer = Observer(metrics, lambda: 0.0)
    for _ in range(100):
        ended(observer, "stop", "worker_stop", first=1.5)
    window = Window(read(metrics, observer, 0.0))
    for _ in range(6):
        ended(observer, "stop", "worker_stop", first=0.06)
    ended(observer, "length", "worker_length", first=0.9)
    ended(observer, "shed", "predicted_miss")
    ended(observer, "stop", "worker_stop", first=9.0, kind="prefetch")
    said = report(metrics, [], read(metrics, observer, 10.0), window.oldest)
    assert said["window_seconds"] == 10.0
    assert said["completions"] == 8
    assert said["completions_per_second"] == pytest.approx(0.8)
    assert said["sheds"] == {"predicted_miss": 1}
    assert 50.0 < said["latency_ms"]["first_token"]["p50"] <= 75.0  # the prefetch has no part in it
    assert said["goodput"] == pytest.approx(6 / 9, abs=1e-4)  # of eight with a first text, and one that was shed
    assert said["cost"]["usd_per_1000_completions"] == 0.0
