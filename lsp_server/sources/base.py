"""What every source of completions is to the completer: a request in, pieces of text and one end out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from wire_protocol.frames import Context, DoneReason, Kind, Lines, Timings, Usage
from wire_protocol.frames import Source as Served

SourceName = Literal["edge", "local"]
SourceState = Literal["off", "connecting", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """A completion wanted by the completer.

    `id` is unique in this process. `doc` is the document's key (HMAC of its URI). `supersedes` names earlier requests
    that this one makes pointless. Budgets are remaining milliseconds.
    """

    id: int
    doc: str
    context: Context
    max_tokens: int = 64
    lines: Lines = "single"
    stop: tuple[str, ...] = ()
    kind: Kind = "automatic"
    supersedes: tuple[int, ...] = ()
    objective_ms: int = 200
    give_up_ms: int = 2_000
    trace: str = ""
    """W3C trace context of whoever traces it; "" for nobody."""


@dataclass(frozen=True, slots=True)
class Piece:
    """New text of the answer, in order, whole code points; `source` says who produced it."""

    text: str
    source: SourceName


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer; `message` says why when `reason` is `shed` or `error`.

    `served` says how the source came by it: generated, from its cache, or from a generation that already ran.
    """

    reason: DoneReason
    source: SourceName
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    mean_logprob: float | None = None
    first_logprob: float | None = None
    message: str = ""
    served: Served = "worker"


class SourceUnavailableError(Exception):
    """This source cannot answer now; the sentence says why and is fit for the log and for `doctor`."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """For the status bar, `doctor` and the log: `detail` is one sentence. `first_token_ms` is a recent median,
    `context_tokens` what the model that answers takes at most; 0 if it is not known."""

    name: SourceName
    state: SourceState
    detail: str = ""
    first_token_ms: float | None = None
    context_tokens: int = 0


class Source(Protocol):
    """A source of completions. `start` and `close` are called once; `generate` any number of times at once."""

    async def start(self) -> None:
        """Begin connecting in the background; returns at once and never raises for an unreachable peer."""
        ...

    async def close(self) -> None:
        """Release everything; running generations end with `Ended(reason="cancelled")`."""
        ...

    def generate(self, request: SourceRequest) -> AsyncGenerator[Piece | Ended, None]:
        """Stream the answer: any number of `Piece`, then exactly one `Ended`.

        Raises `SourceUnavailableError` if nothing was produced and nothing can be: at once when the source is known
        to be down, after waiting at most `give_up_ms` while it is still starting. Cancelling the consuming task, or
        `aclose()`, cancels the generation at its producer in-band, at once.
        """
        ...

    def forget(self, doc: str) -> None:
        """The document was closed: drop what is kept for it."""
        ...

    def statuses(self) -> list[SourceStatus]:
        """The present state of this source (and of those it is composed of)."""
        ...


@runtime_checkable
class ReadsAhead(Protocol):
    """A source that can get ready for a document before anything is asked for in it."""

    def warm(self, doc: str, context: Context) -> None:
        """A person may soon type at `context`."""
        ...


@runtime_checkable
class TakesMemory(Protocol):
    """A source on this machine."""

    def memory_bytes(self) -> int | None:
        """What its process takes now; None if that is not known."""
        ...
