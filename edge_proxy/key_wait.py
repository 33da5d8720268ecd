"""Between a shell and its session: where a token's issuer has to be asked for keys, ask, and go on."""

from __future__ import annotations

from edge_proxy.auth import Authenticator
from edge_proxy.session import Close, Wait


async def with_keys(outcome: Close | Wait | None, authenticator: Authenticator) -> Close | None:
    """What `Session.receive` came to in the end; takes a few seconds at most, and no time without a Wait."""
    if isinstance(outcome, Wait):
        await authenticator.fetch_keys()
        return outcome.again()
    return outcome
