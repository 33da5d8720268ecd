"""Sessions through the proxy's real WebSocket, with fake clients and workers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import msgpack
import pytest
from hang_up import hang_up
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_proxy.auth import TokenList
from edge_proxy.config import LimitSettings
from edge_proxy.dispatch import DRAINING
from wire_protocol.codec import ProtocolError, decode_from_client
from wire_protocol.contexts import ContextSender
from wire_protocol.frames import (
    MAX_TEXT,
    SUBPROTOCOL,
    Auth,
    Cancel,
    Complete,
    Context,
    Credit,
    Done,
    Error,
    Feedback,
    FeedbackMinute,
    Forget,
    GoAway,
    Hello,
    Resend,
    Stats,
    TokenBatch,
    Tokens,
)

MakeComplete = Callable[..., Complete]


async def test_an_answer_streams_from_the_worker_to_the_client(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1, "ret"))
    submit = await worker.submit()
    assert (submit.context.typed, submit.lines, submit.kind) == ("ret", "single", "automatic")
    await worker.say(submit, "urn a", tokens=2)
    await worker.say(submit, " + b", offset=5)
    await worker.finish(submit)
    text, done = await client.answer(1)
    assert text == "urn a + b"
    assert (done.reason, done.source, done.usage.reused_tokens) == ("stop", "worker", 90)


async def test_the_welcome_names_region_models_and_limits(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(name="starter"), limits=LimitSettings(in_flight=7))
    welcome = await (await edge.connect()).hello()
    assert welcome.region == "test"
    assert [model.name for model in welcome.models] == ["starter"]
    assert welcome.limits.in_flight == 7


async def test_the_proxy_shows_the_worker_its_own_token(start_edge: Any, make_worker: Any) -> None:
    worker = make_worker()
    await start_edge(worker)
    assert [hello.token for hello in worker.hellos] == ["worker-token"]


# Auth


@pytest.mark.parametrize(("token", "sentence"), [("", "is missing"), ("wrong", "is not known")])
async def test_a_bad_token_gets_a_sentence_and_4401(
    start_edge: Any, make_worker: Any, token: str, sentence: str
) -> None:
    edge = await start_edge(make_worker(), authenticator=TokenList([("team", "right")]))
    client = await edge.connect()
    await client.send(Hello(token=token))
    error = await client.receive()
    assert error.code == "auth"
    assert sentence in error.message
    assert await client.close_code() == 4401


async def test_the_tokens_name_is_the_tenant_of_the_kv_cache(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, authenticator=TokenList([("team", "right")]))
    client = await edge.client("right")
    await client.send(complete(1))
    assert (await worker.submit()).cache_salt == "team"


async def test_a_refreshed_token_of_the_same_tenant_keeps_the_session(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, authenticator=TokenList([("team", "old"), ("team", "new")]))
    client = await edge.client("old")
    await client.send(Auth(token="new"), complete(1))
    assert (await worker.submit()).cache_salt == "team"


async def test_a_refreshed_token_of_somebody_else_ends_the_session(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), authenticator=TokenList([("a", "one"), ("b", "two")]))
    client = await edge.client("one")
    await client.send(Auth(token="two"))
    assert (await client.receive()).code == "auth"
    assert await client.close_code() == 4401


# Handshake


async def test_a_client_without_the_subprotocol_is_told_which_one(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await edge.connect(protocols=("graphql-ws",))
    assert refused.value.status == 400
    status, body = await edge.get("/v1/session")
    assert (status, SUBPROTOCOL in body) == (400, True)


async def test_no_common_version_is_an_error_and_a_close(start_edge: Any, make_worker: Any) -> None:
    client = await (await start_edge(make_worker())).connect()
    await client.send(Hello(version_min=7, version_max=9))
    error = await client.receive()
    assert (error.code, "7 to 9" in error.message) == ("version", True)
    assert await client.close_code() == 1002


async def test_frames_before_hello_are_unexpected_and_hello_still_works(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    client = await (await start_edge(make_worker())).connect()
    await client.send(complete(1))
    assert (await client.receive()).code == "unexpected"
    assert (await client.hello()).session


async def test_a_full_proxy_says_when_to_come_back(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker(), limits=LimitSettings(sessions=1))
    first = await edge.client()
    second = await edge.connect()
    await second.send(Hello())
    error = await second.receive()
    assert (error.code, error.retry_after_ms > 0) == ("overloaded", True)
    assert await second.close_code() == 1013
    assert not first.socket.closed


async def test_nagle_is_off_on_the_accepted_socket(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    client = await edge.client()
    (transport,) = edge.app.transports
    assert not client.socket.closed
    accepted = transport.get_extra_info("socket")
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_no_compression_is_negotiated(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    url = edge.server.make_url("/v1/session")
    client = await edge.http.ws_connect(url, protocols=(SUBPROTOCOL,), compress=15)
    assert client.compress == 0


# Contexts


async def test_deltas_are_rebuilt_to_full_contexts(start_edge: Any, make_worker: Any, complete: MakeComplete) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    sender = ContextSender()
    for id, typed in ((1, "r"), (2, "re"), (3, "ret")):
        context = Context(before="def f():\n" * 100, typed=typed)
        rev, base_rev, sent = sender.prepare("doc", context)
        await client.send(complete(id, rev=rev, base_rev=base_rev, context=sent))
        submit = await worker.submit()
        assert submit.context == context
        await worker.finish(submit)
        await client.answer(id)


def _deltas(complete: MakeComplete, ids: list[int]) -> list[Complete]:
    """Requests whose contexts the proxy cannot rebuild: it never saw their base."""
    sender = ContextSender()
    sender.prepare("doc", Context(before="x"))
    frames = []
    for id in ids:
        rev, base_rev, sent = sender.prepare("doc", Context(before="x", typed="y" * id))
        frames.append(complete(id, rev=rev, base_rev=base_rev, context=sent))
    return frames


async def test_an_unknown_base_asks_once_and_the_full_context_answers(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(*_deltas(complete, [1, 2]))
    assert await client.receive() == Resend(id=1, doc="doc")
    await client.send(complete(2, "full", rev=9))
    submit = await worker.submit()
    assert submit.context.typed == "full"
    await worker.say(submit, "!")
    await worker.finish(submit)
    frames = [await client.receive() for _ in range(3)]
    assert [type(frame) for frame in frames] == [Done, Tokens, Done]  # nothing else: no second resend
    assert (frames[0].id, frames[0].reason) == (1, "cancelled")
    assert (frames[2].id, frames[2].reason) == (2, "stop")


async def test_a_held_request_is_shed_when_its_time_is_up(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    client = await (await start_edge(make_worker())).client()
    (delta,) = _deltas(complete, [1])
    await client.send(
        Complete(id=1, doc="doc", rev=delta.rev, base_rev=delta.base_rev, context=delta.context, give_up_ms=1)
    )
    assert isinstance(await client.receive(), Resend)
    _, done = await client.answer(1)
    assert done.reason == "shed"


async def test_a_held_request_can_be_cancelled_and_forgotten(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    client = await (await start_edge(make_worker())).client()
    await client.send(*_deltas(complete, [1, 2]), Cancel(ids=[1]), Forget(docs=["doc"]))
    assert isinstance(await client.receive(), Resend)
    assert (await client.answer(1))[1].reason == "cancelled"
    assert (await client.answer(2))[1].reason == "cancelled"


async def test_what_a_held_request_superseded_is_superseded_by_the_one_sent_in_full(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(10, "old", doc="other"))
    await worker.submit()
    (delta,) = _deltas(complete, [11])
    held = complete(11, rev=delta.rev, base_rev=delta.base_rev, context=delta.context, supersedes=[10])
    await client.send(held)
    assert isinstance(await client.receive(), Resend)
    await client.send(complete(12, "new", rev=50, supersedes=[11]))
    ends = [await client.receive(), await client.receive()]
    assert [(done.id, done.reason) for done in ends] == [(11, "cancelled"), (10, "cancelled")]


async def test_the_bound_over_all_sessions_evicts_the_longest_idle(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker(credits=8)
    edge = await start_edge(worker, limits=LimitSettings(total_context_bytes=50_000))
    one, two = await edge.client(), await edge.client()
    sender = ContextSender()
    first = sender.prepare("doc", Context(before="x" * 30_000))
    await one.send(complete(1, rev=first.rev, context=first.context))
    await worker.submit()
    await two.send(complete(1, context=Context(before="y" * 30_000)))
    await worker.submit()
    second = sender.prepare("doc", Context(before="x" * 30_000, typed="z"))
    await one.send(complete(2, rev=second.rev, base_rev=second.base_rev, context=second.context))
    assert isinstance(await one.receive(), Resend)
    assert edge.app.dispatcher.live == 2


# Superseding, cancelling, limits


async def test_superseding_cancels_in_band_at_the_worker(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1, "re"))
    first = await worker.submit()
    await client.send(complete(2, "xx", supersedes=[1]))
    assert (await client.answer(1))[1].reason == "cancelled"
    assert (await worker.cancel()).ids == [first.id]
    assert (await worker.submit()).context.typed == "xx"


async def test_typing_on_attaches_and_the_worker_is_not_asked_again(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1, "re"))
    submit = await worker.submit()
    await worker.say(submit, "turn")
    assert isinstance(await client.receive(), Tokens)
    await client.send(complete(2, "ret", supersedes=[1]))
    assert (await client.answer(1))[1].reason == "cancelled"
    await worker.say(submit, " a", offset=4)
    await worker.finish(submit)
    text, done = await client.answer(2)
    assert (text, done.source) == ("urn a", "attached")
    assert worker.submits.empty()


async def test_two_people_with_the_same_text_share_one_generation(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    one, other = await edge.client(), await edge.client()
    await one.send(complete(1, "re"))
    submit = await worker.submit()
    await other.send(complete(1, "re"))
    await edge.until(lambda: edge.app.dispatcher.live == 2)
    await worker.say(submit, "turn")
    await worker.finish(submit)
    assert [(await client.answer(1))[0] for client in (one, other)] == ["turn", "turn"]
    assert worker.submits.empty()


async def test_a_repeated_request_is_answered_from_the_cache(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, cache_bytes=100_000)
    client = await edge.client()
    await client.send(complete(1, "re"))
    submit = await worker.submit()
    await worker.say(submit, "turn")
    await worker.finish(submit)
    await client.answer(1)
    await client.send(complete(2, "ret"))
    text, done = await client.answer(2)
    assert (text, done.source) == ("urn", "cache")
    assert worker.submits.empty()


async def test_a_cancel_reaches_the_worker_and_is_answered_at_once(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1), complete(2, doc="other", context=Context(before="y")))
    submits = [await worker.submit(), await worker.submit()]
    await client.send(Cancel(ids=[1, 2, 77]))
    assert (await client.answer(1))[1].reason == "cancelled"
    assert (await client.answer(2))[1].reason == "cancelled"
    assert (await worker.cancel()).ids == [submit.id for submit in submits]  # one frame for one turn


async def test_an_ended_session_cancels_what_it_wanted(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1))
    submit = await worker.submit()
    await client.socket.close()
    assert (await worker.cancel()).ids == [submit.id]


async def test_more_requests_than_the_session_may_have_are_shed_with_a_sentence(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    client = await (await start_edge(make_worker(), limits=LimitSettings(in_flight=1))).client()
    await client.send(complete(1), complete(2, doc="other", context=Context(before="y")))
    _, done = await client.answer(2)
    assert (done.reason, "in flight" in done.message) == ("shed", True)


async def test_no_more_submits_than_credits_and_the_newest_first(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker(credits=1)
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(*(complete(id, str(id), doc=f"doc-{id}") for id in (1, 2, 3)))
    first = await worker.submit()
    await edge.until(lambda: edge.app.dispatcher.waiting == 2)
    assert worker.submits.empty()
    await worker.finish(first)
    assert (await worker.submit()).context.typed == "3"


async def test_an_id_that_is_in_use_is_refused_and_its_answer_still_comes(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1), complete(1))
    error = await client.receive()
    assert (error.code, error.id) == ("invalid", 1)
    await worker.finish(await worker.submit())
    assert (await client.answer(1))[1].reason == "stop"


async def test_the_budget_that_the_worker_gets_is_what_is_left_of_it(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker(credits=1)
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(complete(1, give_up_ms=60_000))
    await client.send(complete(2, doc="b", context=Context(before="y"), give_up_ms=60_000, objective_ms=0))
    first = await worker.submit()
    started = asyncio.get_running_loop().time()
    await edge.until(lambda: asyncio.get_running_loop().time() > started + 0.005)
    await worker.finish(first)
    second = await worker.submit()
    assert second.give_up_ms <= 59_995
    assert second.objective_ms == 0
    assert second.priority < first.priority


# Sheds


async def test_a_deadline_is_answered_with_an_empty_shed(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1, give_up_ms=5))
    text, done = await client.answer(1)
    assert (text, done.reason, "5 ms" in done.message) == ("", "shed", True)
    assert (await worker.cancel()).ids == [(await worker.submit()).id]


async def test_without_a_worker_requests_are_shed_with_a_sentence(start_edge: Any, complete: MakeComplete) -> None:
    edge = await start_edge()
    client = await edge.client()
    await client.send(complete(1))
    _, done = await client.answer(1)
    assert (done.reason, "No worker" in done.message) == ("shed", True)


# Workers lost


async def test_a_worker_killed_in_mid_answer_is_invisible_to_the_client(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    workers = [make_worker(), make_worker()]
    edge = await start_edge(*workers)
    client = await edge.client()
    await client.send(complete(1, "re", max_tokens=10, give_up_ms=60_000))
    await edge.until(lambda: any(not worker.submits.empty() for worker in workers))
    dying, other = sorted(workers, key=lambda worker: worker.submits.empty())
    submit = await dying.submit()
    await dying.say(submit, "turn", tokens=3)
    assert isinstance(await client.receive(), Tokens)
    await dying.kill()
    again = await other.submit()
    assert (again.context.typed, again.max_tokens) == ("return", 7)
    await other.say(again, " a")
    await other.finish(again)
    tokens = await client.receive()
    assert tokens.items == [TokenBatch(id=1, offset=4, text=" a", tokens=1)]
    assert (await client.receive()).reason == "stop"


async def test_the_only_worker_lost_sheds_what_it_ran(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(complete(1))
    await worker.submit()
    await worker.kill()
    _, done = await client.answer(1)
    assert (done.reason, "No worker" in done.message) == ("shed", True)
    assert (await edge.get("/readyz"))[0] == 503


async def test_a_worker_that_closes_the_connection_is_connected_again(start_edge: Any, make_worker: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    assert worker._transport is not None
    worker._transport.abort()
    await edge.until(lambda: len(worker.hellos) == 2 and edge.app.dispatcher.ready)
    assert (await edge.get("/readyz"))[0] == 200


@pytest.mark.parametrize("farewell", [GoAway(within_ms=1_000), Stats(draining=True)])
async def test_a_leaving_worker_finishes_and_gets_nothing_new(
    start_edge: Any, make_worker: Any, complete: MakeComplete, farewell: Any
) -> None:
    workers = [make_worker(name="a"), make_worker(name="b")]
    edge = await start_edge(*workers)
    client = await edge.client()
    await client.send(complete(1))
    await edge.until(lambda: any(not worker.submits.empty() for worker in workers))
    leaving, other = sorted(workers, key=lambda worker: worker.submits.empty())
    submit = await leaving.submit()
    await leaving.send(farewell)
    await leaving.say(submit, "x")
    await leaving.finish(submit)
    assert (await client.answer(1))[0] == "x"
    await client.send(complete(2))
    assert (await other.submit()).context.before


async def test_requests_of_one_document_go_to_the_same_worker(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    workers = [make_worker(), make_worker(), make_worker()]
    edge = await start_edge(*workers)
    client = await edge.client()
    served = set()
    for id in range(1, 6):
        await client.send(complete(id, str(id)))
        await edge.until(lambda: any(not worker.submits.empty() for worker in workers))
        worker = next(worker for worker in workers if not worker.submits.empty())
        await worker.finish(await worker.submit())
        await client.answer(id)
        served.add(worker.url)
    assert len(served) == 1


async def test_a_submit_that_a_worker_refuses_by_an_error_frame_ends(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1))
    submit = await worker.submit()
    await worker.send(Error(code="invalid", message="No such adapter.", id=submit.id))
    _, done = await client.answer(1)
    assert (done.reason, done.message) == ("error", "No such adapter.")


async def test_a_worker_that_takes_back_its_credits_gets_no_more(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker(credits=2)
    edge = await start_edge(worker)
    client = await edge.client()
    await worker.send(Credit(grant=-2))
    (known,) = edge.app.dispatcher.workers
    await edge.until(lambda: known.credits == 0)
    await client.send(complete(1, give_up_ms=5))
    assert (await client.answer(1))[1].reason == "shed"
    assert worker.submits.empty()


# Hostile and slow clients


async def test_a_frame_over_the_limit_is_an_error_and_the_session_goes_on(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    client = await (await start_edge(worker, limits=LimitSettings(frame_bytes=10_000))).client()
    await client.send(complete(1, context=Context(before="x" * 20_000)))
    assert (await client.receive()).code == "too_large"
    await client.send(complete(2))
    await worker.finish(await worker.submit())
    assert (await client.answer(2))[1].reason == "stop"


async def test_a_message_far_over_the_limit_ends_the_connection(start_edge: Any, make_worker: Any) -> None:
    client = await (await start_edge(make_worker(), limits=LimitSettings(frame_bytes=10_000))).client()
    await client.socket.send_bytes(b"x" * 50_000)
    assert await client.close_code() == 1009


async def test_an_invalid_complete_gets_an_error_and_its_one_done(start_edge: Any, make_worker: Any) -> None:
    client = await (await start_edge(make_worker())).client()
    await client.socket.send_bytes(msgpack.packb({"type": "complete", "id": 5, "doc": "d", "rev": -1}))
    error, done = await client.receive(), await client.receive()
    assert (error.code, error.id, done.id, done.reason) == ("invalid", 5, 5, "error")


async def test_a_context_that_deltas_made_too_large_is_asked_for_again(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    limits = LimitSettings(session_context_bytes=4 * MAX_TEXT)
    client = await (await start_edge(make_worker(credits=8), limits=limits)).client()
    sender = ContextSender()
    for id, size in ((1, MAX_TEXT // 2), (2, MAX_TEXT), (3, MAX_TEXT + 1)):
        rev, base_rev, sent = sender.prepare("doc", Context(before="x" * size))
        await client.send(complete(id, rev=rev, base_rev=base_rev, context=sent))
    assert await client.receive() == Resend(id=3, doc="doc")


async def test_too_many_bad_frames_end_the_session(start_edge: Any, make_worker: Any) -> None:
    client = await (await start_edge(make_worker())).client()
    for _ in range(11):
        await client.socket.send_bytes(b"\xc1")
    codes = [(await client.receive()).code for _ in range(12)]
    assert codes == ["malformed"] * 11 + ["limit"]
    assert await client.close_code() == 1008


async def test_text_messages_are_refused(start_edge: Any, make_worker: Any) -> None:
    client = await (await start_edge(make_worker())).client()
    await client.socket.send_str("{}")
    assert (await client.receive()).code == "malformed"


@pytest.fixture
async def hostile_edge(start_edge: Any, make_worker: Any) -> Any:
    worker = make_worker()
    return await start_edge(worker), worker


FIELDS = st.dictionaries(
    st.sampled_from(["id", "ids", "doc", "docs", "rev", "context", "token", "minutes", "code"]),
    st.none() | st.integers(-5, 5) | st.text(max_size=5) | st.lists(st.integers(-1, 3), max_size=3),
    max_size=4,
)
TYPES = st.sampled_from(["cancel", "forget", "auth", "complete", "feedback", "error", "submit", "nonsense"])
MESSAGES = st.binary(max_size=200) | st.builds(lambda kind, rest: msgpack.packb({"type": kind, **rest}), TYPES, FIELDS)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(MESSAGES, max_size=8))
async def test_whatever_bytes_come_the_session_names_each_fault_and_goes_on(
    hostile_edge: Any, complete: MakeComplete, messages: list[bytes]
) -> None:
    edge, worker = hostile_edge
    expected = []
    for message in messages:
        try:
            decode_from_client(message)
        except ProtocolError as error:
            expected.append(error.code)
    client = await edge.client()
    for message in messages:
        await client.socket.send_bytes(message)
    await client.send(complete(99))
    await worker.finish(await worker.submit())
    codes = []
    while getattr(frame := await client.receive(), "id", None) != 99 or not isinstance(frame, Done):
        if isinstance(frame, Error):
            codes.append(frame.code)
    assert codes == expected
    await client.socket.close()


async def test_a_slow_reader_is_cut_off_and_others_are_not(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, limits=LimitSettings(outgoing_bytes=65_536))
    slow = await edge.client()
    (transport,) = edge.app.transports
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    slow.socket.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    slow.socket._conn.transport.pause_reading()
    other = await edge.client()
    await slow.send(complete(1, max_tokens=4_096, give_up_ms=600_000))
    submit = await worker.submit()
    part = "x" * 20_000
    for number in range(10):
        await worker.say(submit, part, number * len(part))
    assert (await worker.cancel()).ids == [submit.id]
    await other.send(complete(1))
    await worker.finish(await worker.submit())
    assert (await other.answer(1))[1].reason == "stop"
    assert 'foretype_edge_sessions_ended_total{cause="slow_reader"} 1.0' in (await edge.get("/metrics"))[1]


# HTTP, metrics, drain


async def test_health_and_readiness(start_edge: Any, make_worker: Any) -> None:
    worker = make_worker(credits=0)
    edge = await start_edge(worker)
    assert await edge.get("/healthz") == (200, "ok\n")
    await edge.until(lambda: bool(worker.hellos))
    assert (await edge.get("/readyz"))[0] == 503
    await worker.send(Credit(grant=1))
    await edge.until(lambda: edge.app.dispatcher.ready)
    assert await edge.get("/readyz") == (200, "ready\n")


METRICS = {
    "foretype_edge_sessions",
    "foretype_edge_requests_total",
    "foretype_edge_done_total",
    "foretype_edge_within_objective_total",
    "foretype_edge_time_to_first_token_seconds",
    "foretype_edge_queue_seconds",
    "foretype_edge_request_seconds",
    "foretype_edge_attached_total",
    "foretype_edge_tokens_total",
    "foretype_edge_prompt_tokens_total",
    "foretype_edge_live_requests",
    "foretype_edge_waiting_requests",
    "foretype_edge_resends_total",
    "foretype_edge_bad_frames_total",
    "foretype_edge_context_bytes",
    "foretype_edge_workers_ready",
    "foretype_edge_worker_credits",
    "foretype_edge_feedback_total",
}


async def test_metrics_have_their_names_and_count(start_edge: Any, make_worker: Any, complete: MakeComplete) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(complete(1), Feedback(minutes=[FeedbackMinute(minute=1, shown=3, accepted=2)]))
    submit = await worker.submit()
    await worker.say(submit, "secret", tokens=4)
    await worker.finish(submit)
    await client.answer(1)
    status, text = await edge.get("/metrics")
    assert status == 200
    assert {name for name in METRICS if f"# TYPE {name} " not in text} == set()
    assert 'foretype_edge_done_total{cause="worker_stop",reason="stop"} 1.0' in text
    assert 'foretype_edge_time_to_first_token_seconds_count{kind="automatic"} 1.0' in text
    assert 'foretype_edge_tokens_total{fate="read"} 4.0' in text
    assert 'foretype_edge_prompt_tokens_total{kv_cache="reused"} 90.0' in text
    assert 'foretype_edge_feedback_total{arm="",what="accepted"} 2.0' in text
    assert "foretype_edge_context_bytes 0.0" not in text


async def test_the_log_has_no_code_in_it(
    start_edge: Any, make_worker: Any, complete: MakeComplete, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    worker = make_worker()
    client = await (await start_edge(worker)).client()
    await client.send(complete(1, "topsecret"))
    submit = await worker.submit()
    await worker.say(submit, "classified")
    await worker.send(Error(code="invalid", message="cannot take topsecret", id=submit.id))
    await client.answer(1)
    await client.socket.send_bytes(msgpack.packb({"type": "complete", "id": 2, "context": "topsecret"}))
    await client.receive()
    assert caplog.messages
    assert not [message for message in caplog.messages if "topsecret" in message or "classified" in message]


async def test_drain_finishes_what_is_in_flight_and_takes_nothing_new(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(complete(1))
    submit = await worker.submit()
    draining = asyncio.create_task(edge.app.drain())
    assert await client.receive() == GoAway(within_ms=5_000, reason=DRAINING)
    assert await edge.get("/readyz") == (503, "draining\n")
    await client.send(complete(2, doc="other"))
    _, refused = await client.answer(2)
    assert (refused.reason, refused.message) == ("shed", DRAINING)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await edge.connect()
    assert not draining.done()
    await worker.say(submit, "done")
    await worker.finish(submit)
    assert (await client.answer(1))[0] == "done"
    await draining


async def test_drain_sheds_what_outlasts_the_grace_time(
    start_edge: Any, make_worker: Any, complete: MakeComplete
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, grace=0.01)
    client = await edge.client()
    await client.send(complete(1, give_up_ms=60_000))
    await worker.submit()
    await edge.app.drain()
    assert isinstance(await client.receive(), GoAway)
    assert (await client.answer(1))[1].reason == "shed"


@pytest.mark.parametrize("hello", [False, True])
async def test_a_client_that_hangs_up_in_the_handshake_leaves_no_error(
    start_edge: Any, hello: bool, caplog: pytest.LogCaptureFixture
) -> None:
    edge = await start_edge()
    for _ in range(20):
        await hang_up("127.0.0.1", edge.server.port, hello=hello)
    await edge.client()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
