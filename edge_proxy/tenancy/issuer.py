"""Fetches an issuer's keys over HTTPS: when a token names an unknown one, and from time to time."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from edge_proxy.tenancy.signed_tokens import JwtSettings, SignedTokens
from edge_proxy.tenancy.signing_keys import SigningKeys
from wire_protocol.addresses import is_loopback

FETCH_SECONDS: Final = 5.0
"""For both requests together: a session that waits for the keys has ten for its hello."""
MAX_BYTES: Final = 262_144
"""Of an answer; a key is a kilobyte."""
DISCOVERY: Final = "/.well-known/openid-configuration"
"""OpenID Connect Discovery 1.0, section 4."""

logger = logging.getLogger("foretype.edge.jwt")


class FetchError(Exception):
    """The keys cannot be had; the message is for the log."""


class Issuer:
    """Keeps `keys` as the issuer of `settings` has them. One fetch at a time; who comes meanwhile waits for it."""

    def __init__(self, settings: JwtSettings, keys: SigningKeys, tokens: SignedTokens) -> None:
        self._settings: Final = settings
        self._keys: Final = keys
        self._tokens: Final = tokens
        self._under_way: asyncio.Task[bool] | None = None

    async def fetch(self) -> bool:
        """Have the keys fetched, if that is allowed now; whether that worked. A failure leaves the keys there are."""
        if self._under_way is None:
            if not self._keys.may_ask():
                return False
            self._keys.begin()
            self._under_way = asyncio.create_task(self._fetch())
        under_way = self._under_way
        await asyncio.wait([under_way])  # `close` cancels the fetch, not those who wait for it
        return not under_way.cancelled() and under_way.result()

    async def refresh(self) -> None:
        """Have them fetched if they are old."""
        if self._keys.stale():
            await self.fetch()

    async def close(self) -> None:
        """Stop what is under way."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _fetch(self) -> bool:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = await self._fetched_keys()
            if not self._keys.replace(keys):
                raise FetchError("there is no usable public key among them")
            self._tokens.forget()
            logger.info("the issuer %s has %d keys", self._settings.issuer, len(keys))
            return True
        except (FetchError, aiohttp.ClientError, OSError, ValueError) as error:  # the last for a host that is no name
            reason = str(error) or type(error).__name__
            logger.warning("the keys of %s cannot be fetched: %s", self._settings.issuer, reason)
            return False
        finally:
            self._keys.end()
            self._under_way = None

    async def _fetched_keys(self) -> list[Any]:
        settings = self._settings
        async with aiohttp.ClientSession() as http:
            url = settings.keys_url
            if not url:
                found = await _json(http, settings.issuer.rstrip("/") + DISCOVERY)
                if found.get("issuer") != settings.issuer:
                    raise FetchError("the discovery document is of another issuer")
                url = str(found.get("jwks_uri", ""))
                if not may_ask(url):
                    raise FetchError("the discovery document's jwks_uri is not an https:// address")
            keys = (await _json(http, url)).get("keys")
        if not isinstance(keys, list):
            raise FetchError(f"{url} is no key set")
        return keys


def may_ask(url: str) -> bool:
    """Whether keys may come from `url`: over TLS, or from this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


async def _json(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with http.get(url, allow_redirects=False) as response:
        if response.status != 200:
            raise FetchError(f"{url} answers with status {response.status}")
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > MAX_BYTES:
                raise FetchError(f"{url} answers with more than {MAX_BYTES} bytes")
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise FetchError(f"{url} does not answer with a JSON object") from None
