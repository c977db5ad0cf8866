"""Audio in binary frames: the same samples as in events of JSON, in both directions."""

import numpy as np

from tests.server.harness import Harness


async def test_binary_audio_equals_json_audio(harness: Harness):
    """The same answer has the same samples; every frame has the announced stream and the right position."""
    async with harness.connect() as plain, harness.connect(protocols=("realtime.bin.v1",)) as binary:
        text = await plain.ask("Count from one to five.")
        framed = await binary.ask("Count from one to five.")
        assert framed["output"][0]["content"] == text["output"][0]["content"]
        framed_sound, plain_sound = (
            samples(b"".join(f.payload for f in binary.frames)),
            samples(plain.audio()),
        )
        both = min(len(framed_sound), len(plain_sound))  # the voice is not exactly reproducible
        assert both > max(len(framed_sound), len(plain_sound)) - 240
        assert np.corrcoef(framed_sound[:both], plain_sound[:both])[0, 1] > 0.8
        assert "response.output_audio.delta" not in binary.types
        stream = binary.of("response.content_part.added")[0]["stream"]
        position = 0
        for frame in binary.frames:
            assert frame.stream == stream
            assert frame.start_ms == position * 1000 // 48_000
            assert len(frame.payload) <= 9_600
            position += len(frame.payload)
        assert [frame.end for frame in binary.frames] == [False] * (len(binary.frames) - 1) + [True]
        assert not binary.frames[-1].payload
        numbers = [frame.seq for frame in binary.frames]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] < len(binary.events) + len(binary.frames)


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(float)


async def test_binary_appends_equal_json_appends(harness: Harness):
    from realtime.protocol.framing import encode_frame

    async with harness.connect(protocols=("realtime.bin.v1",)) as wire:
        await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        await wire.socket.send(encode_frame(bytes(4_800), stream=0, seq=0, start_ms=0))
        await wire.append(bytes(4_800))
        await wire.send("input_audio_buffer.commit")  # 200 ms together
        await wire.until("input_audio_buffer.committed")
        await wire.socket.send(encode_frame(bytes(960), stream=0, seq=1, start_ms=100))
        await wire.send("input_audio_buffer.commit")
        assert "20.00ms" in (await wire.error())["message"]


async def test_a_cancelled_binary_stream_ends_with_an_empty_frame(harness: Harness):
    async with harness.connect(protocols=("realtime.bin.v1",)) as wire:
        await wire.say("Tell me a very long story.")
        await wire.send("response.create")
        await wire.until("response.output_audio_transcript.delta")
        await wire.send("response.cancel")
        assert (await wire.until("response.done"))["response"]["status"] == "cancelled"
        assert wire.frames[-1].end
        assert not wire.frames[-1].payload
