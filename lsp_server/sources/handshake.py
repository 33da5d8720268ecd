"""Opening a session over a WebSocket: its handshake, `hello`, and `welcome`; every failure becomes one sentence."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from lsp_server.sources.outward import Outward
from lsp_server.sources.proxies import ProxySettingError, shown
from lsp_server.sources.session import Arriving
from lsp_server.sources.tls import TlsSettingError, problem
from lsp_server.sources.wire import WebSocketWire, Wire, WireClosedError
from lsp_server.version import version
from wire_protocol.codec import DEFAULT_FRAME_BYTES, ProtocolError, encode
from wire_protocol.frames import MAX_TOKEN_CHARS, SUBPROTOCOL, Error, Hello, Welcome

CLIENT: Final = "foretype-lsp"
OVER_HTTP: Final = " over HTTP"
"""Ends the address, for people, of a session that runs over no WebSocket."""
AUTH_PAUSE_S: Final = 60.0
"""A refused token does not become right by asking again; once a minute notices that the operator fixed it."""
INCOMPATIBLE_PAUSE_S: Final = 30.0
"""Something else listens there, or another version: an update takes minutes, not milliseconds."""
MAX_RETRY_AFTER_S: Final = 600.0
SETTING_PAUSE_S: Final = 30.0
"""A certificate's file may be mended, and a company's proxy switched on, while the editor runs."""


class DialError(Exception):
    """No session could be opened. `pause_s`: when to try again, None to leave it to the backoff.

    `blocked`: what failed is the WebSocket; something in between may not let it through.
    """

    def __init__(self, sentence: str, pause_s: float | None = None, *, blocked: bool = False) -> None:
        super().__init__(sentence)
        self.pause_s: Final = pause_s
        self.blocked: Final = blocked


class NotListeningError(DialError):
    """Nothing listens at the address: the process is not there (yet)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was welcomed, and who answers: its address, for people."""

    wire: Wire
    welcome: Welcome
    address: str


class _Direct(connect):
    """A connection that follows no redirects: another address must not be sent the token."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


Decode = Callable[[bytes], Arriving]


async def open_url(url: str, token: str, decode: Decode, timeout_s: float, outward: Outward | None = None) -> Opened:
    """A session with the edge or worker at `url`. Raises DialError. `timeout_s` covers everything."""
    address = shown_url(url)
    proxy, tls = await way_out(url, address, Outward() if outward is None else outward)
    options = _options()
    if tls is not None:
        options["ssl"] = tls
    if proxy is not None and proxy.startswith("https:"):
        options["proxy_ssl"] = tls or await Outward(ca_file=outward.ca_file if outward else "").tls("wss:")
    return await _open(lambda: _Direct(url, proxy=proxy, **options), address, token, decode, timeout_s, proxy)


async def way_out(url: str, address: str, outward: Outward) -> tuple[str | None, ssl.SSLContext | None]:
    """The proxy and the TLS towards `url`. Raises DialError."""
    try:
        return outward.proxy_towards(url), await outward.tls(url)
    except (ProxySettingError, TlsSettingError) as error:
        raise DialError(f"{address}: {error}", SETTING_PAUSE_S) from None


def shown_url(url: str) -> str:
    """`url` for people and logs, without its query, where some put credentials."""
    return urlsplit(url)._replace(query="").geturl()


async def open_unix(path: str, decode: Decode, timeout_s: float) -> Opened:
    """A session with the worker on the unix socket `path`. Raises DialError."""
    uri = "ws://localhost/v1/session"
    return await _open(lambda: unix_connect(path, uri, **_options()), f"unix:{path}", "", decode, timeout_s)


def _options() -> dict[str, Any]:
    return {
        "subprotocols": [Subprotocol(SUBPROTOCOL)],
        "compression": None,
        "max_size": DEFAULT_FRAME_BYTES,
        "open_timeout": None,  # one limit covers this and `welcome`
        "ping_interval": None,  # the link's own heartbeat follows what `welcome` says
        "close_timeout": 1.0,
        "user_agent_header": f"{CLIENT}/{version()}",
    }


async def _open(
    dial: Callable[[], Awaitable[ClientConnection]],
    address: str,
    token: str,
    decode: Decode,
    timeout_s: float,
    proxy: str | None = None,
) -> Opened:
    wire: Wire | None = None
    hello = first_frame(token)
    try:
        async with asyncio.timeout(timeout_s):
            wire = await _connected(dial, address, proxy)
            try:
                await wire.send(hello)
            except WireClosedError as closed:
                raise closed_early(closed, address) from None
            welcome = await welcomed(wire, address, decode)
    except TimeoutError:
        _abort(wire)
        raise DialError(f"{address} did not answer within {timeout_s:g} s.", blocked=True) from None
    except BaseException:
        _abort(wire)
        raise
    return Opened(wire, welcome, address)


def _abort(wire: Wire | None) -> None:
    if wire is not None:
        wire.abort()


