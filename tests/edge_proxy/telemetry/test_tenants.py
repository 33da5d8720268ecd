"""Counts per tenant with a bounded number of labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.telemetry.tenants import HALF_LIFE_SECONDS, MAX_TENANTS, OTHERS, Tenants


def requests(tenants: Tenants) -> dict[str, int]:
    return {name: counts.requests for name, counts in tenants.read()}


def did(tenants: Tenants, name: str, count: int) -> None:
    tenants.of(name).requests += count


def test_the_busiest_have_labels_and_the_others_share_one(clock: Any) -> None:
    tenants = Tenants(2, clock)
    for name, count in (("a", 5), ("b", 3), ("c", 2), ("d", 1)):
        did(tenants, name, count)
    assert requests(tenants) == {"a": 5, "b": 3, OTHERS: 3}


def test_a_label_is_kept_unless_another_is_much_busier(clock: Any) -> None:
    tenants = Tenants(1, clock)
    did(tenants, "a", 10)
    requests(tenants)
    did(tenants, "b", 14)
    assert requests(tenants) == {"a": 10, OTHERS: 14}
    did(tenants, "b", 10)
    assert requests(tenants) == {"b": 10, OTHERS: 14}


def test_who_was_busy_long_ago_makes_room(clock: Any) -> None:
    tenants = Tenants(1, clock)
    did(tenants, "a", 1_000)
    requests(tenants)
    clock.advance(10 * HALF_LIFE_SECONDS)
    did(tenants, "b", 5)
    assert requests(tenants) == {"b": 5, OTHERS: 0}


def test_a_tenant_named_like_the_rest_is_counted_with_it(clock: Any) -> None:
    tenants = Tenants(5, clock)
    did(tenants, OTHERS, 4)
    did(tenants, "a", 1)
    assert requests(tenants) == {"a": 1, OTHERS: 4}


def test_no_number_of_tenants_takes_more_than_bounded_memory(clock: Any) -> None:
    tenants = Tenants(3, clock)
    for number in range(MAX_TENANTS + 50):
        did(tenants, str(number), 1)
    read = requests(tenants)
    assert len(read) == 4
    assert sum(read.values()) == MAX_TENANTS + 50


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 9), st.booleans()), max_size=80))
def test_no_series_ever_falls_and_nothing_is_counted_twice(steps: list[tuple[str, int, bool]]) -> None:
    tenants = Tenants(2, lambda: 0.0)
    counted, last, gone = 0, dict[str, int](), 0
    look: Callable[[], dict[str, int]] = lambda: requests(tenants)  # noqa: E731
    for name, count, read in steps:
        did(tenants, name, count)
        counted += count
        if read:
            now = look()
            assert all(now[name] >= value for name, value in last.items() if name in now)
            gone += sum(value for name, value in last.items() if name not in now)
            assert sum(now.values()) + gone == counted
            last = now
