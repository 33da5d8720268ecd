"""Who may use a real proxy, and how much: revocation, quotas and rates, rotated keys, tokens that run out."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from edge_service import EdgeService, tokens
from local_issuer import LocalIssuer

from edge_proxy.tenancy.token_file import TokenFile
from edge_proxy.tenancy.tokens import new_token
from wire_protocol.frames import Auth, Error, GoAway, Welcome

REVOKED_WITHIN = 5.0
"""Seconds from the command's end to the end of the last session: what the design promises."""
AUTH = 4401


pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = """
[tenants.measured]
tokens_per_day = 20
[tenants.slow]
requests_per_second = 1
burst = 2
[jwt]
issuer = "{issuer}"
audience = ["foretype"]
tenant_claim = "org"
skew = 1.0
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[LocalIssuer]:
    made = LocalIssuer()
    made.new_key("one")
    yield made
    made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(issuer: LocalIssuer) -> AsyncIterator[EdgeService]:
    """One proxy with all ways in, and a worker."""
    folder = Path(tempfile.mkdtemp(prefix="ft-"))
    made = EdgeService(folder)
    (folder / "list").write_text("measured:plain-token\nslow:another-token\n")
    made.configure(
        SETTINGS.format(issuer=issuer.url), 'tokens = "tokens.json"\ntoken_file = "list"\nusage = "usage.json"'
    )
    await made.start()
    yield made
    await made.stop()
    shutil.rmtree(folder)


async def test_a_revoked_token_loses_its_sessions_within_five_seconds(service: EdgeService) -> None:
    file = service.folder / "tokens.json"
    bob, record = new_token("acme", "bob", "", 0, None)
    TokenFile(file).change(lambda records: records.update({record.id: record}))
    ada = await tokens("create", "--config", str(service.config), "--tenant", "acme", "--user", "ada")
    async with asyncio.timeout(REVOKED_WITHIN):  # a token made while the proxy runs is known as soon
        while not isinstance(await (await service.connect(ada)).receive(), Welcome):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    leaving = [await service.session(ada) for _ in range(3)]
    staying = await service.session(bob)

    await tokens("revoke", "--store", str(file), "--tenant", "acme", "--user", "ada")
    began = time.monotonic()
    assert [await client.closed() for client in leaving] == [AUTH] * 3
    assert time.monotonic() - began < REVOKED_WITHIN
    assert {(error.code, error.message) for client in leaving for error in client.seen if isinstance(error, Error)} == {
        ("auth", "The token was revoked: ask for another one.")
    }
    again = await service.connect(ada)
    assert await again.closed() == AUTH
    assert "revoked" in again.seen[-1].message
    await staying.send(Auth(token=bob))
    assert (await service.http.get(f"{service.url}/healthz")).status == 200
    assert not staying.socket.closed


async def test_a_rate_refuses_with_when_to_come_back(service: EdgeService) -> None:
    limited = await service.session("another-token")
    ends = [await limited.ask(number, f"x{number} = ") for number in range(3)]
    assert [done.reason for done in ends[:2]] != ["shed", "shed"]
    assert (ends[2].reason, "1 requests a second" in ends[2].message) == ("shed", True)
    error = await limited.until(Error)
    assert (error.code, error.id) == ("limit", 2)
    assert 0 < error.retry_after_ms <= 1_000


async def test_a_spent_quota_holds_over_http_too_and_after_a_restart(service: EdgeService) -> None:
    ada = await service.session("plain-token")
    for number in range(20):
        done = await ada.ask(number, f"def f{number}(a, b):\n    return ")
        if done.reason == "shed":
            break
    assert "used its 20 tokens of this day" in done.message
    assert (await ada.until(Error)).retry_after_ms > 1_000
    call = {"model": "foretype", "prompt": "x = "}
    over_http = await service.http.post(
        f"{service.url}/v1/completions", json=call, headers={"Authorization": "Bearer plain-token"}
    )
    assert over_http.status == 429
    assert int(over_http.headers["Retry-After"]) >= 1

    await service.proxy.stop()
    await service.proxy.start()
    again = await service.session("plain-token")
    assert "used its 20 tokens" in (await again.ask(1)).message


async def test_a_key_that_the_issuer_rotates_in_works_at_once(service: EdgeService, issuer: LocalIssuer) -> None:
    before = await service.session(issuer.token("one"))
    asked = issuer.asked["/keys"]
    issuer.new_key("two", "RSA")
    await service.session(issuer.token("two"))
    await service.session(issuer.token("one"))
    assert issuer.asked["/keys"] == asked + 1
    assert not before.socket.closed


async def test_a_token_that_runs_out_in_mid_session_is_warned_then_cut_unless_refreshed(
    service: EdgeService, issuer: LocalIssuer
) -> None:
    runs_out = [await service.session(issuer.token("one", seconds=1.0)) for _ in range(2)]
    stays = runs_out.pop()
    warning = await stays.until(GoAway)
    assert "run out" in warning.reason
    assert warning.within_ms == 1_000
    await stays.send(Auth(token=issuer.token("one", seconds=600.0)))
    assert await runs_out[0].closed() == AUTH
    kinds = [type(frame) for frame in runs_out[0].seen]
    assert kinds == [Welcome, GoAway, Error]
    await stays.send(Auth(token=issuer.token("one", "eve")))
    assert await stays.closed() == AUTH
    assert "somebody else" in stays.seen[-1].message