async def _connected(dial: Callable[[], Awaitable[ClientConnection]], address: str, proxy: str | None) -> WebSocketWire:
    try:
        websocket = await dial()
    except TimeoutError:
        raise
    except InvalidStatus as error:
        raise _from_status(error, address) from None
    except InvalidURI:
        raise DialError(f"{address} is not a WebSocket address.", INCOMPATIBLE_PAUSE_S) from None
    except InvalidProxyStatus as error:
        raise refused_by_proxy(error.response.status_code, address, proxy) from None
    except ProxyError:
        raise DialError(
            f"{address}: the HTTP proxy {shown(proxy or '')} does not speak HTTP.", SETTING_PAUSE_S
        ) from None
    except (InvalidHandshake, WebSocketException, EOFError, ValueError) as error:
        if isinstance(error.__cause__, EOFError):
            raise _hung_up(address) from None
        raise _incompatible(address, "what answers there is not a WebSocket server of Foretype") from None
    except OSError as error:
        raise unreachable(error, address, proxy) from None
    if websocket.subprotocol != SUBPROTOCOL:
        websocket.transport.abort()
        raise _incompatible(address, f"the server there does not speak {SUBPROTOCOL}")
    raw = websocket.transport.get_extra_info("socket")
    if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return WebSocketWire(websocket)


def unreachable(error: OSError, address: str, proxy: str | None) -> DialError:
    """Why no connection came about, as far as the system says."""
    if isinstance(error, ssl.SSLError):
        return DialError(problem(error, address), SETTING_PAUSE_S)
    if proxy is not None and isinstance(error, ConnectionRefusedError | socket.gaierror):
        return DialError(f"{address}: the HTTP proxy {shown(proxy)} cannot be reached. Check edge.proxy.")
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return NotListeningError(f"Nothing listens at {address}.")
    if isinstance(error, socket.gaierror):
        return DialError(f"{address}: the host name cannot be resolved ({error.strerror}).")
    # A connection that is cut in the handshake is what a network does that wants no WebSocket.
    cut = isinstance(error, ConnectionResetError | BrokenPipeError)
    return DialError(f"{address} cannot be reached: {error.strerror or error}.", blocked=cut)


def refused_by_proxy(status: int, address: str, proxy: str | None) -> DialError:
    """An HTTP proxy answered `status` instead of connecting us."""
    where = f"{address}: the HTTP proxy {shown(proxy or '')}"
    if status == 407:
        return DialError(
            f"{where} wants a user and a password: set edge.proxy to http://USER:PASSWORD@HOST:PORT.", AUTH_PAUSE_S
        )
    return DialError(f"{where} refused the connection (HTTP {status}).", SETTING_PAUSE_S)


def _incompatible(address: str, problem: str) -> DialError:
    return DialError(f"{address}: {problem}. Check the address.", INCOMPATIBLE_PAUSE_S, blocked=True)


def _hung_up(address: str) -> DialError:
    """No answer at all; with TLS 1.3 that is also how a server refuses a missing client certificate."""
    hint = " If it wants a certificate from you, set edge.client_cert." if address.startswith("wss:") else ""
    sentence = f"{address} closed the connection without an answer.{hint} Check the address."
    return DialError(sentence, INCOMPATIBLE_PAUSE_S, blocked=True)


def _from_status(error: InvalidStatus, address: str) -> DialError:
    status = error.response.status_code
    if status in (401, 403):
        refused = f"{address} refused the token (HTTP {status}). Check edge.token."
        return DialError(refused, AUTH_PAUSE_S, blocked=status == 403)
    if status in (429, 502, 503, 504):
        busy = f"{address} has no room or is restarting (HTTP {status})."
        return DialError(busy, _retry_after(error), blocked=status != 429)
    return _incompatible(address, f"it answers HTTP {status} instead of opening a session")


def _retry_after(error: InvalidStatus) -> float | None:
    value = error.response.headers.get("Retry-After", "")
    return min(float(value), MAX_RETRY_AFTER_S) if value.isdecimal() else None


def first_frame(token: str) -> bytes:
    """`hello`, encoded. Raises DialError."""
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise DialError("edge.token is not a token: it is too long or has characters no token has.", AUTH_PAUSE_S)
    return encode(Hello(token=token, client=CLIENT, client_version=version()))


def closed_early(closed: WireClosedError, address: str) -> DialError:
    """The peer hung up before `welcome`."""
    if closed.refused:
        return DialError(f"{address} refused the session: {closed.reason or 'no reason given'}.", AUTH_PAUSE_S)
    return DialError(f"{address} closed the connection before welcoming the session.", blocked=True)


async def welcomed(wire: Wire, address: str, decode: Decode) -> Welcome:
    """The answer to `hello`. Raises DialError."""
    try:
        message = await wire.recv()
    except WireClosedError as closed:
        raise closed_early(closed, address) from None
    if isinstance(message, str):
        raise _incompatible(address, "it sends text where the protocol has binary messages")
    try:
        frame = decode(message)
    except ProtocolError as error:
        raise _incompatible(address, f"it does not speak the protocol ({error.message})") from None
    if isinstance(frame, Welcome):
        return frame
    if isinstance(frame, Error):
        raise from_error(frame, address)
    raise _incompatible(address, "its first frame is not `welcome`")


def from_error(error: Error, address: str) -> DialError:
    """What an `error` frame that ends or refuses a session means for the next try."""
    reason = error.message or "no reason given"
    if error.code == "auth":
        advice = "" if "edge.token" in reason else " Check edge.token."
        return DialError(f"{address} refused the token: {reason}{advice}", AUTH_PAUSE_S)
    if error.code == "version":
        return DialError(f"{address} speaks another protocol version: {reason}", INCOMPATIBLE_PAUSE_S)
    pause = None if error.retry_after_ms is None else min(error.retry_after_ms / 1_000, MAX_RETRY_AFTER_S)
    return DialError(f"{address} refused the session ({error.code}): {reason}", pause)
