"""Tests of the rules: correct recordings pass, and each kind of error is found."""

import asyncio
import copy

import pytest
from websockets.asyncio.server import serve

from tests.conformance import rules
from tests.conformance.cases import WEATHER, say
from tests.conformance.driver import run
from tests.conformance.own_server import own_server
from tests.conformance.schema import EVENTS
from tests.conformance.script import Case, Expect, Keep, Mark, Never, Ref, mismatch
from tests.server.harness import open_harness


@pytest.fixture(scope="module")
def recording() -> list[dict]:
    """A spoken text turn and a function call, as our own server sends them."""
    return asyncio.run(record())


async def record() -> list[dict]:
    async with open_harness() as harness, harness.connect() as wire:
        await wire.send("session.update", session={"tools": [WEATHER]})
        await wire.ask("What is 2 plus 3?")
        await wire.ask("What is the weather in Paris?")
        await wire.until("conversation.item.done", 4)
        return wire.events


def index_of(events: list[dict], type: str, count: int = 1) -> int:
    return [index for index, event in enumerate(events) if event["type"] == type][count - 1]


def test_a_correct_recording_passes(recording):
    assert rules.check(recording) == []


def swap(first: str, second: str):
    def broken(events):
        a, b = index_of(events, first), index_of(events, second)
        events[a], events[b] = events[b], events[a]

    return broken


def drop(type: str):
    return lambda events: events.pop(index_of(events, type))


def double(type: str):
    def broken(events):
        index = index_of(events, type)
        events.insert(index, {**events[index], "event_id": "event_twin"})

    return broken


def put(type: str, *path):
    *keys, value = path

    def broken(events):
        target = events[index_of(events, type)]
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return broken


def without(type: str, *path):
    def broken(events):
        target = events[index_of(events, type)]
        for key in path[:-1]:
            target = target[key]
        del target[path[-1]]

    return broken


def transcription(early: str, late: str) -> list[dict]:
    """The events of a spoken item, its delta and its transcript."""
    base = {"item_id": "item_s", "content_index": 0}
    item = {
        "id": "item_s", "object": "realtime.item", "type": "message", "role": "user", "status": "completed",
        "content": [{"type": "input_audio", "transcript": None}],
    }  # fmt: skip
    name = "conversation.item.input_audio_transcription"
    return [
        {"type": "conversation.item.added", "event_id": "h1", "previous_item_id": None, "item": item},
        {"type": f"{name}.delta", "event_id": "h2", **base, "delta": early},
        {
            "type": f"{name}.completed", "event_id": "h3", **base, "transcript": late,
            "usage": {"type": "duration", "seconds": 1.0},
        },
    ]  # fmt: skip


def test_a_transcript_similar_to_its_deltas_passes(recording):
    assert rules.check([*recording, *transcription("What time is", "What time was it?")]) == []


