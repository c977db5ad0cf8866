"""Wrong input over a real socket: the client gets the documented error, and the session continues."""

import asyncio
import contextlib
import json
import random

import pytest
import websockets

from realtime.protocol.framing import encode_frame
from realtime.server import client_pace
from tests.server.harness import TIMEOUT_S, Harness, WireClient, open_harness


async def still_works(wire: WireClient) -> None:
    """The session answers a text turn."""
    done = await wire.ask("What is two plus three?", output_modalities=["text"])
    assert done["status"] == "completed", done["status_details"]
    assert "5" in done["output"][0]["content"][0]["text"] or "five" in done["output"][0]["content"][0]["text"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "nonsense",
        "[]",
        "3",
        "null",
        '"text"',
        "{}",
        '{"type":7}',
        '{"type":null}',
        "[" * 100_000,
        "\x00",
    ],
    ids=lambda message: repr(message[:12]),
)
async def test_a_message_that_is_not_an_event_is_an_error(wire: WireClient, message: str):
    await wire.socket.send(message)
    error = await wire.error()
    assert (error["type"], error["code"], error["event_id"]) == (
        "invalid_request_error",
        "invalid_value",
        None,
    )
    await still_works(wire)


@pytest.mark.parametrize(
    "message",
    [
        '{"event_id":"mine"}',
        '{"event_id":"mine","type":7}',
        '{"event_id":"mine","type":"response.create"',
        '{"event_id":"mine","type":"response.create","response":{"temperature":NaN}}',
        '[{"event_id":"mine","type":"response.create"}]',
        b'{"event_id":"mine","type":"response.create"}',  # JSON in a binary message
    ],
)
async def test_a_message_that_is_not_an_event_is_an_error_with_its_event_id(
    wire: WireClient, message: str | bytes
):
    await wire.socket.send(message)
    error = await wire.error()
    assert (error["code"], error["event_id"]) == ("invalid_value", "mine")
    await still_works(wire)


WRONG = [
    ({"type": "make.coffee"}, "invalid_value", "type"),
    ({"type": "session.update"}, "missing_required_parameter", "session"),
    ({"type": "session.update", "session": 3}, "invalid_value", "session"),
    ({"type": "session.update", "session": {"colour": 1}}, "unknown_parameter", "session.colour"),
    ({"type": "session.update", "session": {"voice": "alloy"}}, "unknown_parameter", "session.voice"),
    ({"type": "session.update", "session": {"type": "transcription"}}, "invalid_value", "session.type"),
    (
        {
            "type": "session.update",
            "session": {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}},
        },
        "invalid_value",
        "session.audio.input.format.rate",
    ),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": 12}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "%%%"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.append", "audio": "AAA"}, "invalid_value", "audio"),
    ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
    ({"type": "output_audio_buffer.clear"}, "invalid_value", "type"),
    ({"type": "conversation.item.create"}, "missing_required_parameter", "item"),
    ({"type": "conversation.item.create", "item": {"type": "song"}}, "invalid_value", "item.type"),
    (
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{}]}},
        "missing_required_parameter",
        "item.content[0].type",
    ),
    (
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "unknown", "output": "1"},
        },
        "invalid_value",
        "item.call_id",
    ),
    ({"type": "conversation.item.retrieve", "item_id": "x"}, "item_retrieve_invalid_item_id", "item_id"),
    ({"type": "conversation.item.delete", "item_id": "x"}, "item_delete_invalid_item_id", "item_id"),
    (
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1},
        "item_truncate_invalid_item_id",
        "item_id",
    ),
    (
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": -1},
        "invalid_value",
        "audio_end_ms",
    ),
    (
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1.5},
        "invalid_value",
        "audio_end_ms",
    ),
    (
        {"type": "response.create", "response": {"temperature": "hot"}},
        "invalid_value",
        "response.temperature",
    ),
    (
        {"type": "response.create", "response": {"input": [{"type": "item_reference", "id": "x"}]}},
        "item_retrieve_invalid_item_id",
        "response.input[0].id",
    ),
    ({"type": "response.cancel", "response_id": "unknown"}, "response_cancel_not_active", None),
    ({"type": "response.create", "event_id": "e" * 513}, "invalid_value", "event_id"),
]


@pytest.mark.parametrize(("event", "code", "param"), WRONG, ids=lambda value: str(value)[:40])
async def test_a_wrong_event_is_an_error_with_its_event_id(
    wire: WireClient, event: dict, code: str, param: str | None
):
    await wire.socket.send(json.dumps({"event_id": "mine", **event}))
    error = await wire.error()
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["event_id"] == event.get("event_id", "mine")[:512]
    await still_works(wire)


