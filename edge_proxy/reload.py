"""New settings for a proxy that runs (SIGHUP): what may change changes, and no session is dropped for it."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from edge_proxy import tls
from edge_proxy.app import EdgeApp
from edge_proxy.config import WAYS_IN, Config
from edge_proxy.errors import StartError
from edge_proxy.guard import Guard
from wire_protocol.addresses import unsafe_reason

LIVE: Final = frozenset(
    {
        *("token_file", "tokens", "jwt", "tenants", "usage", "origins", "insecure"),
        *("workers", "weights", "languages", "arms"),
        *("tls_cert", "tls_key", "log_level", "grace", "cost"),
    }
)
"""Settings that may change while the proxy runs. All others were built into something that sessions stand on."""

logger = logging.getLogger("foretype.edge.reload")


class Change(NamedTuple):
    """The settings to go on with, and the names of those that changed and of those that need a restart for it."""

    config: Config
    changed: list[str]
    fixed: list[str]


def change(old: Config, new: Config) -> Change:
    """What of `new` may be used instead of `old`. Raises StartError if that would let in who should not be."""
    if old.has_auth != new.has_auth:
        raise StartError("Whether tokens are asked for at all changes only with a restart.")
    differ = [name for name in Config.__struct_fields__ if getattr(old, name) != getattr(new, name)]
    switched = old.tls_cert is None or new.tls_cert is None
    live = LIVE - {"tls_cert", "tls_key"} if switched else LIVE
    changed = [name for name in differ if name in live]
    config = msgspec.structs.replace(old, **{name: getattr(new, name) for name in changed})
    reason = unsafe_reason(
        config.listen,
        token=config.has_auth,
        tls=config.tls_cert is not None,
        insecure=config.insecure,
        tokens=WAYS_IN,
    )
    if reason is not None:
        raise StartError(reason)
    return Change(config, changed, [name for name in differ if name not in live])


class Reloader:
    """Applies what `load` gives to `edge` and `guard`. `context` is the listener's, if it has TLS."""

    def __init__(
        self, config: Config, load: Callable[[], Config], edge: EdgeApp, guard: Guard, context: ssl.SSLContext | None
    ) -> None:
        self._config = config
        self._load: Final = load
        self._edge: Final = edge
        self._guard: Final = guard
        self._context: Final = context
        self._one_at_a_time: Final = asyncio.Lock()

    async def reload(self) -> None:
        """Once. A mistake in the new settings is logged, and nothing changes."""
        async with self._one_at_a_time:
            try:
                config, changed, fixed = change(self._config, await asyncio.to_thread(self._load))
                tls.server_context(config)  # raises before anything has changed
                await self._guard.reload(config)
                if self._context is not None and config.tls_cert is not None and config.tls_key is not None:
                    tls.load_pair(self._context, config.tls_cert, config.tls_key)  # the files may be new ones
            except StartError as error:
                logger.error("not reloaded, and nothing has changed: %s", error)
                return
            self._config = config
            logging.getLogger().setLevel(config.log_level.upper())
            self._edge.apply(config)
            logger.info("reloaded: %s", ", ".join(changed) or "no setting has changed")
            if fixed:
                logger.warning("these settings change only with a restart: %s", ", ".join(fixed))
