"""What a client tells a new session of the conversation that it had: the order, what was deleted, what was asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from realtime_client.line import Line
from realtime_client.rebuilding import Rebuilding
from realtime_client.resuming import SentEvent

SESSION = {"id": "sess_1", "extensions": ["resume"]}


def message(name: str) -> dict[str, Any]:
    part = {"type": "input_text", "text": name}
    return {"id": name, "type": "message", "role": "user", "content": [part]}


def added(rebuilding: Rebuilding, name: str, previous: str | None) -> None:
    for kind in ("added", "done"):
        rebuilding.follow(
            {"type": f"conversation.item.{kind}", "item": message(name), "previous_item_id": previous}
        )


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["item"]["id"] for event in events if event["type"] == "conversation.item.create"]


def test_items_stand_where_the_server_put_them():
    known = Rebuilding()
    for name, previous in (
        ("a", None),
        ("b", "a"),
        ("c", "b"),
        ("first", None),
        ("second", "first"),
        ("d", "c"),
    ):
        added(known, name, previous)
    added(known, "late", "unknown")
    assert ids(known.recreate(SESSION, (), ())) == ["first", "second", "a", "b", "c", "d", "late"]


def test_what_the_client_deleted_in_vain_is_not_built_again():
    known = Rebuilding()
    added(known, "a", None)
    added(known, "b", "a")
    unsent = [{"type": "conversation.item.delete", "item_id": "a"}]
    assert ids(known.recreate(SESSION, unsent, ())) == ["b"]


def test_an_answer_that_was_asked_for_is_asked_for_again_after_every_loss():
    async def nowhere(query: dict[str, Any]) -> Any:
        raise AssertionError

    conversation = SimpleNamespace(session=SESSION, _arrived_ms=lambda part: None)
    line = Line(conversation, nowhere, rate=24_000)  # type: ignore[arg-type]
    line.keep({"type": "response.create"})
    for number in range(3):  # each new session is lost before it says anything more
        rest, _ = line._rebuilt({"type": "session.created", "session": {**SESSION, "id": f"sess_{number}"}})
        texts = [entry.text for entry in rest if isinstance(entry, SentEvent)]
        assert sum('"response.create"' in text for text in texts) == 1


def asks(known: Rebuilding) -> bool:
    return {"type": "response.create"} in known.recreate(SESSION, (), ())


CANCEL, CLEAR = {"type": "response.cancel"}, {"type": "output_audio_buffer.clear"}
COMMITTED = {"type": "input_audio_buffer.committed"}


@pytest.mark.parametrize("stop", [CANCEL, CLEAR], ids=["cancel", "clear"])
@pytest.mark.parametrize("spoken", [False, True], ids=["asked for", "after a turn"])
def test_an_answer_that_was_stopped_before_it_began_is_not_asked_for(stop, spoken):
    known = Rebuilding()
    if spoken:
        known.follow(COMMITTED)
    else:
        known.sent({"type": "response.create"})
    known.sent(stop)
    assert not asks(known)
    known.sent({"type": "response.create"})
    assert asks(known), "this one was asked for after the stop"


def test_a_stop_of_another_response_leaves_the_answer_that_is_due():
    known = Rebuilding()
    known.sent({"type": "response.create"})
    known.sent({**CANCEL, "response_id": "r"})
    assert asks(known)


def answered(*words: tuple[str, int, int], whole: bool = False) -> Rebuilding:
    """An answer to "a", of which the server has said so much."""
    known = Rebuilding()
    added(known, "a", None)
    item = {"id": "b", "type": "message", "role": "assistant", "content": []}
    part = {"response_id": "r", "item_id": "b", "output_index": 0, "content_index": 0}
    known.follow({"type": "conversation.item.added", "item": item, "previous_item_id": "a"})
    known.follow({"type": "response.content_part.added", "part": {"type": "audio"}, **part})
    known.follow({"type": "response.output_audio_transcript.delta", "delta": "One two three.", **part})
    timed = [{"text": text, "start_ms": start_ms, "end_ms": end_ms} for text, start_ms, end_ms in words]
    known.follow({"type": "response.output_audio_words.delta", "words": timed, **part})
    if whole:
        known.follow({"type": "response.output_audio.done", **part})
    return known


WORDS = (("One ", 0, 200), ("two ", 200, 400), ("three.", 400, 600))


def told(known: Rebuilding, arrived_ms: int | None = None, unsent: tuple[Any, ...] = ()) -> dict[str, str]:
    events = known.recreate(SESSION, unsent, (), arrived_ms=lambda part: arrived_ms)
    items = [event["item"] for event in events if event["type"] == "conversation.item.create"]
    return {item["id"]: item["content"][0]["text"] for item in items}


@pytest.mark.parametrize(
    ("arrived_ms", "text"),
    [(None, "One two three."), (0, None), (99, None), (310, "One two"), (600, "One two three.")],
)
def test_an_answer_that_broke_off_is_built_again_as_far_as_its_sound_has_come(arrived_ms, text):
    assert told(answered(*WORDS), arrived_ms).get("b") == text


@pytest.mark.parametrize(("arrived_ms", "text"), [(0, None), (10, "One two three.")])
def test_without_word_times_all_of_an_answer_counts_or_nothing(arrived_ms, text):
    assert told(answered(), arrived_ms).get("b") == text


@pytest.mark.parametrize(
    ("arrived_ms", "text"), [(310, "One two"), (400, "One two"), (401, "One two three.")]
)
def test_what_sounds_after_the_last_known_word_counts_whole(arrived_ms, text):
    """The times of a sentence often come after its sound."""
    assert told(answered(*WORDS[:2]), arrived_ms).get("b") == text


def test_an_answer_whose_sound_is_whole_is_built_again_whole():
    assert told(answered(*WORDS, whole=True), 310)["b"] == "One two three."


STOPS = (
    {"type": "output_audio_buffer.played", "item_id": "b", "played_ms": 310, "state": "flushed"},
    {"type": "conversation.item.truncate", "item_id": "b", "content_index": 0, "audio_end_ms": 310},
)


@pytest.mark.parametrize("stop", STOPS, ids=["playback", "stock"])
@pytest.mark.parametrize("whole", [False, True], ids=["open", "whole"])
def test_an_answer_that_the_client_has_stopped_counts_to_there(stop, whole):
    known = answered(*WORDS, whole=whole)
    known.sent(stop)
    assert told(known, 600)["b"] == "One two"
    known.follow({"type": "conversation.item.truncated", "item_id": "b", "audio_end_ms": 310})
    assert told(known)["b"] == "One two", "the server has not said the text"
    known.follow(
        {"type": "conversation.item.truncated", "item_id": "b", "audio_end_ms": 310, "transcript": "One"}
    )
    assert told(known)["b"] == "One"


def test_a_new_session_is_corrected_before_it_has_said_that_it_has_the_item():
    known = answered(*WORDS, whole=True)
    fresh = known.fresh(known.recreate(SESSION, (), ()))
    text, events = fresh.cut("b", 310)
    assert (text, [event["type"] for event in events]) == (
        "One two",
        ["conversation.item.delete", "conversation.item.create"],
    )
    assert (events[1]["previous_item_id"], events[1]["item"]["content"][0]["text"]) == ("a", "One two")
    assert fresh.cut("b", 310) == ("One two", []), "it knows that by now"
    assert fresh.cut("nobody", 310) == (None, [])


def test_an_answer_that_was_not_heard_at_all_is_deleted():
    known = answered(*WORDS, whole=True)
    fresh = known.fresh(known.recreate(SESSION, (), ()))
    assert fresh.cut("b", 10) == ("", [{"type": "conversation.item.delete", "item_id": "b"}])


@pytest.mark.parametrize("deleted", [False, True], ids=["not carried out", "half carried out"])
def test_an_item_that_was_created_again_keeps_its_place(deleted):
    """Another session is lost while it is corrected; then the events that did it are told again."""
    known = answered(*WORDS, whole=True)
    told_first = known.recreate(SESSION, (), ())
    fresh = known.fresh(told_first)
    added(fresh, "c", "b")
    _, events = fresh.cut("b", 310)
    if deleted:
        fresh.follow({"type": "conversation.item.deleted", "item_id": "b"})
    assert list(told(fresh, unsent=(*told_first, *events)).items()) == [
        ("a", "a"),
        ("b", "One two"),
        ("c", "c"),
    ]


def test_a_picture_that_was_not_received_is_sent_again():
    picture = {"id": "p", "type": "message", "role": "user", "content": [{"type": "input_image"}]}
    unsent = [{"type": "conversation.item.create", "item": picture}]
    known = Rebuilding()
    events = known.recreate(SESSION, unsent, ())
    assert known.fresh(events).recreate(SESSION, (), ()) == events
