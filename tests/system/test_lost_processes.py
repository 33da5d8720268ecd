"""kill -9 of one of several workers and of one of two proxies, under load: stand-in workers, real proxy processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.edge.losses import kill_a_proxy, kill_a_worker


async def test_a_worker_lost_under_load_costs_no_session_and_no_text(tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        loss = await kill_a_worker(tmp_path, sessions=40, rate=150.0, seconds=1.2)
    assert loss.affected, "nothing was under way when the worker was killed"
    assert (loss.sessions_lost, loss.wrong, loss.shed) == (0, 0, 0)


async def test_clients_of_a_lost_proxy_come_back_to_the_other_and_not_all_at_once(tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        loss = await kill_a_proxy(tmp_path, clients=60)
    assert (loss.lost, len(loss.moved)) == (0, 60)
    assert loss.connected[-1] - loss.connected[0] > 0.1
