"""The whole worker process with the real vLLM, over its socket: answers, cancel, metrics, hot swap, drain, errors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pytest
from vllm_asking import FUNCTIONS

from wire_protocol.codec import decode_to_proxy, encode
from wire_protocol.frames import (
    SUBPROTOCOL,
    AnyFrame,
    Cancel,
    Context,
    Done,
    GoAway,
    Hello,
    Stats,
    Submit,
    Tokens,
    Welcome,
)

from .conftest import REPOSITORY

pytestmark = pytest.mark.timeout(900)

START_SECONDS = 400.0
WAIT_SECONDS = 60.0
GRACE_SECONDS = 20
CONTEXT = Context(before=f"{FUNCTIONS}def shift(value, offset):\n    ", after="\n\nprint(1)\n", path="scales.py")
LONG = Context(before="numbers = [1, 2, 3, ", after="")


async def started(*arguments: str) -> asyncio.subprocess.Process:
    """A worker in a process group of its own, so that a signal can reach it whole."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gpu_worker",
        "--engine",
        "vllm",
        *arguments,
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def failed(*arguments: str) -> str:
    """What a worker that cannot start says last, after what vLLM itself logged."""
    process = await started(*arguments, "--listen", "127.0.0.1:0")
    async with asyncio.timeout(START_SECONDS):
        _, said = await process.communicate()
    assert process.returncode == 2
    return said.decode().splitlines()[-1]


class Client:
    """A proxy's end of a session."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, *frames: AnyFrame) -> None:
        for frame in frames:
            await self._socket.send_bytes(encode(frame))

    async def until(self, *kinds: type) -> list[Any]:
        """All frames up to the first of these kinds."""
        seen: list[Any] = []
        async with asyncio.timeout(WAIT_SECONDS):
            while not (seen and isinstance(seen[-1], kinds)):
                message = await self._socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, message
                seen.append(decode_to_proxy(message.data))
        return seen

    async def close_code(self) -> int | None:
        """How the worker closed the session."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (message := await self._socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
        return int(message.data) if message.type is aiohttp.WSMsgType.CLOSE else self._socket.close_code


class Worker:
    """A running worker, its socket and its settings file."""

    def __init__(self, process: asyncio.subprocess.Process, socket: Path, settings: Path) -> None:
        self.process = process
        self.settings = settings
        self.said: list[str] = []
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.http = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)))

    async def _read(self) -> None:
        """All that it writes to stderr, so that it never waits for a reader."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.said.append(line.decode(errors="replace"))
            self._news.set()

    async def saying(self, words: str) -> str:
        """The line of its log that has these words."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                found = next((line for line in self.said if words in line), None)
                if found is not None:
                    return found
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        """Kill what is left of it."""
        await self.http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await self._reader

    @asynccontextmanager
    async def session(self) -> AsyncIterator[tuple[Client, Welcome]]:
        async with self.http.ws_connect("http://worker/v1/session", protocols=[SUBPROTOCOL]) as socket:
            client = Client(socket)
            await client.send(Hello())
            yield client, (await client.until(Welcome))[-1]

    async def get(self, path: str) -> tuple[int, str]:
        async with self.http.get(f"http://worker{path}") as response:
            return response.status, await response.text()


@asynccontextmanager
async def running(model: Path) -> AsyncIterator[Worker]:
    with TemporaryDirectory(prefix="fv") as folder:
        socket, settings = Path(folder) / "w.sock", Path(folder) / "worker.toml"
        write(settings, model, "first")
        process = await started(
            "--engine-config", str(settings), "--listen", f"unix:{socket}", "--grace", str(GRACE_SECONDS)
        )
        worker = Worker(process, socket, settings)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                line = await process.stdout.readline()
            assert line.startswith(b"foretype-worker ready on unix:"), "".join(worker.said)
            yield worker
        finally:
            await worker.close()


def write(settings: Path, model: Path, name: str) -> None:
    settings.write_text(
        f'[worker]\nmodel = "{model}"\n[vllm]\nserved_model_name = "{name}"\nmax_num_seqs = 4\nmax_model_len = 1536\n'
        "[hardware]\npeak_tflops = 1.0\nmemory_gb_per_s = 50\n",
        encoding="utf-8",
    )


def text_of(frames: list[Any]) -> str:
    return "".join(item.text for frame in frames if isinstance(frame, Tokens) for item in frame.items)


async def test_a_worker_from_its_first_answer_to_its_drain(starter: Path, draft: Path) -> None:
    """One process for all of it: a start takes a minute."""
    async with running(starter) as worker:
        async with worker.session() as (client, welcome):
            assert [model.name for model in welcome.models] == ["first"]
            await answers_cold_then_from_the_cache(client)
            await a_cancel_ends_a_request_at_once(client)
            await one_step_of_two_requests_is_one_frame(client)
        await metrics_have_the_workers_and_vllms_own(worker)
        await the_model_is_exchanged_while_a_request_runs(worker, draft)
        await a_setting_that_is_wrong_changes_nothing(worker, draft)
        await a_signal_to_the_whole_group_lets_a_request_finish(worker)


