"""The words of all tasks, and what their answers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import AnswerLost
from realtime.minimax import MiniMax
from realtime.minimax.job_states import WORDS, Reading, State, created_id, read, state_of

# Written down here a second time, from the pages: video.md 2, 2.1, 3, 4, t2a-async.md 2, batch.md 2, README.md 6.
DOCUMENTED = {
    "V1": {
        "Preparing": "queued",
        "Queueing": "queued",
        "Processing": "running",
        "Success": "done",
        "Fail": "failed",
    },
    "V1 push": {"processing": "running", "success": "done", "failed": "failed"},
    "user's documents": {
        "pending": "queued",
        "processing": "running",
        "succeeded": "done",
        "failed": "failed",
    },
    "V2": {
        "queued": "queued",
        "running": "running",
        "succeeded": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    },
    "narration": {"Processing": "running", "Success": "done", "Failed": "failed", "Expired": "expired"},
    "batch": {
        "validating": "queued",
        "in_progress": "running",
        "finalizing": "running",
        "completed": "done",
        "failed": "failed",
        "expired": "expired",
        "cancelling": "running",
        "cancelled": "cancelled",
    },
    "both spellings": {"canceled": "cancelled", "canceling": "running"},
}
ALL = [(word, state) for words in DOCUMENTED.values() for word, state in words.items()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(("word", "state"), ALL)
def test_every_documented_word_has_its_state(word, state):
    assert state_of(word) == State(state)


@given(st.data())
def test_case_and_blanks_do_not_count(data):
    word, state = data.draw(st.sampled_from(ALL))
    upper = data.draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    mixed = "".join(char.upper() if up else char.lower() for char, up in zip(word, upper, strict=True))
    assert state_of(f" {mixed}\n") == State(state)


@given(JSON)
def test_what_is_no_known_word_means_running(value):
    known = {word for words in WORDS.values() for word in words}
    if not isinstance(value, str) or value.strip().lower() not in known:
        assert state_of(value) is State.RUNNING


def test_no_word_means_two_states():
    words = [word for words in WORDS.values() for word in words]
    assert len(words) == len(set(words))
    assert all(word == word.lower() for word in words)


def test_four_states_are_final():
    assert {state for state in State if state.final} == {"done", "failed", "expired", "cancelled"}


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("status", "task", "error", "errors", "request_counts"), JSON),
    )
)
def test_no_answer_breaks_the_reader(answer):
    reading = read(answer)
    assert reading.share is None or 0.0 <= reading.share <= 1.0
    assert isinstance(reading.reason, str)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "Success", "file_id": "1"}, Reading(State.DONE)),
        ({"status": "failed", "error": "no face"}, Reading(State.FAILED, reason="no face")),
        (
            {"task": {"id": "1", "status": "failed", "error": {"code": "1026", "message": "sensitive"}}},
            Reading(State.FAILED, code=1026, reason="sensitive"),
        ),
        ({"task": {"status": "queued"}, "status": "failed"}, Reading(State.QUEUED)),
        (
            {
                "status": "in_progress",
                "errors": None,
                "request_counts": {"total": 8, "completed": 5, "failed": 1},
            },
            Reading(State.RUNNING, share=0.75),
        ),
        ({"status": "validating", "request_counts": {"total": 0, "completed": 0}}, Reading(State.QUEUED)),
        (
            {
                "status": "failed",
                "errors": {"object": "list", "data": [{"code": "x", "message": "bad", "line": 3}]},
            },
            Reading(State.FAILED, reason="Line 3: bad"),
        ),
        ({}, Reading(State.RUNNING)),
    ],
)
def test_answers_of_every_kind(answer, expected):
    assert read(answer) == expected


def test_the_id_of_a_task_that_was_made():
    assert created_id({"task_id": 106916112212032}) == "106916112212032"
    assert created_id({"batch_id": "batch_1", "id": ""}, "id", "batch_id") == "batch_1"


@pytest.mark.parametrize("answer", [{}, {"task_id": ""}, {"task_id": None}, {"id": "7"}])
def test_a_create_that_names_no_task_may_have_been_charged(answer):
    with pytest.raises(AnswerLost, match="charged") as caught:
        created_id(answer | {"trace_id": "t1"})
    assert caught.value.trace_id == "t1"


class _Silent:
    """A door whose answers name no task."""

    async def call(self, operation, **given):
        return {"base_resp": {"status_code": 0}}


@pytest.mark.parametrize(
    "create",
    [
        lambda mm: mm.narration.create("hello"),
        lambda mm: mm.batches.create(file_id="7"),
        lambda mm: mm.video.create("a cat"),
        lambda mm: mm.templates.create("diving", ["http://h/a.jpg"]),
        lambda mm: mm.video_v2.create("a cat", ratio="16:9"),
    ],
    ids=["narration", "batch", "video", "template", "V2"],
)
async def test_every_kind_of_task_reads_its_id_in_the_same_way(create):
    async with MiniMax("key", "http://127.0.0.1:9") as mm:
        for space in (mm.narration, mm.batches, mm.video, mm.templates, mm.video_v2):
            space._door = _Silent()
        with pytest.raises(AnswerLost, match="names no task"):
            await create(mm)
