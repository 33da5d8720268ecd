"""What all sessions of a worker share: the engine, the division of its capacity, and whether it is draining."""

from __future__ import annotations

import asyncio
import hmac
import itertools
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from gpu_worker.credits import CreditLedger
from gpu_worker.engines.base import Engine, Finished
from gpu_worker.metrics import Metrics
from wire_protocol.frames import AnyFrame, Credit, GoAway, Kind, Limits, ModelInfo, Stats, Tier


class Peer(Protocol):
    """A session, as the hub sees it."""

    def send(self, frame: AnyFrame) -> None:
        """Queue a frame."""

    def cancel_all(self) -> None:
        """Cancel every request of this session."""

    def retire(self) -> None:
        """End the session as soon as it has no request left."""


class Hub:
    """Sessions join and leave; the hub tells them their credits, the load, and when the worker drains."""

    def __init__(
        self,
        engine: Engine,
        *,
        tokens: Sequence[str] = (),
        limits: Limits | None = None,
        clock: Callable[[], float],
        on_peers: Callable[[int], None] = lambda _: None,
        tier: Tier = "small",
    ) -> None:
        """`tokens` are the credentials accepted (none: anyone); `on_peers` is told the number of connections.

        `tier` is what proxies are told of the model: which requests they should send here.
        """
        self.engine = engine
        self.limits = limits or Limits(in_flight=max(1, engine.capacity))
        self.clock = clock
        self.metrics = Metrics()
        self.draining = False
        self._tokens = tuple(token.encode() for token in tokens)
        self._ledger = CreditLedger(self._capacity())
        self._peers: dict[int, Peer] = {}
        self._numbers = itertools.count(1)
        self._keys = itertools.count(1)
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._was_busy = False
        self._on_peers = on_peers
        self._tier = tier

    @property
    def model(self) -> ModelInfo:
        """The engine's model, with the tier it has here."""
        return msgspec.structs.replace(self.engine.model, tier=self._tier)

    @property
    def peers(self) -> int:
        """Sessions that were welcomed and are connected."""
        return len(self._peers)

    def authorised(self, token: str) -> bool:
        """Whether a peer's token is accepted; compared in constant time."""
        if not self._tokens:
            return True
        given = token.encode("utf-8", "replace")
        return sum(hmac.compare_digest(given, known) for known in self._tokens) > 0  # sum looks at all of them

    def join(self, peer: Peer) -> int:
        """A session begins: its number, after which it and the others have been granted their shares."""
        number = next(self._numbers)
        self._peers[number] = peer
        self._ledger.join(number)
        self._settle()
        self._on_peers(len(self._peers))
        return number

    def leave(self, number: int) -> None:
        """A session ended: its share goes to the others."""
        self._peers.pop(number, None)
        self._ledger.leave(number)
        self._settle()
        self._on_peers(len(self._peers))

    def admit(self, number: int) -> str:
        """Book a submit; a sentence if it must be shed, else empty."""
        refusal = ""
        readiness = self.engine.readiness()
        # A peer may have had all the capacity before others joined: that many are no offence.
        if not self._ledger.spend(number, max(1, self.engine.capacity)):
            refusal = "More requests than this session has credits for: wait for `credit`."
        elif self.draining:
            refusal = "This worker is leaving: send requests elsewhere."
        elif not readiness.ready:
            refusal = readiness.message
        if refusal:
            self._ledger.finish(number)
            self._settle()
            return refusal
        self._running += 1
        self._idle.clear()
        return ""

    def next_key(self) -> int:
        """A key for the engine, increasing: newer requests have greater ones."""
        return next(self._keys)

    def finish(self, number: int, kind: Kind, end: Finished) -> None:
        """A request that was admitted is done."""
        self._running -= 1
        if self._running == 0:
            self._idle.set()
        self._ledger.finish(number)
        self._settle()
        self.metrics.finished(kind, end)

    def stats(self) -> Stats:
        """The load, as a frame."""
        load = self.engine.stats()
        return Stats(
            running=load.running,
            waiting=load.waiting,
            kv_use=min(1.0, max(0.0, load.kv_use)),
            step_ms=max(0.0, load.step_ms),
            tokens_per_s=max(0.0, load.tokens_per_s),
            flops_use=min(1.0, max(0.0, load.flops_use)),
            bandwidth_use=min(1.0, max(0.0, load.bandwidth_use)),
            draining=self.draining,
        )

    def tick(self) -> None:
        """About every second: tell the load while there is some (and once after), follow the engine's readiness."""
        self._ledger.resize(self._capacity())
        self._settle()
        busy = self._running > 0
        if busy or self._was_busy:
            self._broadcast(self.stats())
        self._was_busy = busy

    def model_changed(self, grace_s: float) -> None:
        """Another model answers from now on: peers connect again to be told which, each when it has nothing running."""
        reason = f"The model is now {self.engine.model.name}: connect again."
        for peer in list(self._peers.values()):
            peer.send(GoAway(within_ms=round(grace_s * 1_000), reason=reason))
            peer.retire()
        self._ledger.resize(self._capacity())
        self._settle()

    async def drain(self, grace_s: float) -> None:
        """Take nothing new, finish what runs within `grace_s` seconds, cancel the rest."""
        self.draining = True
        self.engine.drain()
        self._ledger.resize(0)
        self._settle()
        self._broadcast(GoAway(within_ms=round(grace_s * 1_000), reason="The worker is shutting down."))
        self._broadcast(self.stats())
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            for peer in list(self._peers.values()):
                peer.cancel_all()
            await self._idle.wait()

    def _capacity(self) -> int:
        return self.engine.capacity if self.engine.readiness().ready and not self.draining else 0

    def _settle(self) -> None:
        for number, grant in self._ledger.rebalance().items():
            self._peers[number].send(Credit(grant=grant))

    def _broadcast(self, frame: AnyFrame) -> None:
        for peer in list(self._peers.values()):
            peer.send(frame)
