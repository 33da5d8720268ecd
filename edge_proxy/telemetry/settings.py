"""The tables `[cost]`, `[tracing]` and `[metrics]`, and the form of the log."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Usd = Annotated[float, Meta(ge=0.0, le=10_000.0)]
LogFormat = Literal["text", "json"]


class CostSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[cost]` table."""

    usd_per_hour: Usd = 0.0
    """Of a worker that `workers` does not name: its GPUs, its machine, whatever it costs while it is connected."""
    workers: dict[str, Usd] = {}
    """Of a worker, by its address as the settings have it."""

    def of(self, worker: str) -> float:
        """What the worker of this name costs, in dollars an hour."""
        return self.workers.get(worker, self.usd_per_hour)


class TracingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[tracing]` table."""

    endpoint: str = ""
    """Where OTLP over HTTP goes, as `http://HOST:4318/v1/traces`; without it nothing is traced."""
    ratio: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.01
    """Share of the completions traced, of those that came without a trace of their client's."""
    follow_clients: bool = True
    """Whether a completion that its client traces is traced here, too."""
    per_second: Annotated[float, Meta(gt=0.0)] = 50.0
    """Completions traced at most, so that a client that traces everything costs little."""


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[metrics]` table."""

    tenants: Annotated[int, Meta(ge=0, le=1_000)] = 20
    """Tenants that have series of their own, the busiest ones; the others are counted together."""
