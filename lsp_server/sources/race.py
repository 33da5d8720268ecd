"""One request between edge and local model: who is asked when, whose text it is, and what is left to try."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Protocol

from lsp_server.sources.base import (
    Ended,
    Piece,
    Source,
    SourceName,
    SourceRequest,
    SourceState,
    SourceUnavailableError,
)
from lsp_server.sources.effort import Effort
from lsp_server.sources.failover_policy import FailoverPolicy
from lsp_server.sources.latency import LatencyWindow
from wire_protocol.frames import AnyFrame

log = logging.getLogger(__name__)


class Racer(Source, Protocol):
    """What a source must tell to take part in fail-over; `ConnectedSource` does."""

    @property
    def state(self) -> SourceState: ...

    @property
    def heard_at(self) -> float | None: ...

    @property
    def first_token(self) -> LatencyWindow: ...

    @property
    def effort(self) -> Effort: ...

    def wake(self) -> None: ...

    def tell(self, frame: AnyFrame) -> bool: ...


class _Failed(Exception):
    """How a source says in a race that it cannot answer."""


class Race:
    """One request: who runs, who has given text, what is left to try. `stop` it whatever happens."""

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
        late_in_s = max(0.0, (hedge_s if hedge_pending else patience_s) - spent_s)
        silent_in_s = self._policy.silent_in_s(self._racers["edge"].heard_at)
        return late_in_s if silent_in_s is None or "local" in self._asked else min(late_in_s, silent_in_s)

    def _late(self) -> None:
        if self._policy.silent_in_s(self._racers["edge"].heard_at) == 0:
            self._ask("local")  # an outage: no budget
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
