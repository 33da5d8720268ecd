"""The vllm engine: vLLM's AsyncLLM in this process (its engine core in a child), behind `base.Engine`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable, Iterable

from gpu_worker.engines.base import KIND_RANK, Engine, EngineStats, Event, Finished, Readiness, Request
from gpu_worker.engines.vllm_answer import VllmAnswer
from gpu_worker.engines.vllm_api import VllmApi, prometheus_text
from gpu_worker.engines.vllm_errors import explain_request, is_dead
from gpu_worker.engines.vllm_loading import Loaded, load, unload
from gpu_worker.engines.vllm_meter import Meter
from gpu_worker.engines.vllm_options import VllmOptions
from gpu_worker.errors import WorkerError
from wire_protocol.frames import Context, DoneReason, Kind, ModelInfo

log = logging.getLogger(__name__)

MS = 1_000.0
CLASS_STEP = 1 << 54
"""Distance between the kinds' priorities: a request's own, at most 2^53 by the protocol, stays inside its kind."""
CHECK_SECONDS = 0.5
"""Between looks whether the engine process lives; a request that runs notices its death at once."""
RESTART_DELAYS_SECONDS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Waits before each attempt to start a dead engine again; after the last the worker gives up and ends."""
SETTLED_SECONDS = 300.0
"""An engine that lived so long starts from the first delay again when it dies."""
WARM_UP = Context(before="def add(a, b):\n    ", typed="return ", after="\n", path="warm_up.py")
WARM_UP_TOKENS = 8


