"""Edge and local model as one source: the edge first, the local model at once when it is needed; first text wins."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Final, Protocol

from lsp_server.sources.base import (
    Ended,
    Piece,
    Source,
    SourceName,
    SourceRequest,
    SourceState,
    SourceStatus,
    SourceUnavailableError,
)
from lsp_server.sources.failover_policy import FailoverPolicy
from lsp_server.sources.latency import LatencyWindow

log = logging.getLogger(__name__)

NOTHING_CONFIGURED: Final = "Nothing can answer: set edge.urls, or local.enabled to true."


class Racer(Source, Protocol):
    """What a source must tell to take part in fail-over; `ConnectedSource` does."""

    @property
    def state(self) -> SourceState: ...

    @property
    def heard_at(self) -> float | None: ...

    @property
    def first_token(self) -> LatencyWindow: ...

    def wake(self) -> None: ...


class FailoverSource:
    """A `Source` over an edge and a local one, either of which may be missing."""

    def __init__(self, edge: Racer | None, local: Racer | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._edge = edge
        self._local = local
        self._clock = clock
        self._policy = FailoverPolicy(clock, LatencyWindow() if edge is None else edge.first_token)
        self._probe: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start both in the background."""
        for source in self._sources():
            await source.start()

    async def close(self) -> None:
        """Close both."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        await asyncio.gather(*(source.close() for source in self._sources()))

    def forget(self, doc: str) -> None:
        """The document was closed."""
        for source in self._sources():
            source.forget(doc)

    def statuses(self) -> list[SourceStatus]:
        """The state of each; an edge that is connected but silent or failing says so."""
        statuses = [status for source in self._sources() for status in source.statuses()]
        if self._policy.edge_is_down:
            silent = "It is connected but does not answer; the local model answers until it does."
            statuses = [
                replace(status, state="failed", detail=silent)
                if status.name == "edge" and status.state == "ready"
                else status
                for status in statuses
            ]
        return statuses

    def _sources(self) -> list[Racer]:
        return [source for source in (self._edge, self._local) if source is not None]

    async def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """Stream one source's answer; see `Source.generate`."""
        if self._edge is None or self._local is None:
            alone = self._edge or self._local
            if alone is None:
                raise SourceUnavailableError(NOTHING_CONFIGURED)
            async with contextlib.aclosing(alone.generate(request)) as answer:
                async for event in answer:
                    yield event
            return
        if self._policy.edge_is_down and self._edge.state == "ready" and self._policy.may_probe():
            self._start_probe(self._edge, request)
        race = _Race(request, self._edge, self._local, self._policy, self._clock)
        try:
            async with contextlib.aclosing(race.run()) as events:
                async for event in events:
                    yield event
        finally:
            race.stop()

    def _start_probe(self, edge: Racer, request: SourceRequest) -> None:
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._probed(edge, request), name="foretype probe")

    async def _probed(self, edge: Racer, request: SourceRequest) -> None:
        """Ask the edge beside the race, only to see whether it answers in time; its answer is not used."""
        self._policy.asked_edge()
        try:
            async with (
                asyncio.timeout(self._policy.patience_s()),
                contextlib.aclosing(edge.generate(request)) as answer,
            ):
                async for event in answer:
                    if isinstance(event, Piece) or event.reason in ("stop", "length"):
                        self._policy.edge_answered()
                        return
        except (TimeoutError, SourceUnavailableError):
            pass
        self._policy.edge_failed()


class _Failed(Exception):
    """How a source says in a race that it cannot answer."""


