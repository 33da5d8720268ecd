"""The frames of `foretype.v1`: one typed struct per message, with the bounds that arrival is checked against.

Every string length is in code points, every duration in milliseconds (fields ending `_ms`). `README.md` beside
this file is the specification; DESIGN.md section 4 is the contract behind it.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

SUBPROTOCOL = "foretype.v1"
"""WebSocket subprotocol name, offered by the connecting side and echoed by the other."""

VERSION_MIN = 1
VERSION_MAX = 1

MAX_TEXT = 262_144
"""Code points in one context part: above any window the design sends (8,000), below what would stall a session."""
MAX_SNIPPETS = 32
MAX_STOPS = 16
MAX_STOP_CHARS = 128
MAX_IDS = 1_024
"""Ids in one `cancel`, `forget` or `supersedes`, and answers in one `tokens`: keeps one frame's work bounded."""
MAX_NAME = 256
MAX_TOKEN_CHARS = 8_192
"""A credential: a JWT with many claims stays below this."""
MAX_TOKENS = 4_096
"""Generated tokens one request may ask for."""
MAX_BUDGET_MS = 600_000
MAX_SENTENCE = 2_000
MAX_MODELS = 64
MAX_MINUTES = 1_440
_MAX_SAFE_INT = 2**53 - 1
"""Largest integer every client language holds exactly (JavaScript's Number.MAX_SAFE_INTEGER)."""

Id = Annotated[int, Meta(ge=0, le=_MAX_SAFE_INT)]
Revision = Annotated[int, Meta(ge=0, le=_MAX_SAFE_INT)]
Count = Annotated[int, Meta(ge=0, le=_MAX_SAFE_INT)]
Signed = Annotated[int, Meta(ge=-_MAX_SAFE_INT, le=_MAX_SAFE_INT)]
BudgetMs = Annotated[int, Meta(ge=0, le=MAX_BUDGET_MS)]
NonNegative = Annotated[float, Meta(ge=0.0)]
Name = Annotated[str, Meta(max_length=MAX_NAME)]
Key = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
PathText = Annotated[str, Meta(max_length=4_096)]
Sentence = Annotated[str, Meta(max_length=MAX_SENTENCE)]
Credential = Annotated[str, Meta(max_length=MAX_TOKEN_CHARS)]
Ids = Annotated[list[Id], Meta(max_length=MAX_IDS)]
Stop = Annotated[str, Meta(min_length=1, max_length=MAX_STOP_CHARS)]
Stops = Annotated[list[Stop], Meta(max_length=MAX_STOPS)]

Kind = Literal["invoked", "automatic", "prefetch"]
Lines = Literal["single", "multi"]
DoneReason = Literal["stop", "length", "cancelled", "shed", "error"]
Source = Literal["worker", "cache", "attached"]
Tier = Literal["small", "medium", "large"]
ErrorCode = Literal[
    "malformed",  # not MessagePack, or not a map with a `type`
    "unknown_type",  # a frame type this version does not know
    "unexpected",  # a known frame that this side never accepts, or before `hello`
    "invalid",  # a field is missing, of the wrong type, or out of bounds
    "too_large",  # the frame exceeds the announced size limit
    "checksum",  # a delta does not give the context its sender has
    "version",  # no protocol version in common
    "auth",  # missing, wrong, expired or revoked token
    "limit",  # too many requests in flight, or too many bad frames
    "overloaded",  # no room for another session; `retry_after_ms` says when to come back
    "internal",  # our fault; the session goes on
]
ERROR_CODES: tuple[ErrorCode, ...] = get_args(ErrorCode)


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the parts that frames are made of; unknown fields are ignored, so that fields can be added."""


class Frame(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of every frame; the tag field `type` names it on the wire."""


class Snippet(Struct, frozen=True, kw_only=True):
    """A piece of another file that helps: its workspace-relative path and its text."""

    path: PathText
    text: Text


class Context(Struct, frozen=True, kw_only=True, tag_field="form", tag="full"):
    """What the model sees of the document around the cursor; see DESIGN.md, "Anchored context".

    `before` ends at the anchor, `typed` is what was typed since, `tail` is what the editor put between the cursor
    and the frozen `after` (an auto-closed bracket): not part of the prompt. Line ends are `\\n` only.
    """

    before: Text = ""
    typed: Text = ""
    tail: Text = ""
    after: Text = ""
    snippets: Annotated[list[Snippet], Meta(max_length=MAX_SNIPPETS)] = []
    path: PathText = ""
    language: Name = ""


class Splice(Struct, frozen=True, kw_only=True, array_like=True):
    """Replace `delete` code points at `start` by `insert`. On the wire an array `[start, delete, insert]`."""

    start: Annotated[int, Meta(ge=0, le=MAX_TEXT)]
    delete: Annotated[int, Meta(ge=0, le=MAX_TEXT)]
    insert: Text


