"""Measures the load of this process for `core/admission.py`: how late its loop wakes, its thread's CPU, its memory."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path

from realtime.core.admission import BUSY_SHARE, OWN_SHARE, Admission, AdmissionState, Load
from realtime.logs import story
from realtime.metrics import Metrics

log = logging.getLogger(__name__)

PROBE_S = 0.02
MEASURE_EVERY = 25  # probes
KEPT_PROBES = 500  # ten seconds: frames are late in bursts, which two seconds miss
_CGROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


async def probe_load(
    metrics: Metrics,
    admission: Admission,
    sessions: Callable[[], int],
    process_time: Callable[[], float] = time.process_time,
    *,
    processes: int = 1,
) -> None:
    """Measure until cancelled. Without anybody's need for `admission`, only the metrics show it.

    `process_time`: the CPU time of the whole process so far, in seconds. `processes`: so many of them share the memory;
    each may use the same part.
    """
    loop, lags = asyncio.get_running_loop(), deque[float](maxlen=KEPT_PROBES)
    shares = deque([0.0] * (KEPT_PROBES // MEASURE_EVERY), KEPT_PROBES // MEASURE_EVERY)
    most_bytes = memory_limit_bytes() // processes
    since_s, used_s, all_used_s = loop.time(), time.thread_time(), process_time()
    while True:
        for _ in range(MEASURE_EVERY):
            due_s = loop.time() + PROBE_S
            await asyncio.sleep(PROBE_S)
            lag_s = max(0.0, loop.time() - due_s)
            lags.append(lag_s)
            metrics.loop_lag.observe(lag_s)
        now_s, cpu_s, all_cpu_s = loop.time(), time.thread_time(), process_time()
        passed_s = max(now_s - since_s, PROBE_S)
        to_blame = (all_cpu_s - all_used_s) / passed_s >= OWN_SHARE
        if not sessions():  # it is the start, where models are loaded: no session had to wait for that
            lags.clear()
        shares.append((cpu_s - used_s) / passed_s)
        load = Load(
            lag_s=_late_s(lags) if to_blame else 0.0,
            busy=sum(shares) > BUSY_SHARE * len(shares),
            cpu=shares[-1],
            memory=resident_bytes() / most_bytes if most_bytes else 0.0,
            sessions=sessions(),
        )
        since_s, used_s, all_used_s, before = now_s, cpu_s, all_cpu_s, admission.state
        admission.measured(load)
        metrics.show_load(load, admission.state)
        if admission.state is not before:
            _tell(admission.state, load)


def _late_s(lags: Collection[float]) -> float:
    """The 99th percentile; of few it leaves two out, because one late moment is no load."""
    left_out = max(2, len(lags) // 100)
    return sorted(lags)[-1 - left_out] if len(lags) > left_out else 0.0


def _tell(state: AdmissionState, load: Load) -> None:
    facts = {
        "state": state.name.lower(),
        "lag_ms": round(load.lag_s * 1000, 1),
        "cpu": round(load.cpu, 2),
        "memory": round(load.memory, 2),
        "sessions": load.sessions,
    }
    story(log, "load", facts, logging.WARNING if state is AdmissionState.FULL else logging.INFO)


def resident_bytes() -> int:
    """The memory of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def memory_limit_bytes() -> int:
    """What this process may use: of its container, or the machine; 0 where the system does not tell."""
    limits = []
    for name in _CGROUP:
        try:
            limits.append(int(Path(name).read_text()))
        except (OSError, ValueError):  # also "max"
            continue
    try:
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (OSError, ValueError):
        return min(limits, default=0)
    return min(limits)
