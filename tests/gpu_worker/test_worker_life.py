"""A whole worker in process: real llama.cpp with a tiny model, on TCP and on a unix socket, from ready to gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest

from gpu_worker import cli, models
from gpu_worker.engines.llama_engine import LlamaEngine, LlamaOptions
from gpu_worker.errors import WorkerError
from gpu_worker.listen import SocketFile, bind
from gpu_worker.server import ServeOptions, serve
from wire_protocol.addresses import TcpAddress, UnixAddress
from wire_protocol.codec import decode_to_proxy, encode
from wire_protocol.frames import SUBPROTOCOL, AnyFrame, Context, Done, GoAway, Hello, Submit, Tokens

WAIT_SECONDS = 20.0


@pytest.fixture
def socket_path() -> Iterator[Path]:
    with TemporaryDirectory(prefix="fw") as folder:
        yield Path(folder) / "w.sock"


def list_folder(socket_path: Path) -> list[Path]:
    """What is left beside the socket, itself included."""
    return list(socket_path.parent.iterdir())


class Running:
    """A worker in a task, and the line with which it said that it is ready."""

    def __init__(self, model: Path, options: ServeOptions) -> None:
        self.stop = asyncio.Event()
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        engine = LlamaEngine(LlamaOptions(str(model), parallel=2, spare=1))
        self.task = asyncio.create_task(serve(options, engine, self.stop, self.lines.put_nowait))

    async def ready(self) -> str:
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.lines.get()

    async def ended(self) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            await self.task


async def next_of(socket: aiohttp.ClientWebSocketResponse, kind: type) -> Any:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            frame = decode_to_proxy((await socket.receive()).data)
            if isinstance(frame, kind):
                return frame


async def send(socket: aiohttp.ClientWebSocketResponse, frame: AnyFrame) -> None:
    await socket.send_bytes(encode(frame))


async def test_a_completion_over_a_unix_socket(alphabet_gguf: Path, socket_path: Path) -> None:
    worker = Running(alphabet_gguf, ServeOptions(UnixAddress(str(socket_path))))
    assert await worker.ready() == f"foretype-worker ready on unix:{socket_path}, model alphabet, engine llama"
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket_path))) as http,
        http.ws_connect("http://worker/v1/session", protocols=[SUBPROTOCOL]) as socket,
    ):
        await send(socket, Hello())
        await send(socket, Submit(id=3, context=Context(before="x = ", typed="v")))
        text = ""
        while not isinstance(frame := await next_of(socket, Tokens | Done), Done):  # type: ignore[arg-type]
            text += "".join(item.text for item in frame.items)
        assert (text, frame.id, frame.reason, frame.model) == ("wxyz", 3, "stop", "alphabet")
    worker.stop.set()
    await worker.ended()
    assert not list_folder(socket_path)


async def test_stopping_says_goaway_finishes_what_runs_and_closes(alphabet_gguf: Path) -> None:
    worker = Running(alphabet_gguf, ServeOptions(TcpAddress("127.0.0.1", 0)))
    address = (await worker.ready()).split()[3].rstrip(",")
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://{address}/v1/session", protocols=[SUBPROTOCOL]) as socket,
    ):
        await send(socket, Hello())
        await send(socket, Submit(id=1, context=Context(typed="1"), max_tokens=400, lines="multi", give_up_ms=60_000))
        await next_of(socket, Tokens)
        worker.stop.set()
        await next_of(socket, GoAway)
        assert (await next_of(socket, Done)).reason == "length"
        async with asyncio.timeout(WAIT_SECONDS):
            while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        assert socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
    await worker.ended()


async def test_a_worker_leaves_by_itself_after_its_last_connection(alphabet_gguf: Path, socket_path: Path) -> None:
    worker = Running(alphabet_gguf, ServeOptions(UnixAddress(str(socket_path)), idle_exit=0.0))
    await worker.ended()  # nobody came for zero seconds
    assert worker.lines.get_nowait().startswith("foretype-worker ready")
    assert not list_folder(socket_path)


async def test_idle_time_does_not_run_while_somebody_is_connected(alphabet_gguf: Path, socket_path: Path) -> None:
    now = 0.0
    options = ServeOptions(UnixAddress(str(socket_path)), idle_exit=60.0, clock=lambda: now)
    worker = Running(alphabet_gguf, options)
    await worker.ready()
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket_path))) as http,
        http.ws_connect("http://worker/v1/session", protocols=[SUBPROTOCOL]) as socket,
    ):
        await send(socket, Hello())
        now = 1_000.0
        await send(socket, Submit(id=1, context=Context(typed="v")))
        assert (await next_of(socket, Done)).reason == "stop"
        assert not worker.task.done()
        worker.stop.set()
    await worker.ended()


async def test_sigterm_ends_the_process_cleanly(alphabet_gguf: Path, socket_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gpu_worker", "--model", str(alphabet_gguf), "--listen", f"unix:{socket_path}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_SECONDS):
        assert (await process.stdout.readline()).startswith(b"foretype-worker ready on unix:")
        process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
    assert (process.returncode, said) == (0, b"")
    assert not list_folder(socket_path)


async def test_a_model_that_does_not_load_leaves_no_socket_behind(tmp_path: Path, socket_path: Path) -> None:
    worker = Running(tmp_path / "none.gguf", ServeOptions(UnixAddress(str(socket_path))))
    with pytest.raises(WorkerError, match="no model file"):
        await worker.ended()
    assert not list_folder(socket_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--engine", "vllm"], "training.unpack"),
        (["--engine", "nope"], "choose llama, openai or vllm"),
        (["--engine", "openai"], "needs --url"),
        (["--engine", "openai", "--url", "ftp://x", "--model", "qwen"], "begins with http"),
        (["--model", "nowhere.gguf", "--listen", "127.0.0.1:0"], "no model file"),
        (["--listen", "0.0.0.0:0"], "--insecure"),
        (["--listen", "nonsense"], "not understood"),
        (["--token-file", "nowhere"], "cannot be read"),
        (["--tls-cert", "nowhere"], "both --tls-cert and --tls-key"),
        (["--tls-cert", "nowhere", "--tls-key", "nowhere"], "cannot be used"),
    ],
)
def test_wrong_settings_are_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("foretype-worker: ")
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_a_port_in_use_is_one_sentence_and_exit_code_2(alphabet_gguf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with bind(TcpAddress("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert cli.main(["--model", str(alphabet_gguf), "--listen", address]) == 2
    assert f"{address} is in use" in capsys.readouterr().err


def test_a_token_file_may_have_comments_and_must_have_a_token(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# for the proxy\n\nlong-enough-secret\n")
    assert cli._tokens(path) == ("long-enough-secret",)
    path.write_text("# nothing\n")
    with pytest.raises(WorkerError, match="has no token"):
        cli._tokens(path)


def test_a_file_that_is_no_gguf_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("<html>404</html>")
    with pytest.raises(WorkerError, match="does not begin with GGUF"):
        models.resolve(str(path))


def test_a_model_too_large_for_the_memory_is_said_before_it_is_loaded(alphabet_gguf: Path) -> None:
    cache = models.kv_bytes(layers=32, kv_width=1_024, tokens=4_096)
    assert cache == 512 * 1_048_576
    with pytest.raises(WorkerError, match="lower --context or --parallel"):
        models.require_memory(alphabet_gguf, cache, available=cache)


async def test_a_worker_whose_socket_was_removed_leaves_and_says_so(alphabet_gguf: Path, socket_path: Path) -> None:
    worker = Running(alphabet_gguf, ServeOptions(UnixAddress(str(socket_path))))
    await worker.ready()
    os.unlink(socket_path)
    with pytest.raises(WorkerError, match="was removed"):
        await worker.task


def test_a_socket_file_that_another_process_put_there_is_left_alone(socket_path: Path) -> None:
    address = UnixAddress(str(socket_path))
    with bind(address):
        ours = SocketFile(address)
        socket_path.unlink()
        with bind(address):
            ours.remove()
            assert ours.lost
            assert socket_path.exists()
