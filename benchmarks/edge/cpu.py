"""CPU per completion of our proxy and of other gateways: same core, same stand-in, same run, in turn."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from benchmarks.edge.client import Asked, Client, code
from benchmarks.edge.http_client import ask_until
from benchmarks.edge.openai_stand_in import OpenAIStandIn
from benchmarks.edge.peers import MissingPeerError, gateway
from benchmarks.edge.sessions import PROMPT_CHARS, Bench, bench, until
from benchmarks.edge.stand_in import Timings
from wire_protocol.frames import Context

CONCURRENT: Final = 16
CONCURRENT_PACED: Final = 128
SLOTS: Final = 1_024
AT_ONCE: Final = Timings(first=0.0, between=0.0, slots=SLOTS)
PACED: Final = Timings(slots=SLOTS)
PEERS: Final = ("vllm-router", "sglang-router", "litellm")
SLOW: Final = 100.0
"""Completions a second below which a gateway gets the smaller load both times: it would be minutes behind."""
REST_SECONDS: Final = 0.3
"""Before each load, so that nothing of the one before is counted."""


class Measured(Protocol):
    """A process whose CPU time counts."""

    def cpu_seconds(self) -> float: ...


@dataclass(slots=True)
class Figures:
    """Of one load, an entry per round: CPU seconds per completion, completions a second, seconds to the first text."""

    cpu: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    wrong: int = 0


@dataclass(slots=True)
class Contestant:
    """`ask` keeps so many requests going until the given time: seconds to the first text of each, how many failed."""

    name: str
    process: Measured
    set_timings: Callable[[Timings], None]
    ask: Callable[[float, int], Awaitable[tuple[list[float], int]]]
    at_once: Figures = field(default_factory=Figures)
    paced: Figures = field(default_factory=Figures)


async def compare(folder: Path, seconds: float, rounds: int) -> tuple[list[Contestant], list[str]]:
    """All that can be started, in turn, `rounds` times; and a sentence for each that cannot."""
    missing: list[str] = []
    async with AsyncExitStack() as stack:
        contestants = await _ours(stack, folder, missing)
        backend = OpenAIStandIn(PACED)
        await backend.start()
        stack.callback(backend.stop)
        direct = _over_http("direct, no gateway", _Nothing(), backend.port, backend)
        for name in PEERS:
            try:
                running = await stack.enter_async_context(gateway(name, backend.port, folder))
            except MissingPeerError as error:
                missing.append(str(error))
                continue
            contestants.append(_over_http(name, running, running.port, backend))
            if name == "sglang-router":
                quick = _over_http(f"{name}, client QUICKACK", running, running.port, backend, quickack=True)
                contestants.append(quick)
        contestants.append(direct)
        for _ in range(rounds):
            for contestant in contestants:
                await _load(contestant, contestant.at_once, AT_ONCE, CONCURRENT, seconds)
                slow = not contestant.at_once.rate or contestant.at_once.rate[-1] < SLOW
                await _load(contestant, contestant.paced, PACED, CONCURRENT if slow else CONCURRENT_PACED, seconds)
    return contestants, missing


async def _load(contestant: Contestant, figures: Figures, timings: Timings, count: int, seconds: float) -> None:
    contestant.set_timings(timings)
    await asyncio.sleep(REST_SECONDS)
    cpu, begin = contestant.process.cpu_seconds(), time.monotonic()
    first, wrong = await contestant.ask(begin + seconds, count)
    took = time.monotonic() - begin
    figures.wrong += wrong
    if first:
        figures.cpu.append((contestant.process.cpu_seconds() - cpu) / len(first))
        figures.rate.append(len(first) / took)
        figures.first.append(median(first))


class _Nothing:
    """No gateway uses no time."""

    def cpu_seconds(self) -> float:
        return 0.0


def _over_http(
    name: str, process: Measured, port: int, backend: OpenAIStandIn, *, quickack: bool = False
) -> Contestant:
    numbers = itertools.count()

    def prompt() -> str:
        number = next(numbers)
        return f"{code(PROMPT_CHARS, number % CONCURRENT).before}    r{number}"

    async def ask(until_then: float, count: int) -> tuple[list[float], int]:
        clients = await ask_until(port, until_then, count, prompt, quickack=quickack)
        return [one for client in clients for one in client.first], sum(len(client.wrong) for client in clients)

    def set_timings(timings: Timings) -> None:
        backend.timings = timings

    return Contestant(name, process, set_timings, ask)


async def _ours(stack: AsyncExitStack, folder: Path, missing: list[str]) -> list[Contestant]:
    made = []
    for name, secured in (("foretype-proxy", False), ("foretype-proxy, TLS and auth", True)):
        place = folder / f"ours-{secured}"
        place.mkdir()
        running = await stack.enter_async_context(bench(place, PACED, secured=secured))
        await running.connect(CONCURRENT_PACED)
        made.append(_over_sessions(name, running))
        if not secured:
            (probe,) = await ask_until(running.proxy.port, 0.0, 1, lambda: "warm")
            if probe.right:
                made.append(_our_http(running))
            else:
                missing.append("foretype-proxy has no /v1/completions that streams: its row is left out.")
    return made


def _our_http(running: Bench) -> Contestant:
    made = _over_http("foretype-proxy, /v1/completions", running.proxy, running.proxy.port, OpenAIStandIn(PACED))
    return Contestant(made.name, made.process, _timings_of(running), made.ask)


def _timings_of(running: Bench) -> Callable[[Timings], None]:
    def set_timings(timings: Timings) -> None:
        running.worker.timings = timings

    return set_timings


def _over_sessions(name: str, running: Bench) -> Contestant:
    numbers = itertools.count()

    def ask_one(client: Client, place: int) -> Asked:
        base = code(PROMPT_CHARS, place)
        context = Context(before=base.before, typed=f"    r{next(numbers)}", after=base.after, path=base.path)
        return client.ask("typed", context)

    async def ask(until_then: float, count: int) -> tuple[list[float], int]:
        asked: list[Asked] = []
        clients = running.clients[:count]

        def again(client: Client, place: int) -> Callable[[Asked], None]:
            def finished(_: Asked) -> None:
                if time.monotonic() < until_then:
                    asked.append(ask_one(client, place))

            return finished

        for place, client in enumerate(clients):
            client.finished = again(client, place)
            asked.append(ask_one(client, place))
        await until(lambda: not any(client.live for client in clients) and time.monotonic() >= until_then)
        right = [one for one in asked if one.right(running.worker.timings.chunks)]
        return [one.first - one.sent for one in right], len(asked) - len(right)

    return Contestant(name, running.proxy, _timings_of(running), ask)
