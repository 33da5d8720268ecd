"""Counts of spent tokens in a file: over restarts, between processes, and into the next day."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.tenancy.accounts import Row
from edge_proxy.tenancy.quotas import Total, period_at
from edge_proxy.tenancy.usage_file import UsageFile
from edge_proxy.tenancy.usage_store import UsageError, field_of, rows

ACME, ADA = Row("acme", None), Row("acme", "ada")
DAY = 86_400.0
TODAY, TOMORROW, NEXT_MONTH = (period_at(day * DAY) for day in (10, 11, 40))


def test_two_proxies_add_up_and_a_third_begins_with_the_sum(tmp_path: Path) -> None:
    file = tmp_path / "usage.json"
    assert UsageFile(file).totals(TODAY) == {}
    UsageFile(file).exchange({ACME: 5, ADA: 5}, TODAY)
    assert UsageFile(file).exchange({ACME: 2, ADA: 0}, TODAY) == {ACME: Total(7, 7), ADA: Total(5, 5)}
    assert UsageFile(file).totals(TODAY) == {ACME: Total(7, 7), ADA: Total(5, 5)}


def test_a_new_day_begins_at_nothing_and_a_new_month_too(tmp_path: Path) -> None:
    usage = UsageFile(tmp_path / "usage.json")
    usage.exchange({ACME: 5}, TODAY)
    assert usage.totals(TOMORROW) == {ACME: Total(0, 5)}
    assert usage.exchange({ACME: 1}, TOMORROW) == {ACME: Total(1, 6)}
    assert usage.totals(NEXT_MONTH) == {}
    assert usage.exchange({ACME: 1}, NEXT_MONTH) == {ACME: Total(1, 1)}


@pytest.mark.parametrize("content", [b"[1]", b'{"day": "\xff"}'])
def test_a_file_with_something_else_in_it_is_a_sentence_and_stays(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "usage.json"
    file.write_bytes(content)
    for call in (lambda: UsageFile(file).totals(TODAY), lambda: UsageFile(file).exchange({ACME: 1}, TODAY)):
        with pytest.raises(UsageError, match="something else"):
            call()
    assert file.read_bytes() == content


@given(st.dictionaries(st.tuples(st.text(), st.none() | st.text()), st.integers(1, 99), max_size=8))
def test_no_two_names_share_a_field(counts: dict[tuple[str, str | None], int]) -> None:
    this_month = {field_of(Row(*row)): count for row, count in counts.items()}
    assert rows({}, this_month) == {Row(*row): Total(0, count) for row, count in counts.items()}
