"""The OpenAI-compatible door over real HTTP, with a worker that a test speaks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from edge_proxy.auth import TokenList
from edge_proxy.config import LimitSettings
from edge_proxy.openai_door import departures, door
from edge_proxy.openai_door.answers import END_OF_STREAM
from edge_proxy.tenancy.allowances import Allowance, TenantPolicy
from wire_protocol.frames import Done

PATIENCE = 10.0
PROMPT = {"model": "foretype", "prompt": "def add(a, b):\n    ret", "suffix": "\n"}

Edge = Any
StartEdge = Callable[..., Awaitable[Edge]]


async def patient(waited_for: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(waited_for, PATIENCE)


def post(edge: Edge, body: Any, token: str = "", **headers: str) -> asyncio.Task[tuple[int, Any, Any]]:
    """Status, headers and document of a call, once it is answered."""

    async def call() -> tuple[int, Any, Any]:
        url = edge.server.make_url("/v1/completions")
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        async with edge.http.post(url, json=body, headers={**authorization, **headers}) as response:
            return response.status, response.headers, await response.json()

    return asyncio.create_task(call())


async def test_a_completion_has_openai_s_form(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    answer = post(edge, {**PROMPT, "max_tokens": 32, "stop": ["\n\n"]})
    submit = await worker.submit()
    context = submit.context
    assert (context.before, context.typed, context.after) == ("def add(a, b):\n", "    ret", "\n")
    assert (submit.max_tokens, submit.stop, submit.lines, submit.kind) == (32, ["\n\n"], "multi", "automatic")
    await worker.say(submit, "urn a")
    await worker.say(submit, " + b", offset=5, tokens=2)
    await worker.finish(submit)
    status, headers, document = await patient(answer)
    assert status == 200
    assert headers["X-Request-Id"] == "1-1"
    assert document["object"] == "text_completion"
    assert document["choices"] == [{"text": "urn a + b", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert document["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 3,
        "total_tokens": 103,
        "prompt_tokens_details": {"cached_tokens": 90},
    }


async def test_a_stream_ends_with_reason_usage_and_done(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    body = {**PROMPT, "stream": True, "stream_options": {"include_usage": True}}
    call = asyncio.create_task(edge.http.post(edge.server.make_url("/v1/completions"), json=body))
    submit = await worker.submit()
    await worker.say(submit, "urn a")
    async with await patient(call) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        first = await patient(response.content.readuntil(b"\n\n"))
        await worker.say(submit, " + b", offset=5)
        await worker.finish(submit, "length")
        rest = await patient(response.content.read())
    assert rest.endswith(END_OF_STREAM)
    events = [json.loads(line[6:]) for line in (first + rest).decode().split("\n\n") if line and "[DONE]" not in line]
    assert "".join(event["choices"][0]["text"] for event in events[:-1]) == "urn a + b"
    assert [event["choices"][0]["finish_reason"] for event in events[:-1]] == [None, None, "length"]
    assert events[-1]["choices"] == []
    assert events[-1]["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_who_hangs_up_cancels_at_the_worker(
    start_edge: StartEdge, make_worker: Any, stream: bool
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    async with aiohttp.ClientSession() as leaving:
        call = asyncio.create_task(
            leaving.post(edge.server.make_url("/v1/completions"), json={**PROMPT, "stream": stream})
        )
        submit = await worker.submit()
        await worker.say(submit, "urn")
        if stream:
            await patient(call)
        call.cancel()
    assert (await worker.cancel()).ids == [submit.id]
    await worker.finish(submit, "cancelled")
    await edge.until(lambda: edge.app.dispatcher.live == 0)


async def test_both_doors_share_one_cache(start_edge: StartEdge, make_worker: Any, complete: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker, cache_bytes=1_000_000)
    first = post(edge, PROMPT)
    submit = await worker.submit()
    await worker.say(submit, "urn a + b")
    await worker.finish(submit)
    await patient(first)
    _, _, again = await patient(post(edge, PROMPT))
    assert again["choices"][0]["text"] == "urn a + b"
    assert again["usage"]["completion_tokens"] == 1
    client = await edge.client()
    context = {"before": "def add(a, b):\n", "typed": "    ret", "after": "\n", "form": "full"}
    await client.send(complete(1, context=context, max_tokens=16, lines="multi"))
    text, done = await client.answer(1)
    assert (text, done.source) == ("urn a + b", "cache")


async def test_a_model_that_is_not_here_is_404(start_edge: StartEdge, make_worker: Any) -> None:
    edge = await start_edge(make_worker(name="starter"))
    status, _, document = await patient(post(edge, {**PROMPT, "model": "gpt-99"}))
    assert (status, document["error"]["code"]) == (404, "model_not_found")
    assert "starter" in document["error"]["message"]


async def test_a_named_model_answers_and_no_other(start_edge: StartEdge, make_worker: Any) -> None:
    small, large = make_worker(name="small"), make_worker(name="large")
    edge = await start_edge(small, large)
    for number in range(4):
        answer = post(edge, {**PROMPT, "model": "large", "prompt": f"n = {number}"})
        submit = await large.submit()
        await large.finish(submit)
        assert (await patient(answer))[0] == 200
    assert small.submits.empty()


async def test_the_models_are_listed_and_found(start_edge: StartEdge, make_worker: Any) -> None:
    edge = await start_edge(make_worker(name="starter"))
    status, text = await edge.get("/v1/models")
    assert status == 200
    assert [card["id"] for card in json.loads(text)["data"]] == ["foretype", "starter"]
    assert json.loads((await edge.get("/v1/models/starter"))[1])["object"] == "model"
    assert (await edge.get("/v1/models/other"))[0] == 404


async def test_without_a_worker_it_is_503_with_a_time_to_come_back(start_edge: StartEdge, make_worker: Any) -> None:
    edge = await start_edge(make_worker(credits=0))
    status, headers, document = await patient(post(edge, PROMPT))
    assert (status, headers["Retry-After"]) == (503, "1")
    assert document["error"]["type"] == "server_error"


async def test_a_worker_that_fails_is_502(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    answer = post(edge, {**PROMPT, "stream": True})
    submit = await worker.submit()
    await worker.send(Done(id=submit.id, reason="error", message="The model broke."))
    status, _, document = await patient(answer)
    assert (status, document["error"]["message"]) == (502, "The model broke.")


async def test_what_the_time_cut_is_given_as_far_as_it_came(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    answer = post(edge, PROMPT, **{"X-Foretype-Give-Up-Ms": "400"})
    await worker.say(await worker.submit(), "urn")
    status, _, document = await patient(answer)
    assert status == 200
    assert document["choices"][0]["text"] == "urn"
    assert document["choices"][0]["finish_reason"] == "length"


async def test_a_token_is_asked_for_as_api_key(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker, authenticator=TokenList([("acme", "right")]))
    for token in ("", "wrong"):
        status, headers, document = await patient(post(edge, PROMPT, token))
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert document["error"]["code"] == "invalid_api_key"
    assert (await edge.get("/v1/models"))[0] == 401
    answer = post(edge, PROMPT, "right")
    submit = await worker.submit()
    assert submit.cache_salt == "acme"
    await worker.finish(submit)
    assert (await patient(answer))[0] == 200


async def test_a_body_over_the_limit_is_413(start_edge: StartEdge, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), limits=LimitSettings(frame_bytes=2_000))
    status, _, document = await patient(post(edge, {**PROMPT, "prompt": "x" * 3_000}))
    assert status == 413
    assert "2000 bytes" in document["error"]["message"]


async def test_a_page_of_another_site_cannot_call_without_asking(start_edge: StartEdge, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    url = edge.server.make_url("/v1/completions")
    async with edge.http.post(url, data=json.dumps(PROMPT), headers={"Content-Type": "text/plain"}) as response:
        assert response.status == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/completions", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/v1/chat/completions", 404),
        ("GET", "/v1/engines", 404),
    ],
)
async def test_paths_that_are_not_here_answer_in_openai_s_form(
    start_edge: StartEdge, make_worker: Any, method: str, path: str, status: int
) -> None:
    edge = await start_edge(make_worker())
    async with edge.http.request(method, edge.server.make_url(path)) as response:
        assert response.status == status
        assert (await response.json())["error"]["message"].endswith(".")


async def test_a_draining_proxy_takes_no_call(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    running = post(edge, PROMPT)
    submit = await worker.submit()
    draining = asyncio.create_task(edge.app.drain())
    await edge.until(lambda: edge.app.dispatcher.draining)
    assert (await patient(post(edge, PROMPT)))[0] == 503
    await worker.finish(submit)
    assert (await patient(running))[0] == 200
    await patient(draining)


async def test_the_openapi_document_names_the_routes(start_edge: StartEdge, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    status, text = await edge.get("/openapi.json")
    document = json.loads(text)
    assert status == 200
    assert document["openapi"].startswith("3.1")
    served = {resource.canonical.replace("{name}", "{model}") for resource in edge.server.app.router.resources()}
    assert set(document["paths"]) <= served


async def test_a_token_that_is_taken_back_ends_its_call(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker, authenticator=TokenList([("acme", "right")]))
    answer = post(edge, PROMPT, "right")
    submit = await worker.submit()
    for session in edge.app.live.orphans(lambda _: False):
        edge.app.cut(session, "revoked", "The token was revoked.")
    assert (await worker.cancel()).ids == [submit.id]
    assert (await patient(answer))[0] == 503


async def test_over_a_limit_it_is_429_with_a_time_to_come_back(start_edge: StartEdge, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker, authenticator=TokenList([("acme", "right")]))
    edge.app.accounts.configure({"acme": TenantPolicy(Allowance(concurrent=1))})
    first = post(edge, PROMPT, "right")
    submit = await worker.submit()
    status, headers, document = await patient(post(edge, PROMPT, "right"))
    assert (status, document["error"]["code"]) == (429, "tenant_concurrent")
    assert int(headers["Retry-After"]) >= 1
    await worker.finish(submit)
    assert (await patient(first))[0] == 200
    again = post(edge, {**PROMPT, "prompt": "y = "}, "right")
    await worker.finish(await worker.submit())
    assert (await patient(again))[0] == 200


async def test_slow_senders_cannot_fill_the_memory(
    start_edge: StartEdge, make_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MAX_BODIES", 1)
    worker = make_worker()
    edge = await start_edge(worker)
    first_bytes_came, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        whole = json.dumps(PROMPT).encode()
        yield whole[:10]
        first_bytes_came.set()
        await go_on.wait()
        yield whole[10:]

    url = edge.server.make_url("/v1/completions")
    slow = asyncio.create_task(edge.http.post(url, data=slowly(), headers={"Content-Type": "application/json"}))
    await patient(first_bytes_came.wait())
    await edge.until(lambda: edge.app._door._bodies == 1)
    status, _, document = await patient(post(edge, PROMPT))
    assert (status, document["error"]["code"]) == (503, "overloaded")
    go_on.set()
    await worker.finish(await worker.submit())
    assert (await patient(slow)).status == 200


async def test_bytes_that_are_no_text_in_a_header_leave_the_worker_connected(
    start_edge: StartEdge, make_worker: Any
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.server.port)
    body = json.dumps(PROMPT).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"Content-Type: application/json\r\ntraceparent: \xff\r\n\r\n" + body)
    await worker.finish(await worker.submit())
    assert (await patient(reader.readline())).startswith(b"HTTP/1.1 200")
    writer.close()
    after = post(edge, {**PROMPT, "prompt": "y = "})
    await worker.finish(await worker.submit())
    assert (await patient(after))[0] == 200


async def test_a_caller_whose_connection_fails_before_it_is_looked_at_has_cancelled(
    start_edge: StartEdge, make_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departures, "LOOK_SECONDS", 60.0)  # so that the write is what fails
    worker = make_worker()
    edge = await start_edge(worker)
    async with aiohttp.ClientSession() as leaving:
        call = asyncio.create_task(
            leaving.post(edge.server.make_url("/v1/completions"), json={**PROMPT, "stream": True})
        )
        submit = await worker.submit()
        await worker.say(submit, "urn")
        await patient(call)
        ((transport, _),) = edge.app._door._departures._watched.values()
    await edge.until(transport.is_closing)
    await worker.say(submit, " a", offset=3)
    await edge.until(lambda: edge.app.dispatcher.live == 0)
    assert list(edge.app.metrics.done.made) == [("cancelled", "cancelled")]
