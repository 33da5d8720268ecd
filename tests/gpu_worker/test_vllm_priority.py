"""The one number by which vLLM orders requests: the lowest runs first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.engines.base import KIND_RANK, Request
from gpu_worker.engines.vllm_engine import priority_of
from wire_protocol.frames import Context, Kind

LARGEST = 2**53 - 1
KINDS: tuple[Kind, ...] = ("invoked", "automatic", "prefetch")


def request(kind: Kind, priority: int = 0, key: int = 1) -> Request:
    return Request(key, Context(), kind=kind, priority=priority)


def test_without_a_priority_the_newest_runs_first() -> None:
    assert priority_of(request("automatic", key=8)) < priority_of(request("automatic", key=7))


def test_a_given_priority_orders_within_a_kind() -> None:
    assert priority_of(request("automatic", -9, key=1)) < priority_of(request("automatic", -8, key=2))


@given(
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.integers(-LARGEST, LARGEST),
    st.integers(-LARGEST, LARGEST),
)
def test_no_priority_lifts_a_request_out_of_its_kind(one: Kind, other: Kind, high: int, low: int) -> None:
    first, second = priority_of(request(one, high)), priority_of(request(other, low))
    if KIND_RANK[one] < KIND_RANK[other]:
        assert first < second
    assert -(2**63) <= first < 2**63  # it crosses to vLLM's process as a signed 64-bit number
