"""What a token allows its session: limits with when to come back, waiting for keys, being cut; on both carriers."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from edge_proxy.auth import Gatekeeper, admitted
from edge_proxy.tenancy.allowances import Allowance, TenantPolicy
from edge_proxy.tenancy.identity import Checked, Identity, KeysWanted, Refused
from edge_proxy.tenancy.tokens import KnownTokens, new_token
from wire_protocol.codec import encode
from wire_protocol.frames import Auth, Done, Error, GoAway, Hello, Welcome
from wire_protocol.streams import STREAM_HEADER


class FakeIssuer:
    """Keys that come only when a test lets them; then every token is ada's."""

    def __init__(self) -> None:
        self.come = asyncio.Event()
        self.there = False
        self.fetches = 0

    def check(self, token: str) -> Checked:
        if not self.there:
            return KeysWanted()
        return Refused("The token is bad.") if token == "bad" else Identity("acme", "ada", "key", None)

    async def fetch_keys(self) -> None:
        self.fetches += 1
        await self.come.wait()
        self.there = True

    def knows(self, credential: str) -> bool:
        return True

    def skew(self, credential: str) -> float:
        return 0.0


async def test_over_a_limit_a_request_is_shed_and_told_when_to_come_back(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, tenants={"*": TenantPolicy(Allowance(concurrent=1))})
    client = await edge.client()
    await client.send(complete(1, give_up_ms=60_000), complete(2, doc="other"))
    shed = await client.receive()
    assert isinstance(shed, Done)
    assert (shed.id, shed.reason) == (2, "shed")
    assert "1 requests in flight" in shed.message
    error = await client.receive()
    assert isinstance(error, Error)
    assert (error.code, error.id, error.retry_after_ms) == ("limit", 2, 1_000)
    await worker.finish(await worker.submit())
    assert (await client.answer(1))[1].reason == "stop"
    await client.send(complete(3, doc="other", give_up_ms=60_000))
    await worker.finish(await worker.submit())
    assert (await client.answer(3))[1].reason == "stop"


async def test_a_cancelled_request_and_an_ended_session_make_room(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    edge = await start_edge(make_worker(), tenants={"*": TenantPolicy(Allowance(concurrent=2))})
    client = await edge.client()
    await client.send(complete(1, doc="a", give_up_ms=60_000), complete(2, doc="b", give_up_ms=60_000))
    account = edge.app.accounts.of(Identity(""))
    await edge.until(lambda: account._tenant.meter.running == 2)
    await client.socket.close()
    await edge.until(lambda: account._tenant.meter.running == 0)


async def test_tokens_are_charged_also_for_an_answer_that_was_given_up(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, tenants={"*": TenantPolicy(Allowance(tokens_per_day=1_000))})
    client = await edge.client()
    await client.send(complete(1, give_up_ms=60_000))
    submit = await worker.submit()
    await client.socket.close()
    await worker.cancel()
    await worker.finish(submit, "cancelled")
    account = edge.app.accounts.of(Identity(""))
    await edge.until(lambda: account._tenant.meter.spent.day > 0)
    assert account._tenant.meter.spent.day == 10 + 3  # evaluated of FakeWorker's prompt, and generated


async def test_a_session_waits_for_the_issuers_keys_and_what_it_sends_meanwhile_waits_too(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    issuer, worker = FakeIssuer(), make_worker()
    edge = await start_edge(worker, authenticator=issuer)
    client = await edge.connect()
    await client.send(Hello(token="signed"), complete(1, give_up_ms=60_000))
    await edge.until(lambda: issuer.fetches == 1)
    issuer.come.set()
    assert isinstance(await client.receive(), Welcome)
    await worker.finish(await worker.submit())
    assert (await client.answer(1))[1].reason == "stop"
    await client.send(Auth(token="bad"))
    assert await client.close_code() == 4401


async def test_keys_that_do_not_come_are_a_refusal(start_edge: Any, make_worker: Any) -> None:
    issuer = FakeIssuer()
    issuer.come.set()
    issuer.fetch_keys = issuer.come.wait  # type: ignore[assignment,method-assign]
    edge = await start_edge(make_worker(), authenticator=issuer)
    client = await edge.connect()
    await client.send(Hello(token="signed"))
    error = await client.receive()
    assert (error.code, "could not be fetched" in error.message) == ("auth", True)
    assert await client.close_code() == 4401
    assert isinstance(await admitted(issuer, "signed"), Refused)


async def test_a_session_that_is_cut_is_told_why_and_what_it_asked_is_cancelled(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    client, other = await edge.client(), await edge.client()
    await client.send(complete(1, give_up_ms=60_000))
    submit = await worker.submit()
    edge.app.warn(1, GoAway(within_ms=5, reason="soon"))
    edge.app.cut(1, "revoked", "It was revoked.")
    assert [type(await client.receive()) for _ in range(2)] == [GoAway, Error]
    assert await client.close_code() == 4401
    assert (await worker.cancel()).ids == [submit.id]
    assert 'sessions_ended_total{cause="revoked"} 1.0' in (await edge.get("/metrics"))[1]
    await worker.finish(submit, "cancelled")
    await other.send(complete(1, doc="o", give_up_ms=60_000))
    await worker.finish(await worker.submit())
    assert (await other.answer(1))[1].reason == "stop"


async def test_a_session_over_plain_http_is_cut_as_well(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    url = edge.server.make_url("/v1/session/stream")
    headers = {"Content-Type": "application/octet-stream"}
    async with edge.http.post(url, data=encode(Hello()), headers=headers) as stream:
        await edge.until(lambda: len(edge.app.live) == 1)
        edge.app.cut(1, "expired", "It has run out.")
        events = (await asyncio.wait_for(stream.content.read(), 10)).split(b"\n\n")
        assert len([event for event in events if event.startswith(b"data: ")]) == 2
        upload = await edge.http.post(f"{url}/{stream.headers[STREAM_HEADER]}", data=b"", headers=headers)
        assert upload.status == 404


@pytest.mark.parametrize("anyone", [True, False])
def test_a_gatekeeper_lets_nobody_in_unless_it_is_told_to(anyone: bool) -> None:
    gatekeeper = Gatekeeper(anyone=anyone)
    assert [isinstance(gatekeeper.check(token), Identity) for token in ("", "x", "a.b.c")] == [anyone] * 3
    assert not gatekeeper.knows("token:1")


def test_a_chosen_token_with_dots_is_found_beside_an_issuers() -> None:
    token, record = new_token("acme", "ada", "", 0, None)
    gatekeeper = Gatekeeper(given_out=KnownTokens([record]))
    assert isinstance(gatekeeper.check(token), Identity)
    assert isinstance(gatekeeper.check("a.b.c"), Refused)


async def test_a_session_that_is_cut_twice_is_told_once(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    client = await edge.client()
    edge.app.cut(1, "revoked", "No.")
    edge.app.cut(1, "expired", "No more.")
    error = await client.receive()
    assert (error.code, error.message) == ("auth", "No.")
    assert (await client.socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert client.socket.close_code == 4401
