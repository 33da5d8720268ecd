"""A real Prometheus scrapes a real proxy and worker; promtool finds nothing to object to in the series."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from stack import TOKEN, Stack

from lsp_server.demo.programs import free_port

pytestmark = [
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed"),
    pytest.mark.timeout(120),
]

PATIENCE = 40.0
COMPLETIONS = 6
OPERATOR = "operators-only"
SETTINGS = """
operator_token_file = "operator.txt"
[cost]
usd_per_hour = 2.5
"""
SCRAPE = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: edge
    authorization: {{credentials: {token}}}
    static_configs: [{{targets: ["127.0.0.1:{edge}"]}}]
  - job_name: worker
    static_configs: [{{targets: ["127.0.0.1:{worker}"]}}]
"""


@pytest.fixture
async def running() -> AsyncIterator[tuple[str, str]]:
    """The addresses of a proxy and of a Prometheus that scrapes it and its worker, after some completions."""
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    stack = Stack(folder)
    worker_port, port = free_port(), free_port()
    (folder / "operator.txt").write_text(OPERATOR)
    (folder / "proxy.toml").write_text(f'workers = ["ws://127.0.0.1:{worker_port}"]\n{SETTINGS}')
    config = folder / "prometheus.yml"
    config.write_text(SCRAPE.format(token=OPERATOR, edge=stack.port, worker=worker_port))
    worker = stack.worker_at("listening", "--listen", f"127.0.0.1:{worker_port}")
    await worker.start()
    await stack.proxy_to(more=["--config", str(folder / "proxy.toml")]).start()
    url = f"http://127.0.0.1:{stack.port}"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        done = 0
        while done < COMPLETIONS:
            body = {"model": "foretype", "prompt": f"value_{done} = ", "max_tokens": 8}
            async with http.post(f"{url}/v1/completions", json=body) as response:
                done += response.status == 200
    prometheus = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    yield url, f"http://127.0.0.1:{port}"
    prometheus.terminate()
    await prometheus.wait()
    await stack.stop()
    shutil.rmtree(folder, ignore_errors=True)


async def ask(http: aiohttp.ClientSession, prometheus: str, query: str) -> list[Any]:
    """The result of a query, as soon as there is one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with http.get(f"{prometheus}/api/v1/query", params={"query": query}) as response:
                    said = json.loads(await response.text())
            except (aiohttp.ClientError, ValueError):
                said = {}
            if said.get("status") == "success" and said["data"]["result"]:
                found: list[Any] = said["data"]["result"]
                return found
            await asyncio.sleep(0.2)


async def test_a_real_prometheus_scrapes_proxy_and_worker(running: tuple[str, str]) -> None:
    _, prometheus = running
    async with aiohttp.ClientSession() as http:
        for job in ("edge", "worker"):
            assert (await ask(http, prometheus, f'up{{job="{job}"}} == 1'))[0]["value"][1] == "1"

        async def value(query: str) -> float:
            return float((await ask(http, prometheus, query))[0]["value"][1])

        assert await value("sum(foretype_edge_done_total)") == COMPLETIONS
        assert await value('sum(foretype_edge_tenant_requests_total{tenant="test"})') == COMPLETIONS
        assert await value("foretype_edge_time_to_first_token_seconds_count") == COMPLETIONS
        assert 0 < await value("histogram_quantile(0.95, sum by (le) (foretype_edge_inter_token_seconds_bucket))") < 1
        assert await value("foretype_edge_batch_fill_ratio_count") == COMPLETIONS
        assert await value("sum(foretype_edge_generation_cost_usd_total)") > 0
        whole = await value("sum(foretype_edge_worker_cost_usd_total)")
        assert whole > await value("sum(foretype_edge_tenant_cost_usd_total)") > 0
        assert await value("foretype_edge_cost_per_1000_completions_usd") == pytest.approx(
            await value("1000 * sum(foretype_edge_worker_cost_usd_total) / 6"), rel=0.5
        )
        names = {one["metric"]["__name__"] for one in await ask(http, prometheus, '{job="worker"}')}
        assert any(name.startswith("foretype_worker_") for name in names)


async def test_promtool_finds_nothing_to_object_to(running: tuple[str, str]) -> None:
    edge, _ = running
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {OPERATOR}"}) as http:
        async with http.get(f"{edge}/metrics") as response:
            series = await response.read()
        async with http.get(f"{edge}/metrics", headers={"Authorization": "Bearer wrong"}) as response:
            assert response.status == 401
    process = await asyncio.create_subprocess_exec(
        "promtool",
        "check",
        "metrics",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(series)
    assert (process.returncode, said.decode()) == (0, "")
