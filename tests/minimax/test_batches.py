"""Batches against a platform that answers what a test wrote down: creation, waiting, listing, joined results."""

from __future__ import annotations

import inspect
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from realtime.errors import AnswerLost, InvalidArgument, NotFinished, ProviderError, TaskFailed
from realtime.minimax import Batch, BatchRequest, BatchResult, MiniMax
from realtime.minimax.batch_answers import read_answer
from realtime.minimax.batch_lines import MOST_BYTES
from realtime.minimax.batches import Batches
from realtime.minimax.callbacks import Callbacks
from realtime.minimax.field_tables import BATCH
from realtime.minimax.job_states import State
from tests.minimax.batch_fake import INPUT_ID, FakePlatform, answered, batch_platform, failed, jsonl, line


@pytest.fixture
async def both() -> AsyncIterator[tuple[FakePlatform, MiniMax]]:
    async with batch_platform() as both:
        yield both


@pytest.fixture
def fake(both: tuple[FakePlatform, MiniMax]) -> FakePlatform:
    return both[0]


@pytest.fixture
def mm(both: tuple[FakePlatform, MiniMax]) -> MiniMax:
    return both[1]


def test_every_field_of_the_table_is_an_argument():
    parameters = inspect.signature(Batches.create).parameters
    assert {field.name for field in BATCH} <= set(parameters)


async def test_requests_go_up_as_a_file_and_become_a_batch(fake, mm):
    job = await mm.batches.create({"a": "Hello", "b": "Bye"}, options={"model": "MiniMax-Text-01"})
    assert job.id == "batch_Ab12"
    name, content = fake.uploads[0]
    assert name == "requests.jsonl"
    assert [b'"a"' in content, content.count(b"\n")] == [True, 2]
    assert fake.created == [
        {
            "input_file_id": INPUT_ID,
            "endpoint": "/v1/text/chatcompletion_v2",
            "completion_window": "24h",
        }
    ]


@pytest.mark.parametrize("kind", ["path", "bytes", "stream"])
async def test_a_file_goes_up_unchanged(fake, mm, tmp_path, kind):
    content = jsonl([line("b", url="/v1/chat/completions"), line("a", url="/v1/chat/completions")])
    path = tmp_path / "questions.jsonl"
    path.write_bytes(content)
    sources = {"path": path, "bytes": content, "stream": io.BytesIO(content)}
    done = []
    await mm.batches.create(file=sources[kind], on_progress=lambda *sizes: done.append(sizes))
    assert fake.uploads == [("questions.jsonl" if kind == "path" else "file.jsonl", content)]
    assert fake.created[0]["endpoint"] == "/v1/chat/completions"
    assert done[-1] == (len(content), len(content))


