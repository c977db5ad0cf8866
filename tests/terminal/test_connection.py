"""The client's connection against a scripted server: what is sent, what is received, how it ends."""

import asyncio
import base64
import http
import json

import pytest
from realtime_client import ConnectionFailed, ConnectionLost, connect

from tests.terminal.scripted_server import scripted_server

PCM = bytes(range(256)) * 4


async def hello(line):
    await line.greet()


async def test_the_first_events_are_seen_and_the_session_is_known():
    async with scripted_server(hello) as (url, _), connect(url) as conversation:
        assert conversation.session["id"] == "sess_1"
        assert conversation.extensions == ("words",)
        assert conversation.binary
        events = aiter(conversation)
        assert [(await anext(events))["type"] for _ in range(2)] == [
            "session.created",
            "conversation.created",
        ]


async def test_ten_lines_hold_a_conversation():
    """The example of the documentation, against any path and with the answer's text."""

    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await line.open_reply()
        await line.text("Hi.")
        await line.close_reply()

    seen = []
    async with scripted_server(script) as (url, lines), connect(f"{url}/v1/realtime") as c:
        await c.say("Hello")
        async for event in c:
            seen.append(event["type"])
            if event["type"] == "response.done":
                break
    item = lines[0].said[0]["item"]
    assert item.pop("id"), "so that it is the same item if it has to be sent again"
    assert item == {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    assert lines[0].socket.request.path == "/v1/realtime?extensions=words,resume"
    assert "response.output_audio_transcript.delta" in seen


@pytest.mark.parametrize("binary", [True, False])
async def test_audio_is_the_same_event_in_both_codings(binary):
    async def script(line):
        await line.greet()
        await line.open_reply(stream=9)
        await line.audio(PCM, start_ms=0)
        await line.audio(PCM[::-1], start_ms=21)
        await line.close_reply()

    deltas = []
    async with scripted_server(script) as (url, _), connect(url, binary=binary) as conversation:
        assert conversation.binary == binary
        async for event in conversation:
            if event["type"] == "response.output_audio.delta":
                deltas.append(event)
            if event["type"] == "response.done":
                break
    assert [event["pcm"] for event in deltas] == [PCM, PCM[::-1]]
    assert {(event["item_id"], event["response_id"], event["content_index"]) for event in deltas} == {
        ("item_1", "resp_1", 0)
    }


async def test_frames_of_a_stream_nobody_announced_are_dropped():
    async def script(line):
        await line.greet()
        await line.open_reply(stream=1)
        line.stream = 2
        await line.audio(PCM)
        await line.socket.send(b"\x07\x01\x00\x01" + bytes(8) + PCM)  # another version
        await line.socket.send(b"\x01\x02\x00\x01" + bytes(8) + PCM)  # another kind
        await line.socket.send(b"\x01")
        line.stream = 1
        await line.close_reply()
        await line.audio(PCM)  # after its end
        await line.send("rate_limits.updated", rate_limits=[])

    async with scripted_server(script) as (url, _), connect(url) as conversation:
        async for event in conversation:
            assert event["type"] != "response.output_audio.delta"
            if event["type"] == "rate_limits.updated":
                break


async def test_a_microphone_goes_out_as_numbered_frames():
    async with scripted_server(hello) as (url, lines), connect(url) as conversation:
        await conversation.append(bytes(960))
        await conversation.append(bytes(100_000))
        await lines[0].expect("frame", 5)
    frames = lines[0].of_type("frame")
    assert [frame["seq"] for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame["start_ms"] for frame in frames[:2]] == [0, 20]
    assert sum(len(frame["pcm"]) for frame in frames) == 100_960
    assert all(len(frame["pcm"]) + 12 <= 65_536 and len(frame["pcm"]) % 2 == 0 for frame in frames)


async def test_a_microphone_goes_out_as_base64_where_binary_was_not_agreed():
    """Also when we offered binary and the server chose the plain protocol."""
    async with scripted_server(hello, binary=False) as (url, lines), connect(url) as conversation:
        await conversation.append(PCM)
        event = await lines[0].expect("input_audio_buffer.append")
    assert base64.b64decode(event["audio"]) == PCM


async def test_every_helper_says_what_the_wire_knows():
    session = {"instructions": "Be brief."}
    async with (
        scripted_server(hello) as (url, lines),
        connect(url, session=session, resume=False) as conversation,
    ):
        await conversation.write("a")
        await conversation.respond(instructions="b")
        await conversation.respond()
        await conversation.cancel()
        await conversation.commit()
        await conversation.truncate("item_1", 620)
        await conversation.retrieve("item_1")
        await conversation.played("item_1", 500, "playing")
        await conversation.answer_call("call_1", "{}")
        await lines[0].expect("conversation.item.create", 2)
    said = lines[0].said
    assert said[0] == {"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}}
    assert said[2:] == [
        {"type": "response.create", "response": {"instructions": "b"}},
        {"type": "response.create"},
        {"type": "response.cancel"},
        {"type": "input_audio_buffer.commit"},
        {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 620},
        {"type": "conversation.item.retrieve", "item_id": "item_1"},
        {
            "type": "output_audio_buffer.played", "item_id": "item_1", "content_index": 0, "played_ms": 500,
            "state": "playing",
        },
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "call_1", "output": "{}"},
        },
    ]  # fmt: skip


