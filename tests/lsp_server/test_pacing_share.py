"""A recent share and its prior."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.pacing_share import RecentShare


def test_nothing_seen_is_the_prior() -> None:
    assert RecentShare(0.3, 8).value == pytest.approx(0.3)


@given(st.lists(st.booleans()))
def test_it_is_a_share(outcomes: list[bool]) -> None:
    share = RecentShare(0.3, 8)
    for outcome in outcomes:
        share.add(outcome)
    assert 0.0 < share.value < 1.0


def test_what_came_last_counts_most() -> None:
    first, last = RecentShare(0.5, 4, half_life=5), RecentShare(0.5, 4, half_life=5)
    for number in range(40):
        first.add(number < 20)
        last.add(number >= 20)
    assert first.value < 0.3 < 0.7 < last.value
