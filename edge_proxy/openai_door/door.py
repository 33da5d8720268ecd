"""The routes of the OpenAI-compatible door; each call is a session of one request in the scheduler that all share.

A caller who hangs up cancels at the worker, as a `cancel` frame does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from hashlib import blake2b
from importlib import resources
from typing import Final

import msgspec
from aiohttp import hdrs, web

from edge_proxy.auth import admitted
from edge_proxy.dispatch import DRAINING
from edge_proxy.handing_out import NO_WORKER
from edge_proxy.openai_door import answers
from edge_proxy.openai_door.calls import ANY_MODEL, Call, parse
from edge_proxy.openai_door.departures import Departures
from edge_proxy.openai_door.problems import Problem
from edge_proxy.openai_door.reading import Reading
from edge_proxy.requests import Ask
from edge_proxy.session import Edge
from edge_proxy.sockets import set_nodelay
from edge_proxy.tenancy.accounts import Account
from edge_proxy.tenancy.identity import Identity
from edge_proxy.tenancy.prompt_log import log_prompt

OPENAPI_PATH: Final = "/openapi.json"
REQUEST_ID_HEADER: Final = "X-Request-Id"
JSON: Final = "application/json"
BODY_SECONDS: Final = 10.0
"""How long a caller may take to send the body."""
STREAM_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store, no-transform",
    "X-Accel-Buffering": "no",  # nginx passes it on as it comes
}
MAX_BODIES: Final = 256
"""Bodies read at once: with `limits.frame_bytes` it bounds the memory that slow senders can hold."""
ONLY: Final = 1
"""The id of a call's one request in its session."""
DOC_CHARS: Final = 200
"""A document is told from another by how it begins: prompts of one file mostly begin alike."""

