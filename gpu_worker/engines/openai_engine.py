"""The openai engine: any server with /v1/completions that streams (vLLM, llama-server, TGI, SGLang, Ollama, …)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import msgspec

from gpu_worker.budget import Lengths, plan
from gpu_worker.engines.base import Engine, EngineStats, Event, Finished, Readiness, Request
from gpu_worker.engines.openai_answer import Answer
from gpu_worker.engines.openai_api import CompletionChunk, ModelList, error_text
from gpu_worker.engines.sse import SseError, SseParser
from gpu_worker.errors import WorkerError
from gpu_worker.fim import Family, Parts, family_named, family_of_model, render
from gpu_worker.headers import header
from wire_protocol.frames import Context, DoneReason, ModelInfo

log = logging.getLogger(__name__)

DEFAULT_PARALLEL = 16
DEFAULT_CONTEXT = 4_096
CHARS_PER_TOKEN = 3
"""Code is about 3.2 characters a token even with a small vocabulary: a little less, so that prompts fit."""
CHECK_SECONDS = 5.0
"""Between looks at the server's /models, which tell whether it is there."""
CHECK_TIMEOUT_SECONDS = 3.0
RETRY_DELAYS_SECONDS = (0.05, 0.2)
"""Waits before the second and third try; a completion that comes later than that is late anyway."""
BUSY_STATUSES = frozenset({429, 502, 503, 504})
"""Answers that another try may change."""
API_STOPS = 4
"""How many stop strings the API takes; all of them are applied here too."""
MS = 1_000.0

FimMode = Literal["auto", "prompt", "suffix"]


@dataclass(frozen=True, slots=True)
class OpenAiOptions:
    """What can be set. `fim`: a rendered prompt, or the API's `suffix` field; auto: prompt if the family is known."""

    url: str
    model: str
    api_key: str = ""
    fim: FimMode = "auto"
    family: str = ""
    context: int = 0
    parallel: int = DEFAULT_PARALLEL
    logprobs: bool = True


class _Refused(Exception):
    """The server answered, but not with a completion; `busy` says that another try may help."""

    def __init__(self, message: str, *, busy: bool) -> None:
        super().__init__(message)
        self.busy = busy


