"""Batches against the sandbox: every call, good and refused, and the pushes of a batch."""

from __future__ import annotations

import asyncio

import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderError, TaskFailed
from realtime.minimax import Batch, BatchJob, BatchRequest, BatchResult, Callbacks
from realtime.minimax.job import Job, Schedule
from realtime.minimax.job_states import State
from realtime.sandbox.server import Sandbox
from tests.minimax.batch_fake import jsonl, line
from tests.minimax.scripted import until
from tests.ports import free_port

pytest.importorskip("realtime.sandbox.batch")

ONLY_PUSHES = Schedule(early_s=(), interval_s=3600.0, least_gap_s=0.0)  # nothing but a push makes it ask


async def ended(sandbox: Sandbox, job: BatchJob) -> Batch:
    sandbox.forward(minutes=30)
    await job.look()
    return await job


async def results_of(job: BatchJob) -> list[BatchResult]:
    return [result async for result in job.results()]


@pytest.mark.operation("batches.create", "batches.task")
async def test_questions_become_answers_in_their_order(sandbox, mm):
    ids = [f"q{number}" for number in range(10)]
    job = await mm.batches.create(dict.fromkeys(ids, "What time is it?"))
    batch = await ended(sandbox, job)
    assert (batch.state, batch.status, batch.total, batch.completed) == (State.DONE, "completed", 10, 10)
    assert batch.endpoint == "/v1/text/chatcompletion_v2"
    assert batch.ended >= batch.created > 1_700_000_000
    results = await results_of(job)
    assert [result.custom_id for result in results] == ids
    assert all(result.answer is not None and result.answer.text for result in results)
    assert results[0].request["messages"] == [{"role": "user", "content": "What time is it?"}]
    again = await results_of(mm.batches.task(job.id))  # as another process does it
    assert [result.answer for result in again] == [result.answer for result in results]


@pytest.mark.operation("batches.create")
async def test_a_file_that_was_uploaded_before(sandbox, mm):
    file = await mm.files.upload(jsonl([line("b"), line("a")]), purpose="batch", name="q.jsonl")
    job = await mm.batches.create(file_id=file.id)
    await ended(sandbox, job)
    assert [result.custom_id for result in await results_of(job)] == ["b", "a"]


@pytest.mark.operation("batches.create")
async def test_an_unknown_file_is_refused(mm):
    with pytest.raises(InvalidArgument):
        await mm.batches.create(file_id="123456789")


@pytest.mark.operation("batches.task")
async def test_an_unknown_batch_is_refused(mm):
    with pytest.raises(InvalidArgument):
        await mm.batches.get("batch_unknown")


@pytest.mark.operation("batches.task")
async def test_a_file_that_nobody_checked_fails_with_its_line(sandbox, mm):
    content = jsonl([line("a"), line("b"), line("a")])
    file = await mm.files.upload(content, purpose="batch", name="q.jsonl")
    job = await mm.batches.create(file_id=file.id)
    sandbox.forward(minutes=30)
    await job.look()
    with pytest.raises(TaskFailed) as caught:
        await job
    assert caught.value.task_id == job.id
    batch = await mm.batches.get(job.id)
    assert (batch.state, [problem.line for problem in batch.problems]) == (State.FAILED, [3])


@pytest.mark.operation("batches.task")
async def test_a_request_that_is_refused_is_an_error_of_its_own(sandbox, mm):
    bad = line("bad", body={"model": "no-such-model", "messages": [{"role": "user", "content": "Hi"}]})
    job = await mm.batches.create([BatchRequest("good", "Hi"), bad])
    batch = await ended(sandbox, job)
    assert batch.total == 2
    good, refused = await results_of(job)
    assert good.answer is not None
    assert (refused.answer, refused.lost, refused.error.upstream_code) == (None, False, 2013)


@pytest.mark.operation("batches.task")
@pytest.mark.parametrize("fault", ["batch.bad_line", "batch.lost_line"])
async def test_a_line_that_never_comes_back_is_reported_as_lost(sandbox, mm, fault):
    sandbox.inject(fault)
    job = await mm.batches.create({"a": "Hi", "b": "Hi", "c": "Hi"})
    await ended(sandbox, job)
    results = await results_of(job)
    assert [result.custom_id for result in results] == ["a", "b", "c"]
    assert sum(result.lost for result in results) == 1
    assert sum(result.answer is not None for result in results) == 2


@pytest.mark.operation("batches.cancel")
async def test_a_batch_can_be_cancelled(sandbox, mm):
    job = await mm.batches.create({"a": "Hi", "b": "Hi"})
    progress = await job.cancel()
    # Cancelling takes a moment, or is over on a slow machine
    assert progress.state in (State.RUNNING, State.CANCELLED)
    batch = await ended(sandbox, job)
    assert batch.state is State.CANCELLED
    assert len(await results_of(job)) == 2
    assert (await job.cancel()).state is State.CANCELLED


@pytest.mark.operation("batches.list")
async def test_all_batches_are_listed_page_by_page(sandbox, mm):
    file = await mm.files.upload(jsonl([line("a")]), purpose="batch", name="q.jsonl")
    made = {(await mm.batches.create(file_id=file.id)).id for _ in range(103)}
    listed = [batch.id async for batch in mm.batches.list()]
    assert (len(listed), set(listed)) == (103, made)
    assert [batch.id async for batch in mm.batches.list(limit=3, after=listed[1])] == listed[2:5]


@pytest.mark.operation("batches.create")
async def test_a_lost_answer_leaves_a_batch_that_can_be_found(sandbox, mm):
    sandbox.inject("batch.lost", times=1)
    with pytest.raises(AnswerLost) as caught:
        await mm.batches.create({"a": "Hi"})
    (batch,) = [batch async for batch in mm.batches.list()]
    assert batch.input_file_id in str(caught.value)


@pytest.mark.operation("batches.create")
async def test_a_refusal_and_a_failure_keep_their_codes(sandbox, mm):
    sandbox.inject("batch.error=1008")
    with pytest.raises(ProviderError) as refused:
        await mm.batches.create({"a": "Hi"})
    assert refused.value.upstream_code == 1008
    sandbox.inject("batch.fail=1000")
    job = await mm.batches.create({"a": "Hi"})
    sandbox.forward(minutes=30)
    await job.look()
    with pytest.raises(TaskFailed):
        await job


@pytest.mark.operation("batches.create")
async def test_a_batch_is_pushed_at_every_change(sandbox, mm):
    port = free_port()
    callbacks = Callbacks(f"http://127.0.0.1:{port}")
    async with callbacks.serve(port=port):
        made = await mm.batches.create({"a": "Hi"}, callback=callbacks)
        job = Job(made.kind, made.id, age_s=0.0, schedule=ONLY_PUSHES)
        callbacks.watch(job)
        waiting = asyncio.create_task(job.wait(timeout_s=60))
        await until(lambda: job.state is not State.QUEUED or waiting.done())
        sandbox.forward(minutes=30)
        assert (await waiting).state is State.DONE
