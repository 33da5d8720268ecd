"""Quantiles of recent times to first token."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.sources.latency import WINDOW, LatencyWindow


@given(st.lists(st.floats(0, 10), min_size=1, max_size=3 * WINDOW), st.floats(0.01, 1.0))
def test_a_quantile_is_a_recent_sample_with_at_least_its_share_below(samples: list[float], share: float) -> None:
    window = LatencyWindow()
    for sample in samples:
        window.add(sample)
    recent = samples[-WINDOW:]
    quantile = window.quantile(share)
    assert quantile in recent
    assert sum(1 for sample in recent if sample <= quantile) >= share * len(recent) - 1e-9


def test_an_empty_window_knows_nothing() -> None:
    assert LatencyWindow().quantile(0.95) is None
    assert LatencyWindow().median_ms() is None


def test_the_median_is_in_milliseconds() -> None:
    window = LatencyWindow()
    window.add(0.25)
    assert window.median_ms() == 250.0
