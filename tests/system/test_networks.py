"""Networks that stand in the way: one that reads TLS, one that lets no WebSocket through, one that wants a password."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from certificates import FakeAuthority
from networks import FakeForwardProxy
from stack import TOKEN, Stack

from lsp_server.demo.programs import Program

EDGE = "edge.test"
"""A name that only the stand-in proxies know: towards this machine's own names no proxy is used."""

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")


@pytest.fixture(scope="module")
def worker() -> Iterator[Path]:
    """The socket of a real worker, which all tests here share: the network is the subject."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        socket, log = Path(folder) / "worker.sock", Path(folder) / "log"
        command = ["-m", "gpu_worker", "--engine", "llama", "--model", "starter", "--listen", f"unix:{socket}"]
        with (
            log.open("wb") as output,
            subprocess.Popen([sys.executable, *command], stdout=output, stderr=output) as run,
        ):
            while "ready" not in log.read_text():
                assert run.poll() is None, log.read_text()
                time.sleep(0.02)
            yield socket
            run.terminate()


@pytest.fixture
def stack(stack: Stack, worker: Path) -> Stack:
    (stack.folder / "worker.sock").symlink_to(worker)
    return stack


@pytest.fixture
async def between() -> AsyncIterator[Callable[..., object]]:
    """Starts stand-in proxies, and stops them."""
    started: list[FakeForwardProxy] = []

    async def start(proxy: FakeForwardProxy) -> FakeForwardProxy:
        await proxy.start()
        started.append(proxy)
        return proxy

    yield start
    for proxy in started:
        await proxy.stop()


def use(stack: Stack, scheme: str, **edge: str) -> None:
    """Settings for an edge that is reached by its name, with the local model off: it alone can suggest anything."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in edge.items()]
    url = f"{scheme}://{EDGE}:{stack.port}"
    (stack.folder / "config.toml").write_text(
        f"[edge]\nurls = [{json.dumps(url)}]\ntoken = {json.dumps(TOKEN)}\n"
        + "\n".join(lines)
        + "\n[local]\nenabled = false\n"
    )


def encrypted(stack: Stack, authority: FakeAuthority) -> Program:
    """The stack's proxy, with TLS."""
    pair = authority.sign(EDGE)
    return stack.proxy_to("worker", more=["--tls-cert", str(pair.cert), "--tls-key", str(pair.key)])


async def suggested(stack: Stack, *programs: Program) -> None:
    await asyncio.gather(*(program.start() for program in programs))
    await stack.start_editor()  # not before: a first call into the void is no call that the network blocked
    suggestion = await stack.until_suggested_by("edge")
    assert suggestion.text.strip()


async def test_a_network_that_reads_tls_with_an_authority_of_its_own(stack: Stack, between, folder: Path) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = FakeAuthority(folder, "operator"), FakeAuthority(folder, "company")
    proxy = await between(FakeForwardProxy(authority=theirs, upstream=ours))
    use(stack, "wss", proxy=proxy.url, ca_file=str(theirs.pair.cert))
    await suggested(stack, encrypted(stack, ours))
    assert proxy.seen["inspected"] >= 1


async def test_a_network_that_reads_tls_and_is_not_trusted_is_said(stack: Stack, between, folder: Path) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = FakeAuthority(folder, "operator"), FakeAuthority(folder, "company")
    proxy = await between(FakeForwardProxy(authority=theirs, upstream=ours))
    use(stack, "wss", proxy=proxy.url)
    await stack.start_editor()
    assert await stack.editor.until_state("error", 30)
    assert any("edge.ca_file" in line for line in stack.editor.logged)


async def test_a_network_that_lets_no_websocket_through(stack: Stack, between) -> None:  # type: ignore[no-untyped-def]
    proxy = await between(FakeForwardProxy(blocks_websockets=True))
    use(stack, "ws", proxy=proxy.url)
    await suggested(stack, stack.proxy)
    assert proxy.seen["blocked"] == 1
    assert proxy.seen["POST"] >= 2


async def test_a_network_that_reads_tls_and_lets_no_websocket_through(stack: Stack, between, folder: Path) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = FakeAuthority(folder, "operator"), FakeAuthority(folder, "company")
    proxy = await between(FakeForwardProxy(authority=theirs, upstream=ours, blocks_websockets=True))
    use(stack, "wss", proxy=proxy.url, ca_file=str(theirs.pair.cert))
    await suggested(stack, encrypted(stack, ours))
    assert proxy.seen["blocked"] == 1
    assert proxy.seen["POST"] >= 2


async def test_a_proxy_that_wants_a_password_which_the_settings_have(stack: Stack, between) -> None:  # type: ignore[no-untyped-def]
    proxy = await between(FakeForwardProxy(credentials="me:p%40ss"))
    proxy.credentials = "me:p@ss"
    use(stack, "ws", proxy=f"http://me:p%40ss@127.0.0.1:{proxy.port}")
    await suggested(stack, stack.proxy)
    assert proxy.seen["refused"] == 0


async def test_a_proxy_that_wants_a_password_which_the_environment_has(stack: Stack, between) -> None:  # type: ignore[no-untyped-def]
    proxy = await between(FakeForwardProxy(credentials="me:secret"))
    stack.environment |= {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url, "NO_PROXY": "", "no_proxy": ""}
    use(stack, "ws")
    await suggested(stack, stack.proxy)
    assert proxy.seen["CONNECT"] >= 1


async def test_all_three_at_once_with_everything_from_the_environment(stack: Stack, between, folder: Path) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = FakeAuthority(folder, "operator"), FakeAuthority(folder, "company")
    proxy = await between(
        FakeForwardProxy(authority=theirs, upstream=ours, blocks_websockets=True, credentials="me:secret")
    )
    stack.environment |= {
        "HTTPS_PROXY": proxy.url,
        "https_proxy": proxy.url,
        "NO_PROXY": "",
        "no_proxy": "",
        "FORETYPE_CONFIG": str(folder / "empty.toml"),
        "FORETYPE_EDGE_URLS": f"wss://{EDGE}:{stack.port}",
        "FORETYPE_EDGE_TOKEN": TOKEN,
        "FORETYPE_EDGE_CA_FILE": str(theirs.pair.cert),
        "FORETYPE_LOCAL_ENABLED": "false",
    }
    (folder / "empty.toml").touch()
    await suggested(stack, encrypted(stack, ours))
    assert proxy.seen["inspected"] >= 1
    assert proxy.seen["blocked"] == 1


async def test_a_proxy_that_the_environment_excepts_is_not_used(stack: Stack, between) -> None:  # type: ignore[no-untyped-def]
    """NO_PROXY names the edge, whose name only the proxy knows: nothing comes through, and the proxy sees nothing."""
    proxy = await between(FakeForwardProxy())
    stack.environment |= {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url, "NO_PROXY": EDGE, "no_proxy": EDGE}
    use(stack, "ws")
    await stack.start_editor()
    assert await stack.editor.until_state("error", 30)
    assert proxy.seen.total() == 0


async def test_a_missing_password_is_said_and_never_shown(stack: Stack, between) -> None:  # type: ignore[no-untyped-def]
    proxy = await between(FakeForwardProxy(credentials="me:secret"))
    use(stack, "ws", proxy=f"http://me:wrong-one@127.0.0.1:{proxy.port}")
    await stack.start_editor()
    assert await stack.editor.until_state("error", 30)
    assert any("wants a user and a password" in line for line in stack.editor.logged)
    assert not any("wrong-one" in line for line in stack.editor.logged)
