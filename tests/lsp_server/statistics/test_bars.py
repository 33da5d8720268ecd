"""Numbers as rows of block characters."""

from __future__ import annotations

from lsp_server.statistics.bars import PLAIN, Times, row, share
from lsp_server.statistics.histogram import bucket


def test_a_row_is_as_high_as_its_numbers_and_the_smallest_is_seen() -> None:
    assert row([0, 1, 50, 100]) == " ▁▄█"
    assert row([0, 0]) == "  "
    assert row([]) == ""
    assert row([0, 1, 4], PLAIN) == " :@"


def test_a_share_fills_its_bar() -> None:
    assert share(0.5, 10) == "█████▁▁▁▁▁"
    assert share(2.0, 4) == "████"


def test_histograms_stand_on_one_axis() -> None:
    fast, slow = {bucket(0.9): 4, bucket(10): 1}, {bucket(1_000): 2}
    times = Times([fast, slow])
    assert len(times.bars(fast)) == len(times.bars(slow))
    assert times.bars(fast)[0] == "█"
    assert times.bars(slow)[-1] == "█"
    assert times.axis().split() == ["1", "10", "100", "1s"]


def test_the_axis_names_a_time_below_its_column() -> None:
    hundred = {bucket(1): 1, bucket(100): 1, bucket(2_000): 1}
    times = Times([hundred])
    assert times.bars(hundred)[times.axis().index("100")] == "█"
