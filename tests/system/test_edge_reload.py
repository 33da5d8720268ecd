"""New settings for a real proxy with a thousand sessions: none is dropped, and what changed holds at once."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from edge_service import PATIENCE, EdgeService, WireClient

from wire_protocol.frames import Done

SESSIONS = 1_000
RELOADS = 3
FILES = 4_096
"""Descriptors for as many sockets, in this process and, inherited, in the proxy."""


@pytest.fixture
async def service(folder: Path) -> AsyncIterator[EdgeService]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(FILES, hard)), hard))
    (folder / "list").write_text("acme:acme-token\n")
    made = EdgeService(folder)
    made.configure(top='token_file = "list"')
    await made.start()
    yield made
    await made.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def ask_everywhere(sessions: list[WireClient], id: int) -> Counter[str]:
    """One completion in each session, all at once; how they ended. They are alike, so few of them cost the worker."""
    dones: list[Done] = await asyncio.gather(*(session.ask(id) for session in sessions))
    return Counter(done.reason for done in dones)


async def test_a_reload_under_load_drops_none_of_a_thousand_sessions(service: EdgeService) -> None:
    async with asyncio.timeout(3 * PATIENCE):
        sessions = await asyncio.gather(*(service.session("acme-token") for _ in range(SESSIONS)))
        asking = asyncio.create_task(ask_everywhere(sessions, 1))
        for number in range(RELOADS):
            # A worker that comes and goes, another weight, a limit of requests at once, another log level.
            service.configure(
                f"[tenants.acme]\nconcurrent = {SESSIONS + number}\n[weights]\nacme = {number + 1}\n",
                f'token_file = "list"\nlog_level = "{"debug" if number == 1 else "info"}"',
                [f"unix:{service.folder}/none.sock"] if number % 2 == 0 else [],
            )
            await service.reload()
        assert set(await asking) <= {"stop", "length"}
        assert set(await ask_everywhere(sessions, 2)) <= {"stop", "length"}
        service.configure("[tenants.acme]\nrequests_per_second = 1\nburst = 1\n", 'token_file = "list"')
        await service.reload()
        assert (await ask_everywhere(sessions, 3))["shed"] > SESSIONS / 2
    assert [session.socket.closed for session in sessions] == [False] * SESSIONS
    metrics = await (await service.http.get(f"{service.url}/metrics")).text()
    lines = [line for line in metrics.splitlines() if line.startswith("foretype_edge_sessions")]
    assert lines == [f"foretype_edge_sessions {SESSIONS}.0"]  # and no line of sessions that ended
    log = service.logged()
    assert log.count(" reloaded: ") == RELOADS + 1
    assert "none.sock: put in by a reload" in log
    assert "none.sock: taken out by a reload" in log


async def test_a_mistake_is_told_with_its_line_and_nothing_changes(service: EdgeService) -> None:
    session = await service.session("acme-token")
    service.configure("[tenants.acme]\nconcurent = 0\n", 'token_file = "list"')
    await service.reload()
    assert "proxy.toml, line 5: tenants.acme.concurent: unknown key; did you mean 'concurrent'?" in service.logged()
    service.configure(top="")
    await service.reload()
    assert "Whether tokens are asked for at all changes only with a restart." in service.logged()
    service.configure("[tenants.acme]\nconcurrent = 1\n[limits]\nsessions = 1\n", 'token_file = "list"')
    await service.reload()
    assert "these settings change only with a restart: limits" in service.logged()
    assert (await session.ask(1)).reason in {"stop", "length"}