async def test_a_file_that_is_there_is_not_sent_again(fake, mm):
    callbacks = Callbacks("https://my.host", secret="s")
    await mm.batches.create(file_id=str(INPUT_ID), window="48h", callback=callbacks, extra={"metadata": 1})
    assert fake.uploads == []
    assert fake.created == [
        {
            "input_file_id": INPUT_ID,
            "endpoint": "/v1/text/chatcompletion_v2",
            "completion_window": "48h",
            "callback_url": callbacks.url_for("batch"),
            "metadata": 1,
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({}, "requests"),
        ({"requests": {"a": "x"}, "file_id": 1}, "requests"),
        ({"requests": {}}, "requests"),
        ({"requests": {"": "x"}}, "requests"),
        ({"requests": [BatchRequest("a", "x"), BatchRequest("a", "y")]}, "requests"),
        ({"file": "/there/is/no/file.jsonl"}, "file"),
        ({"file": b""}, "file"),
        ({"file": b"no json"}, "file"),
        ({"file": jsonl([line("a")]), "endpoint": "/v1/chat/completions"}, "endpoint"),
        ({"file": jsonl([line("a")]), "options": {"model": "MiniMax-M3"}}, "options"),
        ({"file": jsonl([line("a")]), "window": ""}, "window"),
        ({"file_id": "twelve"}, "file_id"),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_sent(fake, mm, arguments, param):
    with pytest.raises(InvalidArgument) as caught:
        await mm.batches.create(**arguments)
    assert caught.value.param == param
    assert (fake.uploads, fake.created) == ([], [])


async def test_a_file_of_more_than_100_mb_is_refused(fake, mm, tmp_path):
    path = tmp_path / "big.jsonl"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InvalidArgument, match=r"big\.jsonl has 104\.9 MB"):
        await mm.batches.create(file=path)
    assert fake.uploads == []


async def test_a_lost_answer_is_not_sent_again_and_names_the_input(fake, mm):
    fake.lose_create = True
    with pytest.raises(AnswerLost, match=f"may have been accepted.*{INPUT_ID}"):
        await mm.batches.create({"a": "x"})
    assert len(fake.created) == 1


async def test_results_are_joined_in_the_order_of_the_input(fake, mm):
    fake.files["2"] = jsonl([answered("c", "three"), answered("a", "one"), answered("e", code=1026)])
    fake.files["3"] = jsonl([failed("b", "1002", "slow down")])
    fake.batch = {"output_file_id": 2, "error_file_id": "3"}
    job = await mm.batches.create({name: f"say {name}" for name in "abcde"})
    await job.look()  # asks now; without it the job waits a second
    results = [result async for result in job.results()]
    assert [result.custom_id for result in results] == list("abcde")
    a, b, c, d, e = results
    assert (a.answer.text, a.error, a.trace_id) == ("one", None, "07")
    assert (a.answer.usage.input_tokens, a.answer.usage.output_tokens) == (8, 4)
    assert a.request["messages"] == [{"role": "user", "content": "say a"}]
    assert (b.answer, b.error.upstream_code) == (None, 1002)
    assert c.answer.text == "three"
    assert d.lost
    assert "'d'" in str(d.error)
    assert (e.answer, e.error.upstream_code, e.lost) == (None, 1026, False)


async def test_an_input_that_is_gone_leaves_the_order_that_is_known(fake, mm):
    fake.files["2"] = jsonl([answered("c"), answered("a")])
    fake.batch = {"output_file_id": "2"}
    job = await mm.batches.create({"a": "x", "b": "x", "c": "x"})
    del fake.files[str(INPUT_ID)]
    await job.look()
    results = [result async for result in job.results()]
    assert [(result.custom_id, result.lost) for result in results] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]
    again = [result.custom_id async for result in mm.batches.task(job.id).results()]
    assert again == ["c", "a"]


async def test_a_broken_line_loses_its_request_only(fake, mm):
    fake.files[str(INPUT_ID)] = jsonl([line("a"), line("b"), line("c")])
    fake.files["2"] = jsonl([answered("c"), b'{"custom_id": "b", "respon\n', answered("a"), answered("new")])
    fake.batch = {"output_file_id": "2"}
    results = [result async for result in mm.batches.task("batch_1").results()]
    assert [(result.custom_id, result.lost) for result in results] == [
        ("a", False),
        ("b", True),
        ("c", False),
        ("new", False),
    ]
    assert "1 lines" in str(results[1].error)


@pytest.mark.parametrize(
    "odd", ["1e999", "[" * 5000 + "]" * 5000, "1" * 5000], ids=["large", "nested", "long"]
)
async def test_a_line_that_only_looks_whole_loses_its_request_only(fake, mm, odd):
    fake.files[str(INPUT_ID)] = jsonl([line("a"), line("b")])
    fake.files["2"] = jsonl([f'{{"custom_id": "a", "response": {odd}}}\n'.encode(), answered("b")])
    fake.batch = {"output_file_id": "2"}
    results = [result async for result in mm.batches.task("batch_1").results()]
    assert [(result.custom_id, result.lost) for result in results] == [("a", True), ("b", False)]