class VllmEngine(Engine):
    """Each request is one stream of AsyncLLM in a task of its own; cancelling the task aborts it in vLLM."""

    def __init__(
        self, options: VllmOptions, clock: Callable[[], float] = time.monotonic, api: VllmApi | None = None
    ) -> None:
        """Imports vLLM (some 10 s) unless `api` has. Raises WorkerError when it is not installed."""
        self._options = options
        self._clock = clock
        self._api = api or VllmApi()
        self._meter = Meter(clock)
        self._adapters = {
            name: self._api.adapter(name, number, folder)
            for number, (name, folder) in enumerate(sorted(options.adapters.items()), start=1)
        }
        self._loaded: Loaded | None = None
        self._readiness = Readiness(False, "vLLM is loading the model.")
        self._running: dict[int, asyncio.Task[None]] = {}
        self._limits: dict[int, asyncio.Timeout] = {}
        self._deadlines: dict[int, float] = {}
        """By key, of requests that run, in seconds of the event loop's clock."""
        self._supervisor: asyncio.Task[None] | None = None
        self._died = asyncio.Event()
        self._leaving = False

    @property
    def name(self) -> str:
        """`vllm`."""
        return "vllm"

    @property
    def model(self) -> ModelInfo:
        """The loaded model. Raises RuntimeError before `start`."""
        return self._known().model

    @property
    def capacity(self) -> int:
        """Just under vLLM's batch size."""
        return self._known().capacity

    @property
    def steps(self) -> int:
        """Engine steps so far that evaluated or generated something."""
        return self._meter.count

    async def start(self) -> None:
        """Load and warm up, then watch over the engine process. Raises WorkerError."""
        await self._load()
        self._supervisor = asyncio.create_task(self._supervise())

    def readiness(self) -> Readiness:
        """Ready while the engine process lives."""
        return self._readiness

    def has_adapter(self, name: str) -> bool:
        """Whether [adapters] lists it."""
        return name in self._adapters

    def prometheus(self) -> bytes:
        """vLLM's own metrics."""
        return prometheus_text()

    def drain(self) -> None:
        """An engine process that dies from now on is not started again."""
        self._leaving = True

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """See `Engine.generate`."""
        loaded = self._loaded
        if loaded is None or not self._readiness.ready:
            yield Finished("shed", message=self._readiness.message)
            return
        events: asyncio.Queue[Event] = asyncio.Queue()
        prompt = loaded.builder.build(request.context, request.max_tokens)
        answer = VllmAnswer(request, len(prompt.tokens), self._clock())
        if not self._running:
            self._meter.resumed()
        self._deadlines[request.key] = asyncio.get_running_loop().time() + request.give_up_ms / MS
        task = asyncio.create_task(self._pump(loaded, request, prompt.tokens, prompt.max_new, answer, events))
        self._running[request.key] = task
        task.add_done_callback(lambda done: self._end(done, answer, events))
        try:
            while True:
                event = await events.get()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            self._running.pop(request.key, None)
            self._deadlines.pop(request.key, None)
            task.cancel()

    def cancel(self, key: int) -> None:
        """See `Engine.cancel`."""
        if task := self._running.get(key):
            task.cancel()

    def promote(self, key: int, kind: Kind, priority: int, give_up_ms: float) -> None:
        """Only the deadline moves: vLLM cannot reorder its queue, which credits keep empty anyway."""
        deadline = asyncio.get_running_loop().time() + give_up_ms / MS
        if deadline <= self._deadlines.get(key, math.inf):
            return
        self._deadlines[key] = deadline
        limit = self._limits.get(key)  # not there yet if the request's task has not begun
        if limit is not None and not limit.expired():
            limit.reschedule(deadline)

    def forget(self, docs: Iterable[str]) -> None:
        """Nothing: vLLM's prefix cache drops what was not used for longest."""

    def stats(self) -> EngineStats:
        """See `Engine.stats`."""
        return self._meter.stats(len(self._running))

    async def close(self) -> None:
        """End everything, the engine process too."""
        self._leaving = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._unload()
        self._readiness = Readiness(False, "The worker has stopped vLLM.")

    # One request.

    async def _pump(
        self,
        loaded: Loaded,
        request: Request,
        tokens: list[int],
        max_new: int,
        answer: VllmAnswer,
        events: asyncio.Queue[Event],
    ) -> None:
        reason: DoneReason
        message = ""
        try:
            async with asyncio.timeout_at(self._deadlines.get(request.key)) as limit:
                self._limits[request.key] = limit
                reason = await self._stream(loaded, request, tokens, max_new, answer, events)
        except TimeoutError:
            reason, message = "shed", f"vLLM did not finish within the {request.give_up_ms:.0f} ms of the request."
        except asyncio.CancelledError:
            raise
        except Exception as error:  # vLLM's exceptions differ by version: they are told by name
            reason, message = explain_request(error)
            if is_dead(error):
                self._died.set()
            elif reason == "error":
                log.warning("request %d: %s", request.key, message)
        finally:
            self._limits.pop(request.key, None)
        events.put_nowait(answer.finished(reason, self._clock(), message))

    async def _stream(
        self,
        loaded: Loaded,
        request: Request,
        tokens: list[int],
        max_new: int,
        answer: VllmAnswer,
        events: asyncio.Queue[Event],
    ) -> DoneReason:
        stream = loaded.llm.generate(
            self._api.prompt(tokens, request.cache_salt),
            self._api.sampling(max_tokens=max_new, stop_token_ids=loaded.vocabulary.control_tokens),
            f"foretype-{request.key}",
            lora_request=self._adapters.get(request.adapter),
            priority=priority_of(request) if loaded.prioritised else 0,
        )
        async with contextlib.aclosing(stream):  # leaving early aborts the request in vLLM
            async for output in stream:
                if chunk := answer.take(output, self._clock()):
                    events.put_nowait(chunk)
                if answer.reason is not None:
                    return answer.reason
        return "stop"

    def _end(self, task: asyncio.Task[None], answer: VllmAnswer, events: asyncio.Queue[Event]) -> None:
        """A request's task that did not say so itself has ended: cancelled, or in a way nobody foresaw."""
        if task.cancelled():
            events.put_nowait(answer.finished("cancelled", self._clock()))
        elif error := task.exception():
            log.error("a request to vLLM failed", exc_info=error)
            events.put_nowait(answer.finished("error", self._clock(), f"vLLM failed ({type(error).__name__})."))

    # The engine's life.

    def _known(self) -> Loaded:
        if self._loaded is None:
            raise RuntimeError("the engine has not been started")
        return self._loaded

    async def _load(self) -> None:
        before = set(multiprocessing.active_children())
        try:
            loaded = await asyncio.to_thread(load, self._api, self._options, self._meter, lambda: self._leaving)
        except asyncio.CancelledError:
            self._leaving = True
            for child in set(multiprocessing.active_children()) - before:
                child.kill()  # else the thread, and with it the end of this process, would wait for it
            raise
        self._loaded = loaded
        self._died.clear()
        self._readiness = Readiness(True)  # for the warm-up's own request; nobody is told before `start` returns
        try:
            await self._warm_up()
        except WorkerError as error:
            self._readiness = Readiness(False, str(error))
            await self._unload()
            raise
        except asyncio.CancelledError:
            await self._unload()
            raise

    async def _warm_up(self) -> None:
        """The whole path once: compilation and CUDA graphs that were left for the first request happen here."""
        request = Request(key=-1, context=WARM_UP, max_tokens=WARM_UP_TOKENS, lines="multi", give_up_ms=600_000)
        async for event in self.generate(request):
            if isinstance(event, Finished) and event.reason not in ("stop", "length"):
                raise WorkerError(f"vLLM does not answer: {event.message or event.reason}")

    async def _unload(self) -> None:
        if self._loaded is not None:
            await unload(self._loaded)

    async def _supervise(self) -> None:
        """Start the engine again when it died. Ends when it cannot be started: the worker then ends too."""
        attempt = 0
        while True:
            born = self._clock()
            await self._death()
            if self._leaving:
                return
            if self._clock() - born > SETTLED_SECONDS:
                attempt = 0
            why = "vLLM's engine process died; its log says why. It is being started again."
            while not await self._restarted(attempt, why):
                attempt += 1
                if attempt == len(RESTART_DELAYS_SECONDS):
                    self._readiness = Readiness(False, f"{self._readiness.message} It was tried often.", fatal=True)
                    return
                why = self._readiness.message
            attempt += 1
            attempt = min(attempt, len(RESTART_DELAYS_SECONDS) - 1)

    async def _death(self) -> None:
        while not self._known().llm.errored:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._died.wait()
                    return

    async def _restarted(self, attempt: int, why: str) -> bool:
        self._readiness = Readiness(False, why)
        log.error("%s", why)
        await self._unload()
        await asyncio.sleep(RESTART_DELAYS_SECONDS[attempt])
        try:
            await self._load()
        except WorkerError as error:
            self._readiness = Readiness(False, str(error))
            return False
        log.warning("vLLM's engine process is back.")
        return True


def priority_of(request: Request) -> int:
    """vLLM runs the lowest first: by kind, then the request's own priority, then the newest."""
    return KIND_RANK[request.kind] * CLASS_STEP + (request.priority or -request.key)