class _Race:
    """One request: who runs, who has given text, what is left to try."""

    def __init__(
        self,
        request: SourceRequest,
        edge: Racer,
        local: Racer,
        policy: FailoverPolicy,
        clock: Callable[[], float],
    ) -> None:
        self._request = request
        self._racers: dict[SourceName, Racer] = {"edge": edge, "local": local}
        self._policy = policy
        self._clock = clock
        self._started_at = clock()
        self._running: dict[SourceName, asyncio.Task[None]] = {}
        self._asked: set[SourceName] = set()
        self._events: asyncio.Queue[tuple[SourceName, Piece | Ended | _Failed]] = asyncio.Queue()
        self._failures: list[str] = []
        self._worst: Ended | None = None
        self._winner: SourceName | None = None
        self._edge_late = False
        self._speculative = request.kind == "prefetch"
        """Nobody waits for it: it is worth no second source, and an edge that sheds it is well."""

    async def run(self) -> AsyncGenerator[Piece | Ended, None]:
        """The winner's events. Raises SourceUnavailableError if nobody could answer."""
        for racer in self._racers.values():
            racer.wake()
        self._begin()
        while self._running or not self._events.empty():
            name, event = await self._next()
            if self._winner is not None and name != self._winner:
                continue
            match event:
                case Piece() if event.text:
                    self._won(name)
                    yield event
                case Ended() if name == self._winner or event.reason in ("stop", "length", "cancelled"):
                    self._won(name, counts=event.reason in ("stop", "length"))
                    yield event
                    return
                case Ended():
                    self._worst = event
                    self._lost(name, event.message or event.reason)
                case _Failed():
                    self._lost(name, str(event))
        if self._worst is not None:
            yield self._worst
            return
        raise SourceUnavailableError(" ".join(self._failures))

    def stop(self) -> None:
        """Cancel whoever still runs, in-band, at once."""
        for task in self._running.values():
            task.cancel()
        self._running.clear()

    def _begin(self) -> None:
        edge, local = self._racers["edge"], self._racers["local"]
        plan = self._policy.plan(
            edge_ready=edge.state == "ready", local_ready=local.state == "ready", heard_at=edge.heard_at
        )
        if plan in ("edge", "both"):
            self._ask("edge")
        if plan in ("local", "both"):
            self._ask("local")

    def _ask(self, name: SourceName) -> None:
        if name in self._asked:
            return
        self._asked.add(name)
        racer = self._racers[name]
        if name == "edge" and racer.state == "ready":
            self._policy.asked_edge()
        spent_ms = int((self._clock() - self._started_at) * 1_000)
        request = replace(
            self._request,
            objective_ms=max(0, self._request.objective_ms - spent_ms),
            give_up_ms=max(0, self._request.give_up_ms - spent_ms),
        )
        self._running[name] = asyncio.create_task(self._pump(name, racer, request), name=f"foretype ask {name}")

    async def _pump(self, name: SourceName, racer: Racer, request: SourceRequest) -> None:
        try:
            async with contextlib.aclosing(racer.generate(request)) as answer:
                async for event in answer:
                    self._events.put_nowait((name, event))
                    if isinstance(event, Ended):
                        return
            self._events.put_nowait((name, _Failed(f"The {name} source broke off.")))
        except SourceUnavailableError as error:
            self._events.put_nowait((name, _Failed(str(error))))
        except Exception:
            # A fault of ours in one source must neither hang the race nor hide: the other may still answer.
            log.exception("the %s source failed", name)
            self._events.put_nowait((name, _Failed(f"The {name} source failed; see the log.")))

    async def _next(self) -> tuple[SourceName, Piece | Ended | _Failed]:
        """The next event; on the way, the local model is asked when the edge is late."""
        while (wait_s := self._until_late()) is not None:
            try:
                async with asyncio.timeout(wait_s):
                    return await self._events.get()
            except TimeoutError:
                self._late()
        return await self._events.get()

    def _until_late(self) -> float | None:
        """Seconds until the edge is late by the next measure; None if nothing is to be done about it."""
        if self._speculative or self._winner is not None or "edge" not in self._running or self._edge_late:
            return None
        if self._racers["local"].state != "ready" and "local" not in self._asked:
            return None
        hedge_s, patience_s = self._policy.hedge_delay_s(), self._policy.patience_s()
        spent_s = self._clock() - self._started_at
        hedge_pending = "local" not in self._asked and spent_s < hedge_s
        return max(0.0, (hedge_s if hedge_pending else patience_s) - spent_s)

    def _late(self) -> None:
        if self._clock() - self._started_at < self._policy.patience_s():
            if "local" not in self._asked and self._policy.may_hedge():
                self._ask("local")
            return
        self._edge_late = True
        self._policy.timed_out(hedged="local" in self._asked)
        self._ask("local")

    def _won(self, name: SourceName, *, counts: bool = True) -> None:
        if name == "edge" and counts:
            self._policy.edge_answered()
        self._winner = name
        for other in [other for other in self._running if other != name]:
            self._running.pop(other).cancel()

    def _lost(self, name: SourceName, reason: str) -> None:
        self._running.pop(name, None)
        self._failures.append(f"{name}: {reason}")
        if name == "edge" and not self._speculative:
            if self._racers["edge"].state == "ready":
                self._policy.edge_failed()
            self._ask("local")
