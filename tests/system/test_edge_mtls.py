"""A real worker that asks for a certificate, and real proxies: one that has it, one without, one with a stranger's."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from certificates import FakeAuthority, Pair
from edge_service import PATIENCE, EdgeService

from lsp_server.demo.programs import Program, free_port


@pytest.fixture
def fleet(folder: Path) -> FakeAuthority:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make certificates")
    return FakeAuthority(folder, "fleet")


@pytest.fixture
async def worker(folder: Path, fleet: FakeAuthority) -> AsyncIterator[str]:
    """The address of a worker that wants to see a certificate of `fleet`."""
    port, server = free_port(), fleet.sign("localhost")
    arguments = ["--engine", "llama", "--model", "starter", "--listen", f"127.0.0.1:{port}"]
    tls = ["--tls-cert", str(server.cert), "--tls-key", str(server.key), "--tls-client-ca", str(fleet.pair.cert)]
    program = Program("gpu_worker", [*arguments, *tls], folder / "worker.log", {})
    await program.start()
    yield f"wss://localhost:{port}"
    await program.stop()


def proxy(folder: Path, worker: str, authority: Path, pair: Pair | None) -> EdgeService:
    """Not started yet."""
    folder.mkdir()
    service = EdgeService(folder)
    service.worker_address = worker
    settings = {"worker_ca": authority, **({} if pair is None else {"worker_cert": pair.cert, "worker_key": pair.key})}
    service.configure(top="".join(f"{key} = {json.dumps(str(path))}\n" for key, path in settings.items()))
    return service


async def test_only_a_proxy_with_a_certificate_is_served(worker: str, folder: Path, fleet: FakeAuthority) -> None:
    stranger = FakeAuthority(folder, "stranger")
    pairs = {"known": fleet.sign("proxy"), "without": None, "strange": stranger.sign("proxy")}
    known, *others = [proxy(folder / name, worker, fleet.pair.cert, pair) for name, pair in pairs.items()]
    await asyncio.gather(*(service.start(worker=False) for service in (known, *others)))
    try:
        async with asyncio.timeout(PATIENCE):
            while (await known.http.get(f"{known.url}/readyz")).status != 200:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
            session = await known.session()
            assert (await session.ask(1)).reason in {"stop", "length"}
            for service in others:
                while "; trying again" not in service.logged():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.02)
                ready = await service.http.get(f"{service.url}/readyz")
                assert (ready.status, "no worker is connected" in await ready.text()) == (503, True)
    finally:
        await asyncio.gather(*(service.stop() for service in (known, *others)))
