"""The one word for the status bar, from the settings and the state of each source; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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
