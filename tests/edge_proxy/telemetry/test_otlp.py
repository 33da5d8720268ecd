"""The way to OpenTelemetry: without its packages, and without a collector that answers."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from edge_proxy.errors import StartError
from edge_proxy.telemetry.spans import Span
from edge_proxy.telemetry.tracing import SEND_SECONDS, OtlpExporter


def test_without_the_packages_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(StartError, match=r"pip install 'foretype\[telemetry\]'"):
        OtlpExporter("http://127.0.0.1:1/v1/traces", time.monotonic, time.time, "", "0")


def test_a_collector_that_is_down_holds_nobody_up() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        exporter = OtlpExporter(
            f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/traces", time.monotonic, time.time, "", "0"
        )
        began = time.monotonic()
        for _ in range(100):
            exporter.export([Span("completion", began, began + 0.1), Span("queue", began, began)], None)
        assert time.monotonic() - began < 1.0
        exporter.close()
        assert time.monotonic() - began < 5 * SEND_SECONDS