async def test_a_sample_may_be_split_between_two_appends(wire: WireClient):
    await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    pcm = b"\x01\x02" * 4800
    await wire.append(pcm[:4801])
    await wire.append(pcm[4801:])
    await wire.send("input_audio_buffer.commit")
    await wire.until("input_audio_buffer.committed")
    assert not wire.of("error")
    await still_works(wire)


async def test_silence_starts_no_turn(wire: WireClient):
    for _ in range(30):
        await wire.append(bytes(9600))
    await still_works(wire)
    assert "input_audio_buffer.speech_started" not in wire.types


@pytest.fixture
def no_rate_limit(monkeypatch):
    """Do not limit the rate of audio."""
    monkeypatch.setattr(client_pace, "AUDIO_S_PER_S", 1e6)


@pytest.mark.usefixtures("no_rate_limit")
async def test_ten_minutes_of_noise_start_no_turn(wire: WireClient):
    noise = random.Random(1).randbytes(48_000 * 4)
    for _ in range(150):
        await wire.append(noise)
    await still_works(wire)
    assert not wire.of("error")


async def test_empty_appends_are_accepted(wire: WireClient):
    for _ in range(3):
        await wire.append(b"")
    await still_works(wire)
    assert not wire.of("error")


async def test_a_message_of_20_megabytes_ends_only_its_own_session(harness: Harness):
    async with harness.connect() as other, harness.connect() as wire:
        with contextlib.suppress(websockets.ConnectionClosed):  # the server closes before the message ends
            await wire.socket.send('{"type":"input_audio_buffer.append","audio":"' + "A" * 20_000_000 + '"}')
        assert (await wire.closed())[0] == 1009
        await still_works(other)
    async with harness.connect() as again:
        await still_works(again)


@pytest.mark.usefixtures("no_rate_limit")
async def test_a_message_of_15_megabytes_is_accepted(wire: WireClient):
    await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    await wire.append(bytes(11 * 1024 * 1024))
    await still_works(wire)
    assert not wire.of("error")


async def test_a_binary_message_without_the_subprotocol_is_an_error(wire: WireClient):
    await wire.socket.send(encode_frame(bytes(960), stream=0, seq=0, start_ms=0))
    error = await wire.error()
    assert (error["code"], error["param"]) == ("invalid_value", "message")
    await still_works(wire)


async def test_a_binary_message_over_64_kib_ends_the_session(harness: Harness):
    async with harness.connect(protocols=("realtime.bin.v1",)) as wire:
        await wire.socket.send(encode_frame(bytes(65_536 - 12), stream=0, seq=0, start_ms=0))
        await still_works(wire)
        await wire.socket.send(encode_frame(bytes(65_536 - 10), stream=0, seq=1, start_ms=0))
        assert (await wire.closed())[0] == 1009


@pytest.mark.parametrize(
    "frame", [b"", b"\x01\x01", b"\x02" + bytes(20)], ids=["empty", "short", "version 2"]
)
async def test_a_frame_of_another_version_ends_the_session(harness: Harness, frame: bytes):
    async with harness.connect(protocols=("realtime.bin.v1",)) as wire:
        await wire.socket.send(frame)
        assert (await wire.closed())[0] == 1002


async def test_a_frame_of_a_reserved_kind_is_ignored(harness: Harness):
    async with harness.connect(protocols=("realtime.bin.v1",)) as wire:
        await wire.socket.send(b"\x01\x07" + bytes(40))
        await still_works(wire)
        assert not wire.of("error")


async def test_a_hundred_invalid_messages_in_a_row_end_the_session(wire: WireClient):
    for _ in range(99):
        await wire.socket.send("invalid")
    await wire.error(99)
    await still_works(wire)  # an event in between resets the count
    for _ in range(100):
        await wire.socket.send("invalid")
    assert (await wire.closed())[0] == 1008
    assert wire.count("error") == 199


async def test_wrong_events_do_not_count_as_invalid_messages(wire: WireClient):
    for _ in range(150):
        await wire.send("make.coffee")
    await wire.error(150)
    await still_works(wire)


async def test_invalid_utf8_ends_the_session(wire: WireClient):
    await wire.socket.send(b'{"type":"\xff\xfe"}', text=True)
    assert (await wire.closed())[0] == 1007


