"""Which web pages may use the proxy: its own, and those of the origins that an operator names.

A browser sends a page's origin with every WebSocket handshake and every request that could change something, and lets
no page forge it; other clients send none. Without tokens, on loopback, the `Host` is looked at as well: a page whose
name was pointed at 127.0.0.1 after it was loaded (DNS rebinding) counts as the proxy's own otherwise. What sends no
`Host` is no browser.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from edge_proxy.config import Config
from wire_protocol.addresses import TcpAddress, is_loopback, is_private

PREFLIGHT_SECONDS: Final = "600"
"""How long a browser may remember that an origin is allowed."""
_ALLOWED: Final = web.RequestKey("allowed_origin", str)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem_with(origin: str | None, host: str, allowed: Collection[str], *, only_loopback: bool) -> str | None:
    """Why a request with these `Origin` and `Host` is refused; None if it is not. `allowed` are lower case."""
    name = _hostname(f"//{host}")
    if only_loopback and host and not is_loopback(name) and name not in {_hostname(one) for one in allowed}:
        return f"This proxy has no tokens and answers to this machine's names only: `origins` can name {name!r}, too."
    if origin is None or origin.lower() in allowed or _place(origin) == host.lower() != "":
        return None
    return "Pages of this origin may not use this proxy: the setting `origins` names those that may."


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _place(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def middleware(config: Callable[[], Config]) -> Middleware:
    """For the application: refuses with 403 before any handler, and answers a browser's preflight requests."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        settings = config()
        origin = request.headers.get(hdrs.ORIGIN)
        listen = settings.listen
        only_loopback = isinstance(listen, TcpAddress) and is_private(listen) and not settings.has_auth
        if origin is None and not only_loopback:
            return await handler(request)
        host = request.headers.get(hdrs.HOST, "")
        problem = problem_with(origin, host, settings.origins, only_loopback=only_loopback)
        if problem is not None:
            return web.Response(status=403, text=f"{problem}\n")
        if origin is not None and origin.lower() in settings.origins:
            request[_ALLOWED] = origin
            if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
                return web.Response(status=204)
        return await handler(request)

    return check


async def allow(request: web.Request, response: web.StreamResponse) -> None:
    """Signal before a response's headers go out: tells the browser that the page may read it (Fetch, section 3.2)."""
    origin = request.get(_ALLOWED)
    if origin is None:
        return
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    response.headers.add(hdrs.VARY, hdrs.ORIGIN)
    if request.method == hdrs.METH_OPTIONS:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST"
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = "Authorization, Content-Type"
        response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = PREFLIGHT_SECONDS
