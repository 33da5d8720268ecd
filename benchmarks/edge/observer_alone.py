"""What the observer alone takes of the CPU per completion, in this process: other load hardly disturbs it."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import Final

from edge_proxy.breaker import Breaker
from edge_proxy.metrics import Metrics
from edge_proxy.requests import Ask, Finished, Generation, Request, Text
from edge_proxy.telemetry.logs import JsonLines, requests_logger
from edge_proxy.telemetry.observer import Observer
from edge_proxy.telemetry.settings import CostSettings, TracingSettings
from edge_proxy.telemetry.tenants import Tenants
from edge_proxy.telemetry.tracing import OtlpExporter, Tracing
from edge_proxy.workers import Worker
from wire_protocol.frames import Context, Done, Timings, Usage

CHUNKS: Final = 8
COMPLETIONS: Final = 5_000
REPEATS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is switched on; `endpoint` is a collector's."""

    name: str
    usd_per_hour: float = 0.0
    endpoint: str = ""
    log: bool = False


def seconds(telling: Telling) -> float:
    """CPU per completion, the least of some repeats: of what the observer is told, all threads included."""
    metrics, clock = Metrics(), time.monotonic
    tracing = None
    if telling.endpoint:
        exporter = OtlpExporter(telling.endpoint, clock, time.time, "", "bench")
        settings = TracingSettings(endpoint=telling.endpoint, ratio=0.01, per_second=1e6)
        tracing = Tracing(settings, exporter, clock, random.Random(1).random)
    prices = CostSettings(usd_per_hour=telling.usd_per_hour)
    observer = Observer(metrics, clock, prices, Tenants(20, clock), tracing, telling.log)
    worker = Worker("w", lambda: None, Breaker(clock))
    worker.connected, worker.credits = True, 64
    observer.connected(worker)
    handler = logging.NullHandler()
    if telling.log:
        handler = _Formatting()
        requests_logger.addHandler(handler)
        requests_logger.setLevel(logging.INFO)
        requests_logger.propagate = False
    try:
        best = min(_round(observer, worker) for _ in range(REPEATS))
    finally:
        requests_logger.removeHandler(handler)
        if tracing is not None:
            tracing.close()
    return best


class _Formatting(logging.Handler):
    """Makes the line, and writes it nowhere."""

    def emit(self, record: logging.LogRecord) -> None:
        JsonLines().format(record)


def _round(observer: Observer, worker: Worker) -> float:
    made = [_completion(number) for number in range(COMPLETIONS)]
    clock = time.monotonic
    begin = time.process_time()
    for number, (generation, texts, outcome) in enumerate(made):
        worker.running[number] = generation
        observer.submitted(worker, generation, clock())
        for text in texts:
            observer.text(text)
        observer.worker_done(worker, generation, outcome.done, 10)
        observer.finished(outcome)
        del worker.running[number]
    return (time.process_time() - begin) / COMPLETIONS


def _completion(number: int) -> tuple[Generation, list[Text], Finished]:
    now = time.monotonic()
    ask = Ask(session=1, id=number, tenant="acme", doc="d", context=Context())
    request = Request(ask=ask, seq=number, arrived=now, deadline=now + 2.0, started=now, first_text=now)
    generation = request.generation = Generation(ask=ask, seq=number, worker_id=number, submitted=now, submits=1)
    timings = Timings(first_token_ms=20.0, total_ms=90.0)
    usage = Usage(prompt_tokens=400, reused_tokens=390, generated_tokens=CHUNKS)
    done = Done(id=number, reason="stop", usage=usage, timings=timings)
    texts = [Text(request, 8 * index, "x" * 8, 1, index == 0) for index in range(CHUNKS)]
    return generation, texts, Finished(request, done, "worker_stop")
