"""`/` and `/v1/status`. The page itself has no data and anybody may load it; the data needs what `Operators` says.

The token is sent in a header that the page's script sets, never in a cookie: so no other site's page can use it. The
page may run its own script and no other (Content-Security-Policy by hash), and shows all data as text.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from importlib import resources
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from edge_proxy.status_page.operators import Operators

STATUS_PATH: Final = "/v1/status"


class StatusPage:
    """`status` makes the document that the page shows."""

    def __init__(self, operators: Operators, status: Callable[[], dict[str, Any]]) -> None:
        self._operators: Final = operators
        self._status: Final = status
        page = resources.files("edge_proxy.status_page").joinpath("page.html").read_text(encoding="utf-8")
        self._page: Final = page.encode()
        self._headers: Final = {
            "Content-Security-Policy": policy(page),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            hdrs.CACHE_CONTROL: "no-cache",
        }

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve both."""
        router.add_get("/", self._show)
        router.add_get(STATUS_PATH, self._data)

    async def _show(self, _: web.Request) -> web.Response:
        return web.Response(body=self._page, content_type="text/html", charset="utf-8", headers=self._headers)

    async def _data(self, request: web.Request) -> web.Response:
        headers = {hdrs.CACHE_CONTROL: "no-store", "X-Content-Type-Options": "nosniff"}
        refusal = self._operators.refusal_of_status(request.headers.get(hdrs.AUTHORIZATION, ""))
        if refusal is not None:
            status = 401 if self._operators.has_token else 403
            body = msgspec.json.encode({"error": {"message": refusal}})
            return web.Response(status=status, body=body, content_type="application/json", headers=headers)
        body = msgspec.json.encode(self._status())
        return web.Response(body=body, content_type="application/json", headers=headers)


def policy(page: str) -> str:
    """The Content-Security-Policy that lets exactly this page's one script and one style sheet in."""

    def hash_of(tag: str) -> str:
        found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert found is not None, tag
        return f"'sha256-{b64encode(sha256(found[1].encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; script-src {hash_of('script')}; style-src {hash_of('style')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
