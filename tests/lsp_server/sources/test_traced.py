"""Requests to the edge are traced only for who wants it."""

from __future__ import annotations

import sys

import pytest

from lsp_server.settings import EdgeSettings, Settings
from lsp_server.sources import traced
from lsp_server.sources.base import SourceRequest
from lsp_server.sources.build import build_source
from lsp_server.sources.edge_dialect import EdgeDialect
from wire_protocol.frames import Complete, Context

ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in traced.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)


def test_without_a_collector_nothing_traces() -> None:
    assert traced.tracer_provider() is None


def test_a_collector_alone_does_not_turn_telemetry_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1/v1/traces")
    monkeypatch.setattr(traced, "TracedEdgeSource", None)  # making one would fail
    settings = Settings(edge=EdgeSettings(urls=("ws://127.0.0.1:1/v1/session",)))
    assert not settings.telemetry.enabled
    build_source(settings)


def test_without_the_packages_the_log_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1/v1/traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert traced.tracer_provider() is None
    assert "pip install 'foretype[telemetry]'" in caplog.text


def test_the_trace_of_a_request_is_on_the_wire() -> None:
    request = SourceRequest(id=1, doc="d", context=Context(before="x"), trace="00-a-b-01")
    (frame,) = EdgeDialect().ask(request, {}).send
    assert isinstance(frame, Complete)
    assert frame.trace == "00-a-b-01"
