"""The contract of an engine: requests in, batches of text out, exactly one `Finished` each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from wire_protocol.frames import Context, DoneReason, Kind, Lines, ModelInfo, Timings, Usage

KIND_RANK: dict[Kind, int] = {"invoked": 0, "automatic": 1, "prefetch": 2}
"""Which kind of request goes first: lower runs first."""


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to generate. `key` is unique in the process; `give_up_ms` counts from the call of `generate`.

    `doc` names the document (a hint for reuse of its KV cache), `cache_salt` the tenant: nothing that was computed
    for one salt is ever reused for another. `adapter` names a LoRA adapter that the engine has; empty for none.
    """

    key: int
    context: Context
    doc: str = ""
    max_tokens: int = 64
    lines: Lines = "single"
    stop: tuple[str, ...] = ()
    kind: Kind = "automatic"
    priority: int = 0
    cache_salt: str = ""
    adapter: str = ""
    give_up_ms: float = 2_000.0

    @property
    def rank(self) -> tuple[int, int]:
        """Sort key of urgency: lower runs first."""
        return KIND_RANK[self.kind], self.priority


@dataclass(frozen=True, slots=True)
class Chunk:
    """New text of an answer (whole code points) and how many tokens it took since the last chunk."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer; `message` says why when `reason` is `shed` or `error`.

    `model` names the model that answered, where that may not be the engine's present one.
    """

    reason: DoneReason
    usage: Usage = field(default_factory=Usage)
    timings: Timings = field(default_factory=Timings)
    mean_logprob: float | None = None
    first_logprob: float | None = None
    message: str = ""
    model: str = ""


Event = Chunk | Finished


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Load: requests running and waiting, share of the KV cache in use (0 to 1), mean of the last steps.

    `flops_use` and `bandwidth_use` estimate which share of the device's arithmetic and memory bandwidth those steps
    used (0 to 1; 0 where it is not known); see gpu_worker/estimates.py.
    """

    running: int = 0
    waiting: int = 0
    kv_use: float = 0.0
    step_ms: float = 0.0
    tokens_per_s: float = 0.0
    flops_use: float = 0.0
    bandwidth_use: float = 0.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the engine can answer now; `message` says what is wrong when it cannot.

    `fatal` means that it never will again: the worker should end, so that whoever started it starts another.
    """

    ready: bool
    message: str = ""
    fatal: bool = False


class Engine(ABC):
    """What a worker hosts. All methods are called from one event loop."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The engine's kind, as `--engine` names it."""

    @property
    @abstractmethod
    def model(self) -> ModelInfo:
        """The model that answers; valid after `start`."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """How many requests run at once; valid after `start`."""

    @abstractmethod
    async def start(self) -> None:
        """Load and warm up. Raises WorkerError with a sentence when that cannot be."""

    @abstractmethod
    def readiness(self) -> Readiness:
        """Whether requests can be answered now."""

    @abstractmethod
    def generate(self, request: Request) -> AsyncIterator[Event]:
        """Chunks as they are generated, then one Finished. Raises nothing: failures are `Finished`.

        Closing the iterator early cancels.
        """

    @abstractmethod
    def cancel(self, key: int) -> None:
        """Stop a request; its iterator soon ends with `cancelled`. Unknown and finished keys are ignored."""

    def promote(self, key: int, kind: Kind, priority: int, give_up_ms: float) -> None:  # noqa: B027
        """A request goes on as if it had come with these values, `give_up_ms` from now; never less urgently.

        Unknown and finished keys are ignored. An engine that cannot reorder what it runs does nothing.
        """

    @abstractmethod
    def forget(self, docs: Iterable[str]) -> None:
        """These documents were closed: what is kept for them can go first."""

    @abstractmethod
    def stats(self) -> EngineStats:
        """The load now."""

    def has_adapter(self, name: str) -> bool:
        """Whether requests may name this LoRA adapter."""
        return False

    def prometheus(self) -> bytes:
        """What the engine itself gives Prometheus, as text to append to the worker's own."""
        return b""

    def drain(self) -> None:  # noqa: B027
        """The worker is about to leave: what runs goes on, but nothing is repaired or restarted any more."""

    @abstractmethod
    async def close(self) -> None:
        """Stop everything and free it; requests in flight end with `cancelled`."""
