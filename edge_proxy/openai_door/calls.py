"""A body of `/v1/completions`, checked and made into what the scheduler takes; pure.

Fields that this server does not know are ignored. Those that it knows and cannot do are refused if the answer would
be another than asked for (several answers, log probabilities, an echo), and ignored if they only shape the sampling:
workers decode greedily.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from edge_proxy.openai_door.fim_markers import Parts, is_control, take_apart
from edge_proxy.openai_door.problems import Problem
from wire_protocol.frames import (
    MAX_BUDGET_MS,
    MAX_NAME,
    MAX_SNIPPETS,
    MAX_STOP_CHARS,
    MAX_STOPS,
    MAX_TEXT,
    MAX_TOKENS,
    Context,
    Kind,
    Snippet,
)

ANY_MODEL: Final = "foretype"
"""A model's name that means whichever model is there."""
DEFAULT_TOKENS: Final = 16
"""OpenAI's default of `max_tokens`."""
DEFAULT_GIVE_UP_MS: Final = 8_000
"""What the language server gives a request that a person asked for; a caller of this door shows nothing sooner."""
OBJECTIVE_MS: Final = 200
MAX_TYPED: Final = 512
"""Code points after which the language server sets a new anchor (DESIGN.md, "Anchored context")."""
MAX_TEMPERATURE: Final = 2.0
MAX_PATH: Final = 4_096
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

KIND_HEADER: Final = "X-Foretype-Kind"
GIVE_UP_HEADER: Final = "X-Foretype-Give-Up-Ms"
TRACE_HEADER: Final = "traceparent"


class StreamOptions(msgspec.Struct, frozen=True):
    """`stream_options`."""

    include_usage: bool | None = None


class Body(msgspec.Struct, frozen=True):
    """The fields that mean something here, with their types."""

    model: str | None = None
    prompt: str | list[Any] | None = None
    suffix: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    best_of: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: int | bool | None = None
    echo: bool | None = None
    stop: str | list[str] | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked for. `model` is "" where any will do; `named` is what the caller wrote; `give_up` in seconds."""

    context: Context
    model: str
    named: str
    max_tokens: int
    stop: tuple[str, ...]
    stream: bool
    usage_in_stream: bool
    user: str
    kind: Kind
    objective: float
    give_up: float
    trace: str


def parse(data: bytes, headers: Mapping[str, str]) -> Call:
    """The call in a request's body and headers. Raises Problem."""
    body = _decoded(data)
    if not body.model:
        raise Problem(400, "You must provide a model parameter: a name from /v1/models.", param="model")
    _refuse_what_cannot_be(body)
    return Call(
        context=_context(_prompt(body), body.suffix or ""),
        model="" if body.model == ANY_MODEL else body.model,
        named=body.model,
        max_tokens=_max_tokens(body.max_tokens),
        stop=_stops(body.stop),
        stream=bool(body.stream),
        usage_in_stream=body.stream_options is not None and bool(body.stream_options.include_usage),
        user=_user(body.user),
        kind=_kind(headers.get(KIND_HEADER)),
        objective=OBJECTIVE_MS / 1_000,
        give_up=_give_up_ms(headers.get(GIVE_UP_HEADER)) / 1_000,
        trace=_trace(headers.get(TRACE_HEADER, "")),
    )


def _trace(header: str) -> str:
    """A header may have any bytes, and a frame has no place for those that are no UTF-8; a trace's name is ASCII."""
    return header[:MAX_NAME] if header.isascii() else ""


def _decoded(data: bytes) -> Body:
    try:
        data.decode("utf-8")  # msgspec passes over the names of fields that it does not know
        return msgspec.json.decode(data, type=Body)
    except msgspec.ValidationError as error:
        raise _wrong_type(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "The body of the request is not valid JSON: send one JSON object in UTF-8.") from None


def _wrong_type(problem: str) -> Problem:
    """msgspec's words (``Expected `int | null`, got `str` - at `$.n```) as OpenAI would put them."""
    what, _, where = problem.partition(" - at `$")
    param = where.strip("`.") or None
    what = what.replace("`", "").replace(" | null", "")
    if param is None:
        return Problem(400, f"The body of the request should be a JSON object. {what}.")
    message = f"Invalid value for '{param}': {what[:1].lower()}{what[1:]}."
    return Problem(400, message, param=re.split(r"[.\[]", param)[0], code="invalid_type")


