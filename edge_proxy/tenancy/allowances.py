"""What a tenant and each of its users may have, as settings; pure."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

EVERYONE: Final = "*"
"""The name of the allowances of tenants that have no table of their own."""

Positive = Annotated[int, Meta(ge=1)]
PositiveRate = Annotated[float, Meta(gt=0.0)]


class Allowance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one user, or one tenant, may have; what is left out has no limit."""

    requests_per_second: PositiveRate | None = None
    burst: Positive | None = None
    """Requests at once after a pause; without it, two seconds' worth."""
    concurrent: Positive | None = None
    """Requests without their end."""
    tokens_per_day: Positive | None = None
    """Prompt tokens evaluated and tokens generated; a day begins at midnight UTC."""
    tokens_per_month: Positive | None = None

    @property
    def has_quota(self) -> bool:
        """Whether tokens are limited."""
        return self.tokens_per_day is not None or self.tokens_per_month is not None


class TenantPolicy(NamedTuple):
    """A tenant's allowances: for all of it, and for each of its users; and until when its prompts are logged."""

    tenant: Allowance = Allowance()
    user: Allowance = Allowance()
    log_prompts_until: float = 0.0
    """Epoch seconds; 0 for never."""
