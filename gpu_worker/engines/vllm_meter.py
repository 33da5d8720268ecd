"""The load of a vLLM engine, from what it reports after each step; pure."""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass, replace

from gpu_worker.engines.base import EngineStats
from gpu_worker.estimates import Cost, Device, bandwidth_use, flops_use

WINDOW_STEPS = 128
MS = 1_000.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step as vLLM reports it: requests, share of the KV cache, tokens generated and prompt tokens evaluated."""

    running: int
    waiting: int
    kv_use: float
    generated: int = 0
    evaluated: int = 0


class Meter:
    """Means over the last steps; time in which nothing ran is not counted. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._steps: collections.deque[tuple[float, int, int]] = collections.deque(maxlen=WINDOW_STEPS)
        self._last = Step(0, 0, 0.0)
        self._last_at = clock()
        self._cost = Cost()
        self._device: Device | None = None
        self._kv_tokens = 0
        self.count = 0
        """Steps since the start that generated something."""

    def describe(self, cost: Cost, device: Device | None, kv_tokens: int) -> None:
        """What the estimates need: the model, the device, and how many tokens the KV cache holds."""
        self._cost, self._device, self._kv_tokens = cost, device, kv_tokens

    def step(self, step: Step) -> None:
        """A step has ended."""
        now = self._clock()
        if step.generated or step.evaluated:
            self.count += 1
            if self._last.running > 0:  # else the time since the last step was idle
                self._steps.append((now - self._last_at, step.generated, step.evaluated))
        self._last, self._last_at = step, now

    def resumed(self) -> None:
        """A request comes when none was there: the time before it is no step's, whatever was reported last."""
        self._last = replace(self._last, running=0)

    def stats(self, in_flight: int) -> EngineStats:
        """The load now. `in_flight` is what the caller knows to be open: after an abort vLLM reports no step."""
        seconds = sum(duration for duration, _, _ in self._steps)
        generated = sum(count for _, count, _ in self._steps)
        evaluated = sum(count for _, _, count in self._steps)
        step_ms = seconds / len(self._steps) * MS if self._steps else 0.0
        running = min(self._last.running, in_flight) if self._last.running else 0
        busy = in_flight > 0
        return EngineStats(
            running=running,
            waiting=max(0, in_flight - running),
            kv_use=self._last.kv_use if busy else 0.0,
            step_ms=step_ms,
            tokens_per_s=generated / seconds if seconds > 0 else 0.0,
            flops_use=flops_use(self._cost, self._device, (generated + evaluated) / seconds) if seconds > 0 else 0.0,
            bandwidth_use=bandwidth_use(
                self._cost, self._device, step_ms, self._last.kv_use * self._kv_tokens if busy else 0.0
            ),
        )
