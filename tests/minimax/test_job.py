"""Waiting for a task of the platform, in virtual time: when it asks, what it shows, hints, shared rates."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest

from realtime.errors import InvalidArgument
from realtime.minimax import MiniMax
from realtime.minimax.job import Job, Schedule, State
from realtime.minimax.job_schedule import QueryPace
from tests.minimax.tasks_fake import EVEN, STORY, Platform, new, now, virtual
from tests.virtual_time import run


@virtual
async def test_it_asks_early_and_then_at_the_interval_and_more_rarely_with_age():
    platform = Platform({0.0: "Processing", 500.0: "Success"})
    assert await new(platform) == ["film", "106916112212032"]
    gaps = [b - a for a, b in pairwise(platform.asked)]
    assert platform.asked[:4] == pytest.approx([1, 2, 4, 14])
    assert gaps[3:10] == pytest.approx([10] * 7)
    assert all(10 - 1e-6 <= gap <= 30 + 1e-6 for gap in gaps[3:])
    assert gaps[-1] == pytest.approx(30)


@virtual
async def test_the_schedule_of_the_kind_is_that_of_its_tasks():
    platform = Platform({0.0: "Processing", 8.0: "Success"})
    kind = platform.kind(schedule=Schedule(early_s=(), interval_s=3.0, jitter=0.0))
    await Job(kind, "1", age_s=0.0)
    assert platform.asked == pytest.approx([3, 6, 9])


async def test_one_argument_of_the_client_sets_the_schedule_of_all_tasks():
    schedule = Schedule(early_s=(), interval_s=60.0)
    async with MiniMax("key", "http://127.0.0.1:9", schedule=schedule) as mm:
        jobs = [space.task("7") for space in (mm.narration, mm.batches, mm.video, mm.templates, mm.video_v2)]
        jobs.append(mm.video_v2.context_task("7"))
        assert [job.kind.schedule for job in jobs] == [schedule] * 6


@virtual
async def test_tasks_of_the_same_age_are_asked_about_at_different_times():
    platform = Platform({0.0: "Processing", 5.0: "Success"})
    kind = platform.kind(pace=QueryPace(1e6))
    await asyncio.gather(*(Job(kind, str(n), age_s=0.0) for n in range(50)))
    last = sorted(platform.asked)[-50:]
    assert max(last) - min(last) > 0.5
    assert all(3.5 + 9 <= at <= 4.5 + 11 for at in last)


@virtual
async def test_the_result_is_kept():
    platform = Platform(STORY)
    task = new(platform)
    first = await task
    asked = len(platform.asked)
    assert await task is first
    assert (platform.results, len(platform.asked)) == (1, asked)


@virtual
async def test_concurrent_waits_share_their_queries():
    alone = Platform(STORY, answer_s=0.3)
    await new(alone)
    platform = Platform(STORY, answer_s=0.3)
    task = new(platform)

    async def watch() -> list[State]:
        return [progress.state async for progress in task]

    results = await asyncio.gather(task, task.wait(), watch(), watch(), task)
    assert results[0] is results[1] is results[4]
    assert results[2] == results[3]
    assert platform.asked == pytest.approx(alone.asked)
    assert platform.results == 1


@virtual
async def test_progress_goes_from_queued_to_done_and_then_ends():
    progress = [item async for item in new(Platform(STORY))]
    states = [item.state for item in progress]
    assert states == ["queued", "queued", "queued", "running", "running", "running", "done"]
    assert [item.elapsed_s for item in progress] == pytest.approx([0, 1, 2, 4, 14, 24, 34])
    assert {item.typical_s for item in progress} == {100.0}
    assert str(progress[3]) == "running, 4 s of about 100 s"
    assert str(progress[-1]) == "done, 34 s"


@virtual
async def test_progress_of_a_task_that_has_ended_is_its_end():
    task = new(Platform(STORY))
    await task
    await asyncio.sleep(1000)
    items = [item async for item in task]
    assert [(item.state, round(item.elapsed_s)) for item in items] == [("done", 34)]


@virtual
async def test_a_slow_reader_of_the_progress_gets_the_end_too():
    task = new(Platform(STORY))

    async def slow() -> list[State]:
        states = []
        async for progress in task:
            states.append(progress.state)
            await asyncio.sleep(25)
        return states

    states, _ = await asyncio.gather(slow(), task)
    assert states[0] == "queued"
    assert states[-1] == "done"
    assert states.count(State.DONE) == 1


@virtual
async def test_a_share_is_shown_where_there_is_one():
    half = {"status": "in_progress", "request_counts": {"total": 4, "completed": 2, "failed": 0}}
    progress = await new(Platform({0.0: half})).look()
    assert progress.share == 0.5
    assert "50%" in str(progress)


@virtual
async def test_on_progress_is_called_at_every_look():
    platform, seen = Platform(STORY), []
    await new(platform).wait(on_progress=seen.append)
    assert len(seen) == len(platform.asked)
    assert seen[-1].state is State.DONE


@virtual
async def test_a_task_of_unknown_age_is_asked_about_at_once():
    platform = Platform({0.0: "Success"})
    task = Job(platform.kind(), 9007199254740993123)
    assert await task == ["film", "9007199254740993123"]
    assert platform.asked == [0.0]


def test_a_job_may_be_made_outside_a_loop():
    async def kind() -> Any:
        return Platform({0.0: "Success"}).kind()

    task = Job(run(kind()), "7")
    assert str(task.progress).startswith("queued, 0 s")
    assert repr(task) == "<Job video 7 queued>"


@virtual
async def test_an_empty_id_is_refused():
    with pytest.raises(InvalidArgument) as caught:
        Job(Platform(STORY).kind(), " ")
    assert caught.value.param == "task_id"


@virtual
async def test_look_asks_once():
    platform = Platform(STORY)
    task = new(platform)
    assert (await task.look()).state is State.QUEUED
    await asyncio.sleep(40)
    assert len(platform.asked) == 1
    assert (await task.look()).state is State.DONE
    await task.look()
    assert len(platform.asked) == 2
    assert platform.results == 0


@virtual
async def test_a_hint_makes_it_ask_soon():
    platform = Platform({0.0: "Processing", 20.0: "Success"})
    task = new(platform)
    wait = asyncio.create_task(task.wait())
    await asyncio.sleep(20.5)
    task.wake()
    await wait
    assert platform.asked[-1] == pytest.approx(20.5)


@virtual
async def test_a_hint_while_a_query_is_under_way_is_not_lost():
    platform = Platform({0.0: "Processing", 17.0: "Success"}, answer_s=2.0)
    task = new(platform)
    wait = asyncio.create_task(task.wait())
    await asyncio.sleep(17.5)
    assert platform.asked[-1] == pytest.approx(16.0), "this query has seen the old state"
    task.wake()
    await wait
    assert platform.asked[-1] - platform.asked[-2] == pytest.approx(2.0)


@virtual
async def test_a_flood_of_hints_causes_few_queries():
    platform = Platform({0.0: "Processing", 60.0: "Success"})
    task = new(platform)
    wait = asyncio.create_task(task.wait())
    while not wait.done():
        for _ in range(20):
            task.wake()
        await asyncio.sleep(0.01)
    assert len(platform.asked) <= 60 / EVEN.least_gap_s + 2
    assert 60.0 <= now() - (platform.began or 0.0) <= 62.1


@virtual
async def test_a_hint_before_anybody_waits_is_kept():
    platform = Platform({0.0: "Success"})
    task = new(platform)
    task.wake()
    await task
    assert platform.asked == [0.0]
    task.wake()  # and none of it matters after the end


@virtual
async def test_many_tasks_of_a_kind_share_one_rate():
    platform = Platform({0.0: "Processing", 30.0: "Success"})
    kind = platform.kind(pace=QueryPace(2.0))
    await asyncio.gather(*(Job(kind, str(n), age_s=0.0) for n in range(40)))
    asked = platform.asked
    assert len(asked) > 80
    assert all(b - a >= 0.5 - 1e-6 for a, b in pairwise(asked))


@virtual
async def test_a_cancelled_wait_uses_no_turn():
    pace = QueryPace(0.1)
    await pace.turn()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(5)]
    await asyncio.sleep(1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    began = now()
    await pace.turn()
    assert now() - began == pytest.approx(9.0)


@virtual
async def test_a_changed_clock_of_the_machine_changes_nothing(monkeypatch):
    plain = Platform(STORY)
    await new(plain)
    hours = iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * (-1) ** next(hours))
    platform = Platform(STORY)
    task = new(platform)
    await task
    assert platform.asked == pytest.approx(plain.asked)
    assert task.progress.elapsed_s == pytest.approx(34.0)


@virtual
async def test_an_age_before_the_task_was_made_counts_as_zero():
    platform = Platform(STORY)
    assert Job(platform.kind(), "1", age_s=-5000.0).progress.elapsed_s == 0.0


@virtual
async def test_a_hint_that_brings_nothing_does_not_change_the_interval():
    platform = Platform({0.0: "Processing", 60.0: "Success"})
    task = new(platform)
    wait = asyncio.create_task(task.wait())
    await asyncio.sleep(20)
    task.wake()
    await wait
    assert platform.asked[3:] == pytest.approx([14, 20, 30, 40, 50, 60])


@pytest.mark.parametrize(("answer_s", "per_s"), [(5.0, 10.0), (0.0, 0.1)], ids=["slow answers", "slow rate"])
@virtual
async def test_waits_that_queue_for_a_query_share_its_answer(answer_s, per_s):
    alone = Platform(STORY, answer_s=answer_s)
    await new(alone, pace=QueryPace(per_s))
    platform = Platform(STORY, answer_s=answer_s)
    task = new(platform, pace=QueryPace(per_s))
    await asyncio.gather(*(task.wait() for _ in range(5)))
    assert platform.asked == pytest.approx(alone.asked)


@virtual
async def test_the_time_of_a_new_task_begins_when_it_was_made():
    task = new(Platform(STORY))
    await asyncio.sleep(10)
    assert task.progress.elapsed_s == pytest.approx(10.0)


def test_an_early_look_that_was_a_little_too_early_is_not_repeated():
    delay_s = Schedule().delay_s(0.95, interval_s=10.0, typical_s=100.0)
    assert delay_s == pytest.approx(1.05)


def test_the_interval_of_a_schedule_replaces_that_of_the_kind():
    schedule = Schedule(early_s=(), interval_s=3.0, slowest=2.0)
    assert schedule.delay_s(0.0, interval_s=10.0, typical_s=100.0) == pytest.approx(3.0)
    assert schedule.delay_s(900.0, interval_s=10.0, typical_s=100.0) == pytest.approx(6.0)
    assert schedule.delay_s(0.0, interval_s=10.0, typical_s=0.0, luck=-1.0) == pytest.approx(2.7)