class Delta(Struct, frozen=True, kw_only=True, tag_field="form", tag="delta"):
    """The difference between a context and the one sent as `base_rev`; absent fields did not change.

    `checksum` is of the resulting context (see `delta.checksum`).
    """

    checksum: Annotated[bytes, Meta(min_length=8, max_length=8)]
    before: Splice | None = None
    typed: Splice | None = None
    tail: Splice | None = None
    after: Splice | None = None
    snippets: Annotated[list[Snippet], Meta(max_length=MAX_SNIPPETS)] | None = None
    path: PathText | None = None
    language: Name | None = None


class ModelInfo(Struct, frozen=True, kw_only=True):
    """A model that can answer: its name, its tier and its context length in tokens."""

    name: Key
    tier: Tier = "small"
    context_tokens: Count = 0


class Limits(Struct, frozen=True, kw_only=True):
    """What the accepting side will take: frame size in bytes, requests in flight per session."""

    frame_bytes: Annotated[int, Meta(ge=1_024, le=64 * 1_048_576)] = 1_048_576
    in_flight: Annotated[int, Meta(ge=1, le=65_536)] = 64


class Hello(Frame, frozen=True, kw_only=True, tag="hello"):
    """First frame of a session, from the connecting side."""

    version_min: Count = VERSION_MIN
    version_max: Count = VERSION_MAX
    token: Credential = ""
    client: Name = ""
    client_version: Name = ""
    features: Annotated[list[Name], Meta(max_length=64)] = []


class Welcome(Frame, frozen=True, kw_only=True, tag="welcome"):
    """Answer to `hello`: the version chosen and what the session may do. `heartbeat_ms` is between WebSocket pings."""

    version: Count = VERSION_MAX
    session: Key
    region: Name = ""
    server: Name = ""
    models: Annotated[list[ModelInfo], Meta(max_length=MAX_MODELS)] = []
    limits: Limits = Limits()
    heartbeat_ms: BudgetMs = 20_000


class Complete(Frame, frozen=True, kw_only=True, tag="complete"):
    """Client to proxy: a completion is wanted.

    `doc` is an HMAC of the document's URI under a key of the installation; `rev` numbers the contexts of `doc`,
    and a `Delta` refers to `base_rev`. `supersedes` lists requests this one makes pointless. `objective_ms` is
    the latency the metrics judge, `give_up_ms` the remaining time after which an answer is worthless.
    """

    id: Id
    doc: Key
    rev: Revision
    base_rev: Revision | None = None
    context: Context | Delta
    max_tokens: Annotated[int, Meta(ge=1, le=MAX_TOKENS)] = 64
    lines: Lines = "single"
    stop: Stops = []
    kind: Kind = "automatic"
    supersedes: Ids = []
    objective_ms: BudgetMs = 200
    give_up_ms: BudgetMs = 2_000
    trace: Name = ""


class Submit(Frame, frozen=True, kw_only=True, tag="submit"):
    """Proxy (or language server) to worker: generate. `priority`: lower runs first; newest first is `-sequence`.

    `cache_salt` separates tenants in the engine's prefix cache; `adapter` names a LoRA adapter.
    """

    id: Id
    doc: Name = ""
    context: Context
    max_tokens: Annotated[int, Meta(ge=1, le=MAX_TOKENS)] = 64
    lines: Lines = "single"
    stop: Stops = []
    kind: Kind = "automatic"
    priority: Signed = 0
    adapter: Name = ""
    tier: Name = ""
    cache_salt: Name = ""
    objective_ms: BudgetMs = 200
    give_up_ms: BudgetMs = 2_000
    trace: Name = ""


class Cancel(Frame, frozen=True, kw_only=True, tag="cancel"):
    """Stop these requests; each still gets its one `done`, with reason `cancelled` unless it had finished."""

    ids: Ids


class Promote(Frame, frozen=True, kw_only=True, tag="promote"):
    """Proxy to worker: somebody who waits reads the answer to this `submit` too; it goes on as if it had these values.

    Unknown and finished ids are ignored, and so is what would make a request less urgent.
    """

    id: Id
    kind: Kind
    priority: Signed = 0
    give_up_ms: BudgetMs = 2_000


class TokenBatch(Struct, frozen=True, kw_only=True, array_like=True):
    """New text of one answer, on the wire an array `[id, offset, text, tokens]`.

    `offset` is where `text` starts in the answer, in code points; `tokens` is how many tokens it took.
    """

    id: Id
    offset: Count
    text: Text
    tokens: Count


