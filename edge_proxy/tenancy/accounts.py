"""Who has which allowance, and what all have used of theirs: users in tenants; pure.

A check is a few comparisons, whatever the number of users. Both the user's and the tenant's allowance have to permit a
request; nothing is taken from the one if the other refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from edge_proxy.tenancy.allowances import EVERYONE, Allowance, TenantPolicy
from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.meters import Meter, Refusal
from edge_proxy.tenancy.quotas import Period, Total, period_at


class Row(NamedTuple):
    """Whose tokens are counted: a user's, or with None all of the tenant's."""

    tenant: str
    user: str | None


class Account:
    """One user's, with its tenant's: what a door asks, and what the dispatcher reports to."""

    __slots__ = ("_accounts", "_tenant", "_user", "identity")

    def __init__(self, identity: Identity, user: Meter, tenant: Tenant, accounts: Accounts) -> None:
        self.identity: Final = identity
        self._user: Final = user
        self._tenant: Final = tenant
        self._accounts: Final = accounts

    def admit(self) -> Refusal | None:
        """Whether one more request may begin now; if it may, None, and `ended` has to be called once for it."""
        accounts = self._accounts
        now = accounts.clock()
        if accounts.any_limits:
            wall = accounts.wall()
            period = accounts.period(wall)
            refusal = self._user.obstacle(now, wall, period) or self._tenant.meter.obstacle(now, wall, period)
            if refusal is not None:
                return refusal
        self._user.begin(now)
        self._tenant.meter.begin(now)
        return None

    def ended(self) -> None:
        """A request that was admitted has its end."""
        self._user.running -= 1
        self._tenant.meter.running -= 1

    def charge(self, tokens: int) -> None:
        """Tokens were spent on requests of this account, also on those it gave up."""
        if tokens and self._accounts.any_limits:
            period = self._accounts.period(self._accounts.wall())
            self._user.spent.add(tokens, period)
            self._tenant.meter.spent.add(tokens, period)

    @property
    def logs_prompts(self) -> bool:
        """Whether an operator wants the prompts of this tenant in the log, and the time for it is not over."""
        until = self._tenant.log_prompts_until
        return until > 0.0 and self._accounts.wall() < until


class Tenant:
    """One tenant's meter, and its users'."""

    __slots__ = ("accounts", "log_prompts_until", "meter", "users")

    def __init__(self, policy: TenantPolicy, period: Period) -> None:
        self.meter: Final = Meter("tenant", policy.tenant, period)
        self.users: Final[dict[str, Meter]] = {}
        self.accounts: Final[dict[str, Account]] = {}
        self.log_prompts_until = policy.log_prompts_until


class Accounts:
    """All of them. `clock` gives monotonic seconds, `wall` seconds since the epoch."""

    def __init__(
        self, policies: Mapping[str, TenantPolicy], clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        """`policies` by tenant; the one named `*` is for tenants that have none."""
        self.clock: Final = clock
        self.wall: Final = wall
        self._tenants: Final[dict[str, Tenant]] = {}
        self._period = period_at(wall())
        self._before: tuple[Period, Mapping[Row, Total]] = (self._period, {})
        self.configure(policies)

    def configure(self, policies: Mapping[str, TenantPolicy]) -> None:
        """Other policies from now on; what was used stays used, and no session notices otherwise."""
        self._policies = dict(policies)
        self.any_limits = any(
            allowance != Allowance() for policy in policies.values() for allowance in (policy.tenant, policy.user)
        )
        for name, tenant in self._tenants.items():
            policy = self._policy(name)
            tenant.meter.configure(policy.tenant)
            tenant.log_prompts_until = policy.log_prompts_until
            for user, meter in tenant.users.items():
                meter.configure(policy.user if user else Allowance())

    def of(self, identity: Identity) -> Account:
        """The account of this user; the same one for all of the user's sessions and requests.

        A token that names no user (`--token-file`) is measured as its tenant alone.
        """
        tenant = self._tenants.get(identity.tenant)
        if tenant is None:
            tenant = self._tenants[identity.tenant] = Tenant(self._policy(identity.tenant), self._period)
            self._remember(tenant.meter, Row(identity.tenant, None))
        account = tenant.accounts.get(identity.user)
        if account is None:
            allowance = self._policy(identity.tenant).user if identity.user else Allowance()
            meter = tenant.users[identity.user] = Meter("user", allowance, self._period)
            self._remember(meter, Row(identity.tenant, identity.user))
            account = tenant.accounts[identity.user] = Account(identity, meter, tenant, self)
        return account

    def period(self, wall: float) -> Period:
        """The day and month of `wall`."""
        if wall >= self._period.day_ends:
            self._period = period_at(wall)
        return self._period

    def _policy(self, tenant: str) -> TenantPolicy:
        return self._policies.get(tenant) or self._policies.get(EVERYONE) or TenantPolicy()

    # For the store of totals

    @property
    def has_quotas(self) -> bool:
        """Whether anybody's tokens are limited."""
        return any(policy.tenant.has_quota or policy.user.has_quota for policy in self._policies.values())

    def begin_with(self, totals: Mapping[Row, Total], period: Period) -> None:
        """What was spent in `period` before this process began, by users and tenants that were not seen yet."""
        self._before = (period, totals)

    def _remember(self, meter: Meter, row: Row) -> None:
        period, totals = self._before
        if row in totals:
            meter.spent.correct(totals[row], period)
            meter.spent.roll(self.period(self.wall()))

    def take_unsaved(self) -> dict[Row, int]:
        """Tokens spent since the last call, of all who asked for anything since; 0 for those who spent none."""
        spent = {}
        for row, meter in self._rows():
            if meter.active or meter.running or meter.spent.unsaved:
                meter.active = False
                spent[row] = meter.spent.take_unsaved()
        return spent

    def give_back(self, unsaved: Mapping[Row, int]) -> None:
        """The store could not be told."""
        for row, meter in self._rows():
            meter.spent.unsaved += unsaved.get(row, 0)

    def correct(self, totals: Mapping[Row, Total], period: Period) -> None:
        """The store's totals of `period`."""
        for row, meter in self._rows():
            if row in totals:
                meter.spent.correct(totals[row], period)

    def _rows(self) -> Iterator[tuple[Row, Meter]]:
        for name, tenant in self._tenants.items():
            yield Row(name, None), tenant.meter
            for user, meter in tenant.users.items():
                if user:
                    yield Row(name, user), meter
