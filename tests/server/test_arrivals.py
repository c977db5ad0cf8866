"""A crowd begins in order, so many a second, and whoever would wait too long is told so."""

import asyncio
import itertools

import aiohttp
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.server.arrivals import MOVED, NEW, RESUMED, Arrivals, Pace, Queue
from realtime.server.state import ARRIVALS
from tests import virtual_time
from tests.server.harness import open_harness
from tests.server.test_front_door import error_of, rejection
from tests.server.test_resume import disconnect, resume_query

PACE = Pace(per_s=10.0, at_once=3, longest_wait_s=2.0)


class Crowd:
    """Enters a queue, and notes when each of them begins; `None`: refused."""

    def __init__(self, pace=PACE):
        self.queue, self.times = Queue(pace), {}
        self.began_s = asyncio.get_running_loop().time()

    def enter(self, name):
        return self.queue.enter(lambda begins: self.called(name, begins))

    def called(self, name, begins):
        assert name not in self.times
        now_s = asyncio.get_running_loop().time() - self.began_s
        self.times[name] = round(now_s, 3) if begins else None

    @property
    def begun(self):
        return {name: at_s for name, at_s in self.times.items() if at_s is not None}


def test_a_crowd_begins_in_order_and_the_rest_is_refused_at_once():
    async def run():
        crowd = Crowd()
        for name in range(100):
            crowd.enter(name)
        assert [name for name, at_s in crowd.times.items() if at_s is None] == list(range(23, 100))
        await asyncio.sleep(10)
        assert list(crowd.begun) == list(range(23))
        assert list(crowd.begun.values()) == [0, 0, 0, *(round(0.1 * n, 3) for n in range(1, 21))]

    virtual_time.run(run())


def test_who_leaves_the_queue_is_not_called_and_gives_nobody_more_room():
    async def run():
        crowd = Crowd()
        waiting = [crowd.enter(name) for name in range(10)]
        for each in waiting[3:]:
            crowd.queue.leave(each)
        for name in "abcde":
            crowd.enter(name)
        await asyncio.sleep(5)
        assert list(crowd.begun) == [0, 1, 2, *"abcde"]
        assert list(crowd.begun.values())[3:] == [0.1, 0.2, 0.3, 0.4, 0.5]

    virtual_time.run(run())


def test_a_loop_that_was_late_does_not_begin_all_who_are_due_together():
    async def run():
        loop, crowd = asyncio.get_running_loop(), Crowd()
        for name in range(10):
            crowd.enter(name)
        loop.skip(0.5)  # it was busy: five would have been due
        await asyncio.sleep(5)
        times = list(crowd.begun.values())[3:]
        gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
        assert times[0] == 0.5
        assert min(gaps) >= 0.099

    virtual_time.run(run())


@settings(max_examples=30)
@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=80))
def test_no_second_has_more_than_its_share_and_nobody_waits_too_long(pauses):
    async def run():
        crowd, came_s = Crowd(), []
        for name, pause_s in enumerate(pauses):
            await asyncio.sleep(pause_s)
            came_s.append(asyncio.get_running_loop().time() - crowd.began_s)
            crowd.enter(name)
        await asyncio.sleep(5)
        assert len(crowd.times) == len(pauses)
        times = list(crowd.begun.values())
        assert times == sorted(times)
        for at_s in times:
            within = [other for other in times if at_s <= other < at_s + 0.999]
            assert len(within) <= PACE.per_s + PACE.at_once
        assert all(at_s - came_s[name] < PACE.longest_wait_s + 0.2 for name, at_s in crowd.begun.items())

    virtual_time.run(run())


def test_a_resumed_session_does_not_wait_for_new_ones_and_a_stop_lets_nobody_wait():
    async def run():
        arrivals, began_s = Arrivals(), asyncio.get_running_loop().time()
        new = [asyncio.create_task(arrivals.turn(resumed=False)) for _ in range(1000)]
        await asyncio.sleep(0.001)
        refused = [task for task in new if task.done() and task.exception()]
        assert len(refused) == 1000 - NEW.at_once - NEW.per_s * NEW.longest_wait_s
        assert {task.exception().code for task in refused} == {"server_overloaded"}
        await arrivals.turn(resumed=True)
        resumed = [asyncio.create_task(arrivals.turn(resumed=True)) for _ in range(100)]
        await asyncio.gather(*resumed)
        assert asyncio.get_running_loop().time() - began_s < 101 / RESUMED.per_s
        moved_s = asyncio.get_running_loop().time()
        await asyncio.gather(*(arrivals.turn(resumed=False, moved=True) for _ in range(100)))
        assert (
            (100 - MOVED.at_once - 1) / MOVED.per_s
            < asyncio.get_running_loop().time() - moved_s
            < 101 / MOVED.per_s
        )
        arrivals.end()
        await asyncio.gather(*(task for task in new if task not in refused))
        assert asyncio.get_running_loop().time() - began_s < 1.5

    virtual_time.run(run())


def test_who_waits_and_is_cancelled_has_left_the_queue():
    async def run():
        arrivals = Arrivals()
        first = [asyncio.create_task(arrivals.turn(resumed=False)) for _ in range(1000)]
        await asyncio.sleep(0.001)
        for task in first:
            task.cancel()
        await asyncio.gather(*first, return_exceptions=True)
        await asyncio.wait_for(arrivals.turn(resumed=False), 0.05)

    virtual_time.run(run())


async def test_who_would_wait_too_long_is_refused_and_the_own_session_resumes():
    async with open_harness(admission="load") as harness, harness.connect("?extensions=resume") as before:
        harness.server.app[ARRIVALS]._new = Queue(Pace(per_s=0.001, at_once=0, longest_wait_s=1.0))
        response = await rejection(harness)
        assert response.status_code == 503
        assert 1 <= int(response.headers["Retry-After"]) <= 5
        assert error_of(response)["code"] == "server_overloaded"
        assert harness.sessions == 1
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")


async def test_connections_wait_until_they_are_read_and_are_all_answered():
    async with (
        open_harness(admission="load") as harness,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):

        async def health() -> int:
            async with http.get(harness.server.url + "/healthz", headers={"Connection": "close"}) as answer:
                return answer.status

        assert await asyncio.gather(*(health() for _ in range(60))) == [200] * 60


async def test_nobody_waits_where_only_numbers_count():
    arrivals = Arrivals(paced=False)
    async with asyncio.timeout(60):
        await asyncio.gather(*(arrivals.turn(resumed=False) for _ in range(10_000)))
