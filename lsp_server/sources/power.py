"""This machine's battery and load, looked at from time to time in a thread."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Final

from lsp_server.sources.effort import FULL, Effort, EffortPolicy, Power

log = logging.getLogger(__name__)

LOOK_S: Final = 10.0
"""Seconds between looks, and over which the load is the mean."""


class Look:
    """Looks at this machine. The load is the mean since the last look, without what the processes `ours()` took."""

    def __init__(self, ours: Callable[[], Sequence[int]] = lambda: (os.getpid(),)) -> None:
        self._ours = ours
        self._before: dict[int, float] = {}
        self._looked_at: float | None = None

    def __call__(self) -> Power:
        """The state now; knows nothing where psutil is not installed."""
        try:
            import psutil
        except ImportError:
            return Power()
        try:
            battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
            load = max(0.0, psutil.cpu_percent() / 100 - self._own_share(psutil.cpu_count() or 1))
        except (OSError, RuntimeError, ValueError):  # what psutil raises where a system has odd files under /sys
            return Power()
        if battery is None:
            return Power(load=load)
        return Power(float(battery.percent), battery.power_plugged is not False, load)

    def _own_share(self, cores: int) -> float:
        """Share of all cores that our processes took since the last look."""
        now, before = time.monotonic(), self._looked_at
        taken = {pid: seconds for pid in self._ours() if (seconds := cpu_seconds(pid)) is not None}
        spent = sum(seconds - self._before.get(pid, seconds) for pid, seconds in taken.items())
        self._before, self._looked_at = taken, now
        return 0.0 if before is None or now <= before else spent / ((now - before) * cores)


def cpu_seconds(pid: int) -> float | None:
    """CPU time of a process so far; None if it is gone."""
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


class PowerWatch:
    """`effort` is what the machine allows now."""

    def __init__(self, look: Callable[[], Power] | None = None, every_s: float = LOOK_S) -> None:
        self.effort: Effort = FULL
        self._look = Look() if look is None else look
        self._every_s = every_s
        self._policy = EffortPolicy()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="foretype power")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            effort = self._policy.judge(await asyncio.to_thread(self._look))
            if effort != self.effort:
                log.info("the local model works %s%s", "less: " if effort.why else "fully again", effort.why)
            self.effort = effort
            await asyncio.sleep(self._every_s)


def resident_bytes(pid: int) -> int | None:
    """What a process takes of the machine's memory; None if it is gone, or psutil is not installed."""
    try:
        import psutil
    except ImportError:
        return None
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