async def test_the_key_goes_into_the_header_and_nowhere_else():
    async with scripted_server(hello) as (url, lines), connect(url, "secret-key") as conversation:
        assert lines[0].socket.request.headers["Authorization"] == "Bearer secret-key"
        assert "secret-key" not in lines[0].socket.request.path
        assert "secret-key" not in repr(conversation)


async def test_a_server_that_closes_cleanly_ends_the_iteration():
    async def script(line):
        await line.greet()
        await line.socket.close(1001, "session_expired")

    async with scripted_server(script) as (url, _), connect(url) as conversation:
        assert len([event async for event in conversation]) == 2


@pytest.mark.parametrize("code", [1008, 1011])
async def test_a_server_that_throws_us_out_raises_its_reason(code):
    async def script(line):
        await line.greet()
        await line.socket.close(code, "slow_reader")

    async with scripted_server(script) as (url, _), connect(url, resume=False) as conversation:
        with pytest.raises(ConnectionLost, match=f"{code} slow_reader") as caught:
            async for _event in conversation:
                pass
        assert caught.value.code == "slow_reader"
        with pytest.raises(ConnectionLost):
            await conversation.commit()


async def test_a_lost_socket_raises():
    async def script(line):
        await line.greet()
        line.socket.transport.abort()

    async with scripted_server(script) as (url, _), connect(url, resume=False) as conversation:
        with pytest.raises(ConnectionLost, match="was lost"):
            async for _event in conversation:
                pass


async def test_an_error_instead_of_a_session_is_the_reason():
    """A refused key in a subprotocol comes as an event, because a page could not read an HTTP status."""

    async def script(line):
        await line.send(
            "error", error={"type": "authentication_error", "code": "invalid_api_key", "message": "No."}
        )
        await line.socket.close(1008, "invalid_api_key")

    async with scripted_server(script) as (url, _):
        with pytest.raises(ConnectionFailed, match="No") as caught:
            async with connect(url):
                pass
    assert caught.value.code == "invalid_api_key"


async def test_a_refused_upgrade_tells_the_servers_own_sentence():
    def refuse(connection, request):
        error = {"message": "This key is unknown.", "type": "authentication_error", "code": "invalid_api_key"}
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, json.dumps({"error": error}))

    async with scripted_server(hello, process_request=refuse) as (url, _):
        with pytest.raises(ConnectionFailed, match="This key is unknown") as caught:
            async with connect(url):
                pass
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("told", "wait_s"),
    [
        (["7"], 7.0),
        (["7", "9"], 7.0),
        ([], None),
        (["Fri, 27 Nov 2026 15:00:00 GMT"], None),
        (["-1"], None),
        (["1" * 400], None),
    ],
)
async def test_a_refused_upgrade_tells_how_long_to_wait(told, wait_s):
    def refuse(connection, request):
        response = connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "full")
        for each in told:
            response.headers["Retry-After"] = each
        return response

    async with scripted_server(hello, process_request=refuse) as (url, _):
        with pytest.raises(ConnectionFailed, match="503") as caught:
            async with connect(url):
                pass
    assert caught.value.retry_after_s == wait_s


async def test_a_server_that_is_not_there_is_one_sentence(unused_tcp_port):
    with pytest.raises(ConnectionFailed, match=r"Nothing answers at ws://127\.0\.0\.1:.*realtime serve"):
        async with connect(f"http://127.0.0.1:{unused_tcp_port}"):
            pass


@pytest.mark.parametrize("url", ["ftp://h/", "ws://", "ws://h:port"])
async def test_an_address_that_is_none_is_one_sentence(url):
    with pytest.raises(ConnectionFailed, match="is not an address"):
        async with connect(url):
            pass


async def test_a_silent_server_is_not_waited_for_for_ever():
    async def silence(line):
        await asyncio.sleep(0)

    async with scripted_server(silence) as (url, _):
        with pytest.raises(ConnectionFailed, match="said nothing for"):
            async with connect(url, open_timeout_s=0.2):
                pass
