"""The source that the settings ask for."""

from __future__ import annotations

from lsp_server.settings import EdgeSettings, Settings
from lsp_server.sources.edge import EdgeSource
from lsp_server.sources.failover import FailoverSource
from lsp_server.sources.local import LocalSource
from lsp_server.sources.outward import Outward
from lsp_server.sources.traced import TracedEdgeSource, tracer_provider


def build_source(settings: Settings) -> FailoverSource:
    """Edge and local model as configured; nothing connects before `start`."""
    if not settings.enabled:  # connect to nobody, and start no process, for suggestions that are switched off
        return FailoverSource(None, None)
    urls = settings.edge.urls
    edge = _edge(settings) if urls else None
    local = LocalSource(settings.local.model) if settings.local.enabled else None
    return FailoverSource(edge, local)


def _edge(settings: Settings) -> EdgeSource:
    urls, token, way = settings.edge.urls, settings.edge.token, outward(settings.edge)
    provider = tracer_provider() if settings.telemetry.enabled else None
    return EdgeSource(urls, token, way) if provider is None else TracedEdgeSource(urls, token, way, provider)


def outward(edge: EdgeSettings) -> Outward:
    """Proxy and TLS as configured; nothing is read yet."""
    return Outward(edge.proxy, edge.ca_file, edge.client_cert, edge.client_key)