BREAKS = {
    "no session.created": drop("session.created"),
    "delta before its item": swap("response.output_item.added", "response.output_audio_transcript.delta"),
    "item added before its output_item.added": swap("response.output_item.added", "conversation.item.added"),
    "part before its item": swap("response.content_part.added", "response.output_item.added"),
    "done before the last delta": swap("response.output_audio.delta", "response.output_audio.done"),
    "transcript done before audio done": swap("response.output_audio.done", "response.output_audio_transcript.done"),
    "no end of the audio's part": drop("response.content_part.done"),
    "no end of the item": drop("response.output_item.done"),
    "a response that ends twice": double("response.done"),
    "a response that begins twice": double("response.created"),
    "an item added twice": double("conversation.item.added"),
    "two responses at once": drop("response.done"),
    "an event id used twice": put("response.done", "event_id", "event_1"),
    "no event id": without("response.created", "event_id"),
    "a null status": put("response.output_item.added", "item", "status", None),
    "a null transcript": put("response.output_audio_transcript.done", "transcript", None),
    "a voice that is an object": put("session.created", "session", "audio", "output", "voice", {"id": "x"}),
    "no interrupt_response": without(
        "session.created", "session", "audio", "input", "turn_detection", "interrupt_response"
    ),
    "text that differs": put("response.output_audio_transcript.done", "transcript", "Something else."),
    "arguments that are no JSON": put("response.function_call_arguments.done", "arguments", "{"),
    "a call without its name": without("response.function_call_arguments.done", "name"),
    "a call already complete when it is added": lambda events: events[
        next(i for i, e in enumerate(events) if e.get("item", {}).get("type") == "function_call")
    ]["item"].update(status="completed"),
    "a previous item that does not exist": put("conversation.item.added", "previous_item_id", "item_unknown"),
    "a beta name": put("response.output_audio.delta", "type", "response.audio.delta"),
    "an extension that was not requested": put("response.output_audio.done", "type", "response.latency.done"),
    "an error of an unknown type": lambda events: events.append(
        {"type": "error", "event_id": "e", "error": {"type": "oops", "code": None, "message": "m", "param": None, "event_id": None}}
    ),
    "output that was not sent": put("response.done", "response", "output", []),
    "an item out of its response": put("response.content_part.added", "item_id", "item_other"),
    "speech that stops twice": lambda events: events.append(
        {"type": "input_audio_buffer.speech_stopped", "event_id": "e", "audio_end_ms": 3, "item_id": "item_x"}
    ),
    "a transcript that differs from its deltas": lambda events: events.extend(transcription("what time is it", "Good bye.")),
    "a transcript of an unknown item": lambda events: events.append(
        {
            "type": "conversation.item.input_audio_transcription.completed", "event_id": "e", "item_id": "item_x",
            "content_index": 0, "transcript": "x", "usage": {"type": "duration", "seconds": 1.0},
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_an_error_in_a_recording_is_found(recording, name: str):
    events = copy.deepcopy(recording)
    BREAKS[name](events)
    assert events != recording
    assert rules.check(events)


@pytest.mark.parametrize("type", sorted(EVENTS))
def test_every_field_of_every_event_in_the_recording_is_required(recording, type: str):
    """For the event types in the recording: removing any required field is an error."""
    sample = next((event for event in recording if event["type"] == type), None)
    for key in EVENTS[type] if sample else ():
        less = {name: value for name, value in sample.items() if name != key}
        assert rules.fields([less]), f"{type} without {key}"


def test_patterns():
    kept: dict = {}
    assert mismatch({"a": Keep("x", 1)}, {"a": 1, "b": 2}, kept) is None
    assert kept == {"x": 1}
    assert mismatch({"a": Ref("x")}, {"a": 2}, kept) == "a is 2, not 1 (x)"
    assert mismatch({"a": [1, 2]}, {"a": [1]}, kept) == "a is [1], not a list of 2"
    assert mismatch({"a": {"b": ...}}, {"a": {}}, kept) == "a.b is missing"
    assert mismatch({"a": True}, {"a": 1}, kept) == "a is 1, not True"


def test_g711_of_the_suite_equals_that_of_the_server():
    """The suite uses formulas, the server uses tables."""
    import numpy as np

    from realtime.core.audio import AudioFormat
    from tests.conformance.sounds import encoded

    x = np.arange(-32_768, 32_768, 7).astype(np.int16)
    for law in ("audio/pcmu", "audio/pcma"):
        back = AudioFormat(law, 8000).decode(encoded(x, law))
        assert np.all(np.abs(back.astype(int) - x) <= np.maximum(np.abs(x.astype(int)) // 16, 16))


# -- the driver with faulty servers


async def outcome_with(behave, *steps) -> str:
    async with serve(behave, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return " ".join((await run(Case("x", "0", steps), f"ws://127.0.0.1:{port}")).failures)


async def test_an_unexpected_error_fails_a_case():
    async def behave(socket):
        await socket.send('{"type":"error","event_id":"e","error":{"code":"rude"}}')
        await socket.wait_closed()

    assert "rude" in await outcome_with(behave, Expect("session.created"))


async def test_a_server_that_closes_fails_a_case():
    async def behave(socket):
        await socket.close(1011)

    assert "1011" in await outcome_with(behave, Expect("session.created"))


async def test_a_binary_message_fails_a_case():
    async def behave(socket):
        await socket.send(b"1234")
        await socket.close()

    assert "binary" in await outcome_with(behave, Expect("session.created"))


async def test_a_missing_event_and_a_forbidden_event_fail_a_case():
    async def behave(socket):
        await socket.send('{"type":"response.created","event_id":"e","response":{"id":"r"}}')
        await socket.wait_closed()

    assert "not within" in await outcome_with(behave, Expect("response.done", within_s=0.1))
    assert "should not be sent" in await outcome_with(
        behave, Mark(), Expect("response.created"), Never(("response.created",))
    )


async def test_a_failed_connection_is_reported():
    outcome = await run(Case("x", "0", ()), "ws://127.0.0.1:9")
    assert outcome.failures[0].startswith("no connection")


async def test_a_wrong_expectation_fails_on_our_own_server():
    """A case with a wrong expectation must fail."""
    async with own_server() as url:
        wrong = Case(
            "x", "0", (*say("Hi."), Expect("conversation.item.done", {"item": {"role": "assistant"}}))
        )
        assert "item.role" in (await run(wrong, url)).failures[0]
