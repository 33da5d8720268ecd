"""What is looked after once a second while the proxy runs: changed tokens, their ends, keys, counts of tokens spent."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final, Protocol

from edge_proxy.auth import Gatekeeper
from edge_proxy.config import Config
from edge_proxy.errors import StartError
from edge_proxy.requests import MS
from edge_proxy.tenancy.accounts import Accounts
from edge_proxy.tenancy.issuer import Issuer
from edge_proxy.tenancy.live_sessions import LiveSessions, Warn
from edge_proxy.tenancy.signed_tokens import JwtSettings, SignedTokens
from edge_proxy.tenancy.signing_keys import SigningKeys
from edge_proxy.tenancy.token_store import open_store
from edge_proxy.tenancy.token_watch import TokenWatch
from edge_proxy.tenancy.usage_store import UsageError, UsageStore, open_usage
from wire_protocol.frames import GoAway

ROUND_SECONDS: Final = 1.0
"""A revocation has five seconds from the command to the end of the session: a round, and a slow store's timeout."""
USAGE_ROUNDS: Final = 5
"""Between two exchanges of counts: what others spend is known that many seconds late."""
REVOKED: Final = "The token was revoked: ask for another one."
EXPIRED: Final = "The token has expired: get a new one, and send it with `auth` before the last one ends."
EXPIRES: Final = "The token has run out: send a new one with `auth`, or connect again with one."

logger = logging.getLogger("foretype.edge.guard")


class Guarded(Protocol):
    """The proxy, as far as the guard sees it."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def live(self) -> LiveSessions: ...
    def warn(self, session: int, frame: GoAway) -> None: ...
    def cut(self, session: int, cause: str, message: str) -> None: ...


def _signed(jwt: JwtSettings) -> tuple[SignedTokens, Issuer] | None:
    if not jwt.issuer:
        return None
    keys = SigningKeys(time.monotonic)
    tokens = SignedTokens(jwt, keys, time.time)
    return tokens, Issuer(jwt, keys, tokens)


class Guard:
    """Knows who may come in. `gatekeeper` stays the same object for good; what it knows changes."""

    def __init__(self, config: Config) -> None:
        """Reads the tokens, blocking. Raises StartError."""
        self.gatekeeper: Final = Gatekeeper(anyone=not config.has_auth)
        self._complaint = ""
        self._reading: Final = asyncio.Lock()
        """One at a time, so that what was read before a reload is not put in its place after it."""
        self._read(config)
        self._jwt = config.jwt
        self.gatekeeper.signed = _signed(config.jwt)

    def _read(self, config: Config) -> None:
        usage: UsageStore | None = open_usage(config.usage) if config.usage else None
        store = open_store(config.tokens) if config.tokens else None
        self._watch = TokenWatch(self.gatekeeper, config.token_file, store)
        self._usage = usage

    async def reload(self, config: Config) -> None:
        """Other settings: tokens that both know stay known. Raises StartError, and then nothing has changed."""
        signed = self.gatekeeper.signed
        if config.jwt != self._jwt:
            signed = _signed(config.jwt)
            if signed is not None and not await signed[1].fetch():
                raise StartError(f"The keys of {config.jwt.issuer} cannot be fetched; see the log.")
        async with self._reading:
            await asyncio.to_thread(self._read, config)
        before, self.gatekeeper.signed = self.gatekeeper.signed, signed
        if before is not None and before is not signed:
            await before[1].close()
        self._jwt = config.jwt

    async def start(self, accounts: Accounts) -> None:
        """Before the first session: what was spent until now, and the issuer's keys."""
        if self.gatekeeper.signed is not None:
            await self.gatekeeper.signed[1].fetch()
        if self._usage is None:
            if accounts.has_quotas:
                logger.warning("quotas are counted in this process only, from its start on: set `usage` to keep them")
            return
        period = accounts.period(accounts.wall())
        try:
            accounts.begin_with(await asyncio.to_thread(self._usage.totals, period), period)
        except UsageError as error:
            self._complain(error)

    async def run(self, edge: Guarded) -> None:
        """Go round until cancelled."""
        rounds = 0
        while True:
            try:
                await self.round(edge)
                if rounds % USAGE_ROUNDS == 0:
                    await self.exchange_usage(edge.accounts)
            except Exception:
                logger.exception("the guard's round failed; the next one is due in %g s", ROUND_SECONDS)
            rounds += 1
            await asyncio.sleep(ROUND_SECONDS)

    async def round(self, edge: Guarded) -> None:
        """One look at everything."""
        async with self._reading:
            await self._watch.look()
        for session in edge.live.orphans(self.gatekeeper.knows):
            edge.cut(session, "revoked", REVOKED)
        for due in list(edge.live.due()):
            if isinstance(due, Warn):
                edge.warn(due.session, GoAway(within_ms=round(self._jwt.skew * MS), reason=EXPIRES))
            else:
                edge.cut(due.session, "expired", EXPIRED)
        if self.gatekeeper.signed is not None:  # last, for it may take seconds
            await self.gatekeeper.signed[1].refresh()

    async def exchange_usage(self, accounts: Accounts) -> None:
        """Tell the store what was spent, and hear what all have spent."""
        if self._usage is None or not accounts.has_quotas:
            return
        spent = accounts.take_unsaved()
        period = accounts.period(accounts.wall())
        try:
            accounts.correct(await asyncio.to_thread(self._usage.exchange, spent, period), period)
            self._complaint = ""
        except Exception as error:
            accounts.give_back(spent)
            if not isinstance(error, UsageError):
                raise
            self._complain(error)

    def _complain(self, error: UsageError) -> None:
        if str(error) != self._complaint:
            self._complaint = str(error)
            logger.warning("%s Quotas go by what this process knows.", error)

    async def close(self, accounts: Accounts) -> None:
        """Before the process ends: the last counts."""
        if self.gatekeeper.signed is not None:
            await self.gatekeeper.signed[1].close()
        await self.exchange_usage(accounts)