logger = logging.getLogger("foretype.edge.openai")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OpenAiDoor:
    """`numbers` are those of all sessions, `born` is when the process began, in seconds since the epoch."""

    def __init__(self, edge: Edge, numbers: Iterator[int], departures: Departures, wall: Callable[[], float]) -> None:
        self._edge: Final = edge
        self._numbers: Final = numbers
        self._departures: Final = departures
        self._wall: Final = wall
        self._born: Final = int(wall())
        self._bodies = 0
        self._openapi: Final = resources.files("edge_proxy.openai_door").joinpath("openapi.json").read_bytes()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve the door. Added last: what is under `/v1/` and nothing else is refused in OpenAI's form."""
        router.add_post("/v1/completions", _refusing(self._completions))
        router.add_get("/v1/models", _refusing(self._models))
        router.add_get("/v1/models/{name:.+}", _refusing(self._model))
        router.add_get(OPENAPI_PATH, self._document)
        router.add_route("*", "/v1/{rest:.*}", _refusing(self._nothing))

    # Routes

    async def _document(self, _: web.Request) -> web.Response:
        return web.Response(body=self._openapi, content_type=JSON)

    async def _models(self, request: web.Request) -> web.Response:
        await self._identify(request)
        return _json(answers.models(self._born, self._edge.dispatcher.models()))

    async def _model(self, request: web.Request) -> web.Response:
        await self._identify(request)
        name = request.match_info["name"]
        self._check_model("" if name == ANY_MODEL else name)
        return _json(msgspec.json.encode(answers.model_card(self._born, name)))

    async def _nothing(self, request: web.Request) -> web.Response:
        paths = {"/v1/completions": "POST", "/v1/models": "GET"}
        allowed = paths.get(request.path)
        if allowed is not None:
            raise Problem(405, f"{request.path} takes {allowed} only.", code="method_not_allowed")
        message = "There is nothing at this path: code is completed at /v1/completions, models are at /v1/models."
        raise Problem(404, message, code="unknown_url")

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        if self._edge.dispatcher.draining:
            raise Problem(503, DRAINING, code="draining", retry_after=answers.RETRY_SECONDS)
        identity = await self._identify(request)
        if request.content_type != JSON:
            # A page of another site can send anything else without asking first.
            raise Problem(415, f"The body should be {JSON}: set the header Content-Type.")
        call = parse(await self._body(request), request.headers)
        self._check_model(call.model)
        transport = request.transport
        if transport is None or transport.is_closing():
            return web.Response()
        set_nodelay(transport)
        account = self._edge.accounts.of(identity)
        if account.logs_prompts:
            log_prompt(identity, call.kind, call.context)
        number = next(self._numbers)
        ask = self._ask(number, identity, account, call)
        refusal = account.admit()
        if refusal is not None:
            self._edge.metrics.done.labels("shed", refusal.cause).inc()
            raise Problem(429, refusal.message, code=refusal.cause, retry_after=int(refusal.retry_after_header))
        dispatcher, reading = self._edge.dispatcher, Reading()
        dispatcher.open(number, reading)
        self._edge.live.opened(number, identity)  # a token that is revoked or runs out ends the call
        self._departures.watch(number, transport, lambda: dispatcher.cancel(number, [ONLY]))
        self._edge.metrics.requests.labels(call.kind).inc()
        dispatcher.complete(ask, ())
        try:
            return await self._answer(request, number, call, reading)
        finally:
            self._departures.forget(number)
            self._edge.live.closed(number)
            dispatcher.cancel(number, [ONLY])  # one that lives on has lost its caller, whoever saw that first
            dispatcher.close(number)

    # Inside

    async def _answer(self, request: web.Request, number: int, call: Call, reading: Reading) -> web.StreamResponse:
        heading = answers.Heading(f"cmpl-{self._born:x}-{number}", int(self._wall()), call.named)
        headers = {REQUEST_ID_HEADER: f"{number}-{ONLY}"}  # as the log has it
        if call.stream:
            return await self._stream(request, heading, headers, call, reading)
        done = await reading.whole()
        problem = answers.problem_of(done, reading.text_so_far)
        if problem is not None:
            raise problem
        body = answers.completion(heading, reading.text_so_far, done, reading.tokens)
        self._edge.metrics.bytes_out.inc(len(body))
        return _json(body, headers)

    async def _stream(
        self, request: web.Request, heading: answers.Heading, headers: dict[str, str], call: Call, reading: Reading
    ) -> web.StreamResponse:
        """Server-sent events; a refusal before the first text still has its own status."""
        text = await reading.more()
        if not text and reading.end is not None:
            problem = answers.problem_of(reading.end, "")
            if problem is not None:
                raise problem
        response = web.StreamResponse(headers={**STREAM_HEADERS, **headers})
        with contextlib.suppress(ConnectionError):  # the caller has left: `Departures` cancels
            await response.prepare(request)
            while text:
                await self._write(response, answers.chunk(heading, text, usage_too=call.usage_in_stream))
                text = await reading.more()
            await self._write(response, *self._last_events(heading, call, reading))
            await response.write_eof()
        return response

    def _last_events(self, heading: answers.Heading, call: Call, reading: Reading) -> list[bytes]:
        done = reading.end
        assert done is not None  # `more` gave "" only because of it
        problem = answers.problem_of(done, reading.text_so_far)
        if problem is not None:
            return [answers.event(problem.document()), answers.END_OF_STREAM]
        heading = heading._replace(model=done.model or call.named)
        last = answers.chunk(heading, "", reason=answers.finish_reason(done), usage_too=call.usage_in_stream)
        counts = [answers.usage_chunk(heading, done, reading.tokens)] if call.usage_in_stream else []
        return [last, *counts, answers.END_OF_STREAM]

    async def _write(self, response: web.StreamResponse, *events: bytes) -> None:
        data = b"".join(events)
        self._edge.metrics.bytes_out.inc(len(data))
        await response.write(data)

    async def _identify(self, request: web.Request) -> Identity:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        checked = await admitted(self._edge.authenticator, token.strip() if scheme.lower() == "bearer" else "")
        if isinstance(checked, Identity):
            return checked
        self._edge.metrics.auth_failures.inc()
        message = "Send a token of this proxy as the API key (header Authorization: Bearer TOKEN)."
        raise Problem(401, message, code="invalid_api_key")

    def _check_model(self, model: str) -> None:
        offered = self._edge.dispatcher.models()
        if not offered and not self._edge.dispatcher.ready:
            raise Problem(503, NO_WORKER, code="no_worker", retry_after=answers.RETRY_SECONDS)
        if model and all(model != known.name for known in offered):
            names = ", ".join([ANY_MODEL, *(known.name for known in offered)])
            message = f"The model {model[:100]!r} is not here. Those that are: {names}."
            raise Problem(404, message, param="model", code="model_not_found")

    def _ask(self, number: int, identity: Identity, account: Account, call: Call) -> Ask:
        context = call.context
        document = f"{identity.user}\n{call.user}\n{context.path}\n{(context.before or context.typed)[:DOC_CHARS]}"
        return Ask(
            session=number,
            id=ONLY,
            tenant=identity.tenant,
            doc=blake2b(document.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
            context=context,
            kind=call.kind,
            lines="multi",
            max_tokens=call.max_tokens,
            stop=call.stop,
            objective=call.objective,
            give_up=call.give_up,
            trace=call.trace,
            arm=self._edge.arm_of(f"{identity.tenant}/{identity.user or call.user}"),
            model=call.model,
            account=account,
        )

    async def _body(self, request: web.Request) -> bytes:
        """The whole body. Raises Problem where it is too large, too slow, or breaks off."""
        if self._bodies >= MAX_BODIES:
            message = f"This proxy is reading {MAX_BODIES} requests already."
            raise Problem(503, message, code="overloaded", retry_after=answers.RETRY_SECONDS)
        limit = self._edge.limits.frame_bytes
        body = bytearray()
        self._bodies += 1
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for part in request.content.iter_any():
                    body += part
                    if len(body) > limit:
                        raise Problem(413, f"The body is larger than the {limit} bytes that are taken.")
        except TimeoutError:
            raise Problem(408, f"The body did not come within {BODY_SECONDS:g} seconds.") from None
        except (ConnectionError, web.RequestPayloadError):
            raise Problem(400, "The body broke off.") from None
        finally:
            self._bodies -= 1
        self._edge.metrics.bytes_in.inc(len(body))
        return bytes(body)


def _refusing(handler: Handler) -> Handler:
    """`handler`, whose `Problem` is the answer, as is any fault of ours: a sentence, never a traceback."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return web.Response(status=problem.status, body=problem.body(), headers=problem.headers())
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except Exception as error:  # what nobody foresaw: its place is told, no text of the request
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("a call failed: %s in %s, line %d", type(error).__name__, place.filename, place.lineno or 0)
            fault = Problem(500, "This proxy failed at the request; its log says more.", code="internal")
            return web.Response(status=500, body=fault.body(), headers=fault.headers())

    return answer


def _json(body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, content_type=JSON, headers=headers)
