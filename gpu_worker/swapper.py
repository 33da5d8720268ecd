"""SIGHUP: read the settings again and exchange the model while requests run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable

from gpu_worker.engines.base import Engine
from gpu_worker.engines.swap import SwapEngine
from gpu_worker.errors import WorkerError
from gpu_worker.hub import Hub

log = logging.getLogger(__name__)


class Swapper:
    """One exchange at a time; a signal during one starts another after it. What fails leaves the old model at work."""

    def __init__(self, reload: Callable[[], Engine] | None, grace_s: float, hub: Hub, engine: SwapEngine) -> None:
        self._reload = reload
        self._grace_s = grace_s
        self._hub = hub
        self._engine = engine
        self._again = False
        self._task: asyncio.Task[None] | None = None
        self._listening = False

    def listen(self) -> None:
        """Take SIGHUP from now on, where there is such a signal and settings to read again."""
        if self._reload is None or not hasattr(signal, "SIGHUP"):
            return
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.request)
            self._listening = True

    def request(self) -> None:
        """Exchange the model for the one that the settings name now."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Take no signal any more; an exchange under way is given up."""
        if self._listening:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._again:
            self._again = False
            try:
                await self._swap()
            except WorkerError as error:
                log.error("the model is not exchanged: %s", error)
            except Exception:  # of an engine's libraries: the old model is still there, and so is the next signal
                log.exception("the model is not exchanged")

    async def _swap(self) -> None:
        if self._reload is None:
            return
        engine = await asyncio.to_thread(self._reload)
        await self._engine.swap(engine, self._grace_s, lambda: self._hub.model_changed(self._grace_s))
