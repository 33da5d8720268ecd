"""The cheap series render as prometheus_client's own do."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edge_proxy.series import Distributions, Numbers, SeriesCollector

BOUNDS = (0.001, 0.5, 10.0)


def samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_counters_gauges_and_histograms_read_alike() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    series = SeriesCollector()
    series.counters.append(Numbers("asked", "Asked.", ("kind",)))
    series.gauges.append(Numbers("live", "Live.", ()))
    series.histograms.append(Distributions("wait_seconds", "Wait.", ("kind",), BOUNDS))
    ours.register(series)
    asked = Counter("asked", "Asked.", ("kind",), registry=theirs)
    live = Gauge("live", "Live.", registry=theirs)
    wait = Histogram("wait_seconds", "Wait.", ("kind",), registry=theirs, buckets=BOUNDS)
    for kind, seconds in (("a", 0.0005), ("a", 0.001), ("b", 0.7), ("b", 100.0)):
        for counter in (series.counters[0].labels(kind), asked.labels(kind)):
            counter.inc()
            counter.inc(2)
        for histogram in (series.histograms[0].labels(kind), wait.labels(kind)):
            histogram.observe(seconds)
    for gauge in (series.gauges[0].labels(), live):
        gauge.set(5)
        gauge.dec()
    assert samples(ours) == samples(theirs)
