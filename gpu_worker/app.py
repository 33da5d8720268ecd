"""The worker's HTTP side: /v1/session (WebSocket), /healthz, /readyz, /metrics."""

from __future__ import annotations

import contextlib

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from gpu_worker.hub import Hub
from gpu_worker.session import HEARTBEAT_SECONDS, Session
from wire_protocol.frames import SUBPROTOCOL

HUB = web.AppKey("hub", Hub)
SESSIONS: web.AppKey[set[Session]] = web.AppKey("sessions")
OVERSIZE_FACTOR = 4
"""A frame above the limit gets an error frame; only one this many times larger ends the session (code 1009)."""


def create_app(hub: Hub) -> web.Application:
    """The routes, around a hub."""
    app = web.Application()
    app[HUB] = hub
    app[SESSIONS] = set()
    app.router.add_get("/v1/session", _session)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    return app


async def close_sessions(app: web.Application) -> None:
    """Send every session what is queued for it, and close it."""
    sessions = app[SESSIONS]
    for session in list(sessions):
        await session.close()


async def _session(request: web.Request) -> web.StreamResponse:
    hub = request.app[HUB]
    if hub.draining:
        return web.Response(status=503, text="This worker is leaving: connect to another.\n")
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        compress=False,
        heartbeat=HEARTBEAT_SECONDS,
        max_msg_size=hub.limits.frame_bytes * OVERSIZE_FACTOR,
    )
    if not socket.can_prepare(request):
        return web.Response(status=426, text=f"This is a WebSocket endpoint, subprotocol {SUBPROTOCOL}.\n")
    with contextlib.suppress(ConnectionError):  # a peer that hangs up, at whatever moment, is no error of ours
        try:
            await socket.prepare(request)
        except ConnectionError:
            return web.Response()  # aiohttp wants an answer, and cannot end a WebSocket that never began
        session = Session(hub, socket, request.transport)
        request.app[SESSIONS].add(session)
        try:
            await session.run()
        finally:
            request.app[SESSIONS].discard(session)
    return socket


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _readyz(request: web.Request) -> web.Response:
    hub = request.app[HUB]
    readiness = hub.engine.readiness()
    if hub.draining:
        return web.json_response({"ready": False, "reason": "The worker is shutting down."}, status=503)
    if not readiness.ready:
        return web.json_response({"ready": False, "reason": readiness.message}, status=503)
    return web.json_response({"ready": True, "engine": hub.engine.name, "model": hub.engine.model.name})


async def _metrics(request: web.Request) -> web.Response:
    hub = request.app[HUB]
    body = hub.metrics.render(hub.engine.stats(), hub.peers, hub.engine.readiness().ready)
    return web.Response(body=body + hub.engine.prometheus(), headers={"Content-Type": CONTENT_TYPE_LATEST})
