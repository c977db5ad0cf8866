"""Waiting for a task of the platform, in virtual time."""

from __future__ import annotations

import asyncio
import functools
import gc
import time
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest

from realtime.errors import (
    InvalidArgument,
    NotFinished,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    TaskFailed,
)
from realtime.minimax.errors import error_for_code, error_for_status
from realtime.minimax.job import Job, Schedule, State
from realtime.minimax.job_schedule import QueryPace
from tests.minimax.tasks_fake import Platform
from tests.virtual_time import run

EVEN = Schedule(jitter=0.0)
STORY = {0.0: "Preparing", 3.0: "Processing", 30.0: "Success"}


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the test in virtual time; a task that is left at its end fails it."""

    @functools.wraps(test)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return wrapped


def now() -> float:
    return asyncio.get_running_loop().time()


def new(platform: Platform, schedule: Schedule = EVEN, **changes: Any) -> Job[list[str]]:
    """The job of a task that was just made."""
    return Job(platform.kind(**changes), "106916112212032", age_s=0.0, schedule=schedule)


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


@pytest.mark.parametrize(
    ("answer", "text", "code"),
    [
        ("Fail", "failed: the platform gave no reason", None),
        ({"status": "failed", "error": "no face found"}, "failed: no face found", None),
        (
            {"task": {"status": "failed", "error": {"code": "1026", "message": "sensitive words"}}},
            "failed: the content was refused as sensitive (code 1026). It said: sensitive words",
            1026,
        ),
        ("Expired", "expired before it was done", None),
        ("canceled", "was cancelled", None),
        (error_for_code(1027, "output"), "failed: the content was refused as sensitive (code 1027)", 1027),
    ],
)
@virtual
async def test_a_task_that_failed_raises_each_time_and_says_why(answer, text, code):
    platform = Platform({0.0: "Processing", 3.0: answer})
    task = new(platform)
    assert [progress.state async for progress in task][-1].final
    for _ in range(2):
        with pytest.raises(TaskFailed) as caught:
            await task
        assert text in str(caught.value)
        assert str(caught.value).startswith("MiniMax: the video task 106916112212032 ")
        assert (caught.value.task_id, caught.value.upstream_code) == (task.id, code)
    assert len(platform.asked) == 3


@virtual
async def test_a_kind_may_have_a_result_for_other_ends():
    platform = Platform({0.0: "expired"})
    task = new(platform, with_result=frozenset({State.DONE, State.EXPIRED}))
    assert await task == ["film", task.id]
    assert task.state is State.EXPIRED


@pytest.mark.parametrize(
    "trouble",
    [
        ProviderUnavailable("MiniMax: the connection failed."),
        ProviderTimeout("MiniMax: no answer."),
        error_for_code(1002),
        error_for_status(502),
        error_for_status(529),
    ],
    ids=["network", "timeout", "1002", "502", "529"],
)
@virtual
async def test_trouble_while_asking_is_waited_out_and_shown(trouble):
    task = new(Platform({0.0: "Processing", 3.0: trouble, 100.0: "Success"}))
    progress = [item async for item in task]
    troubled = [item for item in progress if item.trouble]
    assert len(troubled) >= 5
    assert {item.state for item in troubled} == {State.RUNNING}
    assert {item.trouble for item in troubled} == {str(trouble)}
    assert str(trouble) in str(troubled[0])
    assert (progress[-1].state, progress[-1].trouble) == (State.DONE, None)
    assert await task


@virtual
async def test_a_platform_that_limits_the_rate_is_left_alone_by_all_tasks_of_the_kind():
    platform = Platform({0.0: error_for_code(1002), 1.5: "Success"})  # 1002 asks for 5 s
    kind = platform.kind()
    await asyncio.gather(Job(kind, "1", age_s=0.0, schedule=EVEN), Job(kind, "2", age_s=0.0, schedule=EVEN))
    assert platform.asked[0] == pytest.approx(1.0)
    assert platform.asked[1] == pytest.approx(6.0)


@pytest.mark.parametrize("code", [1004, 2013], ids=["wrong key", "unknown id"])
@virtual
async def test_a_refused_query_raises_at_once_in_every_wait(code):
    platform = Platform({0.0: error_for_code(code), 50.0: "Success"})
    task = new(platform)

    async def watch() -> list[Any]:
        return [progress async for progress in task]

    results = await asyncio.gather(task, watch(), task, return_exceptions=True)
    assert [getattr(error, "upstream_code", None) for error in results] == [code] * 3
    assert not any(isinstance(error, TaskFailed) for error in results)
    assert platform.asked == pytest.approx([1.0])
    with pytest.raises(ProviderRejected):
        await task
    with pytest.raises(ProviderRejected):
        await task.look()
    await asyncio.sleep(60)
    assert await task, "the task itself was never declared dead"


@virtual
async def test_a_word_that_is_not_known_means_running_until_the_deadline():
    task = new(Platform({0.0: "Dreaming"}))
    began = now()
    with pytest.raises(NotFinished) as caught:
        await task
    assert now() - began == pytest.approx(3600)
    assert task.state is State.RUNNING
    assert caught.value.task_id == task.id
    assert 'goes on on the platform; wait again later with mm.video.task("106916112212032")' in str(
        caught.value
    )


@virtual
async def test_the_end_of_a_wait_says_the_last_trouble_and_the_next_wait_goes_on():
    platform = Platform({0.0: "Processing", 3.0: error_for_status(502), 50.0: "Success"})
    task = new(platform)
    with pytest.raises(NotFinished, match="HTTP 502"):
        await task.wait(timeout_s=20)
    assert await task.wait(timeout_s=60)


@virtual
async def test_the_progress_ends_at_the_deadline_too():
    seen = []

    async def watch() -> None:
        async for progress in new(Platform({0.0: "Processing"}), longest_s=100.0):
            seen.append(progress.state)

    with pytest.raises(NotFinished):
        await watch()
    assert len(seen) > 5


@virtual
async def test_a_timeout_inside_on_progress_is_not_taken_for_the_deadline():
    def broken(_: object) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await new(Platform(STORY)).wait(on_progress=broken)


@pytest.mark.parametrize("at_s", [0.5, 1.2, 3.0, 30.0], ids=["before", "while asking", "between", "later"])
@virtual
async def test_cancelling_the_wait_leaves_the_task_alone_and_stops_asking(at_s):
    platform = Platform({0.0: "Processing", 60.0: "Success"}, answer_s=0.4, cancellable=True)
    task = new(platform)
    waits = [asyncio.create_task(task.wait()) for _ in range(3)]
    await asyncio.sleep(at_s)
    for wait in waits:
        wait.cancel()
    ends = await asyncio.gather(*waits, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert len(asyncio.all_tasks()) == 1
    asked = len(platform.asked)
    await asyncio.sleep(100)
    assert (len(platform.asked), platform.cancelled) == (asked, [])
    assert await task


@virtual
async def test_one_cancelled_wait_does_not_disturb_the_others():
    platform = Platform(STORY, answer_s=0.5)
    task = new(platform)
    first, second = asyncio.create_task(task.wait()), asyncio.create_task(task.wait())
    await asyncio.sleep(1.2)  # the first one asks just now
    first.cancel()
    assert await second
    assert platform.asked[1] == pytest.approx(3.0)  # not at once: a cancelled query counts as one


@virtual
async def test_leaving_the_progress_early_stops_asking():
    platform = Platform(STORY)
    async for progress in new(platform):
        if progress.elapsed_s > 3:
            break
    await asyncio.sleep(100)
    assert len(platform.asked) == 3


@virtual
async def test_no_exception_is_left_unretrieved():
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    task = new(Platform({0.0: error_for_code(1004)}))
    waits = [asyncio.create_task(task.wait()) for _ in range(3)]
    await asyncio.gather(*waits, return_exceptions=True)
    del waits, task
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


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
async def test_trouble_while_the_result_is_fetched_is_waited_out():
    platform = Platform(STORY)
    platform.result_errors = [ProviderUnavailable("MiniMax: cut off."), error_for_status(502)]
    task, seen = new(platform), []
    results = await asyncio.gather(task.wait(on_progress=seen.append), task)
    assert results[0] is results[1]
    assert platform.results == 3
    assert "MiniMax: cut off." in [progress.trouble for progress in seen]
    assert task.progress.trouble is None


@virtual
async def test_a_result_that_is_refused_raises_and_may_be_asked_for_again():
    platform = Platform(STORY)
    platform.result_errors = [error_for_code(2013)]
    task = new(platform)
    with pytest.raises(ProviderRejected):
        await task
    assert await task


@virtual
async def test_cancel_cancels_what_is_queued():
    platform = Platform({0.0: "queued"}, cancellable=True)
    task = new(platform)
    wait = asyncio.create_task(task.wait())
    await asyncio.sleep(0.5)
    assert (await task.cancel()).state is State.CANCELLED
    with pytest.raises(TaskFailed, match="was cancelled"):
        await wait
    assert platform.cancelled == [task.id]


@virtual
async def test_cancel_says_when_it_is_too_late():
    platform = Platform({0.0: "running"}, cancellable=True)
    with pytest.raises(ProviderRejected, match="is running and cannot be cancelled any more; it goes on"):
        await new(platform).cancel()
    assert platform.cancelled == []


@virtual
async def test_cancel_of_a_finished_task_does_nothing():
    platform = Platform({0.0: "succeeded"}, cancellable=True)
    assert (await new(platform).cancel()).state is State.DONE
    assert platform.cancelled == []


@virtual
async def test_cancel_does_nothing_while_the_state_is_not_known():
    platform = Platform({0.0: error_for_status(502)}, cancellable=True)
    with pytest.raises(ProviderRejected, match="its state is not known") as caught:
        await new(platform).cancel()
    assert caught.value.retryable
    assert platform.cancelled == []


@virtual
async def test_cancel_says_where_the_platform_has_no_such_call():
    platform = Platform(STORY)
    with pytest.raises(ProviderRejected, match="a video task cannot be cancelled; 106916112212032 goes on"):
        await new(platform).cancel()
    assert platform.asked == []


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
