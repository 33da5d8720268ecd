"""The llama engine: llama.cpp in a thread of its own, behind the async interface of `base.Engine`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gpu_worker import models
from gpu_worker.engines.base import Engine, EngineStats, Event, Finished, Readiness, Request
from gpu_worker.engines.llama_api import Model
from gpu_worker.engines.llama_decoder import Decoder, DecodeStatus, Row
from gpu_worker.engines.llama_loop import DecodeLoop
from gpu_worker.errors import WorkerError
from gpu_worker.prompt import PromptBuilder
from wire_protocol.frames import Kind, ModelInfo

log = logging.getLogger(__name__)

DEFAULT_PARALLEL = 4
"""Requests decoded together: on two cores the tokens/s in all stop growing there (facts/models.md)."""
SPARE_SEQUENCES = 4
"""Sequences beyond the running ones: documents that are open but idle keep their KV cache there."""
DEFAULT_CONTEXT = 4_096
MIN_CONTEXT = 128
"""Below this, markers and reserves leave no room for code."""
BATCH_TOKENS = 2_048
MICRO_BATCH_TOKENS = 256
"""What an abort can lose at most; 512 was some percent faster on a CPU, 64 some slower."""
SMALL_MODEL_BYTES = 200 * 1_048_576
"""Up to this file size one thread generates: with two, a busy core beside them makes each operation wait its turn."""
SMALL_PREFILL_THREADS = 2
"""Threads that evaluate a prompt with such a model: 1,000 tokens in 130 ms instead of 226 on two quiet cores (6.2 M),
and no later than with one beside other programs, given SPIN_COUNT in cli.py. More were not measured."""
MAX_THREADS = 8
"""More do not help where memory bandwidth is the limit."""


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """What can be set; zeros and None choose by model and machine."""

    model: str
    parallel: int = DEFAULT_PARALLEL
    spare: int = SPARE_SEQUENCES
    context: int = 0
    threads: int = 0
    gpu_layers: int = 0
    mmap: bool = True


@dataclass(frozen=True, slots=True)
class _Submit:
    request: Request
    arrived: float


@dataclass(frozen=True, slots=True)
class _Cancel:
    key: int


@dataclass(frozen=True, slots=True)
class _Promote:
    key: int
    kind: Kind
    priority: int
    give_up_ms: float
    arrived: float


@dataclass(frozen=True, slots=True)
class _Forget:
    docs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Close:
    pass


_Command = _Submit | _Cancel | _Promote | _Forget | _Close


class LlamaEngine(Engine):
    """Requests go to the thread through a queue; the events of one step come back in one call to the event loop."""

    def __init__(self, options: LlamaOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._inbox: queue.SimpleQueue[_Command] = queue.SimpleQueue()
        self._answers: dict[int, asyncio.Queue[Event]] = {}
        self._thread: threading.Thread | None = None
        self._loop: DecodeLoop | None = None
        self._model: ModelInfo | None = None
        self._failure = ""

    @property
    def name(self) -> str:
        """`llama`."""
        return "llama"

    @property
    def model(self) -> ModelInfo:
        """The loaded model. Raises RuntimeError before `start`."""
        if self._model is None:
            raise RuntimeError("the engine has not been started")
        return self._model

    @property
    def capacity(self) -> int:
        """Requests decoded together."""
        return self._options.parallel

    async def start(self) -> None:
        """Load and warm up in the engine's thread. Raises WorkerError."""
        host = asyncio.get_running_loop()
        loaded: asyncio.Future[None] = host.create_future()
        self._thread = threading.Thread(target=self._run, args=(host, loaded), name="llama-engine", daemon=True)
        self._thread.start()
        await loaded

    def readiness(self) -> Readiness:
        """Ready from the end of `start` until the thread ends."""
        return Readiness(self._loop is not None and not self._failure, self._failure, fatal=bool(self._failure))

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """See `Engine.generate`."""
        if self._failure or self._thread is None:
            yield Finished("error", message=self._failure or "The engine has not been started.")
            return
        answers: asyncio.Queue[Event] = asyncio.Queue()
        self._answers[request.key] = answers
        ended = False
        self._post(_Submit(request, self._clock()))
        try:
            while not ended:
                event = await answers.get()
                ended = isinstance(event, Finished)
                yield event
        finally:
            self._answers.pop(request.key, None)
            if not ended:
                self.cancel(request.key)

    def cancel(self, key: int) -> None:
        """See `Engine.cancel`."""
        self._post(_Cancel(key))

    def promote(self, key: int, kind: Kind, priority: int, give_up_ms: float) -> None:
        """See `Engine.promote`."""
        self._post(_Promote(key, kind, priority, give_up_ms, self._clock()))

    def forget(self, docs: Iterable[str]) -> None:
        """See `Engine.forget`."""
        self._post(_Forget(tuple(docs)))

    def stats(self) -> EngineStats:
        """See `Engine.stats`."""
        return self._loop.stats() if self._loop is not None else EngineStats()

    async def close(self) -> None:
        """End everything and wait for the thread to free the model."""
        thread = self._thread
        if thread is None:
            return
        for key in list(self._answers):
            self.cancel(key)
        self._inbox.put(_Close())
        await asyncio.to_thread(thread.join)
        self._thread = None

    def _post(self, command: _Command) -> None:
        loop = self._loop
        if loop is not None:
            if isinstance(command, _Cancel):
                loop.notify_cancel(command.key)
            elif isinstance(command, _Submit):
                loop.notify_arrival(command.request.rank)
        self._inbox.put(command)

    def _dispatch(self, events: list[tuple[int, Event]]) -> None:
        for key, event in events:
            answers = self._answers.get(key)
            if answers is not None:
                answers.put_nowait(event)

    # What follows runs in the engine's thread.

    def _run(self, host: asyncio.AbstractEventLoop, loaded: asyncio.Future[None]) -> None:
        with contextlib.ExitStack() as cleanup:
            try:
                loop = self._load(cleanup)
            except (WorkerError, OSError, MemoryError) as error:
                self._failure = str(error) or "There is not enough memory to load the model."
                _tell(host, _fail_future, loaded, WorkerError(self._failure))
                return
            except Exception as error:  # else whoever waits for `start` would wait for ever
                self._failure = f"The model cannot be loaded: an internal error ({type(error).__name__}: {error})."
                log.exception("the model cannot be loaded")
                _tell(host, _fail_future, loaded, WorkerError(self._failure))
                return
            self._loop = loop
            _tell(host, _resolve_future, loaded)
            try:
                while self._turn(loop, host):
                    pass
            except Exception as error:  # the thread's last line: without it every request would hang
                self._failure = f"The llama engine stopped after an internal error ({type(error).__name__}: {error})."
                log.exception("the llama engine stopped")
                keys = list(self._answers)
                _tell(host, self._dispatch, [(key, Finished("error", message=self._failure)) for key in keys])

    def _load(self, cleanup: contextlib.ExitStack) -> DecodeLoop:
        options = self._options
        path = models.resolve(options.model)
        context, sequences = self._check_size(path)
        model = Model(str(path), gpu_layers=options.gpu_layers, mmap=options.mmap)
        cleanup.callback(model.close)
        if not model.generates:
            raise WorkerError(f"{path.name} is not a model that generates text: choose a code completion model.")
        if model.fim is None:
            log.warning("%s has no fill-in-the-middle tokens: it only continues what is before the cursor.", path.name)
        else:
            log.info("fill-in-the-middle layout of %s: %s", path.name, model.fim.family)
        decoder = Decoder(
            model,
            sequences=sequences,
            context_tokens=context,
            batch_tokens=min(BATCH_TOKENS, max(context, sequences)),
            micro_batch_tokens=MICRO_BATCH_TOKENS,
        )
        cleanup.callback(decoder.close)
        threads = thread_count(os.path.getsize(path), options.threads, _cores())
        decoder.set_threads(threads, prefill_threads(threads, options.threads, _cores()))
        builder = PromptBuilder(model, decoder.context_tokens)
        _warm_up(decoder, model)
        self._model = ModelInfo(name=models.name_of(options.model, path), context_tokens=decoder.context_tokens)
        return DecodeLoop(
            decoder,
            model,
            lambda request: builder.build(request.context, request.max_tokens),
            parallel=options.parallel,
            sequences=sequences,
            clock=self._clock,
        )

    def _check_size(self, path: Path) -> tuple[int, int]:
        """Context length per sequence and number of sequences, after checking that they fit in memory."""
        options = self._options
        probe = Model(str(path), vocabulary_only=True)
        try:
            architecture = probe.metadata("general.architecture")

            def number(key: str) -> int:
                text = probe.metadata(f"{architecture}.{key}")
                return int(text) if text.isdigit() else 0

            trained = number("context_length")
            layers = number("block_count")
            heads = number("attention.head_count")
            head_width = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
            kv_width = head_width * (number("attention.head_count_kv") or heads)
        finally:
            probe.close()
        context = options.context or min(trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
        if context < MIN_CONTEXT:
            raise WorkerError(f"A context of {context} tokens is too short: give --context {MIN_CONTEXT} or more.")
        if trained and context > trained:
            raise WorkerError(f"{path.name} was trained with {trained} tokens of context; --context {context} is more.")
        sequences = options.parallel + options.spare
        cache = models.kv_bytes(layers=layers, kv_width=kv_width, tokens=context * sequences)
        models.require_memory(path, cache)
        return context, sequences

    def _turn(self, loop: DecodeLoop, host: asyncio.AbstractEventLoop) -> bool:
        """Take what has arrived (waiting for it when there is nothing to do), do one step; False when closing."""
        events: list[tuple[int, Event]] = []
        block = not loop.busy
        going_on = True
        while going_on:
            try:
                command = self._inbox.get(block=block)
            except queue.Empty:
                break
            block = False
            going_on = self._apply(loop, command, events)
        if going_on:
            events += loop.step()
        else:
            events += loop.abandon()
        if events:
            _tell(host, self._dispatch, events)
        return going_on

    def _apply(self, loop: DecodeLoop, command: _Command, events: list[tuple[int, Event]]) -> bool:
        if isinstance(command, _Submit):
            if finished := loop.submit(command.request, command.arrived):
                events.append((command.request.key, finished))
        elif isinstance(command, _Cancel):
            if finished := loop.cancel(command.key):
                events.append((command.key, finished))
        elif isinstance(command, _Promote):
            loop.promote(command.key, command.kind, command.priority, command.give_up_ms, command.arrived)
        elif isinstance(command, _Forget):
            loop.forget(command.docs)
        else:
            return False
        return True


def thread_count(model_bytes: int, wanted: int, cores: int) -> int:
    """How many threads to decode with: as wanted, else one for a small model, and the cores for a larger one."""
    return wanted or (1 if model_bytes <= SMALL_MODEL_BYTES else min(cores, MAX_THREADS))


def prefill_threads(generating: int, wanted: int, cores: int) -> int:
    """How many threads to evaluate prompts with: as wanted, else as many as generate, and two where one does."""
    return wanted or max(generating, min(cores, SMALL_PREFILL_THREADS))


def _cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _warm_up(decoder: Decoder, model: Model) -> None:
    """Decode once, so that the first request does not pay for paging in the weights. Raises WorkerError."""
    token = model.bos if model.bos is not None else model.tokenize("\n")[0]
    status = decoder.decode([Row(token, 0, 0, True)])
    decoder.clear()
    if status is not DecodeStatus.DONE:
        raise WorkerError(f"The model was loaded but cannot decode ({status.name.lower()}): choose another model.")


def _tell(host: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody listens any more
        host.call_soon_threadsafe(call, *args)


def _resolve_future(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fail_future(future: asyncio.Future[None], error: WorkerError) -> None:
    if not future.done():
        future.set_exception(error)