def _refuse_what_cannot_be(body: Body) -> None:
    for name in ("n", "best_of"):
        wanted = getattr(body, name)
        if wanted is not None and wanted != 1:
            raise _invalid(name, "one answer is given to a request; leave it out or send 1")
    if body.logprobs:  # 0 asks for the chosen tokens' own, which nobody sends who does not use them; it is passed over
        raise _invalid("logprobs", "this server gives no log probabilities; leave it out")
    if body.echo:
        raise _invalid("echo", "this server does not repeat the prompt; leave it out")
    if body.temperature is not None and not 0.0 <= body.temperature <= MAX_TEMPERATURE:
        raise _invalid("temperature", f"it should be between 0 and {MAX_TEMPERATURE:g}")
    if body.top_p is not None and not 0.0 <= body.top_p <= 1.0:
        raise _invalid("top_p", "it should be between 0 and 1")


def _invalid(param: str, why: str) -> Problem:
    return Problem(400, f"Invalid value for '{param}': {why}.", param=param, code="invalid_value")


def _prompt(body: Body) -> str:
    prompt = body.prompt
    if prompt is None:
        raise Problem(400, "You must provide a prompt parameter: the text before the cursor.", param="prompt")
    if isinstance(prompt, list):
        if len(prompt) != 1 or not isinstance(prompt[0], str):
            raise _invalid("prompt", "it should be a text, or a list of one text; token ids are not taken")
        prompt = prompt[0]
    for name, text in (("prompt", prompt), ("suffix", body.suffix or "")):
        if len(text) > MAX_TEXT:
            raise Problem(
                400,
                f"Invalid value for '{name}': it has {len(text)} characters, and at most {MAX_TEXT} are taken.",
                param=name,
                code="context_length_exceeded",
            )
    return prompt


def _context(prompt: str, suffix: str) -> Context:
    """`before` up to the line of the cursor, the line itself as `typed`: as the language server sends it, so that
    both find one another's answers in the cache, and one more key costs the worker one more token."""
    parts = take_apart(prompt)
    if parts is None:
        parts = Parts(prompt, suffix)
    elif suffix:
        parts = parts._replace(after=parts.after + suffix)
    before, after, typed = (_lines(part) for part in parts[:3])
    if not typed:
        start = before.rfind("\n") + 1
        if len(before) - start <= MAX_TYPED:
            before, typed = before[:start], before[start:]
    files = parts.files[-MAX_SNIPPETS:]
    return Context(
        before=before,
        typed=typed,
        after=after[:MAX_TEXT],
        snippets=[Snippet(path=path[:MAX_PATH], text=_lines(text)) for path, text in files],
        path=parts.path[:MAX_PATH],
    )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _max_tokens(wanted: int | None) -> int:
    if wanted is None:
        return DEFAULT_TOKENS
    if not 1 <= wanted <= MAX_TOKENS:
        raise _invalid("max_tokens", f"it should be between 1 and {MAX_TOKENS}")
    return wanted


def _stops(stop: str | list[str] | None) -> tuple[str, ...]:
    wanted = [stop] if isinstance(stop, str) else stop or []
    kept = tuple(dict.fromkeys(text for text in wanted if text and not is_control(text)))
    if len(kept) > MAX_STOPS:
        raise _invalid("stop", f"at most {MAX_STOPS} texts are taken")
    if any(len(text) > MAX_STOP_CHARS for text in kept):
        raise _invalid("stop", f"each text has at most {MAX_STOP_CHARS} characters")
    return kept


def _user(user: str | None) -> str:
    if user is not None and len(user) > MAX_NAME:
        raise _invalid("user", f"it has at most {MAX_NAME} characters")
    return user or ""


def _kind(header: str | None) -> Kind:
    if header is None:
        return "automatic"
    for kind in _KINDS:
        if header == kind:
            return kind
    raise Problem(400, f"The header {KIND_HEADER} should be one of {', '.join(_KINDS)}.", code="invalid_value")


def _give_up_ms(header: str | None) -> int:
    if header is None:
        return DEFAULT_GIVE_UP_MS
    if not re.fullmatch(r"[0-9]{1,6}", header) or not 1 <= int(header) <= MAX_BUDGET_MS:
        raise Problem(
            400, f"The header {GIVE_UP_HEADER} should be milliseconds, 1 to {MAX_BUDGET_MS}.", code="invalid_value"
        )
    return int(header)