async def test_a_single_error_line_is_no_refusal_of_its_file(fake, mm):
    fake.files["3"] = jsonl([failed("a")])
    fake.batch = {"error_file_id": "3"}
    (result,) = [result async for result in (await mm.batches.get("batch_1")).results()]
    assert (result.custom_id, result.error.upstream_code) == ("a", 2013)


@pytest.mark.parametrize("word", ["expired", "cancelled"])
async def test_a_batch_that_ended_early_still_has_results(fake, mm, word):
    fake.words = [word]
    fake.files["2"] = jsonl([answered("a")])
    fake.files[str(INPUT_ID)] = jsonl([line("a"), line("b")])
    fake.batch = {"output_file_id": "2"}
    a, b = [result async for result in mm.batches.task("batch_1").results()]
    assert a.answer is not None
    assert word in str(b.error)


async def test_many_results_come_in_order(fake, mm):
    ids = [f"q{number}" for number in range(300)]
    fake.files[str(INPUT_ID)] = jsonl([line(name) for name in ids])
    fake.files["2"] = jsonl([answered(name, name) for name in reversed(ids)])
    fake.batch = {"output_file_id": "2"}
    results = [(result.custom_id, result.answer.text) async for result in mm.batches.task("b").results()]
    assert results == [(name, name) for name in ids]


