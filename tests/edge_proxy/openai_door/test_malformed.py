"""Bodies that nobody should send: each gets a 4xx and a sentence, never a fault of ours."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

MALFORMED = 200
GOOD: dict[str, Any] = {"model": "foretype", "prompt": "x = ", "max_tokens": 8, "stop": ["\n"], "temperature": 0.0}
WRONG: dict[str, list[Any]] = {
    "model": [None, "", 7, [], {}, "no-such-model", True],
    "prompt": [None, 7, {}, [], ["a", "b"], [1, 2], [[1]], True, "x" * 300_000],
    "suffix": [7, [], {}, True],
    "max_tokens": [0, -1, 10**6, 1.5, "8", [], {}, 10**30],
    "temperature": ["0", -0.1, 2.1, [], {}],
    "top_p": ["1", -1, 2, []],
    "n": [0, 2, "1", 1.5],
    "best_of": [0, 2, "1"],
    "stream": [1, "true", []],
    "stream_options": [[], 1, {"include_usage": "yes"}],
    "logprobs": [1, 5, True, "all"],
    "echo": [True, "no"],
    "stop": [7, {}, [1], [None], ["x" * 200], [str(number) for number in range(20)]],
    "user": [7, [], "u" * 300],
}


def malformed(draw: random.Random) -> bytes:
    """A body that is wrong in one field, in its JSON, or in its bytes."""
    name = draw.choice(list(WRONG))
    whole = json.dumps({**GOOD, name: draw.choice(WRONG[name])}).encode()
    kind = draw.randrange(10)
    if kind < 6:
        return whole
    if kind == 6:
        return whole[: draw.randrange(len(whole))]
    if kind == 7:
        at = draw.randrange(len(whole))
        return whole[:at] + bytes([draw.randrange(128, 256)]) + whole[at:]
    if kind == 8:
        return json.dumps(draw.choice([[], [GOOD], "prompt", 7, None, True])).encode()
    return b"[" * draw.randrange(1, 50_000)


async def test_200_malformed_bodies_get_4xx_with_a_sentence(
    start_edge: Callable[..., Awaitable[Any]], make_worker: Any, caplog: Any
) -> None:
    worker = make_worker()
    edge = await start_edge(worker)
    draw = random.Random(7)
    url = edge.server.make_url("/v1/completions")
    seen = set()
    for _ in range(MALFORMED):
        body = malformed(draw)
        async with edge.http.post(url, data=body, headers={"Content-Type": "application/json"}) as response:
            error = (await response.json())["error"]
            assert 400 <= response.status < 500, (body[:200], error)
            assert set(error) == {"message", "type", "param", "code"}
            assert error["message"][0].isupper(), error
            assert error["message"].endswith("."), error
            assert "Traceback" not in error["message"]
            seen.add(error["message"])
    assert len(seen) > 30
    assert worker.submits.empty()
    assert "a call failed" not in caplog.text
