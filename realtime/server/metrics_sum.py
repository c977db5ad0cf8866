"""The metrics of several workers as those of one server: counters and histograms add up, and never run backwards.
Each gauge says itself how it is joined (`metrics.py`).

What a worker counted stays when it is gone. Knows the Prometheus text format; does not know how the texts come here
(docs/operations.md, "Metrics").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from realtime.metric_kinds import Join, Joined, added
from realtime.metrics import joined_gauges

Key = tuple[str, tuple[tuple[str, str], ...]]  # the name and the labels of a sample
Families = list[Metric]

_ADD_UP = ("counter", "histogram", "summary")


class MetricsSum:
    """Keeps the last text of each worker, and the counts of those that are gone."""

    def __init__(self) -> None:
        self._last: dict[int, Families] = {}
        self._gone: Families = []
        self._joined = joined_gauges()

    def reported(self, worker: int, text: str) -> None:
        """This is what the worker counts now."""
        self._last[worker] = list(text_string_to_metric_families(text))

    def ended(self, worker: int) -> None:
        """The worker is gone: another one with the same number begins at zero."""
        counts = [family for family in self._last.pop(worker, []) if _is_kept(family)]
        self._gone = self._summed([self._gone, counts])

    def text(self, more: Iterable[Metric] = ()) -> str:
        """The exposition text of all of them, followed by these."""
        families = [*self._summed([*self._last.values(), self._gone]), *more]
        return generate_latest(_Collected(families)).decode()

    def _summed(self, sources: Iterable[Families]) -> Families:
        return summed(sources, self._joined)


def summed(sources: Iterable[Families], joined: Mapping[str, Joined]) -> Families:
    """One family of each name, in the order in which they come."""
    families: dict[str, Metric] = {}
    values: dict[str, dict[Key, float]] = {}
    every = [family for source in sources for family in source]
    shared = any(map(_has_shared_account, every))
    for family in every:
        families.setdefault(family.name, family)
        known = values.setdefault(family.name, {})
        combine = _combine(family, joined.get(family.name), shared=shared)
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            known[key] = combine(known[key], sample.value) if key in known else sample.value
    return [_filled(family, values[name]) for name, family in families.items()]


def _has_shared_account(family: Metric) -> bool:
    """Redis may also keep sessions and conversations alone."""
    return family.name == "realtime_budget_nodes" and bool(family.samples)


def _combine(family: Metric, joined: Joined | None, *, shared: bool) -> Join:
    if family.type in _ADD_UP:
        return added
    if family.name.endswith("_created"):
        return min
    if family.name.endswith("_info"):
        return max
    if joined is None:
        return added
    return joined.shared if shared else joined.apart


def _is_kept(family: Metric) -> bool:
    """Whether it counts: what is now is over when a worker is gone."""
    return family.type in _ADD_UP or family.name.endswith("_created")


def _filled(family: Metric, values: dict[Key, float]) -> Metric:
    filled = Metric(family.name, family.documentation, family.type)
    filled.samples = [Sample(name, dict(labels), value) for (name, labels), value in values.items()]
    return filled


class _Collected(CollectorRegistry):
    """Families as a registry, for `generate_latest`."""

    def __init__(self, families: Families) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families
