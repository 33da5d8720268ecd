"""What is counted as requests pass through a whole proxy."""

from __future__ import annotations

from typing import Any

import pytest

from edge_proxy.metrics import Metrics
from edge_proxy.requests import Ask, Request, Text
from edge_proxy.telemetry.observer import Observer
from wire_protocol.frames import Context, Feedback, FeedbackMinute, Stats


def series(text: str, name: str) -> float:
    """The value of one series in the exposition format."""
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{name} "))


def test_the_time_between_tokens_is_counted_per_token(clock: Any) -> None:
    metrics = Metrics()
    observer = Observer(metrics, clock)
    ask = Ask(session=1, id=1, tenant="", doc="d", context=Context())
    request = Request(ask=ask, seq=1, arrived=clock(), deadline=clock() + 2.0)
    clock.advance(0.1)
    request.first_text = clock()
    observer.text(Text(request, 0, "a", 2, True))
    clock.advance(0.06)
    observer.text(Text(request, 1, "bcd", 3, False))
    clock.advance(0.01)
    observer.text(Text(request, 4, "e", 1, False))
    rendered = metrics.render().decode()
    assert series(rendered, 'foretype_edge_inter_token_seconds_count{kind="automatic"}') == 4
    assert series(rendered, 'foretype_edge_inter_token_seconds_sum{kind="automatic"}') == pytest.approx(0.07)
    assert series(rendered, 'foretype_edge_inter_token_seconds_bucket{kind="automatic",le="0.02"}') == 4


async def test_a_worker_s_load_and_a_tenant_s_tokens_are_shown(
    start_edge: Any, make_worker: Any, complete: Any
) -> None:
    worker = make_worker(credits=4)
    edge = await start_edge(worker)
    client = await edge.client()
    await client.send(complete(1))
    submit = await worker.submit()
    await worker.send(Stats(running=1, waiting=2, kv_use=0.25, step_ms=8.0, tokens_per_s=120.0))
    await worker.say(submit, "return")
    await worker.finish(submit)
    await client.answer(1)
    (link,) = edge.app.dispatcher.workers
    await edge.until(lambda: link.stats.waiting == 2)
    _, text = await edge.get("/metrics")
    named = f'{{worker="{worker.url}"}}'
    assert series(text, f"foretype_edge_worker_slots{named}") == 4
    assert series(text, f"foretype_edge_worker_waiting_requests{named}") == 2
    assert series(text, f"foretype_edge_worker_kv_cache_ratio{named}") == 0.25
    assert series(text, f"foretype_edge_worker_step_seconds{named}") == 0.008
    assert series(text, f"foretype_edge_batch_fill_ratio_sum{named}") == 0.25
    assert series(text, 'foretype_edge_tenant_requests_total{end="answered",tenant=""}') == 1
    assert series(text, 'foretype_edge_tenant_tokens_total{tenant="",what="reused"}') == 90


async def test_an_answer_from_the_cache_is_a_hit_of_its_level(start_edge: Any, make_worker: Any, complete: Any) -> None:
    worker = make_worker()
    edge = await start_edge(worker, cache_bytes=1_000_000)
    client = await edge.client()
    await client.send(complete(1))
    submit = await worker.submit()
    await worker.say(submit, "return")
    await client.send(complete(2, doc="other"))
    await edge.until(lambda: edge.app.dispatcher.live == 2)
    await worker.finish(submit)
    await client.answer(1)
    await client.answer(2)
    await client.send(complete(3))
    await client.answer(3)
    _, text = await edge.get("/metrics")
    assert series(text, 'foretype_edge_cache_hits_total{level="attached"}') == 1
    assert series(text, 'foretype_edge_cache_hits_total{level="memory"}') == 1


async def test_what_became_of_suggestions_is_counted_by_arm(start_edge: Any, make_worker: Any) -> None:
    edge = await start_edge(make_worker())
    edge.app._shares = {"new": 1.0}
    client = await edge.client()
    await client.send(Feedback(minutes=[FeedbackMinute(minute=1, shown=5, accepted=2)]))
    shown = edge.app.metrics.feedback.labels("shown", "new")
    await edge.until(lambda: shown.value == 5)
    _, text = await edge.get("/metrics")
    assert series(text, 'foretype_edge_feedback_total{arm="new",what="accepted"}') == 2
