"""The shapes of an OpenAI-compatible server's answers that a completion needs; unknown fields are ignored."""

from __future__ import annotations

import msgspec


class Logprobs(msgspec.Struct, frozen=True):
    """Natural logarithms of the chosen tokens' probabilities; the first of a prompt may be null."""

    token_logprobs: list[float | None] | None = None


class Choice(msgspec.Struct, frozen=True):
    """New text, and why it ends (null while it goes on)."""

    text: str = ""
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class PromptDetails(msgspec.Struct, frozen=True):
    """How much of the prompt came from the server's prefix cache."""

    cached_tokens: int | None = None


class UsageReport(msgspec.Struct, frozen=True):
    """Token counts, in the last chunk."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None


class CompletionChunk(msgspec.Struct, frozen=True):
    """One event of a streamed completion. `error` may be an object, a string, or absent."""

    choices: list[Choice] = []
    usage: UsageReport | None = None
    error: msgspec.Raw = msgspec.Raw()


class ModelEntry(msgspec.Struct, frozen=True):
    """One model a server offers; vLLM adds its context length."""

    id: str
    max_model_len: int | None = None


class ModelList(msgspec.Struct, frozen=True):
    """The answer of GET /models."""

    data: list[ModelEntry] | None = None


def error_text(body: bytes, limit: int = 300) -> str:
    """The message in an error's body, whatever its shape, cut to `limit` characters."""
    text = body.decode("utf-8", "replace").strip()
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text[:limit]
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(key):
            value = value[key]
    return str(value)[:limit]
