"""Waiting for a task that fails, never ends, cannot be asked about or is cancelled, in virtual time."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from realtime.errors import NotFinished, ProviderRejected, ProviderTimeout, ProviderUnavailable, TaskFailed
from realtime.minimax.errors import error_for_code, error_for_status
from realtime.minimax.job import Job, State
from tests.minimax.tasks_fake import EVEN, STORY, Platform, new, now, virtual


@pytest.mark.parametrize(
    ("answer", "text", "code"),
    [
        ("Fail", "failed: the platform gave no reason", None),
        ({"status": "failed", "error": "no face found"}, "failed: no face found", None),
        (
            {"task": {"status": "failed", "error": {"code": "1026", "message": "sensitive words"}}},
            "failed: the content was refused as sensitive; change the wording (code 1026). It said: sensitive words",
            1026,
        ),
        ("Expired", "expired before it was done", None),
        ("canceled", "was cancelled", None),
        (
            error_for_code(1027, "output"),
            "failed: the content was refused as sensitive; what was made is not given out; change the prompt (code 1027)",
            1027,
        ),
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
