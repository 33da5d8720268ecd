"""Answers as OpenAI writes them: a completion, the events of a stream, the list of models; pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from edge_proxy.openai_door.calls import ANY_MODEL
from edge_proxy.openai_door.problems import Problem
from wire_protocol.frames import Done, ModelInfo

END_OF_STREAM: Final = b"data: [DONE]\n\n"
RETRY_SECONDS: Final = 1
"""Told who was shed: an overload is over, or the worker is back, within about that."""


class Heading(NamedTuple):
    """What every document of one answer begins with; `created` is in seconds since the epoch."""

    id: str
    created: int
    model: str


def completion(heading: Heading, text: str, done: Done, tokens: int) -> bytes:
    """The whole answer; `tokens` were streamed to this caller."""
    named = heading._replace(model=done.model or heading.model)
    document = _document(named, [_choice(text, finish_reason(done))])
    return msgspec.json.encode({**document, "usage": usage(done, tokens)})


def chunk(heading: Heading, text: str, *, reason: str | None = None, usage_too: bool = False) -> bytes:
    """An event with more text, the last one with the `reason` for the end."""
    document = _document(heading, [_choice(text, reason)])
    return event({**document, "usage": None} if usage_too else document)


def usage_chunk(heading: Heading, done: Done, tokens: int) -> bytes:
    """The event with the counts, for who asked for it."""
    return event({**_document(heading, []), "usage": usage(done, tokens)})


def event(document: dict[str, Any]) -> bytes:
    """A server-sent event."""
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


def models(created: int, offered: Iterable[ModelInfo]) -> bytes:
    """The list of `/v1/models`; the first one stands for any."""
    names = [ANY_MODEL, *(model.name for model in offered)]
    return msgspec.json.encode({"object": "list", "data": [model_card(created, name) for name in names]})


def model_card(created: int, name: str) -> dict[str, Any]:
    """One model."""
    return {"id": name, "object": "model", "created": created, "owned_by": "foretype"}


def finish_reason(done: Done) -> str:
    """OpenAI has no word for an answer that was cut by time: like one cut by the token limit, it is not whole."""
    return "stop" if done.reason == "stop" else "length"


def usage(done: Done, tokens: int) -> dict[str, Any]:
    """The counts. An answer out of a cache had no prompt evaluated, so none is counted."""
    prompt = done.usage.prompt_tokens
    generated = done.usage.generated_tokens or tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": generated,
        "total_tokens": prompt + generated,
        "prompt_tokens_details": {"cached_tokens": done.usage.reused_tokens},
    }


def problem_of(done: Done, text: str) -> Problem | None:
    """Why there is no answer; None if there is one. What was cut by time after some text is an answer."""
    if done.reason in {"stop", "length"} or (done.reason == "shed" and text):
        return None
    if done.reason == "shed":
        message = done.message or "The request was shed."
        return Problem(503, message, code="overloaded", retry_after=RETRY_SECONDS)
    if done.reason == "cancelled":
        return Problem(503, "The request was cancelled.", code="cancelled", retry_after=RETRY_SECONDS)
    return Problem(502, done.message or "The worker failed this request.", code="worker_error")


def _document(heading: Heading, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": heading.id,
        "object": "text_completion",
        "created": heading.created,
        "model": heading.model,
        "choices": choices,
    }


def _choice(text: str, reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}
