"""A worker's life: bind, load, say that it is ready, serve until told to stop or idle for too long, drain."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from aiohttp import web

from gpu_worker import listen
from gpu_worker.app import close_sessions, create_app
from gpu_worker.engines.base import Engine
from gpu_worker.engines.swap import SwapEngine
from gpu_worker.errors import WorkerError
from gpu_worker.hub import Hub
from gpu_worker.idle import IdleTimer
from gpu_worker.swapper import Swapper
from wire_protocol.addresses import Address, TcpAddress, UnixAddress
from wire_protocol.frames import Tier

TICK_SECONDS = 1.0
"""Between stats frames while busy."""
DEFAULT_GRACE_SECONDS = 10.0
SHUTDOWN_SECONDS = 2.0
"""For connections that do not close by themselves after the drain."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve. `idle_exit` is in seconds, None for never; `grace` is how long a drain may take, in seconds.

    `reload` makes the engine that the settings ask for now, not started, or raises WorkerError: called on SIGHUP.
    """

    address: Address
    tokens: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    tier: Tier = "small"
    idle_exit: float | None = None
    grace: float = DEFAULT_GRACE_SECONDS
    clock: Callable[[], float] = field(default=time.monotonic)
    reload: Callable[[], Engine] | None = None


async def serve(options: ServeOptions, engine: Engine, stop: asyncio.Event, announce: Callable[[str], None]) -> None:
    """Serve until `stop` is set, by a signal or anybody else. Raises WorkerError when it cannot, or not any more."""
    address = options.address
    listener = listen.bind(address)
    if isinstance(address, TcpAddress):
        address = TcpAddress(address.host, listener.getsockname()[1])
    file = listen.SocketFile(address)
    try:
        with _signals(stop):
            await _serve(options, address, listener, file, SwapEngine(engine), stop, announce)
    finally:
        file.remove()
        listener.close()


async def _serve(
    options: ServeOptions,
    address: Address,
    listener: socket.socket,
    file: listen.SocketFile,
    engine: SwapEngine,
    stop: asyncio.Event,
    announce: Callable[[str], None],
) -> None:
    loading = asyncio.create_task(engine.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():  # told to stop while loading: the process ends, and the loading thread with it
            loading.cancel()
            return
        loading.result()
        await _run(options, address, listener, file, engine, stop, announce)
    finally:
        stopping.cancel()
        if loading.done():
            await engine.close()


async def _run(
    options: ServeOptions,
    address: Address,
    listener: socket.socket,
    file: listen.SocketFile,
    engine: SwapEngine,
    stop: asyncio.Event,
    announce: Callable[[str], None],
) -> None:
    timer = IdleTimer(options.idle_exit, options.clock)
    changed = asyncio.Event()
    connected = 0

    def on_peers(count: int) -> None:
        nonlocal connected
        while connected < count:
            timer.connected()
            connected += 1
        while connected > count:
            timer.disconnected()
            connected -= 1
        changed.set()

    hub = Hub(engine, tokens=options.tokens, clock=options.clock, on_peers=on_peers, tier=options.tier)
    app = create_app(hub)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    loop = asyncio.get_running_loop()
    if runner.server is None:
        raise RuntimeError("aiohttp's runner was set up but has no server")
    if isinstance(address, UnixAddress):
        server = await loop.create_unix_server(runner.server, sock=listener, ssl=options.tls)
    else:
        server = await loop.create_server(runner.server, sock=listener, ssl=options.tls)
    tasks = [
        asyncio.create_task(_tick(hub, file, timer, stop)),
        asyncio.create_task(_leave_when_idle(timer, changed, stop)),
    ]
    swapper = Swapper(options.reload, options.grace, hub, engine)
    try:
        swapper.listen()
        announce(f"foretype-worker ready on {address}, model {engine.model.name}, engine {engine.name}")
        await stop.wait()
        lost = file.lost
        file.remove()
        server.close()
        await hub.drain(options.grace)
        await close_sessions(app)
    finally:
        await swapper.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
        await runner.cleanup()
    if lost:
        raise WorkerError(f"{address} was removed, so nobody can connect any more: start the worker again.")
    readiness = engine.readiness()
    if readiness.fatal:
        raise WorkerError(readiness.message)


async def _tick(hub: Hub, file: listen.SocketFile, timer: IdleTimer, stop: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        hub.tick()
        if hub.engine.readiness().fatal or (file.lost and not timer.in_use):
            stop.set()


async def _leave_when_idle(timer: IdleTimer, changed: asyncio.Event, stop: asyncio.Event) -> None:
    while True:
        left = timer.remaining()
        if left == 0.0:
            stop.set()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await changed.wait()
        changed.clear()


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop`."""
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT)
    try:
        for number in handled:
            loop.add_signal_handler(number, stop.set)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        with contextlib.suppress(ValueError):
            for number in handled:
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        yield
        return
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
