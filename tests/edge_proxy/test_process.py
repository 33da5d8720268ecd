"""The program itself: flags, exit codes, signals, Unix sockets and TLS, as a real process on uvloop."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from edge_proxy.cli import main
from wire_protocol.codec import decode_to_client, encode
from wire_protocol.frames import SUBPROTOCOL, Complete, Context, Done, GoAway, Hello, Welcome

PATIENCE = 20.0


async def next_frame(client: aiohttp.ClientWebSocketResponse) -> Any:
    message = await asyncio.wait_for(client.receive(), PATIENCE)
    assert message.type is aiohttp.WSMsgType.BINARY
    return decode_to_client(message.data)


@contextlib.asynccontextmanager
async def proxy(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A running process and the address that it said it is ready on."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge_proxy", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        assert line.startswith("foretype-proxy ready on "), line
        yield process, line.removeprefix("foretype-proxy ready on ").strip()
    finally:
        if process.returncode is None:
            process.kill()
        _, log = await process.communicate()
    assert b"Traceback" not in log, log.decode()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows another process's limits")
async def test_it_raises_the_limit_on_open_files_to_what_its_sessions_need(tmp_path: Path) -> None:
    config = tmp_path / "proxy.toml"
    config.write_text('listen = "127.0.0.1:0"\nworkers = ["unix:/nowhere"]\n[limits]\nsessions = 1500\n')
    few = ["sh", "-c", 'ulimit -Sn 256; exec "$@"', "sh", sys.executable, "-m", "edge_proxy", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*few, stdout=subprocess.PIPE)
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    soft, _ = psutil.Process(process.pid).rlimit(psutil.RLIMIT_NOFILE)
    process.kill()
    await process.wait()
    assert soft >= 1_500


async def test_sigterm_drains_and_exits_0(http: aiohttp.ClientSession, make_worker: Any) -> None:
    worker = make_worker()
    await worker.start()
    async with proxy("--listen", "127.0.0.1:0", "--worker", worker.url) as (process, url):
        client = await http.ws_connect(f"{url}/v1/session", protocols=(SUBPROTOCOL,))
        await client.send_bytes(encode(Hello()))
        assert isinstance(await next_frame(client), Welcome)
        context = Context(before="x")
        submit = None
        for id in range(1, 1_000):  # sheds until the worker's credits have come
            await client.send_bytes(encode(Complete(id=id, doc="d", rev=id, context=context, give_up_ms=60_000)))
            waiting = [asyncio.ensure_future(worker.submits.get()), asyncio.ensure_future(next_frame(client))]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting[0].done():
                submit = waiting[0].result()
                break
            waiting[0].cancel()
        assert submit is not None
        process.send_signal(signal.SIGTERM)
        assert isinstance(await waiting[1], GoAway)
        await worker.finish(submit)
        done = await next_frame(client)
        assert isinstance(done, Done)
        assert done.reason == "stop"
        close = await asyncio.wait_for(client.receive(), PATIENCE)
        assert (close.type, close.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    await worker.stop()


async def test_a_second_signal_ends_it_at_once(http: aiohttp.ClientSession, make_worker: Any) -> None:
    worker = make_worker()
    await worker.start()
    async with proxy("--listen", "127.0.0.1:0", "--worker", worker.url, "--grace", "600") as (process, url):
        client = await http.ws_connect(f"{url}/v1/session", protocols=(SUBPROTOCOL,))
        await client.send_bytes(encode(Hello()))
        await next_frame(client)
        async with asyncio.timeout(PATIENCE):
            while (await http.get(url.replace("ws", "http", 1) + "/readyz")).status != 200:
                pass
        await client.send_bytes(encode(Complete(id=1, doc="d", rev=1, context=Context(before="x"), give_up_ms=60_000)))
        await asyncio.wait_for(worker.submits.get(), PATIENCE)
        process.send_signal(signal.SIGINT)
        assert isinstance(await next_frame(client), GoAway)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == -signal.SIGINT
    await worker.stop()


async def test_several_processes_share_one_port_and_reload_and_drain_together(http: aiohttp.ClientSession) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--listen", f"127.0.0.1:{port}", "--worker", "unix:/nowhere", "--processes", "2"]
    async with proxy(*arguments) as (process, url):
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        assert line == f"foretype-proxy ready on {url}\n"
        client = await http.ws_connect(f"{url}/v1/session", protocols=(SUBPROTOCOL,))
        await client.send_bytes(encode(Hello()))
        assert isinstance(await next_frame(client), Welcome)
        process.send_signal(signal.SIGHUP)
        for _ in range(2):
            while b" reloaded: " not in await asyncio.wait_for(process.stderr.readline(), PATIENCE):
                pass
        process.send_signal(signal.SIGTERM)
        assert isinstance(await next_frame(client), GoAway)
        await client.close()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_one_of_several_that_dies_is_started_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--listen", f"127.0.0.1:{port}", "--worker", "unix:/nowhere", "--processes", "2"]
    async with proxy(*arguments) as (process, url):
        ready = f"foretype-proxy ready on {url}\n"
        assert (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode() == ready
        psutil.Process(process.pid).children()[0].kill()
        assert (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode() == ready
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_several_leave_when_their_parent_is_killed() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--listen", f"127.0.0.1:{port}", "--worker", "unix:/nowhere", "--processes", "2"]
    async with proxy(*arguments) as (process, _):
        await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        children = psutil.Process(process.pid).children()
        process.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, PATIENCE)
        assert not alive


async def test_it_listens_on_a_unix_socket_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "p.sock"
    async with proxy("--listen", f"unix:{path}", "--worker", "unix:/nowhere") as (_, where):
        assert where == f"unix:{path}"
        assert path.stat().st_mode & 0o077 == 0
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session:
            assert (await session.get("http://proxy/healthz")).status == 200
        arguments = ["--listen", f"unix:{path}", "--worker", "unix:/nowhere"]
        assert await asyncio.to_thread(main, arguments) == 2


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make a certificate")
    cert, key = str(tmp_path / "c.pem"), str(tmp_path / "k.pem")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", key, "-out", cert)
    subprocess.run(["openssl", "req", "-x509", *kind, *name, *files], capture_output=True, check=True)
    return cert, key


async def test_it_serves_tls(http: aiohttp.ClientSession, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    arguments = ["--listen", "127.0.0.1:0", "--worker", "unix:/nowhere", "--tls-cert", cert, "--tls-key", key]
    trusted = ssl.create_default_context(cafile=cert)
    async with proxy(*arguments) as (_, url):
        assert url.startswith("wss://")
        client = await http.ws_connect(f"{url}/v1/session", protocols=(SUBPROTOCOL,), ssl=trusted)
        await client.send_bytes(encode(Hello()))
        assert isinstance(await next_frame(client), Welcome)
        await client.close()


def test_a_port_in_use_is_a_sentence_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["--listen", address, "--worker", "unix:/nowhere"]) == 2
    assert f"{address} is in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--worker", "http://x"], "is no worker's address"),
        (["--worker", "unix:/w", "--listen", "nonsense"], "Cannot listen on 'nonsense'"),
        (["--worker", "unix:/w", "--token-file", "/nowhere"], "token file /nowhere cannot be read"),
        (["--worker", "unix:/w", "--worker-token-file", "/nowhere"], "worker token file /nowhere cannot be read"),
        (["--worker", "unix:/w", "--tls-cert", "/no", "--tls-key", "/no"], "cannot be read"),
        (["--worker", "unix:/w", "--listen", "unix:/nowhere/p.sock"], "Cannot listen on unix:/nowhere/p.sock"),
        (["--worker", "unix:/w", "--listen", "203.0.113.1:1", "--insecure"], "Cannot listen on 203.0.113.1:1"),
        (["--worker", "unix:/w", "--grace", "-1"], "grace"),
        (["--config", "/nowhere.toml"], "cannot be read"),
        (["--worker", "unix:/w", "--listen", "127.0.0.1:0", "--processes", "2"], "need one port to share"),
        (["--worker", "unix:/w", "--listen", "unix:/p", "--processes", "2"], "cannot share unix:/p"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert part in errors
    assert "Traceback" not in errors


def test_help_shows_how_to_start_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "--worker" in capsys.readouterr().out
