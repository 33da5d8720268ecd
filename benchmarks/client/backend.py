"""What generates, for every client alike: the oracle (a stand-in) after a set delay, or a real foretype-worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final, Protocol

from benchmarks.client.ledger import Ledger, Purpose, Record
from benchmarks.client.oracle import Oracle, tokens_of
from benchmarks.client.worker_session import WorkerSession
from wire_protocol.frames import Context, Done, Lines

TOKEN_S: Final = 0.003
"""Between the oracle's tokens: about 330 tokens a second, a small model on a GPU."""


@dataclass(slots=True)
class Said:
    """What a model says at the end of its answer: its name, and how sure it was."""

    model: str = "stand-in"
    mean_logprob: float | None = None
    first_logprob: float | None = None

    def take(self, done: Done) -> None:
        """From a worker's last frame."""
        self.model, self.mean_logprob, self.first_logprob = done.model, done.mean_logprob, done.first_logprob


@dataclass(frozen=True, slots=True)
class Asked:
    """One completion that a client wants: the text on both sides of the cursor is in `context`."""

    context: Context
    lines: Lines
    max_tokens: int
    purpose: Purpose = "foreground"
    stop: tuple[str, ...] = ()
    said: Said = field(default_factory=Said)
    """Filled in at the end by a backend that knows it."""

    @property
    def before(self) -> str:
        """All text before the cursor that the client sent."""
        return self.context.before + self.context.typed


class Backend(Protocol):
    """Streams (text, tokens) for what is asked; closing the stream cancels it."""

    @property
    def ledger(self) -> Ledger:
        """What was asked and generated."""
        ...

    def generate(self, asked: Asked) -> AsyncGenerator[tuple[str, int], None]:
        """The answer as it comes. Every token that was generated is in the ledger, read or not."""
        ...


class StandInOracle:
    """Knows the answer, and gives its first token after `delay_s`."""

    def __init__(self, oracle: Oracle, delay_s: float) -> None:
        self.ledger = Ledger()
        self._oracle = oracle
        self._delay_s = delay_s

    async def generate(self, asked: Asked) -> AsyncGenerator[tuple[str, int], None]:
        """Token by token."""
        record = Record(asked.purpose, self._oracle.place_of(asked.before), asyncio.get_running_loop().time())
        self.ledger.records.append(record)
        record.ended = "cancelled"
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(self._delay_s)
        for number, token in enumerate(tokens_of(self._oracle.answer(asked.before, asked.lines))[: asked.max_tokens]):
            await asyncio.sleep(max(0.0, began + self._delay_s + number * TOKEN_S - asyncio.get_running_loop().time()))
            record.text += token
            record.tokens += 1
            yield token, 1
        record.ended = "done"


class WorkerBackend:
    """A real `foretype-worker`, asked over its own protocol. `oracle` only finds places, for the ledger."""

    def __init__(self, session: WorkerSession, oracle: Oracle) -> None:
        self.ledger = Ledger()
        self._session = session
        self._oracle = oracle

    async def generate(self, asked: Asked) -> AsyncGenerator[tuple[str, int], None]:
        """As the worker's tokens come."""
        record = Record(asked.purpose, self._oracle.place_of(asked.before), asyncio.get_running_loop().time())
        self.ledger.records.append(record)
        record.ended = "cancelled"
        stream = self._session.generate(
            asked.context, asked.lines, asked.max_tokens, asked.stop, asked.purpose, asked.said.take
        )
        try:
            async for text, tokens in stream:
                record.text += text
                record.tokens += tokens
                yield text, tokens
            record.ended = "done"
        finally:
            await stream.aclose()