class OpenAiEngine(Engine):
    """Each request is one streaming POST; cancelling closes its connection, which such servers take as an abort."""

    def __init__(self, options: OpenAiOptions, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises WorkerError when the layout cannot be told from the options."""
        self._options = options
        self._clock = clock
        self._url = options.url.rstrip("/")
        self._family = _choose_family(options)
        self._http: aiohttp.ClientSession | None = None
        self._checker: asyncio.Task[None] | None = None
        self._readiness = Readiness(False, f"The server at {self._url} has not been asked yet.")
        self._context = options.context
        self._running: dict[int, asyncio.Task[None]] = {}

    @property
    def name(self) -> str:
        """`openai`."""
        return "openai"

    @property
    def model(self) -> ModelInfo:
        """The model asked for; its context length as set, or as the server tells it."""
        return ModelInfo(name=self._options.model, context_tokens=self._context or DEFAULT_CONTEXT)

    @property
    def capacity(self) -> int:
        """Requests sent at once."""
        return self._options.parallel

    async def start(self) -> None:
        """Look once whether the server is there, then go on looking. A server that is not there yet is no error."""
        headers = {"Authorization": f"Bearer {self._options.api_key}"} if self._options.api_key else {}
        connector = aiohttp.TCPConnector(limit=self._options.parallel + 1)  # one more for /models
        self._http = aiohttp.ClientSession(connector=connector, headers=headers, trust_env=False)
        await self._check()
        self._checker = asyncio.create_task(self._check_forever())

    def readiness(self) -> Readiness:
        """What the last look at the server's /models showed."""
        return self._readiness

    async def generate(self, request: Request) -> AsyncIterator[Event]:
        """See `Engine.generate`."""
        events: asyncio.Queue[Event] = asyncio.Queue()
        answer = Answer(request, self._family, self._clock())
        task = asyncio.create_task(self._pump(request, answer, events))
        self._running[request.key] = task
        task.add_done_callback(lambda done: _end(done, answer, events, self._clock))
        try:
            while True:
                event = await events.get()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            self._running.pop(request.key, None)
            task.cancel()

    def cancel(self, key: int) -> None:
        """See `Engine.cancel`."""
        if task := self._running.get(key):
            task.cancel()

    def forget(self, docs: Iterable[str]) -> None:
        """Nothing is kept by document here."""

    def stats(self) -> EngineStats:
        """Requests sent and not answered; what the server does inside is its own."""
        return EngineStats(running=len(self._running))

    async def close(self) -> None:
        """Cancel what runs and close every connection."""
        if self._checker is not None:
            self._checker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._checker
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def _pump(self, request: Request, answer: Answer, events: asyncio.Queue[Event]) -> None:
        try:
            async with asyncio.timeout(request.give_up_ms / MS):
                reason, message = await self._try(request, answer, events)
        except TimeoutError:
            reason = "shed"
            message = f"The server at {self._url} did not finish within the {request.give_up_ms:.0f} ms of the request."
        events.put_nowait(answer.finished(reason, self._clock(), message))

    async def _try(self, request: Request, answer: Answer, events: asyncio.Queue[Event]) -> tuple[DoneReason, str]:
        """Stream a completion, trying again only while nothing of it has come."""
        for delay in (*RETRY_DELAYS_SECONDS, None):
            try:
                await self._stream(request, answer, events)
            except _Refused as refused:
                if not refused.busy:
                    return "error", str(refused)
                reason, message = "shed", str(refused)
            except (aiohttp.ClientError, OSError, SseError, msgspec.DecodeError, UnicodeDecodeError) as error:
                reason, message = "error", f"The server at {self._url} broke off: {_why(error)}."
                if isinstance(error, aiohttp.ClientConnectorError):
                    self._readiness = Readiness(False, self._unreachable(error))
                    message = self._readiness.message
            else:
                return answer.reason or "stop", ""
            if answer.first is not None or delay is None:
                break
            await asyncio.sleep(delay)
        return ("error" if answer.first is not None or reason == "error" else "shed"), message

    async def _stream(self, request: Request, answer: Answer, events: asyncio.Queue[Event]) -> None:
        if self._http is None:
            raise _Refused("The engine has not been started.", busy=False)
        timeout = aiohttp.ClientTimeout(total=None)  # the request's own budget is around this
        async with self._http.post(f"{self._url}/completions", json=self._body(request), timeout=timeout) as response:
            if response.status != 200:
                text = error_text(await response.content.read(4_096))
                raise _Refused(
                    f"The server at {self._url} answered {response.status}: {text}",
                    busy=response.status in BUSY_STATUSES,
                )
            parser = SseParser()
            async for piece in response.content.iter_any():
                for data in parser.feed(piece):
                    if data.strip() == "[DONE]":
                        return
                    chunk = msgspec.json.decode(data, type=CompletionChunk)
                    if bytes(chunk.error) not in (b"", b"null"):
                        raise _Refused(f"The server at {self._url} says: {error_text(data.encode())}", busy=False)
                    if new := answer.take(chunk, self._clock()):
                        events.put_nowait(new)
                    if answer.stops.stopped:
                        return  # leaving closes the connection: the server stops generating
            if answer.reason is None:
                raise aiohttp.ClientPayloadError("the stream ended before the completion did")

    def _body(self, request: Request) -> dict[str, Any]:
        parts, max_tokens = self._cut(request.context, request.max_tokens)
        body: dict[str, Any] = {
            "model": self._options.model,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._options.logprobs:
            body["logprobs"] = 1
        if request.stop:
            body["stop"] = list(request.stop[:API_STOPS])
        if self._family is not None:
            body["prompt"] = render(parts, self._family)
        else:
            body["prompt"] = parts.before + parts.typed
            body["suffix"] = parts.after
        return body

    def _cut(self, context: Context, max_tokens: int) -> tuple[Parts, int]:
        """The parts that fit, in characters: only the server can count tokens."""
        size = self.model.context_tokens * CHARS_PER_TOKEN
        snippets = [(item.path, item.text) for item in context.snippets]
        markers = len(context.path) + 64  # the markers themselves are control tokens: few
        cuts = plan(
            size,
            max_tokens * CHARS_PER_TOKEN,
            Lengths(
                len(context.before),
                len(context.after),
                len(context.typed),
                [len(header(path, context.language)) + len(text) + 1 for path, text in snippets],
                min(markers, size // 8),
            ),
        )
        parts = Parts(
            before=context.before[cuts.before_start :],
            after=context.after[: cuts.after_end],
            typed=context.typed[cuts.typed_start :],
            path=context.path[-(size // 16) :],
            snippets=snippets[: cuts.snippets],
            language=context.language,
        )
        return parts, max(1, min(max_tokens, cuts.max_new // CHARS_PER_TOKEN))

    async def _check_forever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self._check()

    async def _check(self) -> None:
        was = self._readiness
        self._readiness = await self._look()
        if self._readiness != was:
            if self._readiness.ready:
                log.info("the server at %s is there and serves %s", self._url, self._options.model)
            else:
                log.warning("%s", self._readiness.message)

    async def _look(self) -> Readiness:
        if self._http is None:
            return self._readiness
        timeout = aiohttp.ClientTimeout(total=CHECK_TIMEOUT_SECONDS)
        try:
            async with self._http.get(f"{self._url}/models", timeout=timeout) as response:
                body = await response.content.read(1_048_576)
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Readiness(False, self._unreachable(error))
        if status in (401, 403):
            return Readiness(False, f"The server at {self._url} refuses the API key ({status}): check --api-key-file.")
        if status != 200:
            return Readiness(False, f"The server at {self._url} answers {status} to /models: {error_text(body)}")
        try:
            models = msgspec.json.decode(body, type=ModelList).data or []
        except msgspec.DecodeError:
            return Readiness(False, f"{self._url}/models is not an OpenAI-compatible answer: check --url.")
        found = next((entry for entry in models if entry.id == self._options.model), None)
        if models and found is None:
            known = ", ".join(entry.id for entry in models[:8])
            return Readiness(
                False,
                f"The server at {self._url} does not serve {self._options.model!r} (it has {known}): check --model.",
            )
        if found is not None and found.max_model_len and not self._options.context:
            self._context = found.max_model_len
        return Readiness(True)

    def _unreachable(self, error: BaseException) -> str:
        return f"The server at {self._url} cannot be reached ({_why(error)}): start it, or check --url."


def _choose_family(options: OpenAiOptions) -> Family | None:
    """The family to render prompts for; None for the API's own `suffix`. Raises WorkerError."""
    if options.fim == "suffix":
        return None
    family = family_named(options.family) if options.family else family_of_model(options.model)
    if family is None:
        raise WorkerError(
            f"The fill-in-the-middle tokens of {options.model!r} cannot be told from its name: give --fim-family "
            "(qwen, starcoder, deepseek, …), or --fim suffix if the server fills in the middle itself."
        )
    return family


def _end(task: asyncio.Task[None], answer: Answer, events: asyncio.Queue[Event], clock: Callable[[], float]) -> None:
    """A request's task ended without saying so itself: it was cancelled, or failed in a way nobody foresaw."""
    if task.cancelled():
        events.put_nowait(answer.finished("cancelled", clock()))
    elif error := task.exception():
        log.error("a request to the server failed", exc_info=error)
        events.put_nowait(answer.finished("error", clock(), f"The openai engine failed ({type(error).__name__})."))


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number) if number else str(error.os_error)
    return str(error) or type(error).__name__
