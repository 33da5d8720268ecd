"""The demo's verdict is about what it really saw."""

from __future__ import annotations

import pytest

from lsp_server.demo.report import Report, percentile


def test_a_demo_without_the_local_model_has_failed() -> None:
    report = Report(edge_after_restart=1)
    report.saw("edge", 40.0)
    report.saw("cache", 1.0)
    assert report.missing() == ["no suggestion came from local"]


def test_a_demo_whose_edge_never_came_back_has_failed() -> None:
    report = Report()
    for source in ("edge", "cache", "local"):
        report.saw(source, 1.0)
    assert report.missing() == ["no suggestion came from the edge after the proxy's restart"]


@pytest.mark.parametrize(("values", "rank", "expected"), [([3.0], 95, 3.0), ([1.0, 2.0, 3.0], 50, 2.0)])
def test_percentiles(values: list[float], rank: int, expected: float) -> None:
    assert percentile(values, rank) == expected
