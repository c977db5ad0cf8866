"""`connect` with a speaker and a microphone, against a scripted server: what is sent, played and acknowledged.

Speaker and microphone are files.
"""

import asyncio

import pytest
from realtime_client import ConnectionLost, DeviceError, connect
from realtime_client.files import FileMicrophone, FileSpeaker
from realtime_client.talk import MAX_EVENTS

from tests.eventually import WITHIN_S, eventually
from tests.terminal.scripted_server import scripted_server

RATE = 24_000


def sound(ms, value=1000):
    return value.to_bytes(2, "little") * (RATE * ms // 1000)


async def reply(line, ms, name="1"):
    await line.open_reply(name)
    await line.text("It is noon.")
    await line.audio(sound(ms))
    await line.close_reply()


async def test_a_program_that_only_waits_sends_plays_and_acknowledges():

    async def script(line):
        await line.greet()
        await line.expect("frame", 5)
        await reply(line, 400)
        await line.expect("output_audio_buffer.played", state="drained")
        await line.socket.close(1000)

    speaker = FileSpeaker()
    async with (
        scripted_server(script) as (url, lines),
        connect(url, speaker=speaker, microphone=FileMicrophone(sound(2000, 77), lead_ms=0)) as talk,
    ):
        assert talk.extensions == ("playback", "words")
        async with asyncio.timeout(WITHIN_S):
            await talk.ended()
    assert bytes(speaker.heard).strip(b"\0") == sound(400).strip(b"\0")
    acks = lines[0].of_type("output_audio_buffer.played")
    assert [ack["played_ms"] for ack in acks] == sorted(ack["played_ms"] for ack in acks)
    assert (acks[-1]["state"], acks[-1]["played_ms"], acks[-1]["item_id"]) == ("drained", 400, "item_1")
    assert lines[0].of_type("frame")[0]["pcm"] == sound(20, 77)


@pytest.mark.parametrize("binary", [True, False])
async def test_the_iterator_returns_every_event_in_order(binary):
    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await reply(line, 200)

    seen, heard = [], []
    async with (
        scripted_server(script) as (url, _),
        connect(url, speaker=FileSpeaker(), binary=binary) as talk,
    ):
        talk.on_heard = heard.append
        await talk.say("What time is it?")
        async for event in talk:
            seen.append(event)
            if event["type"] == "response.done":
                break
        assert talk.playing
        async with asyncio.timeout(WITHIN_S):
            await talk.drained()
        assert not talk.playing
    types = [event["type"] for event in seen]
    assert types[:3] == ["session.created", "conversation.created", "response.created"]
    assert b"".join(event["pcm"] for event in seen if "pcm" in event) == sound(200)
    assert types[-1] == "response.done"
    assert (heard[-1].played_ms, heard[-1].drained) == (200, True)


@pytest.mark.parametrize("asked_for", [True, False], ids=["by the program", "by speech"])
async def test_an_interruption_stops_playback_and_reports_the_position(asked_for):
    async def script(line):
        await line.greet()
        await line.open_reply()
        await line.audio(sound(5000))
        await line.expect("output_audio_buffer.played", 2)
        if asked_for:
            await line.expect("output_audio_buffer.clear")
        else:
            await line.send("input_audio_buffer.speech_started", audio_start_ms=100, item_id="item_U")
        await line.send("output_audio_buffer.cleared", response_id="resp_1")
        await line.close_reply("cancelled", "turn_detected")

    speaker = FileSpeaker()
    async with scripted_server(script) as (url, lines), connect(url, speaker=speaker) as talk:
        if asked_for:
            await lines[0].expect("output_audio_buffer.played", 2)
            await talk.interrupt()
        flushed = await lines[0].expect("output_audio_buffer.played", state="flushed")
        heard = len(speaker.heard)
        await asyncio.sleep(0.2)
        assert len(speaker.heard) == heard
        assert not talk.playing
    assert 0 < flushed["played_ms"] < 5000
    assert heard <= flushed["played_ms"] * 48


async def test_without_a_speaker_there_is_no_playback_extension():
    """Nothing would acknowledge the audio, and the history would be wrong."""

    async def script(line):
        await line.greet()
        await line.expect("response.create")
        await reply(line, 200)
        await line.expect("response.cancel")

    async with scripted_server(script) as (url, lines), connect(url) as conversation:
        assert conversation.extensions == ("words",)
        assert lines[0].socket.request.path.endswith("?extensions=words,resume")
        await conversation.say("Hello")
        async for event in conversation:
            if event["type"] == "response.done":
                break
        assert not conversation.playing
        await conversation.drained()
        await conversation.interrupt()
        await lines[0].expect("response.cancel")
    assert lines[0].of_type("output_audio_buffer.played") == []


async def test_a_microphone_alone_is_sent():
    async def script(line):
        await line.greet()

    microphone = FileMicrophone(sound(200, 77), lead_ms=0)
    async with scripted_server(script) as (url, lines), connect(url, microphone=microphone) as talk:
        assert talk.extensions == ("words",)
        await lines[0].expect("frame", 15)
        await talk.drained()
    frames = [frame["pcm"] for frame in lines[0].of_type("frame")]
    assert b"".join(frames[:10]) == sound(200, 77)
    assert not any(frames[10])


async def test_only_the_last_events_are_kept_for_a_program_that_does_not_iterate():
    async def script(line):
        await line.greet()
        for number in range(MAX_EVENTS + 50):
            await line.send("rate_limits.updated", rate_limits=[], number=number)
        await line.socket.close(1000)

    async with scripted_server(script) as (url, _), connect(url, speaker=FileSpeaker()) as talk:
        async with asyncio.timeout(WITHIN_S):
            await talk.ended()
        kept = [event async for event in talk]
    assert len(kept) == MAX_EVENTS
    assert kept[-1]["number"] == MAX_EVENTS + 49
    assert talk.dropped_events == 52, "two events of the greeting among them"


async def test_a_lost_connection_is_raised_by_ended_and_by_the_iterator():
    async def script(line):
        await line.greet()
        await line.socket.close(1011, "internal_error")

    async with scripted_server(script) as (url, _), connect(url, speaker=FileSpeaker(), resume=False) as talk:
        with pytest.raises(ConnectionLost, match="1011 internal_error"):
            await talk.ended()
        with pytest.raises(ConnectionLost, match="1011 internal_error"):
            async for _ in talk:
                pass


class BrokenMicrophone(FileMicrophone):
    async def __aiter__(self):
        yield bytes(960)
        raise DeviceError("The microphone was unplugged.")


async def test_an_error_of_the_microphone_ends_the_conversation():
    async def script(line):
        await line.greet()

    async with scripted_server(script) as (url, _), connect(url, microphone=BrokenMicrophone(b"")) as talk:
        with pytest.raises(DeviceError, match="unplugged"):
            async for _ in talk:
                pass


class AbsentSpeaker(FileSpeaker):
    async def __aenter__(self):
        raise DeviceError("This machine has no speaker.")


async def test_an_error_of_the_speaker_is_raised_before_the_connection_is_opened():
    async def script(line):
        await line.greet()

    async with scripted_server(script) as (url, lines):
        with pytest.raises(DeviceError, match="no speaker"):
            async with connect(url, speaker=AbsentSpeaker()):
                pass
        assert lines == []


async def test_without_headphones_the_microphone_is_muted_during_playback():
    async def script(line):
        await line.greet()
        await line.expect("frame", 5)
        await line.open_reply()
        await line.audio(sound(600))
        await line.close_reply()

    async with (
        scripted_server(script) as (url, lines),
        connect(url, speaker=FileSpeaker(), microphone=FileMicrophone(sound(4000, value=77), lead_ms=0)),
    ):
        await lines[0].expect("output_audio_buffer.played")
        during = len(lines[0].of_type("frame"))
        await lines[0].expect("output_audio_buffer.played", state="drained")
        after = len(lines[0].of_type("frame"))
        await lines[0].expect("frame", after + 30)
    frames = [frame["pcm"] for frame in lines[0].of_type("frame")]
    assert all(any(pcm) for pcm in frames[:4])
    assert not any(any(pcm) for pcm in frames[during + 1 : after])
    assert any(frames[-1])


async def test_what_is_said_into_the_silence_of_an_answer_that_has_stopped_coming_is_heard():
    """Its server stalls or has gone. When more comes, the microphone is muted again."""
    said = asyncio.Event()

    async def script(line):
        await line.greet()
        await line.open_reply()
        await line.audio(sound(200))
        await said.wait()
        await line.audio(sound(600), start_ms=200)
        await line.close_reply()

    def heard(frames):
        return sum(any(frame["pcm"]) for frame in frames)

    async with (
        scripted_server(script) as (url, lines),
        connect(
            url, speaker=FileSpeaker(), microphone=FileMicrophone(sound(9000, value=77), lead_ms=0)
        ) as talk,
    ):
        await lines[0].expect("output_audio_buffer.played")
        await eventually(lambda: heard(lines[0].of_type("frame")[10:]) > 5)
        assert talk.playing
        said.set()
        await lines[0].expect("output_audio_buffer.played", state="drained")
        assert heard(lines[0].of_type("frame")[-15:-5]) == 0


async def test_a_file_that_nobody_listens_to_is_written_as_fast_as_the_audio_comes():
    """A minute of speech; its positions are reported as those of any player."""

    async def script(line):
        await line.greet()
        await line.open_reply()
        for _ in range(60):
            await line.audio(sound(1000))
        await line.close_reply()
        await line.expect("output_audio_buffer.played", state="drained")
        await line.socket.close(1000)

    speaker = FileSpeaker(paced=False)
    began_s = asyncio.get_running_loop().time()
    async with scripted_server(script) as (url, lines), connect(url, speaker=speaker) as talk:
        await talk.ended()
    assert asyncio.get_running_loop().time() - began_s < 55
    assert bytes(speaker.heard) == sound(60_000)
    acks = lines[0].of_type("output_audio_buffer.played")
    assert (acks[-1]["state"], acks[-1]["played_ms"]) == ("drained", 60_000)
    assert [ack["played_ms"] for ack in acks] == sorted(ack["played_ms"] for ack in acks)
