"""What a real proxy logs at its most talkative: no token ever, and prompts only where an operator says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from edge_service import EdgeService, tokens
from local_issuer import LocalIssuer

from edge_proxy.tenancy.prompt_log import PROMPT_LOGGER
from wire_protocol.frames import Auth, Error

PLANTED = "planted_prompt_text"
SECRETS = {"list": "secret-in-list", "worker": "secret-for-workers", "wrong": "secret-that-is-wrong"}


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    made = LocalIssuer()
    made.new_key("one")
    yield made
    made.stop()


def settings(service: EdgeService, issuer: LocalIssuer, tenants: str = "") -> None:
    jwt = f'[jwt]\nissuer = "{issuer.url}"\naudience = ["foretype"]\ntenant_claim = "org"\n'
    top = 'token_file = "list"\ntokens = "tokens.json"\nworker_token_file = "worker"\nlog_level = "debug"\n'
    service.configure(jwt + tenants, f"{top}log_requests = true\n")


@pytest.fixture
async def service(folder: Path, issuer: LocalIssuer) -> AsyncIterator[EdgeService]:
    (folder / "list").write_text(f"other:{SECRETS['list']}\n")
    (folder / "worker").write_text(SECRETS["worker"])
    made = EdgeService(folder)
    settings(made, issuer)
    await made.start()
    yield made
    await made.stop()


async def everything_that_could_be_logged(service: EdgeService, given_out: str, signed: str) -> None:
    for number, token in enumerate((SECRETS["list"], given_out, signed)):
        session = await service.session(token)
        assert (await session.ask(1, f"{PLANTED} = {number}\n")).reason in {"stop", "length"}
        await session.send(Auth(token=token))
        await session.send(Error(code="internal", message=PLANTED))
        await session.socket.send_bytes(b"\x81\xa4type" + PLANTED.encode())
        await session.socket.send_str(PLANTED)
        await session.socket.close()
    assert await (await service.connect(SECRETS["wrong"])).closed() == 4401
    assert await (await service.connect(f"{signed}x")).closed() == 4401
    for token in (SECRETS["list"], SECRETS["wrong"], signed):
        for body in ({"model": "foretype", "prompt": PLANTED, "max_tokens": 4}, {"prompt": [PLANTED]}, PLANTED):
            await service.http.post(
                f"{service.url}/v1/completions?{PLANTED}", json=body, headers={"Authorization": f"Bearer {token}"}
            )


async def send_what_is_no_http(service: EdgeService, token: str) -> None:
    """A header with a zero byte in it, and a body that is longer than it says: the rest is read as a request."""
    host, port = service.url.removeprefix("http://").split(":")
    head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    for rest in (
        f"Authorization: Bearer {token}\0\r\n\r\n",
        f'Authorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n{{"{PLANTED}": "{PLANTED}"}}\r\n\r\n',
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write((head + rest).encode())
        async with asyncio.timeout(10):
            assert b" 400 " in await reader.read()
        writer.close()


async def test_neither_tokens_nor_prompts_are_logged_at_debug_level(service: EdgeService, issuer: LocalIssuer) -> None:
    given_out = await tokens("create", "--config", str(service.config), "--tenant", "other", "--user", "bob")
    signed = issuer.token("one")
    async with asyncio.timeout(10):
        while await (await service.connect(given_out)).receive() is None or "read again" not in service.logged():
            pass
    await everything_that_could_be_logged(service, given_out, signed)
    await send_what_is_no_http(service, SECRETS["list"])
    log = service.logged()
    assert log.count("a request could not be read") == 2
    assert " DEBUG " in log  # it was at its most talkative
    secrets = [*SECRETS.values(), given_out, given_out.removeprefix("ft_"), signed, signed.rsplit(".")[2], PLANTED]
    assert [secret for secret in secrets if secret in log] == []

    until = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    settings(service, issuer, f"[tenants.acme]\nlog_prompts_until = {until}\n")
    await service.reload()
    await everything_that_could_be_logged(service, given_out, signed)
    prompts = [line for line in service.logged().splitlines() if PLANTED in line]
    assert prompts
    assert {PROMPT_LOGGER in line and "tenant 'acme', user 'ada'" in line for line in prompts} == {True}
