"""The running process: binds the address, says it is ready, and drains on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from aiohttp import web

from edge_proxy.app import CLOSE_SECONDS, EdgeApp
from edge_proxy.auth import load_secret, load_worker_token
from edge_proxy.config import Config
from edge_proxy.errors import StartError
from edge_proxy.guard import Guard
from edge_proxy.open_files import allow_sessions
from edge_proxy.reload import Reloader
from edge_proxy.tls import server_context, worker_context
from edge_proxy.waiting import Line
from wire_protocol.addresses import Address, TcpAddress, UnixAddress, is_private

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
BACKLOG: Final = 4_096
"""Connections that wait to be accepted: when a proxy dies, all its clients come at once."""
GC_ALLOCATIONS: Final = 20_000
"""Between two collections (Python: 700): a completion makes no cycles, and a search for them stops all sessions."""
_ONLY_OWNER: Final = 0o177
"""umask for the Unix domain socket: whoever can open it is let in."""

logger = logging.getLogger("foretype.edge")


def run(
    config: Config, line: Line | None = None, *, child: bool = False, load: Callable[[], Config] | None = None
) -> int:
    """Serve until told to stop; the exit status. `line` is another order of service. Raises StartError.

    `load` gives the settings as they are now, for SIGHUP.
    A `child` of `processes` stops also when its standard input ends: then its parent is gone.
    """
    if sys.platform == "win32":
        return asyncio.run(serve(config, line))
    import uvloop  # not on Windows

    return uvloop.run(serve(config, line, child=child, load=load))


async def serve(
    config: Config, line: Line | None = None, *, child: bool = False, load: Callable[[], Config] | None = None
) -> int:
    """Serve until SIGTERM or SIGINT, drain, return 0. A second signal ends the process at once. Raises StartError."""
    guard = Guard(config)
    worker_token = load_worker_token(config.worker_token_file) if config.worker_token_file else ""
    tls, worker_tls = server_context(config), worker_context(config)
    if not is_private(config.listen) and (tls is None or not config.has_auth):
        logger.warning("listening on %s without %s", config.listen, "TLS" if tls is None else "tokens")
    for worker in config.workers:
        if worker.clear_and_far:
            logger.warning("worker %s is reached over the network without TLS", worker.name)
    allow_sessions(config.limits.sessions)
    secret = load_secret(Path(config.redis.key_file)) if config.redis.url else b""
    edge = EdgeApp(config, guard.gatekeeper, worker_token, line=line, secret=secret, worker_tls=worker_tls)
    reloader = Reloader(config, load or (lambda: config), edge, guard, tls)
    runner = web.AppRunner(edge.web_app(), access_log=None, handle_signals=False, shutdown_timeout=CLOSE_SECONDS)
    stop = asyncio.Event()
    await runner.setup()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    await guard.start(edge.accounts)
    watching = asyncio.create_task(guard.run(edge))
    try:
        where = await _bind(runner, config.listen, tls, share=config.processes > 1)
        with _signals(stop.set, reloader.reload):
            scheme = "ws" if tls is None else "wss"
            shown = where if where.startswith("unix:") else f"{scheme}://{where}"
            if child:
                _when_input_ends(stop.set)
            sys.stdout.write(f"foretype-proxy ready on {shown}\n")  # in one piece: several processes may share it
            sys.stdout.flush()
            await stop.wait()
            logger.info("draining: up to %g s for %d requests", config.grace, edge.dispatcher.live)
            await edge.drain()
    finally:
        await runner.cleanup()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await guard.close(edge.accounts)
    return 0


async def _bind(runner: web.AppRunner, address: Address, tls: ssl.SSLContext | None, *, share: bool) -> str:
    """Listen, if `share` beside other processes; the address with the port that was chosen. Raises StartError."""
    try:
        if isinstance(address, TcpAddress):
            host, port, shared = address.host, address.port, True if share else None
            await web.TCPSite(runner, host, port, ssl_context=tls, backlog=BACKLOG, reuse_port=shared).start()
        else:
            await _bind_unix(runner, address, tls)
    except OSError as error:
        raise StartError(_bind_problem(address, error)) from None
    if isinstance(address, TcpAddress):
        return str(TcpAddress(address.host, runner.addresses[0][1]))
    return str(address)


async def _bind_unix(runner: web.AppRunner, address: UnixAddress, tls: ssl.SSLContext | None) -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise StartError(f"This system has no Unix domain sockets to listen on as {address}: use --listen HOST:PORT.")
    # Binding would silently take the path away from a process that still listens there.
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
        probe.connect(address.path)
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    before = os.umask(_ONLY_OWNER)
    try:
        await web.UnixSite(runner, address.path, ssl_context=tls, backlog=BACKLOG).start()
    finally:
        os.umask(before)


def _bind_problem(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address} is in use by another process: stop it, or choose another address with --listen."
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else "the name is not known"
    return f"Cannot listen on {address}: {reason}. Choose another address with --listen."


def _when_input_ends(stop: Callable[[], None]) -> None:
    loop, source = asyncio.get_running_loop(), sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(source)
        stop()

    loop.add_reader(source, ended)


@contextlib.contextmanager
def _signals(stop: Callable[[], None], reload: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Call `stop` at the first signal; leave the second one to the system, which ends the process. SIGHUP: `reload`."""
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Future[None]] = set()

    def first() -> None:
        for number in SIGNALS:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop()

    def again() -> None:
        reloading = asyncio.ensure_future(reload())
        reloads.add(reloading)
        reloading.add_done_callback(reloads.discard)

    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, first)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(first))
    if hasattr(signal, "SIGHUP"):
        loop.add_signal_handler(signal.SIGHUP, again)
    yield
