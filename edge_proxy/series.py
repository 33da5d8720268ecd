"""Counters, gauges and histograms for one thread, rendered by prometheus_client: an update costs a tenth of its own.

prometheus_client takes a lock and several calls for each update, and a completion has some thirty of them. Everything
here happens in one event loop, so plain numbers do; only a scrape builds prometheus_client's own objects.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Number:
    """A count or a level."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, by: float = 1.0) -> None:
        """Add."""
        self.value += by

    def dec(self, by: float = 1.0) -> None:
        """Take away; levels only."""
        self.value -= by

    def set(self, value: float) -> None:
        """Replace; levels only."""
        self.value = value


class Distribution:
    """Observations in buckets."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """`bounds`: upper and inclusive, ascending; the last bucket, without bound, is added."""
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """One more, or several alike."""
        self.counts[bisect_left(self._bounds, value)] += times
        self.total += value * times


class Numbers:
    """The counters or gauges of one name, by the values of their labels; each is made when it is first asked for."""

    def __init__(self, name: str, help: str, labels: Sequence[str]) -> None:
        self.name: Final = name
        self.help: Final = help
        self.label_names: Final = labels
        self.made: Final[dict[tuple[str, ...], Number]] = {}

    def labels(self, *values: str) -> Number:
        """The one with these label values."""
        found = self.made.get(values)
        if found is None:
            found = self.made[values] = Number()
        return found


class Distributions:
    """The histograms of one name over the same bounds, by the values of their labels."""

    def __init__(self, name: str, help: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self.name: Final = name
        self.help: Final = help
        self.label_names: Final = labels
        self.bounds: Final = bounds
        self.made: Final[dict[tuple[str, ...], Distribution]] = {}

    def labels(self, *values: str) -> Distribution:
        """The one with these label values."""
        found = self.made.get(values)
        if found is None:
            found = self.made[values] = Distribution(self.bounds)
        return found


class SeriesCollector(Collector):
    """What a registry of prometheus_client asks at a scrape."""

    def __init__(self) -> None:
        self.counters: Final[list[Numbers]] = []
        self.gauges: Final[list[Numbers]] = []
        self.histograms: Final[list[Distributions]] = []

    def collect(self) -> Iterator[Metric]:
        """All series as they are now."""
        for numbers in self.counters:
            counter = CounterMetricFamily(numbers.name, numbers.help, labels=numbers.label_names)
            for values, number in numbers.made.items():
                counter.add_metric(values, number.value)
            yield counter
        for numbers in self.gauges:
            gauge = GaugeMetricFamily(numbers.name, numbers.help, labels=numbers.label_names)
            for values, number in numbers.made.items():
                gauge.add_metric(values, number.value)
            yield gauge
        for family in self.histograms:
            histogram = HistogramMetricFamily(family.name, family.help, labels=family.label_names)
            for values, distribution in family.made.items():
                histogram.add_metric(values, _cumulative(family.bounds, distribution), distribution.total)
            yield histogram


def _cumulative(bounds: Sequence[float], distribution: Distribution) -> list[tuple[str, float]]:
    buckets, sum_so_far = [], 0
    for bound, count in zip((*bounds, float("inf")), distribution.counts, strict=True):
        sum_so_far += count
        buckets.append((_go_string(bound), float(sum_so_far)))
    return buckets


def _go_string(bound: float) -> str:
    """As Prometheus writes a bucket's bound."""
    return "+Inf" if bound == float("inf") else repr(bound)
