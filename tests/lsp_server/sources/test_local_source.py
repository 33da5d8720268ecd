"""The local source with real processes: one worker for all editors, started, restarted, and given up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_peer import ask, collect, until

from lsp_server.sources.base import SourceUnavailableError
from lsp_server.sources.election import Meeting, Transport
from lsp_server.sources.local import LocalSource
from lsp_server.sources.local_process import LocalProcess, last_line, missing, model_file, worker_command
from lsp_server.sources.prefill import MIN_CHARACTERS
from wire_protocol.frames import Context

WORKER = str(Path(__file__).parent / "fake_worker.py")
ROOT = str(Path(__file__).parents[3])

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


class FakeHome:
    """A private home for workers: short enough a path for sockets, its processes killed at the end."""

    def __init__(self, folder: Path) -> None:
        self.starts = folder / "starts"
        self.environ = {
            "FORETYPE_RUNTIME_DIR": str(folder / "run"),
            "FORETYPE_STATE_DIR": str(folder / "state"),
            "PYTHONPATH": ROOT,
        }

    def source(self, mode: str = "serve", transport: Transport = "unix", model: str = "starter") -> LocalSource:
        command = [sys.executable, WORKER, mode, str(self.starts)]
        return LocalSource(model, command=command, transport=transport, uniform=lambda: 0.0, environ=self.environ)

    def pids(self) -> list[int]:
        return [int(line) for line in self.starts.read_text().split()] if self.starts.exists() else []


@pytest.fixture
def home() -> Iterator[FakeHome]:
    with tempfile.TemporaryDirectory(prefix="ft") as folder:
        home = FakeHome(Path(folder))
        yield home
        for pid in home.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def running(*sources: LocalSource):  # type: ignore[no-untyped-def]  # pytest helper
    for source in sources:
        await source.start()
    try:
        yield
    finally:
        for source in sources:
            await source.close()


@pytest.mark.parametrize("transport", ["unix", "tcp"])
async def test_the_first_request_waits_for_the_worker_to_start(home: FakeHome, transport: Transport) -> None:
    source = home.source(transport=transport)
    async with running(source):
        text, ended = await collect(source.generate(ask()))
    assert (text, ended.source, ended.model) == ("local", "local", str(home.pids()[0]))


@pytest.mark.parametrize("transport", ["unix", "tcp"])
async def test_two_editors_starting_together_share_one_process(home: FakeHome, transport: Transport) -> None:
    one, two = home.source(transport=transport), home.source(transport=transport)
    async with running(one, two):
        answers = await asyncio.gather(collect(one.generate(ask())), collect(two.generate(ask())))
    assert {ended.model for _, ended in answers} == {str(pid) for pid in home.pids()}
    assert len(home.pids()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is at the other end of a socket")
async def test_the_workers_memory_is_told_whoever_started_it(home: FakeHome) -> None:
    one, two = home.source(), home.source()
    async with running(one, two):
        await asyncio.gather(collect(one.generate(ask())), collect(two.generate(ask())))
        for source in (one, two):
            assert (source.memory_bytes() or 0) > 1_000_000
    assert one.memory_bytes() is None


async def test_a_prompt_is_cut_to_what_the_worker_was_seen_to_read_in_time(home: FakeHome) -> None:
    source = home.source("slow")
    long = replace(ask(), context=Context(before="a line of code\n" * 400))
    async with running(source):
        first, _ = await collect(source.generate(long))
        second, _ = await collect(source.generate(replace(long, id=ask().id)))
    assert int(first) == 6_000
    assert int(second) <= MIN_CHARACTERS


async def test_the_context_that_the_model_takes_is_told(home: FakeHome) -> None:
    source = home.source()
    async with running(source):
        await collect(source.generate(ask()))
        (status,) = source.statuses()
    assert status.context_tokens == 2_048


async def test_two_models_have_two_processes(home: FakeHome) -> None:
    one, two = home.source(), home.source(model="/other.gguf")
    async with running(one, two):
        await asyncio.gather(collect(one.generate(ask())), collect(two.generate(ask())))
    assert len(home.pids()) == 2


async def test_a_killed_worker_is_started_again(home: FakeHome) -> None:
    source = home.source()
    async with running(source):
        await collect(source.generate(ask()))
        os.kill(home.pids()[0], signal.SIGKILL)
        await until(lambda: len(home.pids()) == 2)
        await until(lambda: source.state == "ready")
        assert (await collect(source.generate(ask())))[1].model == str(home.pids()[1])


async def test_a_worker_killed_during_a_request_ends_it(home: FakeHome) -> None:
    source = home.source("mute")
    async with running(source):
        answer = asyncio.create_task(collect(source.generate(ask())))
        await until(lambda: source.state == "ready")
        os.kill(home.pids()[0], signal.SIGKILL)
        with pytest.raises(SourceUnavailableError):
            await answer


async def test_the_worker_outlives_the_editor_that_started_it(home: FakeHome) -> None:
    first = home.source()
    async with running(first):
        await collect(first.generate(ask()))
    second = home.source()
    async with running(second):
        assert (await collect(second.generate(ask())))[1].model == str(home.pids()[0])
    assert len(home.pids()) == 1
    assert os.getpgid(home.pids()[0]) != os.getpgid(0)


async def test_a_worker_that_dies_at_once_is_said_with_its_last_words(home: FakeHome) -> None:
    source = home.source("crash")
    async with running(source):
        await until(lambda: source.state == "failed")
        with pytest.raises(SourceUnavailableError, match="the model is broken"):
            await collect(source.generate(ask()))


async def test_a_missing_model_file_is_said_without_starting_anything(home: FakeHome) -> None:
    source = LocalSource("/nowhere/none.gguf", environ=home.environ)
    async with running(source):
        await until(lambda: source.state == "failed")
        with pytest.raises(SourceUnavailableError, match=r"none\.gguf.*local\.model"):
            await collect(source.generate(ask()))


async def test_an_unusable_runtime_folder_is_a_sentence(home: FakeHome) -> None:
    environ = {**home.environ, "FORETYPE_RUNTIME_DIR": "/" + "long/" * 40}
    source = LocalSource("starter", command=[sys.executable, WORKER, "serve", "x"], environ=environ)
    async with running(source):
        await until(lambda: source.state == "failed")
        assert "FORETYPE_RUNTIME_DIR" in source.statuses()[0].detail or "cannot be used" in source.statuses()[0].detail


def test_only_one_at_a_time_is_elected(tmp_path: Path) -> None:
    one, two = Meeting(tmp_path, "m", "unix"), Meeting(tmp_path, "m", "unix")
    with one.elected() as first, two.elected() as second:
        assert (first, second) == (True, False)
    with two.elected() as third:
        assert third


def test_the_record_of_a_tcp_worker_is_for_the_user_only_and_fresh_each_time(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path, "m", "tcp")
    assert meeting.present() is None
    first, second = meeting.prepare(), meeting.prepare()
    assert first.token != second.token
    assert meeting.present() == second
    assert {stat.S_IMODE(path.stat().st_mode) for path in (meeting.record_path, meeting.token_path)} == {0o600}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x", "token": 1}', '{"port": 1}'])
def test_a_damaged_record_is_no_record(tmp_path: Path, text: str) -> None:
    meeting = Meeting(tmp_path, "m", "tcp")
    meeting.record_path.write_text(text)
    assert meeting.present() is None


async def test_the_worker_gets_no_edge_token_and_starts_outside_the_project(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    code = "import os; print(os.environ.get('FORETYPE_EDGE_TOKEN'), os.getcwd())"
    process = LocalProcess.start([sys.executable, "-c", code], log, {"FORETYPE_EDGE_TOKEN": "secret"})
    await until(lambda: process.exit_status() is not None)
    assert process.last_words() == f"None {tmp_path}"


def test_the_last_line_of_a_log_is_the_last_that_is_not_blank(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 10_000 + "\nfirst\nlast\n\n")
    assert last_line(log) == "last"
    assert last_line(tmp_path / "none") == ""


def test_the_command_hosts_a_model_by_its_absolute_path() -> None:
    command = worker_command("models/x.gguf")
    assert command[command.index("--model") + 1] == str(Path("models/x.gguf").absolute())
    assert command[command.index("--idle-exit") + 1] == "60"


def test_a_model_that_is_no_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    assert "local.model" in (missing(str(tmp_path)) or "")
    assert model_file(str(tmp_path / "x.gguf")) == tmp_path / "x.gguf"


async def test_waking_while_the_worker_starts_does_not_start_another(home: FakeHome) -> None:
    source = home.source()
    async with running(source):
        await until(lambda: len(home.pids()) == 1)
        source.refresh("the machine slept")
        assert (await collect(source.generate(ask())))[0] == "local"
    assert len(home.pids()) == 1
