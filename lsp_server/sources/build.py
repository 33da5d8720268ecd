"""The source that the settings ask for."""

from __future__ import annotations

from lsp_server.settings import Settings
from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.failover import FailoverSource
from lsp_server.sources.local import LocalSource


def build_source(settings: Settings) -> FailoverSource:
    """Edge and local model as configured; nothing connects before `start`."""
    if not settings.enabled:  # connect to nobody, and start no process, for suggestions that are switched off
        return FailoverSource(None, None)
    edge = EdgeSource(settings.edge.urls, settings.edge.token) if settings.edge.urls else None
    local = LocalSource(settings.local.model) if settings.local.enabled else None
    return FailoverSource(edge, local)
