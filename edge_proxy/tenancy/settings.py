"""The settings about who may come in, and the checks that types cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta

from edge_proxy.errors import SettingError, StartError
from edge_proxy.tenancy.allowances import EVERYONE, Allowance, TenantPolicy
from edge_proxy.tenancy.issuer import may_ask
from edge_proxy.tenancy.signed_tokens import JwtSettings

MAX_PROMPT_LOG: Final = timedelta(days=31)
"""A later end is none that anybody keeps in mind."""


class TenantSettings(Allowance, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[tenants.NAME]`; the one named `*` is for tenants that have none."""

    users: Allowance = Allowance()
    """For each of its users."""
    log_prompts_until: Annotated[datetime, Meta(tz=True)] | None = None
    """Until then the log has this tenant's prompts in it; at most `MAX_PROMPT_LOG` ahead."""


def check_jwt(jwt: JwtSettings) -> None:
    """Whether the table can be trusted. Raises StartError."""
    if not jwt.issuer:
        if jwt != JwtSettings():
            raise StartError("The table [jwt] needs `issuer`: the `iss` of the tokens it is about.")
        return
    for key, url in (("issuer", jwt.issuer), ("keys_url", jwt.keys_url or jwt.issuer)):
        if not may_ask(url):
            raise SettingError(
                ("jwt", key), f"{url!r} should be an https:// address: keys sent in clear prove nothing."
            )
    if not jwt.audience:
        raise StartError("The table [jwt] needs `audience`: else tokens for the issuer's other services work here.")
    if bool(jwt.tenant) == bool(jwt.tenant_claim):
        raise StartError("The table [jwt] needs either `tenant`, if all are of one, or `tenant_claim`.")


def policies(tenants: Mapping[str, TenantSettings]) -> dict[str, TenantPolicy]:
    """What the tables mean. Raises StartError."""
    made = {}
    for name, tenant in tenants.items():
        until = tenant.log_prompts_until
        if until is not None and name == EVERYONE:
            message = "log_prompts_until: prompts are logged for one named tenant, never for all."
            raise SettingError(("tenants", name, "log_prompts_until"), message)
        if until is not None and until > datetime.now(UTC) + MAX_PROMPT_LOG:
            message = f"log_prompts_until is more than {MAX_PROMPT_LOG.days} days ahead."
            raise SettingError(("tenants", name, "log_prompts_until"), message)
        allowance = Allowance(**{key: getattr(tenant, key) for key in Allowance.__struct_fields__})
        made[name] = TenantPolicy(allowance, tenant.users, 0.0 if until is None else until.timestamp())
    return made


def origin(text: str) -> str:
    """`text` as a browser writes it (RFC 6454, section 6.1)."""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise StartError(f"{text!r} in `origins` is no origin: write https://HOST or https://HOST:PORT.")
    return f"{parts.scheme}://{parts.netloc}".lower()