class Tokens(Frame, frozen=True, kw_only=True, tag="tokens"):
    """Generated text of one or more answers, whole code points only."""

    items: Annotated[list[TokenBatch], Meta(max_length=MAX_IDS)]


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of the prompt, those of them not evaluated again (KV cache), and those generated."""

    prompt_tokens: Count = 0
    reused_tokens: Count = 0
    generated_tokens: Count = 0


class Timings(Struct, frozen=True, kw_only=True):
    """Residence times measured by the answering side's monotonic clock, in milliseconds."""

    queue_ms: NonNegative = 0.0
    first_token_ms: NonNegative = 0.0
    total_ms: NonNegative = 0.0


class Done(Frame, frozen=True, kw_only=True, tag="done"):
    """The end of an answer; exactly one per request. `message` says why when `reason` is `shed` or `error`.

    `mean_logprob` and `first_logprob` are natural logarithms of the chosen tokens' probabilities.
    """

    id: Id
    reason: DoneReason
    source: Source = "worker"
    model: Name = ""
    arm: Name = ""
    usage: Usage = Usage()
    timings: Timings = Timings()
    mean_logprob: float | None = None
    first_logprob: float | None = None
    message: Sentence = ""


class Credit(Frame, frozen=True, kw_only=True, tag="credit"):
    """Worker to proxy: the balance of submits it will take changes by `grant` (negative withdraws).

    A proxy starts at 0, each `submit` costs 1, and it submits only while its balance is above 0; a withdrawal may
    leave it below 0.
    """

    grant: Annotated[int, Meta(ge=-65_536, le=65_536)]


class Stats(Frame, frozen=True, kw_only=True, tag="stats"):
    """Worker to proxy: its load. `kv_use` is a share from 0 to 1, `step_ms` the last decode steps' mean.

    `flops_use` and `bandwidth_use` estimate the shares (0 to 1) of the device's arithmetic (MFU) and memory bandwidth
    that those steps used; 0 where the worker cannot tell.
    """

    running: Count = 0
    waiting: Count = 0
    kv_use: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    step_ms: NonNegative = 0.0
    tokens_per_s: NonNegative = 0.0
    flops_use: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    bandwidth_use: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    draining: bool = False


class FeedbackMinute(Struct, frozen=True, kw_only=True):
    """What became of suggestions in one minute; `minute` counts from the Unix epoch."""

    minute: Count
    shown: Count = 0
    accepted: Count = 0
    partial: Count = 0
    dismissed: Count = 0
    characters: Count = 0


class Feedback(Frame, frozen=True, kw_only=True, tag="feedback"):
    """Client to proxy, only with telemetry on: counts, never text."""

    minutes: Annotated[list[FeedbackMinute], Meta(max_length=MAX_MINUTES)]


class Forget(Frame, frozen=True, kw_only=True, tag="forget"):
    """Client to proxy: these documents were closed; their contexts can go."""

    docs: Annotated[list[Key], Meta(max_length=MAX_IDS)]


class Auth(Frame, frozen=True, kw_only=True, tag="auth"):
    """Client to proxy: a refreshed token for the running session."""

    token: Credential


class Resend(Frame, frozen=True, kw_only=True, tag="resend"):
    """Proxy to client: the delta of request `id` could not be applied; send `doc`'s full context again.

    At most one is outstanding per document; the request it names is answered by what is sent again under the same id.
    """

    id: Id
    doc: Key


class Error(Frame, frozen=True, kw_only=True, tag="error"):
    """Something was wrong: a code for programs, a sentence for people. `id` names the request, if it was about one."""

    code: ErrorCode
    message: Sentence = ""
    retry_after_ms: BudgetMs | None = None
    id: Id | None = None


class GoAway(Frame, frozen=True, kw_only=True, tag="goaway"):
    """This side is about to leave: finish what is in flight within `within_ms`, send nothing new, move elsewhere."""

    within_ms: BudgetMs = 0
    reason: Sentence = ""


AnyFrame = (
    Hello
    | Welcome
    | Complete
    | Submit
    | Cancel
    | Promote
    | Tokens
    | Done
    | Credit
    | Stats
    | Feedback
    | Forget
    | Auth
    | Resend
    | Error
    | GoAway
)

FromClient = Hello | Complete | Cancel | Feedback | Forget | Auth | Error
"""What a proxy accepts from a client."""
ToClient = Welcome | Tokens | Done | Resend | Error | GoAway
"""What a client accepts from a proxy."""
FromProxy = Hello | Submit | Cancel | Promote | Forget | Auth | Error
"""What a worker accepts from a proxy or a language server."""
ToProxy = Welcome | Tokens | Done | Credit | Stats | Error | GoAway
"""What a proxy or a language server accepts from a worker."""
