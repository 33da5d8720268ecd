"""The one word for the status bar, from the settings and the state of each source; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lsp_server.gate import SWITCHED_OFF
from lsp_server.settings import Settings
from lsp_server.sources.base import SourceStatus

State = Literal["online", "local", "off", "error"]


@dataclass(frozen=True, slots=True)
class Status:
    """`detail` is one sentence for a tooltip."""

    state: State
    detail: str


def overall(settings: Settings, sources: Sequence[SourceStatus]) -> Status | None:
    """Where suggestions come from now; None while that is being found out."""
    if not settings.enabled:
        return Status("off", SWITCHED_OFF)
    by_name = {status.name: status for status in sources}
    edge, local = by_name.get("edge"), by_name.get("local")
    if edge is not None and edge.state == "ready":
        return Status("online", edge.detail or "Suggestions come from the edge.")
    if local is not None and local.state == "ready":
        away = f" The edge does not answer: {edge.detail}" if edge is not None and edge.detail else ""
        return Status("local", f"Suggestions come from the model on this machine.{away}")
    if any(status.state == "connecting" for status in sources):
        return None
    details = " ".join(status.detail for status in sources if status.detail)
    return Status("error", details or "Nothing can answer: set edge.urls, or local.enabled to true.")


def report(
    status: Status | None, sources: Sequence[SourceStatus], server: int | None, worker: int | None
) -> dict[str, Any]:
    """The answer to the request `foretype/status`. `server`, `worker`: bytes of memory they take, None if not known."""
    return {
        "state": "connecting" if status is None else status.state,
        "detail": "" if status is None else status.detail,
        "sources": [
            {
                "name": source.name,
                "state": source.state,
                "detail": source.detail,
                "firstTokenMs": source.first_token_ms,
                "contextTokens": source.context_tokens or None,
            }
            for source in sources
        ],
        "memoryBytes": {"server": server, "localWorker": worker},
    }