async def test_results_that_are_left_early_leave_nothing_behind(fake, mm, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fake.files[str(INPUT_ID)] = fake.files["2"] = jsonl([answered("a"), answered("b")])
    fake.batch = {"output_file_id": "2"}
    async with aclosing(mm.batches.task("b").results()) as results:
        assert (await anext(results)).custom_id == "a"
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


async def test_a_refused_file_fails_with_its_line(fake, mm):
    fake.words = ["failed"]
    problem = {"code": "invalid_line", "message": "body is missing", "line": 3}
    fake.batch = {"errors": {"object": "list", "data": [problem]}}
    with pytest.raises(TaskFailed, match="Line 3: body is missing"):
        await mm.batches.task("batch_1")
    batch = await mm.batches.get("batch_1")
    assert (batch.problems[0].line, batch.problems[0].code) == (3, "invalid_line")
    with pytest.raises(TaskFailed):
        [result async for result in batch.results()]


async def test_a_batch_under_way_has_no_results(fake, mm):
    fake.words = ["in_progress"]
    batch = await mm.batches.get("batch_1")
    with pytest.raises(NotFinished) as caught:
        [result async for result in batch.results()]
    assert caught.value.task_id == "batch_1"


async def test_progress_has_the_share_of_the_requests(fake, mm):
    fake.words = ["in_progress"]
    fake.batch = {"request_counts": {"total": 4, "completed": 1, "failed": 1}}
    progress = await mm.batches.task("batch_1").look()
    assert (progress.state, progress.share) == (State.RUNNING, 0.5)


async def test_cancel_asks_the_platform(fake, mm):
    fake.words = ["in_progress"]
    job = mm.batches.task("batch_1")
    await job.look()
    await job.cancel()
    assert "/v1/batches/batch_1/cancel" in fake.queries
    assert (await job).state is State.CANCELLED


@pytest.mark.parametrize("has_more", [True, False])
async def test_the_list_fetches_pages_as_needed(fake, mm, has_more):
    fake.listed, fake.has_more = [f"batch_{number}" for number in range(230)], has_more
    assert [batch.id async for batch in mm.batches.list()] == fake.listed
    assert fake.queries == [
        "/v1/batches?limit=100",
        "/v1/batches?limit=100&after=batch_99",
        "/v1/batches?limit=100&after=batch_199",
    ]


async def test_a_part_of_the_list(fake, mm):
    fake.listed = [f"batch_{number}" for number in range(230)]
    assert [batch.id async for batch in mm.batches.list(limit=120, after="batch_9")] == fake.listed[10:130]
    assert fake.queries[-1] == "/v1/batches?limit=20&after=batch_109"
    with pytest.raises(InvalidArgument):
        [batch async for batch in mm.batches.list(limit=0)]


async def test_a_list_that_repeats_itself_ends(fake, mm, monkeypatch):
    async def same(*args, **kwargs):
        return {"data": [{"id": "x"}] * 100, "has_more": True}

    monkeypatch.setattr(mm.door, "call", same)
    assert len([batch async for batch in mm.batches.list()]) == 200


def test_the_documented_batch_is_read():
    answer = {
        "id": "batch_Ab12",
        "object": "batch",
        "endpoint": "/v1/text/chatcompletion_v2",
        "errors": None,
        "input_file_id": "123",
        "completion_window": "24h",
        "status": "in_progress",
        "output_file_id": "",
        "error_file_id": "",
        "created_at": 1790000000,
        "in_progress_at": 1790000060,
        "expires_at": 1790086400,
        "finalizing_at": 0,
        "completed_at": 0,
        "failed_at": 0,
        "expired_at": 0,
        "cancelling_at": 0,
        "cancelled_at": 0,
        "request_counts": {"total": 2, "completed": 1, "failed": 0},
        "callback_url": "",
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }
    assert Batch.read(answer) == Batch(
        id="batch_Ab12",
        status="in_progress",
        state=State.RUNNING,
        endpoint="/v1/text/chatcompletion_v2",
        window="24h",
        input_file_id="123",
        total=2,
        completed=1,
        created=1790000000,
        expires=1790086400,
    )


def test_the_documented_output_line_is_read():
    result = read_answer(
        {
            "id": "batch_req_1",
            "custom_id": "req-1",
            "response": {
                "status_code": 200,
                "request_id": "07…",
                "body": {
                    "id": "07…",
                    "choices": [
                        {
                            "index": 0,
                            "finish_reason": "stop",
                            "message": {"role": "assistant", "content": "Hi!"},
                        }
                    ],
                    "usage": {"total_tokens": 12},
                    "base_resp": {"status_code": 0, "status_msg": ""},
                },
            },
            "error": None,
        }
    )
    assert (result.custom_id, result.answer.text, result.answer.finish) == ("req-1", "Hi!", "stop")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"custom_id": "a"},
        {"custom_id": "a", "response": {"status_code": 200, "body": {}}},
        {"custom_id": "a", "response": {"status_code": 200, "body": {"choices": 7}}},
        {"custom_id": "a", "response": {"status_code": 502, "body": "<html>"}},
        {"custom_id": "a", "error": "no"},
        {"custom_id": "a", "error": {"code": "invalid", "message": "no"}},
        {"custom_id": "a", "error": {"code": 99999, "message": "no"}},
        {"custom_id": "a", "error": {"code": "²", "message": "no"}},
        {"custom_id": "a", "error": {"code": "9" * 5000, "message": "no"}},
        {"custom_id": "a", "error": {"code": 10**4000, "message": "no"}},
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error_of_its_own(entry):
    result = read_answer(entry)
    assert isinstance(result, BatchResult)
    assert isinstance(result.error, ProviderError)
    assert not result.lost


async def test_a_stream_that_is_read_by_somebody_else_is_refused(fake, mm, tmp_path: Path):
    with pytest.raises(InvalidArgument):
        await mm.batches.create(file=tmp_path)
    with pytest.raises(InvalidArgument), (tmp_path / "a").open("w+") as text:
        await mm.batches.create(file=text)
    assert fake.uploads == []


def test_a_call_that_was_written_as_text_is_a_call() -> None:
    message = {"content": '<minimax:tool_call><invoke name="look"></invoke></minimax:tool_call>'}
    body = {"choices": [{"message": message, "finish_reason": "stop"}]}
    line = {"custom_id": "a", "response": {"status_code": 200, "body": body}}
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    answer = read_answer(line, {"tools": [tool, None]}).answer
    assert answer is not None
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("look", "{}")]
    for request in ({}, {"tools": "x"}, {"tools": [tool], "tool_choice": "none"}):
        answer = read_answer(line, request).answer
        assert answer is not None
        assert answer.text == message["content"]
