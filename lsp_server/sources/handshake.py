"""Opening a session: the WebSocket handshake, `hello`, and `welcome`; every failure becomes one sentence."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.typing import Subprotocol

from lsp_server.settings_layers import is_loopback
from lsp_server.sources.session import Arriving
from lsp_server.version import version
from wire_protocol.codec import DEFAULT_FRAME_BYTES, ProtocolError, encode
from wire_protocol.frames import MAX_TOKEN_CHARS, SUBPROTOCOL, Error, Hello, Welcome

CLIENT: Final = "foretype-lsp"
AUTH_PAUSE_S: Final = 60.0
"""A refused token does not become right by asking again; once a minute notices that the operator fixed it."""
INCOMPATIBLE_PAUSE_S: Final = 30.0
"""Something else listens there, or another version: an update takes minutes, not milliseconds."""
MAX_RETRY_AFTER_S: Final = 600.0
_WEBSOCKET_POLICY_VIOLATION: Final = 1008


class DialError(Exception):
    """No session could be opened. `pause_s`: when to try again, None to leave it to the backoff."""

    def __init__(self, sentence: str, pause_s: float | None = None) -> None:
        super().__init__(sentence)
        self.pause_s: Final = pause_s


class NotListeningError(DialError):
    """Nothing listens at the address: the process is not there (yet)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was welcomed, and who answers: its address, for people."""

    websocket: ClientConnection
    welcome: Welcome
    address: str


class _Direct(connect):
    """A connection that follows no redirects: another address must not be sent the token."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


Decode = Callable[[bytes], Arriving]


async def open_url(url: str, token: str, decode: Decode, timeout_s: float) -> Opened:
    """A session with the edge or worker at `url`. Raises DialError. `timeout_s` covers everything.

    HTTP proxies of the environment are used, but never towards this machine.
    """
    proxy: Literal[True] | None = None if is_loopback(urlsplit(url).hostname or "") else True
    return await _open(lambda: _Direct(url, proxy=proxy, **_options()), _shown(url), token, decode, timeout_s)


def _shown(url: str) -> str:
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
    dial: Callable[[], Awaitable[ClientConnection]], address: str, token: str, decode: Decode, timeout_s: float
) -> Opened:
    websocket: ClientConnection | None = None
    try:
        async with asyncio.timeout(timeout_s):
            websocket = await _connected(dial, address)
            welcome = await _welcomed(websocket, address, token, decode)
    except TimeoutError:
        _abort(websocket)
        raise DialError(f"{address} did not answer within {timeout_s:g} s.") from None
    except BaseException:
        _abort(websocket)
        raise
    return Opened(websocket, welcome, address)


def _abort(websocket: ClientConnection | None) -> None:
    if websocket is not None:
        websocket.transport.abort()


async def _connected(dial: Callable[[], Awaitable[ClientConnection]], address: str) -> ClientConnection:
    try:
        websocket = await dial()
    except TimeoutError:
        raise
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotListeningError(f"Nothing listens at {address}.") from None
    except socket.gaierror as error:
        raise DialError(f"{address}: the host name cannot be resolved ({error.strerror}).") from None
    except InvalidStatus as error:
        raise _from_status(error, address) from None
    except InvalidURI:
        raise DialError(f"{address} is not a WebSocket address.", INCOMPATIBLE_PAUSE_S) from None
    except ProxyError as error:
        raise DialError(f"{address}: the HTTP proxy in between refused the connection ({error}).") from None
    except (InvalidHandshake, WebSocketException, EOFError, ValueError):
        raise _incompatible(address, "what answers there is not a WebSocket server of Foretype") from None
    except OSError as error:
        raise DialError(f"{address} cannot be reached: {error.strerror or error}.") from None
    if websocket.subprotocol != SUBPROTOCOL:
        _abort(websocket)
        raise _incompatible(address, f"the server there does not speak {SUBPROTOCOL}")
    raw = websocket.transport.get_extra_info("socket")
    if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return websocket


def _incompatible(address: str, problem: str) -> DialError:
    return DialError(f"{address}: {problem}. Check the address.", INCOMPATIBLE_PAUSE_S)


def _from_status(error: InvalidStatus, address: str) -> DialError:
    status = error.response.status_code
    if status in (401, 403):
        return DialError(f"{address} refused the token (HTTP {status}). Check edge.token.", AUTH_PAUSE_S)
    if status in (429, 502, 503, 504):
        return DialError(f"{address} has no room or is restarting (HTTP {status}).", _retry_after(error))
    return _incompatible(address, f"it answers HTTP {status} instead of opening a session")


def _retry_after(error: InvalidStatus) -> float | None:
    value = error.response.headers.get("Retry-After", "")
    return min(float(value), MAX_RETRY_AFTER_S) if value.isdecimal() else None


async def _welcomed(websocket: ClientConnection, address: str, token: str, decode: Decode) -> Welcome:
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise DialError("edge.token is not a token: it is too long or has characters no token has.", AUTH_PAUSE_S)
    try:
        await websocket.send(encode(Hello(token=token, client=CLIENT, client_version=version())))
        message = await websocket.recv()
    except ConnectionClosed as error:
        if error.rcvd is not None and error.rcvd.code == _WEBSOCKET_POLICY_VIOLATION:
            raise DialError(
                f"{address} refused the session: {error.rcvd.reason or 'no reason given'}.", AUTH_PAUSE_S
            ) from None
        raise DialError(f"{address} closed the connection before welcoming the session.") from None
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