async def test_a_conversation_holds_2000_items(wire: WireClient):
    await wire.send("session.update", session={"truncation": "disabled"})
    for _ in range(2_001):
        await wire.say("Hi")
    assert (await wire.error())["code"] == "conversation_full"
    assert wire.count("conversation.item.done") == 2_000
    first = wire.of("conversation.item.done")[0]["item"]["id"]
    await wire.send("conversation.item.delete", item_id=first)
    await wire.until("conversation.item.deleted")
    await wire.say("This one is accepted.")
    await wire.until("conversation.item.done", 2_001)


async def test_a_second_reply_at_once_is_an_error_and_the_first_continues():
    async with open_harness(faults="chat.stall") as harness, harness.connect() as wire:
        await wire.say("Hello.")
        await wire.send("response.create")
        await wire.send("response.create", event_id="second")
        error = await wire.error()
        assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "second")
        assert wire.count("response.created") == 1
        await wire.send("response.cancel")
        assert (await wire.until("response.done"))["response"]["status"] == "cancelled"
        harness.fault()
        await still_works(wire)


async def test_a_fifth_out_of_band_reply_is_an_error():
    async with open_harness(faults="chat.stall") as harness, harness.connect() as wire:
        await wire.say("Hello.")
        for _ in range(5):
            await wire.send("response.create", response={"conversation": "none"})
        error = await wire.error()
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        for created in wire.of("response.created"):
            await wire.send("response.cancel", response_id=created["response"]["id"])
        await wire.until("response.done", 4)
        assert {done["response"]["status"] for done in wire.of("response.done")} == {"cancelled"}
        harness.fault()
        await still_works(wire)


async def test_two_calls_with_the_same_id_are_accepted(wire: WireClient):
    for _ in range(2):
        call = {"type": "function_call", "name": "f", "call_id": "c1", "arguments": "{}"}
        await wire.send("conversation.item.create", item=call)
    await still_works(wire)
    output = {"type": "function_call_output", "call_id": "c1", "output": "1"}
    await wire.send("conversation.item.create", item=output)
    await still_works(wire)
    assert wire.count("error") == 0


async def test_an_expired_session_sends_an_error_and_closes():
    async with open_harness(session_minutes=0.005) as harness, harness.connect() as wire:
        assert (await wire.error())["code"] == "session_expired"
        assert await wire.closed() == (1001, "session_expired")


async def test_too_many_events_are_read_later_and_none_is_lost(wire: WireClient):
    """After a burst, events are read at 200 per second; none is rejected."""
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    for _ in range(2_300):
        await wire.send("input_audio_buffer.clear")
    await wire.until("input_audio_buffer.cleared", 2_300)
    assert loop.time() - begin_s > 0.5
    assert not wire.of("error")


async def test_too_much_audio_is_read_later_without_an_error(harness: Harness, monkeypatch):
    monkeypatch.setattr(client_pace, "AUDIO_BURST_S", 1.0)
    loop = asyncio.get_running_loop()
    async with harness.connect() as wire:
        begin_s = loop.time()
        for _ in range(80):
            await wire.append(bytes(4_800))  # 8 s together
        await still_works(wire)
        assert loop.time() - begin_s > 0.6
        assert not wire.of("error")


async def test_base64_with_line_breaks_or_url_alphabet_is_an_error(wire: WireClient):
    for number, audio in enumerate(("AA\nAA", "_-_-", "===="), 1):
        await wire.send("input_audio_buffer.append", audio=audio)
        assert (await wire.error(number))["param"] == "audio"
    await still_works(wire)


async def test_without_a_transcriber_the_turn_fails_and_the_session_continues(wire: WireClient):
    await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    async with asyncio.timeout(TIMEOUT_S):
        await wire.append(speech())
    await wire.send("input_audio_buffer.commit")
    await wire.send("response.create")
    failed = await wire.until("conversation.item.input_audio_transcription.failed")
    assert failed["error"]["code"] == "transcription_unavailable"
    assert "no transcriber" in failed["error"]["message"]
    assert "pip" not in failed["error"]["message"]  # that is for the operator
    done = (await wire.until("response.done"))["response"]
    assert done["status_details"]["error"]["code"] == "transcription_unavailable"
    await still_works(wire)


def speech() -> bytes:
    """Some spoken words as 16-bit PCM at 24 kHz."""
    from realtime.sandbox import voice

    words = "It was the best of times, it was the worst of times."
    return voice.synthesize(words, voice_id="English_Graceful_Lady", rate=24_000).pcm.astype("<i2").tobytes()
