"""`/readyz` says the truth, and why."""

from __future__ import annotations

from typing import Any

from edge_proxy.breaker import FAILURES


async def test_it_is_ready_once_a_worker_takes_requests(start_edge: Any, make_worker: Any) -> None:
    silent = make_worker(credits=0)
    edge = await start_edge(silent)
    assert await edge.get("/readyz") == (503, "no worker is connected and takes requests\n")
    assert await edge.get("/healthz") == (200, "ok\n")
    ready = await start_edge(make_worker())
    assert await ready.get("/readyz") == (200, "ready\n")


async def test_a_fleet_of_which_every_worker_fails_is_not_ready(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(name="one"), make_worker(name="two"))
    first, second = edge.app.dispatcher.workers
    for _ in range(FAILURES):
        first.health.failed()
    assert (await edge.get("/readyz"))[0] == 200
    for _ in range(FAILURES):
        second.health.failed()
    assert await edge.get("/readyz") == (503, "every worker that is connected failed lately\n")
    first.health.succeeded()
    assert (await edge.get("/readyz"))[0] == 200


async def test_a_proxy_that_drains_is_not_ready(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    await edge.app.drain()
    assert await edge.get("/readyz") == (503, "draining\n")