async def answers_cold_then_from_the_cache(client: Client) -> None:
    reused = []
    for id, typed in enumerate(("", "r", "ret"), start=1):
        context = Context(before=CONTEXT.before, typed=typed, after=CONTEXT.after, path=CONTEXT.path)
        await client.send(Submit(id=id, context=context, max_tokens=16, give_up_ms=60_000))
        frames = await client.until(Done)
        done = frames[-1]
        assert (done.id, done.reason, done.model) == (id, "stop", "first")
        assert text_of(frames).strip()
        assert done.mean_logprob is not None
        reused.append(done.usage.reused_tokens / done.usage.prompt_tokens)
    assert reused[0] == 0.0
    assert min(reused[1:]) >= 0.9


async def a_cancel_ends_a_request_at_once(client: Client) -> None:
    await client.send(Submit(id=9, context=LONG, lines="multi", max_tokens=1_000, give_up_ms=60_000))
    await client.until(Tokens)
    await client.send(Cancel(ids=[9]))
    done = (await client.until(Done))[-1]
    assert (done.id, done.reason) == (9, "cancelled")
    assert 0 < done.usage.generated_tokens < 1_000


async def one_step_of_two_requests_is_one_frame(client: Client) -> None:
    submits = [Submit(id=id, context=LONG, lines="multi", max_tokens=40, give_up_ms=60_000) for id in (11, 12)]
    await client.send(*submits)
    frames = await client.until(Done)
    frames += await client.until(Done)
    assert any(len(frame.items) == 2 for frame in frames if isinstance(frame, Tokens))


async def metrics_have_the_workers_and_vllms_own(worker: Worker) -> None:
    assert (await worker.get("/readyz"))[0] == 200
    status, text = await worker.get("/metrics")
    assert status == 200
    assert re.search(r'^foretype_worker_requests_total\{kind="automatic",reason="stop"\} [3-9]', text, re.MULTILINE)
    assert "vllm:time_to_first_token_seconds_bucket" in text
    assert "vllm:prefix_cache_hits_total" in text
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


async def the_model_is_exchanged_while_a_request_runs(worker: Worker, draft: Path) -> None:
    async with worker.session() as (client, _):
        # Three requests one after the other keep the session busy until the new model is there.
        await client.send(Submit(id=1, context=LONG, lines="multi", max_tokens=8, give_up_ms=60_000))
        write(worker.settings, draft, "second")
        worker.process.send_signal(signal.SIGHUP)
        seen: list[Any] = []
        id = 1
        async with asyncio.timeout(START_SECONDS):
            while not any(isinstance(frame, GoAway) for frame in seen):
                seen = await client.until(Done, GoAway)
                if isinstance(seen[-1], Done):
                    assert seen[-1].reason in ("stop", "length")
                    id += 1
                    await client.send(Submit(id=id, context=LONG, lines="multi", max_tokens=8, give_up_ms=60_000))
        assert "second" in seen[-1].reason
        done = (await client.until(Done))[-1]
        assert (done.id, done.reason in ("stop", "length")) == (id, True)
        assert await client.close_code() == aiohttp.WSCloseCode.GOING_AWAY
    async with worker.session() as (client, welcome):
        assert [model.name for model in welcome.models] == ["second"]
        await client.send(Submit(id=1, context=CONTEXT, max_tokens=8, give_up_ms=60_000))
        done = (await client.until(Done))[-1]
        assert (done.reason in ("stop", "length"), done.model) == (True, "second")


async def a_setting_that_is_wrong_changes_nothing(worker: Worker, model: Path) -> None:
    worker.settings.write_text(f'[worker]\nmodel = "{model}"\n[vllm]\nmax_num_sequences = 4\n', encoding="utf-8")
    worker.process.send_signal(signal.SIGHUP)
    assert "did you mean max_num_seqs?" in await worker.saying("not exchanged")
    status, text = await worker.get("/readyz")
    assert (status, '"second"' in text) == (200, True)


async def a_signal_to_the_whole_group_lets_a_request_finish(worker: Worker) -> None:
    async with worker.session() as (client, _):
        await client.send(Submit(id=1, context=LONG, lines="multi", max_tokens=300, stop=["\0"], give_up_ms=60_000))
        await client.until(Tokens)
        os.killpg(worker.process.pid, signal.SIGTERM)
        frames = await client.until(Done)
        kinds = [type(frame) for frame in frames]
        assert GoAway in kinds
        assert any(frame.draining for frame in frames if isinstance(frame, Stats))
        assert Tokens in kinds[kinds.index(GoAway) :]
        assert frames[-1].reason in ("stop", "length")
        assert await client.close_code() == aiohttp.WSCloseCode.GOING_AWAY
    async with asyncio.timeout(WAIT_SECONDS):
        assert await worker.process.wait() == 0


async def test_a_context_longer_than_the_model_is_told_in_a_sentence(starter: Path) -> None:
    said = await failed("--model", str(starter), "--context", "9999")
    assert "longer than the model's own" in said


async def test_a_memory_that_does_not_suffice_is_told_in_a_sentence(
    starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")
    said = await failed("--model", str(starter))
    assert "not enough memory" in said


async def test_an_unknown_model_is_told_in_a_sentence() -> None:
    said = await failed("--model", "nobody/no-such-model")
    assert "no such model" in said
