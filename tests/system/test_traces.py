"""One keystroke through the three real programs is one trace: client, queue, prefill and decode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from otlp_collector import FakeCollector, Received
from stack import Stack

WITHIN = 20.0
SPANS = {"client", "completion", "queue", "prefill", "decode"}


@pytest.fixture
async def collector() -> AsyncIterator[FakeCollector]:
    made = FakeCollector()
    await made.start()
    yield made
    await made.stop()


def whole_trace(spans: list[Received]) -> dict[str, Received] | None:
    """The spans by name of a trace that has all of them."""
    for trace in {span.trace for span in spans}:
        named = {span.name: span for span in spans if span.trace == trace}
        if set(named) == SPANS:
            return named
    return None


async def test_a_keystroke_s_trace_shows_client_queue_prefill_and_decode(
    stack: Stack, collector: FakeCollector
) -> None:
    (stack.folder / "proxy.toml").write_text(f'[tracing]\nendpoint = "{collector.url}"\nratio = 0.0\n')
    proxy = stack.proxy_to("worker", more=["--config", str(stack.folder / "proxy.toml")])
    stack.configure(local=False, more="telemetry.enabled = true")
    stack.environment |= {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    await asyncio.gather(stack.worker.start(), proxy.start())
    await stack.start_editor()
    await stack.until_suggested_by("edge")

    spans = await collector.until(whole_trace, WITHIN)
    client, completion = spans["client"], spans["completion"]
    assert (client.service, client.parent) == ("foretype-lsp", "")
    assert (completion.service, completion.parent) == ("foretype-proxy", client.id)
    assert all(spans[name].parent == completion.id for name in ("queue", "prefill", "decode"))
    begin = [spans[name].begin for name in ("completion", "queue", "prefill", "decode")]
    assert begin == sorted(begin)
    assert client.begin < client.end
    assert spans["prefill"].end <= spans["decode"].end
    assert spans["prefill"].attributes["foretype.worker"].endswith("worker.sock")
    assert all("subtract" not in repr(span.attributes) for span in collector.spans)
