"""How the edge is reached from here: proxy and TLS as the settings say, made once and used for every dial."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field

from lsp_server.sources.proxies import proxy_for
from lsp_server.sources.tls import client_context


@dataclass(slots=True)
class Outward:
    """`proxy` is `edge.proxy`; the others are paths. Nothing is read before it is needed."""

    proxy: str = field(default="", repr=False)
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = field(default="", repr=False)
    _context: ssl.SSLContext | None = field(default=None, repr=False)

    def proxy_towards(self, url: str) -> str | None:
        """The proxy towards `url`, if there is one. Raises ProxySettingError."""
        return proxy_for(url, self.proxy)

    async def tls(self, url: str) -> ssl.SSLContext | None:
        """The context for `url`, None for one that is not encrypted. Raises TlsSettingError."""
        if not url.startswith("wss:"):
            return None
        if self._context is None:
            self._context = await asyncio.to_thread(client_context, self.ca_file, self.client_cert, self.client_key)
        return self._context


DIRECT = Outward(proxy="none")
"""For the worker on this machine."""
