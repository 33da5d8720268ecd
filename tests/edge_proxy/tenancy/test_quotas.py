"""Days and months in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.tenancy.quotas import Spent, period_at


@pytest.mark.parametrize(
    ("at", "day_ends", "month_ends"),
    [
        ("2026-11-21T15:00", "2026-11-22", "2026-12-01"),
        ("2026-12-31T23:59", "2027-01-01", "2027-01-01"),
        ("2028-02-29T00:00", "2028-03-01", "2028-03-01"),
        ("2026-01-31T12:00", "2026-02-01", "2026-02-01"),
    ],
)
def test_a_period_ends_at_midnight_and_with_the_month(at: str, day_ends: str, month_ends: str) -> None:
    period = period_at(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp())
    ends = [datetime.fromtimestamp(end, UTC).isoformat()[:16] for end in (period.day_ends, period.month_ends)]
    assert ends == [f"{day_ends}T00:00", f"{month_ends}T00:00"]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_every_moment_is_in_its_period_and_the_end_is_in_the_next(moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    period = period_at(at.timestamp())
    assert (period.day, period.month) == (at.date().isoformat(), at.date().isoformat()[:7])
    assert at.timestamp() < period.day_ends <= (at + timedelta(days=1)).timestamp()
    assert period_at(period.day_ends).day != period.day
    assert period_at(period.month_ends).month != period.month


def test_a_new_day_begins_at_nothing_and_the_month_goes_on() -> None:
    spent = Spent(period_at(0.0))
    spent.add(10, period_at(0.0))
    spent.add(1, period_at(86_400.0))
    assert (spent.day, spent.month, spent.unsaved) == (1, 11, 11)
