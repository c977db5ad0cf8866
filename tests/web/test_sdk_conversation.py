"""The conversation as data: events in, state out (`sdk/conversation.js`)."""

from __future__ import annotations

from typing import Any

import pytest

REDUCE = """async (events) => {
    const { emptyConversation, reduce, phase, recreate } = await import("/sdk/conversation.js");
    const state = events.reduce(reduce, emptyConversation());
    return { ...state, phase: phase(state, false), recreate: recreate(state) };
}"""


def said(
    item_id: str, role: str = "user", text: str | None = None, status: str = "completed"
) -> dict[str, Any]:
    kind, key = ("input_audio", "transcript") if role == "user" else ("output_audio", "transcript")
    content = [{"type": kind, key: text}] if role == "user" or text is not None else []
    return {"id": item_id, "type": "message", "role": role, "status": status, "content": content}


def added(item: dict[str, Any], previous: str | None) -> dict[str, Any]:
    return {"type": "conversation.item.added", "item": item, "previous_item_id": previous}


def transcription(kind: str, **fields: Any) -> dict[str, Any]:
    name = f"conversation.item.input_audio_transcription.{kind}"
    return {"type": name, "item_id": "u1", "content_index": 0, **fields}


STARTED = {"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 0}
STOPPED = {"type": "input_audio_buffer.speech_stopped", "item_id": "u1", "audio_end_ms": 900}
COMMITTED = {"type": "input_audio_buffer.committed", "item_id": "u1", "previous_item_id": None}
CREATED = {"type": "response.created", "response": {"id": "r1", "conversation_id": "c1"}}
ASSISTANT = added(said("a1", "assistant", status="in_progress"), "u1")
USER = added(said("u1"), None)


def delta(text: str) -> dict[str, Any]:
    return {"type": "response.output_audio_transcript.delta", "item_id": "a1", "delta": text}


def done(status: str, details: Any = None, **fields: Any) -> dict[str, Any]:
    response = {
        "id": "r1",
        "status": status,
        "status_details": details,
        "output": [],
        "conversation_id": "c1",
    }
    return {"type": "response.done", "response": response | fields}


WORDS = [
    {"text": "It ", "start_ms": 40, "end_ms": 190},
    {"text": "is ", "start_ms": 190, "end_ms": 310},
    {"text": "noon.", "start_ms": 310, "end_ms": 820},
]
TIMED = {"type": "response.output_audio_words.delta", "item_id": "a1", "words": WORDS}


def truncated(ms: int, **fields: Any) -> dict[str, Any]:
    return {"type": "conversation.item.truncated", "item_id": "a1", "audio_end_ms": ms, **fields}


FAILED = {
    "type": "failed",
    "error": {"type": "server_error", "code": "upstream_timeout", "message": "Too late."},
}
MANUAL = {"audio": {"input": {"turn_detection": None}}}
NEW_SESSION = {"type": "session.created", "session": {}}
LATENCY = {"type": "response.latency.done", "response_id": "r1", "origin": "speech_ended", "marks": {"x": 1}}
TABLE: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "speech creates an item for its caption": (
        [STARTED],
        {"phase": "user-speaking", "speech": "u1", "items": [{"id": "u1", "role": "user", "text": ""}]},
    ),
    "after the turn the phase is thinking": ([STARTED, STOPPED], {"phase": "thinking", "speech": None}),
    "cleared speech is removed": (
        [STARTED, {"type": "input_audio_buffer.cleared"}],
        {"phase": "listening", "items": []},
    ),
    "speech ends when the client ends the turns": (
        [STARTED, {"type": "session.updated", "session": {"audio": {"input": {"turn_detection": None}}}}],
        {"phase": "listening", "speech": None, "items": []},
    ),
    "speech goes on through another update": (
        [STARTED, {"type": "session.updated", "session": {"audio": {"input": {"turn_detection": {}}}}}],
        {"phase": "user-speaking", "speech": "u1"},
    ),
    "where another server goes on nobody speaks until speech is told anew": (
        [STARTED, {"type": "session.resumed", "session": {}, "restored": True}],
        {"phase": "listening", "speech": None, "items": []},
    ),
    "speech goes on when the connection is back": (
        [STARTED, {"type": "session.resumed", "session": {}, "restored": False}],
        {"phase": "user-speaking", "speech": "u1"},
    ),
    "transcript deltas are appended": (
        [STARTED, transcription("delta", delta="What "), transcription("delta", delta="time")],
        {"items": [{"text": "What time", "final": False}]},
    ),
    "the final transcript replaces them": (
        [STARTED, transcription("delta", delta="Wat"), STOPPED, USER, transcription("completed", transcript="What time is it?")],
        {"phase": "thinking", "items": [{"text": "What time is it?", "final": True, "placed": True}]},
    ),
    "an empty transcript is hidden and the phase is listening": (
        [STARTED, STOPPED, COMMITTED, USER, transcription("completed", transcript="")],
        {"phase": "listening", "items": [{"id": "u1", "hidden": True}]},
    ),
    "a noise takes no answer from what was typed before it": (
        [{"type": "local.message", "item_id": "m1", "text": "Hi"}, STARTED, STOPPED, COMMITTED, transcription("completed", transcript="")],
        {"phase": "thinking", "wanted": True},
    ),
    "nor does it if the line is lost": (
        [{"type": "local.message", "item_id": "m1", "text": "Hi"}, STARTED, NEW_SESSION], {"phase": "thinking", "wanted": True},
    ),
    "nor from what was said before it": (
        [STARTED, STOPPED, USER, transcription("completed", transcript="Hi"), {**STARTED, "item_id": "u2"}, STOPPED,
         {**transcription("completed", transcript=""), "item_id": "u2"}],
        {"phase": "thinking", "wanted": True},
    ),
    "two noises want no answer": (
        [STARTED, STOPPED, COMMITTED, {**STARTED, "item_id": "u2"}, transcription("completed", transcript=""), STOPPED,
         {**transcription("completed", transcript=""), "item_id": "u2"}],
        {"phase": "listening", "wanted": False},
    ),
    "a noise alone wants no answer": (
        [STARTED, STOPPED, COMMITTED, transcription("completed", transcript=""), NEW_SESSION], {"phase": "listening", "wanted": False},
    ),
    "a failed transcription stands at what was said": (
        [STARTED, STOPPED, USER, transcription("failed", error={"code": "transcription_failed", "message": "No transcriber."})],
        {"phase": "listening", "problem": None, "items": [
            {"id": "u1", "final": True, "text": "", "unread": {"code": "transcription_failed", "message": "No transcriber."}},
        ]},
    ),
    "speech that cannot be read takes no answer from what was typed before it": (
        [{"type": "local.message", "item_id": "m1", "text": "Hi"}, STARTED, STOPPED, USER, transcription("failed", error={})],
        {"phase": "thinking", "wanted": True},
    ),
    "an answer grows word by word": (
        [USER, CREATED, ASSISTANT, delta("It is "), delta("noon.")],
        {"response": "r1", "phase": "thinking", "items": [{"id": "u1"}, {"id": "a1", "text": "It is noon."}]},
    ),
    "an answer ends": (
        [USER, CREATED, ASSISTANT, delta("It is noon."), done("completed", output=[said("a1", "assistant", "x")])],
        {"response": None, "phase": "listening", "items": [{}, {"status": "completed", "final": True}]},
    ),
    "items follow their previous item": (
        [USER, added(said("u3"), "u1"), added(said("u2"), "u1"), added(said("u0"), None)],
        {"items": [{"id": "u0"}, {"id": "u1"}, {"id": "u2"}, {"id": "u3"}]},
    ),
    "speech that started before an answer was added follows it": (
        [USER, {**STARTED, "item_id": "u2"}, ASSISTANT, added(said("u2"), "a1")],
        {"items": [{"id": "u1"}, {"id": "a1"}, {"id": "u2"}]},
    ),
    "an item with an unknown previous item is last": ([USER, added(said("u9"), "unknown")], {"items": [{}, {"id": "u9"}]}),
    "a tool call is a hidden item": (
        [USER, added({"id": "f1", "type": "function_call"}, "u1"), added(said("a1", "assistant"), "f1")],
        {"items": [{"id": "u1"}, {"id": "f1", "hidden": True}, {"id": "a1"}]},
    ),
    "the call and its output are kept": (
        [USER, added({"id": "f1", "type": "function_call", "name": "t", "call_id": "c1", "arguments": "{}"}, "u1"),
         added({"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "4"}, "f1")],
        {"items": [{}, {"call": {"name": "t", "call_id": "c1", "arguments": "{}"}}, {"role": "function_call_output", "call": {"output": "4"}}]},
    ),
    "while a function of the page runs the phase is thinking": (
        [USER, CREATED, done("completed"), {"type": "local.tools", "running": True}], {"phase": "thinking"},
    ),
    "a session that ends while a function runs leaves the answer to the next one": (
        [USER, transcription("completed", transcript="Hi"), CREATED, done("completed"),
         {"type": "local.tools", "running": True}, NEW_SESSION],
        {"wanted": True, "phase": "thinking"},
    ),
    "a typed message keeps its pictures": (
        [{"type": "local.message", "item_id": "m1", "text": "", "images": ["data:x"]}, NEW_SESSION],
        {"items": [{"images": ["data:x"]}], "recreate": [{"item": {"content": [{"type": "input_image", "image_url": "data:x"}]}}]},
    ),
    "word times are kept": (
        [ASSISTANT, TIMED],
        {"items": [{"words": [{"text": "It "}, {"text": "is "}, {"end_ms": 820}]}]},
    ),
    "a truncated answer has the transcript of the server": (
        [ASSISTANT, delta("It is noon."), truncated(300, transcript="It is")],
        {"items": [{"text": "It is", "truncated": True}]},
    ),
    "without a transcript the word times decide": (
        [ASSISTANT, delta("It is noon."), TIMED, truncated(300)],
        {"items": [{"text": "It is", "truncated": True}]},
    ),
    "what sounded after the last known word stays whole": (
        [ASSISTANT, delta("It is noon. And sunny."), TIMED, truncated(821)],
        {"items": [{"text": "It is noon. And sunny.", "truncated": True}]},
    ),
    "text after a truncation is ignored": (
        [ASSISTANT, delta("It is"), truncated(300, transcript="It is"), delta(" noon."),
         {"type": "response.output_audio_transcript.done", "item_id": "a1", "transcript": "It is noon."}],
        {"items": [{"text": "It is"}]},
    ),
    "a retrieved item replaces the text": (
        [ASSISTANT, delta("It is noon."), truncated(300),
         {"type": "conversation.item.retrieved", "item": said("a1", "assistant", "It is")}],
        {"items": [{"text": "It is"}]},
    ),
    "a deleted item is gone": ([USER, {"type": "conversation.item.deleted", "item_id": "u1"}], {"items": []}),
    "a failed response is a problem": (
        [CREATED, done("failed", FAILED)],
        {"response": None, "problem": {"code": "upstream_timeout", "message": "Too late."}},
    ),
    "a filtered answer is a problem": (
        [CREATED, done("incomplete", {"type": "incomplete", "reason": "content_filter"})],
        {"problem": {"code": "content_filter"}},
    ),
    "an interrupted answer is no problem": (
        [CREATED, done("cancelled", {"type": "cancelled", "reason": "turn_detected"})],
        {"problem": None, "phase": "listening"},
    ),
    "new speech removes a problem": ([CREATED, done("failed", FAILED), STARTED], {"problem": None}),
    "an out-of-band response is ignored": (
        [{"type": "response.created", "response": {"id": "r9", "conversation_id": None}}],
        {"response": None, "phase": "listening"},
    ),
    "an error is shown": (
        [{"type": "error", "error": {"code": "invalid_value", "message": "No."}}],
        {"problem": {"code": "invalid_value", "message": "No."}},
    ),
    "the error of a late cancel is ignored": (
        [{"type": "error", "error": {"code": "response_cancel_not_active", "message": "Cancellation failed"}}],
        {"problem": None},
    ),
    "marks of the last turn": (
        [{"type": "response.latency.done", "response_id": "r1", "origin": "speech_ended", "marks": {"x": 1}}],
        {"latency": {"origin": "speech_ended", "marks": {"x": 1}}},
    ),
    "extensions are those of the session object": (
        [{"type": "session.created", "session": {"extensions": ["words"]}}],
        {"extensions": ["words"]},
    ),
    "a typed message is shown at once": (
        [{"type": "local.message", "item_id": "m1", "text": "Hi"}],
        {"phase": "thinking", "items": [{"id": "m1", "text": "Hi", "final": True, "placed": False}]},
    ),
    "a new session keeps the captions and gets the known items": (
        [USER, transcription("completed", transcript="Hi"), ASSISTANT, delta("Hello."), CREATED, {**STARTED, "item_id": "u2"},
         {"type": "local.message", "item_id": "m1", "text": "lost"}, {"type": "session.created", "session": {}}],
        {"response": None, "phase": "thinking", "wanted": True,
         "items": [{"text": "Hi"}, {"text": "Hello."}, {"text": "lost"}],
         "recreate": [{"item": {"id": "u1", "content": [{"type": "input_text", "text": "Hi"}]}},
                    {"item": {"id": "a1", "content": [{"type": "output_text", "text": "Hello."}]}},
                    {"item": {"id": "m1", "content": [{"type": "input_text", "text": "lost"}]}}]},
    ),
    "an answer that the lost connection cut off can be asked for again": (
        [USER, transcription("completed", transcript="Hi"), CREATED, ASSISTANT, delta("It"), NEW_SESSION],
        {"wanted": False, "phase": "listening", "items": [{"failed": None}, {"text": "It", "failed": {"code": "connection_lost"}}]},
    ),
    "a turn without any answer is answered by the next session": (
        [USER, transcription("completed", transcript="Hi"), CREATED, NEW_SESSION],
        {"wanted": True, "phase": "thinking", "items": [{"failed": None}]},
    ),
    "a stopped conversation wants no answer": (
        [USER, transcription("completed", transcript="Hi"), STOPPED, {"type": "local.stopped"}, NEW_SESSION],
        {"wanted": False, "phase": "listening", "items": [{"failed": None}]},
    ),
    "a failed answer stands at the message": (
        [USER, transcription("completed", transcript="Hi"), CREATED, done("failed", FAILED)],
        {"items": [{"id": "u1", "failed": {"code": "upstream_timeout"}}]},
    ),
    "an answer that fails in the middle carries the failure itself": (
        [USER, CREATED, ASSISTANT, delta("It"), done("failed", FAILED, output=[said("a1", "assistant", "It")])],
        {"items": [{"failed": None}, {"id": "a1", "failed": {"code": "upstream_timeout"}}]},
    ),
    "the next answer removes the failure": (
        [USER, CREATED, done("failed", FAILED), CREATED], {"problem": None, "items": [{"failed": None}]},
    ),
    "so does asking again": (
        [USER, CREATED, done("failed", FAILED), {"type": "local.retried"}],
        {"problem": None, "wanted": True, "phase": "thinking", "items": [{"failed": None}]},
    ),
    "an answer whose rest another server says has not failed, and nobody has interrupted it": (
        [USER, CREATED, ASSISTANT, delta("It is noon."), TIMED,
         done("failed", {"error": {"code": "server_restarting"}}, output=[said("a1", "assistant", "It is noon.", "incomplete")]),
         truncated(300, transcript="It is")],
        {"problem": None, "response": None,
         "items": [{"failed": None}, {"text": "It is", "whole": "It is", "truncated": False, "failed": None, "final": True,
                                      "words": [{"text": "It "}, {"text": "is "}]}]},
    ),
    "a truncated answer remembers what was written": (
        [ASSISTANT, delta("It **is** noon."), truncated(300, transcript="It **i")],
        {"items": [{"text": "It **i", "whole": "It **is** noon."}]},
    ),
    "an answer that was asked for and has not begun is asked of the next session": (
        [USER, {"type": "local.asked"}, NEW_SESSION], {"wanted": True, "awaiting": True},
    ),
    "an answer that began is not": ([USER, {"type": "local.asked"}, CREATED], {"wanted": False}),
    "a turn that the client ends is answered when it asks": (
        [{"type": "session.created", "session": MANUAL}, COMMITTED], {"awaiting": False, "phase": "listening"},
    ),
    "no more comes of an answer of an earlier session": (
        [added(said("a1", "assistant", "It is noon."), None)], {"items": [{"final": True, "text": "It is noon."}]},
    ),
    "a restored conversation comes first": (
        [USER, {"type": "local.restored", "id": "conv_9", "items": [{"id": "old", "role": "user", "text": "Hi", "placed": True}]}],
        {"id": "conv_9", "items": [{"id": "old", "final": True}, {"id": "u1"}], "recreate": [{"item": {"id": "old"}}]},
    ),
    "the conversation has an id": (
        [{"type": "conversation.created", "conversation": {"id": "conv_7"}}], {"id": "conv_7"},
    ),
    "a conversation that is not stored is no problem": (
        [{"type": "error", "error": {"code": "invalid_value", "param": "conversation", "message": "Not stored."}}],
        {"problem": None},
    ),
    "the marks of the turn before are gone when the next one begins": ([CREATED, LATENCY, STARTED], {"latency": None}),
    "late marks of the turn before are not shown": (
        [CREATED, done("completed"), {"type": "local.message", "item_id": "m1", "text": "Hi"}, LATENCY], {"latency": None},
    ),
    "marks of another response are not shown": (
        [CREATED, done("completed"), {"type": "response.created", "response": {"id": "r2", "conversation_id": "c1"}}, LATENCY],
        {"latency": None},
    ),
    "an unknown event changes nothing": ([{"type": "toString"}, {"type": "rate_limits.updated"}], {"items": []}),
}  # fmt: skip


def assert_within(expected: Any, got: Any, path: str = "state") -> None:
    """Every value in `expected` is also in `got`; lists have the same length."""
    match expected:
        case dict():
            for key, value in expected.items():
                assert_within(value, got[key], f"{path}.{key}")
        case list():
            assert len(expected) == len(got), f"{path}: {got}"
            for index, value in enumerate(expected):
                assert_within(value, got[index], f"{path}[{index}]")
        case _:
            assert expected == got, f"{path}: {got!r}"


@pytest.mark.parametrize("name", TABLE)
async def test_conversation(page: Any, name: str) -> None:
    """The rows of TABLE: events, and the expected state."""
    events, expected = TABLE[name]
    assert_within(expected, await page.evaluate(REDUCE, events))


async def test_every_handler_is_in_the_table(page: Any) -> None:
    """Every event handler needs a row."""
    names = await page.evaluate('async () => Object.keys((await import("/sdk/conversation.js")).handlers)')
    used = {event["type"] for events, _ in TABLE.values() for event in events}
    same = {"response.output_text.delta", "response.output_text.done", "conversation.item.done"}
    untested = {"local.problem_seen"}
    assert set(names) - used == same | untested


async def test_reducing_does_not_change_the_old_state(page: Any) -> None:
    """The page compares states by identity, so they must be immutable."""
    events = [event for events, _ in TABLE.values() for event in events]
    assert await page.evaluate(
        """async (events) => {
        const { emptyConversation, reduce } = await import("/sdk/conversation.js");
        const freeze = (value) => {
            if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(freeze);
            return value;
        };
        events.reduce((state, event) => freeze(reduce(state, event)), freeze(emptyConversation()));
        return true;
    }""",
        events,
    )
