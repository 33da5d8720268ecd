"""Allowances of users and tenants: what is refused, why, and for how long."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.tenancy.accounts import Accounts, Row
from edge_proxy.tenancy.allowances import Allowance, TenantPolicy
from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.meters import Refusal
from edge_proxy.tenancy.quotas import Total

ADA, BOB, EVE = Identity("acme", "ada"), Identity("acme", "bob"), Identity("other", "eve")
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()


class FakeTimes:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def clock(self) -> float:
        return 1_000.0 + self.passed

    def wall(self) -> float:
        return NOON + self.passed


@pytest.fixture
def times() -> FakeTimes:
    return FakeTimes()


def accounts(times: FakeTimes, *, tenant: Allowance | None = None, user: Allowance | None = None) -> Accounts:
    policy = TenantPolicy(tenant or Allowance(), user or Allowance())
    return Accounts({"acme": policy}, times.clock, times.wall)


def cause(refusal: Refusal | None) -> str:
    return "" if refusal is None else refusal.cause


def test_without_a_table_nothing_is_limited(times: FakeTimes) -> None:
    account = accounts(times, tenant=Allowance(concurrent=1)).of(EVE)
    assert [account.admit() for _ in range(1_000)] == [None] * 1_000


def test_the_table_named_star_holds_for_tenants_without_one(times: FakeTimes) -> None:
    made = Accounts({"*": TenantPolicy(Allowance(concurrent=1)), "acme": TenantPolicy()}, times.clock, times.wall)
    assert [cause(made.of(EVE).admit()) for _ in range(2)] == ["", "tenant_concurrent"]
    assert [cause(made.of(ADA).admit()) for _ in range(2)] == ["", ""]


def test_a_user_over_the_rate_is_told_how_long_to_wait(times: FakeTimes) -> None:
    account = accounts(times, user=Allowance(requests_per_second=2, burst=3)).of(ADA)
    assert [cause(account.admit()) for _ in range(4)] == ["", "", "", "user_rate"]
    refusal = account.admit()
    assert refusal is not None
    assert refusal.retry_after_ms == 500
    assert refusal.retry_after_header == "1"
    times.passed += refusal.retry_after
    assert account.admit() is None


def test_one_users_rate_is_not_anothers(times: FakeTimes) -> None:
    made = accounts(times, user=Allowance(requests_per_second=1, burst=1))
    assert [cause(made.of(who).admit()) for who in (ADA, ADA, BOB)] == ["", "user_rate", ""]


def test_all_sessions_of_a_user_share_one_account(times: FakeTimes) -> None:
    made = accounts(times, user=Allowance(concurrent=1))
    assert made.of(ADA) is made.of(Identity("acme", "ada", "token:2", 99.0))


def test_a_refusal_by_the_tenant_takes_nothing_from_the_user(times: FakeTimes) -> None:
    made = accounts(times, tenant=Allowance(concurrent=1), user=Allowance(requests_per_second=1, burst=1))
    assert made.of(BOB).admit() is None
    assert cause(made.of(ADA).admit()) == "tenant_concurrent"
    made.of(BOB).ended()
    assert made.of(ADA).admit() is None


def test_a_token_without_a_user_is_measured_as_its_tenant_only(times: FakeTimes) -> None:
    nobody = Identity("acme")
    made = accounts(times, tenant=Allowance(concurrent=3), user=Allowance(concurrent=1))
    assert [cause(made.of(nobody).admit()) for _ in range(4)] == ["", "", "", "tenant_concurrent"]


def test_a_spent_quota_ends_at_midnight_utc(times: FakeTimes) -> None:
    account = accounts(times, user=Allowance(tokens_per_day=100)).of(ADA)
    account.charge(99)
    assert account.admit() is None
    account.charge(1)
    refusal = account.admit()
    assert refusal is not None
    assert (refusal.cause, refusal.retry_after) == ("user_quota", 12 * 3_600.0)
    assert "100 tokens of this day" in refusal.message
    times.passed += refusal.retry_after
    assert account.admit() is None


def test_a_spent_month_outlasts_the_day_and_ends_with_the_month(times: FakeTimes) -> None:
    account = accounts(times, tenant=Allowance(tokens_per_day=10, tokens_per_month=10)).of(ADA)
    account.charge(10)
    assert "month" in (account.admit() or Refusal("", "", 0)).message
    times.passed += 12 * 3_600.0  # NOON is the last day's of November
    assert account.admit() is None


def test_a_long_wait_fits_the_frames_field(times: FakeTimes) -> None:
    account = accounts(times, tenant=Allowance(tokens_per_day=1)).of(ADA)
    account.charge(1)
    refusal = account.admit()
    assert refusal is not None
    assert refusal.retry_after_ms == 600_000
    assert refusal.retry_after_header == "43200"


def test_what_other_proxies_spent_counts_and_nothing_is_counted_twice(times: FakeTimes) -> None:
    made = accounts(times, tenant=Allowance(tokens_per_day=100))
    ada = made.of(ADA)
    ada.charge(30)
    told = made.take_unsaved()
    assert told == {Row("acme", None): 30, Row("acme", "ada"): 30}
    ada.charge(5)  # while the store is asked
    period = made.period(times.wall())
    made.correct({Row("acme", None): Total(90, 90)}, period)  # 60 of them by others
    assert ada.admit() is None
    ada.charge(5)
    assert cause(ada.admit()) == "tenant_quota"
    assert made.take_unsaved()[Row("acme", None)] == 10


def test_the_store_is_not_asked_about_who_does_nothing(times: FakeTimes) -> None:
    made = accounts(times, tenant=Allowance(tokens_per_day=100))
    assert made.of(ADA).admit() is None
    assert set(made.take_unsaved()) == {Row("acme", None), Row("acme", "ada")}
    made.of(BOB)
    made.of(ADA).ended()
    assert made.take_unsaved() == {}


def test_counts_the_store_did_not_take_are_told_again(times: FakeTimes) -> None:
    made = accounts(times, tenant=Allowance(tokens_per_day=100))
    made.of(ADA).charge(7)
    made.give_back(made.take_unsaved())
    assert made.take_unsaved()[Row("acme", "ada")] == 7


def test_other_policies_hold_at_once_for_accounts_in_use(times: FakeTimes) -> None:
    made = accounts(times, user=Allowance(concurrent=1))
    account = made.of(ADA)
    assert [cause(account.admit()) for _ in range(2)] == ["", "user_concurrent"]
    made.configure({"acme": TenantPolicy(Allowance(), Allowance(concurrent=2))})
    assert [cause(account.admit()) for _ in range(2)] == ["", "user_concurrent"]
    made.configure({})
    assert account.admit() is None


def test_prompts_are_logged_for_one_tenant_until_the_end(times: FakeTimes) -> None:
    made = Accounts({"acme": TenantPolicy(log_prompts_until=NOON + 60)}, times.clock, times.wall)
    ada, eve = made.of(ADA), made.of(EVE)
    assert (ada.logs_prompts, eve.logs_prompts) == (True, False)
    times.passed = 60.0
    assert not ada.logs_prompts


@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=60),
)
def test_requests_at_once_are_those_of_a_count(per_user: int, per_tenant: int, steps: list[tuple[str, bool]]) -> None:
    made = accounts(FakeTimes(), tenant=Allowance(concurrent=per_tenant), user=Allowance(concurrent=per_user))
    running: Counter[str] = Counter()
    for user, begins in steps:
        account = made.of(Identity("acme", user))
        if begins:
            expected = running[user] < per_user and running.total() < per_tenant
            assert (account.admit() is None) == expected
            running[user] += expected
        elif running[user]:
            account.ended()
            running[user] -= 1
