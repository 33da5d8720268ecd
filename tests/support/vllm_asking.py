"""Asking a vllm engine from a test: the whole answer, or event by event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from gpu_worker.engines.base import Chunk, Finished, Request
from gpu_worker.engines.vllm_engine import VllmEngine
from wire_protocol.frames import Context

LONG_MS = 120_000.0
"""No request of a test is given up: the machine may be busy."""
FUNCTIONS = "".join(f"def scale_{n}(value, factor):\n    return value * factor + {n}\n\n" for n in range(34))
"""A file of about 600 tokens."""


class Whole(NamedTuple):
    """An answer."""

    text: str
    chunks: list[Chunk]
    end: Finished


_keys = iter(range(1, 1_000_000))


def request(context: Context, **settings: Any) -> Request:
    """A request that is new to the engine."""
    return Request(**{"key": next(_keys), "context": context, "give_up_ms": LONG_MS, "lines": "multi", **settings})


async def ask(engine: VllmEngine, context: Context, **settings: Any) -> Whole:
    """The whole answer to a new request."""
    chunks: list[Chunk] = []
    async for event in engine.generate(request(context, **settings)):
        if isinstance(event, Finished):
            return Whole("".join(chunk.text for chunk in chunks), chunks, event)
        chunks.append(event)
    raise AssertionError("the answer has no end")


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds: for what vLLM tells nobody."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
