"""The near-match cache behind a real session: off unless it is switched on."""

from __future__ import annotations

from typing import Any

import pytest

from wire_protocol.frames import Context

CODE = "def mean(values, limit):\n    total = sum(values)\n    # {}\n    print(total, limit)\n"


def context(comment: str) -> Context:
    return Context(before=CODE.format(comment), typed="    return ", after="\n", path="a.py", language="python")


@pytest.mark.parametrize(("near_match", "source"), [(True, "cache"), (False, "worker")])
async def test_another_comment_makes_a_difference_only_where_near_matches_are_off(
    start_edge: Any, make_worker: Any, complete: Any, near_match: bool, source: str
) -> None:
    worker = make_worker()
    edge = await start_edge(worker, cache_bytes=100_000, near_match=near_match)
    client = await edge.client()
    await client.send(complete(1, context=context("one")))
    submit = await worker.submit()
    await worker.say(submit, "total")
    await worker.finish(submit)
    await client.answer(1)
    await client.send(complete(2, context=context("another")))
    if source == "worker":
        submit = await worker.submit()
        await worker.say(submit, "total")
        await worker.finish(submit)
    text, done = await client.answer(2)
    assert (text, done.source) == ("total", source)
    assert worker.submits.empty()
