"""The metrics of several workers as those of one server: counters and histograms add up, and never run backwards.

What a worker counted stays when it is gone. Knows the Prometheus text format; does not know how the texts come here
(docs/operations.md, "Metrics").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

Key = tuple[str, tuple[tuple[str, str], ...]]  # the name and the labels of a sample
Families = list[Metric]

_ADD_UP = ("counter", "histogram", "summary")
# Of gauges the sum, but for these
_GAUGES: dict[str, Callable[[float, float], float]] = {
    "realtime_admission_state": min,  # a session may begin while one worker lets it
    "realtime_load_lag_seconds": max,
    "realtime_load_cpu_share": max,
    "realtime_load_memory_share": max,  # of what one worker may use
    "realtime_redis_up": min,
    "realtime_budget_nodes": max,
    "realtime_budget_limit": min,
    "realtime_account_usable": min,  # a worker that has met it knows more than the others
    "process_start_time_seconds": min,
}
# Of an account that Redis counts, each worker tells what is left for all of them
_SHARED: dict[str, Callable[[float, float], float]] = {"realtime_budget_requests_left": min}


class MetricsSum:
    """Keeps the last text of each worker, and the counts of those that are gone."""

    def __init__(self) -> None:
        self._last: dict[int, Families] = {}
        self._gone: Families = []

    def reported(self, worker: int, text: str) -> None:
        """This is what the worker counts now."""
        self._last[worker] = list(text_string_to_metric_families(text))

    def ended(self, worker: int) -> None:
        """The worker is gone: another one with the same number begins at zero."""
        counts = [family for family in self._last.pop(worker, []) if _is_kept(family)]
        self._gone = summed([self._gone, counts])

    def text(self, more: Iterable[Metric] = ()) -> str:
        """The exposition text of all of them, followed by these."""
        families = [*summed([*self._last.values(), self._gone]), *more]
        return generate_latest(_Collected(families)).decode()


def summed(sources: Iterable[Families]) -> Families:
    """One family of each name, in the order in which they come."""
    families: dict[str, Metric] = {}
    values: dict[str, dict[Key, float]] = {}
    every = [family for source in sources for family in source]
    shared = _SHARED if any(map(_has_shared_account, every)) else {}
    for family in every:
        families.setdefault(family.name, family)
        known = values.setdefault(family.name, {})
        combine = shared.get(family.name) or _combine(family)
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            known[key] = combine(known[key], sample.value) if key in known else sample.value
    return [_filled(family, values[name]) for name, family in families.items()]


def _has_shared_account(family: Metric) -> bool:
    """Redis may also keep sessions and conversations alone."""
    return family.name == "realtime_budget_nodes" and bool(family.samples)


def _combine(family: Metric) -> Callable[[float, float], float]:
    if family.type in _ADD_UP:
        return _added
    if family.name.endswith("_created"):
        return min
    return max if family.name.endswith("_info") else _GAUGES.get(family.name, _added)


def _added(one: float, other: float) -> float:
    return one + other


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
