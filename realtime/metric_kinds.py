"""The kinds of metrics that we have beside those of prometheus_client, and how workers join each gauge.

Counters and histograms of several workers add up. A gauge says it itself: the sum of the sessions, but the highest of
the lags (`server/metrics_sum.py` joins them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

Join = Callable[[float, float], float]


def added(one: float, other: float) -> float:
    """For what each worker has of its own."""
    return one + other


@dataclass(frozen=True, slots=True)
class Joined:
    """How the numbers of two workers become one, if each counts its own part of the account, and if Redis counts it."""

    apart: Join
    shared: Join


class Registry(CollectorRegistry):
    """The metrics of one server; `joined` says of each gauge, by its name, how workers join it."""

    def __init__(self) -> None:
        super().__init__()
        self.joined: dict[str, Joined] = {}

    def gauge(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        joined: Join,
        shared: Join | None = None,
    ) -> Gauge:
        """A new gauge. `joined` makes one number of those of two workers; `shared` instead, if Redis counts the
        account."""
        self.joins(name, joined, shared)
        return Gauge(name, documentation, labels, registry=self)

    def joins(self, name: str, joined: Join, shared: Join | None = None) -> None:
        """The same for a gauge that is there."""
        self.joined[name] = Joined(joined, shared or joined)


class Traffic(Collector):
    """A counter of bytes by direction, for every message: adding to a plain number costs a tenth of `Counter.inc`."""

    def __init__(self, name: str, documentation: str, registry: Registry) -> None:
        self.received = self.sent = 0
        self._name = name
        self._documentation = documentation
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """For the registry, whenever the metrics are read."""
        family = CounterMetricFamily(self._name, self._documentation, labels=["direction"])
        family.add_metric(["in"], self.received)
        family.add_metric(["out"], self.sent)
        yield family


class Permits(Collector):
    """What became of the permits of each kind of request, read when the metrics are read."""

    def __init__(self, registry: Registry) -> None:
        self._counts: dict[tuple[str, str], Callable[[], Mapping[str, int]]] = {}  # by kind and account
        registry.register(self)

    def show(self, kind: str, counts: Callable[[], Mapping[str, int]], account: str = "") -> None:
        """Ask `counts` for the number of each outcome. `account` is its name where there are several."""
        self._counts[kind, account] = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """For the registry."""
        documentation = "Permits for requests: those asked for, and what became of them"
        labels = _labels(self._counts, "outcome")
        family = CounterMetricFamily("realtime_budget_permits", documentation, labels=labels)
        for (kind, account), counts in self._counts.items():
            for outcome, number in counts().items():
                family.add_metric([kind, outcome, account][: len(labels)], number)
        yield family


class Budget(Collector):
    """A number of each kind of request, and of each account where there are several, read when the metrics are read."""

    def __init__(
        self, name: str, documentation: str, registry: Registry, *, joined: Join, shared: Join | None = None
    ) -> None:
        self._name, self._documentation = name, documentation
        self._read: dict[tuple[str, str], Callable[[], float]] = {}  # by kind and account
        registry.joins(name, joined, shared)
        registry.register(self)

    def show(self, kind: str, read: Callable[[], float], account: str = "") -> None:
        """Ask `read` for the number."""
        self._read[kind, account] = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """For the registry."""
        labels = _labels(self._read)
        family = GaugeMetricFamily(self._name, self._documentation, labels=labels)
        for (kind, account), read in self._read.items():
            family.add_metric([kind, account][: len(labels)], read())
        yield family


def _labels(shown: Iterable[tuple[str, str]], *more: str) -> list[str]:
    """With the account only where one is named: without several accounts nothing is added."""
    named = any(account for _, account in shown)
    return ["kind", *more, "account"] if named else ["kind", *more]
