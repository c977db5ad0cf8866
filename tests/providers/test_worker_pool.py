"""The workers of the local transcriber: what closing waits for, and what the callers get."""

import asyncio
import threading

import pytest

from realtime.ending import Ending
from realtime.errors import ProviderUnavailable
from realtime.providers.base import MAY_WAIT
from realtime.providers.worker_pool import WorkerPool

TIMEOUT_S = 20.0


class Job:
    """A function that works until it is told to end."""

    def __init__(self):
        self.began, self.over = threading.Event(), threading.Event()

    def __call__(self):
        self.began.set()
        self.over.wait(TIMEOUT_S)
        return "done"


@pytest.fixture
def left():
    return []


@pytest.fixture
def pool(left):
    return WorkerPool(1, "test", Ending(left.append))


@pytest.fixture
def job():
    made = Job()
    yield made
    made.over.set()


async def begun(job):
    assert await asyncio.to_thread(job.began.wait, TIMEOUT_S)


async def test_closing_does_not_wait_for_what_is_loaded(pool, job, left):
    waiting = asyncio.create_task(pool.run(job, urgent=True, loads=True))
    await begun(job)
    await pool.aclose(timeout_s=3600.0)
    with pytest.raises(ProviderUnavailable, match="closed"):
        await waiting
    pool._ending.end(0)
    assert left == [0], "nor does the end of the process"


async def test_closing_lets_short_work_finish(pool, job, left):
    waiting = asyncio.create_task(pool.run(job, urgent=True))
    await begun(job)
    closing = asyncio.create_task(pool.aclose(timeout_s=3600.0))
    await asyncio.sleep(0)
    job.over.set()
    await closing
    assert await waiting == "done"
    assert left == []


async def test_work_that_does_not_end_is_abandoned(pool, job, left):
    waiting = asyncio.create_task(pool.run(job, urgent=True))
    await begun(job)
    await pool.aclose(timeout_s=0.01)
    with pytest.raises(ProviderUnavailable, match="closed"):
        await waiting
    pool._ending.end(0)
    assert left == [0]


async def test_a_caller_that_is_cancelled_is_cancelled(pool, job):
    waiting = asyncio.create_task(pool.run(job, urgent=True, loads=True))
    await begun(job)
    waiting.cancel()
    await pool.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_who_queues_is_told(pool, job):
    running = asyncio.create_task(pool.run(job, urgent=True, loads=True))
    await begun(job)
    queued = asyncio.create_task(pool.run(lambda: "never", urgent=True))
    await asyncio.sleep(0)
    await pool.aclose()
    for task in (running, queued):
        with pytest.raises(ProviderUnavailable, match="closed"):
            await task
    with pytest.raises(ProviderUnavailable, match="closed"):
        await pool.run(lambda: "late", urgent=True)


async def waits(pool, job):
    """`job` in the pool, as what may wait."""
    before = MAY_WAIT.set(True)
    try:
        return asyncio.create_task(pool.run(job, urgent=True))  # a task has the context of its beginning
    finally:
        MAY_WAIT.reset(before)


async def test_what_may_wait_comes_after_what_is_urgent(pool, job):
    order = []
    first = asyncio.create_task(pool.run(job, urgent=True))
    await begun(job)
    later = [await waits(pool, lambda: order.append("recording")) for _ in range(3)]
    await asyncio.sleep(0)
    live = asyncio.create_task(pool.run(lambda: order.append("live"), urgent=True))
    await asyncio.sleep(0)
    job.over.set()
    await asyncio.gather(first, live, *later)
    assert order == ["live", *["recording"] * 3]
    await pool.aclose()


async def test_what_may_wait_leaves_a_thread_to_the_others(left):
    pool, jobs = WorkerPool(2, "test", Ending(left.append)), [Job() for _ in range(3)]
    waiting = [await waits(pool, job) for job in jobs]
    await begun(jobs[0])
    assert pool.free == 1
    assert await pool.run(lambda: "live", urgent=True) == "live"
    assert not jobs[1].began.is_set()
    cancelled = waiting.pop(1)
    cancelled.cancel()
    for job in jobs:
        job.over.set()
    assert await asyncio.gather(*waiting) == ["done", "done"]
    assert pool.free == 2
    await pool.aclose()
