"""Spoken conversations over the protocol, checked by transcribing the audio (docs/architecture.md 7)."""

import asyncio
import json

import numpy as np
import pytest

from realtime.core.audio import AudioFormat
from tests.clips import clips
from tests.e2e.audio import (
    Microphone,
    Player,
    append_speech,
    at_wire_rate,
    phrase,
    silence,
    similarity,
    transcribe,
)
from tests.server.harness import Harness, WireClient, open_harness
from tests.wer import word_error_rate, words

pytest.importorskip("faster_whisper", reason="no transcriber here: pip install 'minimax-realtime[local]'")
pytest.importorskip("onnxruntime", reason="no voice detection here: pip install 'minimax-realtime[local]'")

SPEECH = "speech.factor=20"  # times real time, as on the platform


@pytest.fixture
async def harness():
    async with open_harness(SPEECH, transcriber="local", language="en") as harness:
        yield harness


async def voice_turn(wire: WireClient, samples: np.ndarray) -> tuple[str, dict]:
    """Speak one turn; returns the transcript and the response."""
    seen = wire.count("response.done")
    transcripts = wire.count("conversation.item.input_audio_transcription.completed")
    await append_speech(wire, samples)
    done = (await wire.until("response.done", seen + 1))["response"]
    completed = await wire.until("conversation.item.input_audio_transcription.completed", transcripts + 1)
    assert done["status"] == "completed", done["status_details"]
    return completed["transcript"], done


def caption(response: dict) -> str:
    return str(response["output"][-1]["content"][0]["transcript"])


async def test_a_spoken_turn_is_transcribed_and_answered_in_speech(harness: Harness):
    said = min(
        (clip for clip in clips("en") if len(words(clip.transcript)) > 4), key=lambda clip: clip.seconds
    )
    async with harness.connect() as wire:
        transcript, done = await voice_turn(wire, at_wire_rate(said.samples))
        assert word_error_rate([(said.transcript, transcript)]) <= 0.35
        answer = caption(done)
        assert len(set(words(transcript)) & set(words(answer))) >= 0.6 * len(set(words(transcript)))
        sound = wire.audio(done["id"])
        assert word_error_rate([(answer, await transcribe(harness, sound))]) <= 0.35
        assert answer == "".join(e["delta"] for e in wire.of("response.output_audio_transcript.delta"))
        assert wire.types.index("input_audio_buffer.speech_started") < wire.types.index("response.created")


async def test_all_audio_of_the_voice_arrives_without_a_gap(harness: Harness):
    """The received audio equals new speech of the same requests to the voice, in order."""
    async with harness.connect() as wire:
        done = await wire.ask("Count from one to twenty.")
        requests = [request.text for request in harness.sandbox.state.speech_requests]
        expected = np.concatenate([phrase(text) for text in requests])
        received = np.frombuffer(wire.audio(done["id"]), "<i2")
        assert abs(len(received) - len(expected)) < 0.05 * len(expected)
        assert similarity(received, expected) > 0.8


async def test_a_turn_refers_to_an_earlier_one(harness: Harness):
    async with harness.connect() as wire:
        transcript, _ = await voice_turn(wire, phrase("My name is Michael."))
        assert "michael" in words(transcript)
        _, done = await voice_turn(wire, phrase("What is my name?"))
        assert "michael" in words(caption(done))
        assert "michael" in words(await transcribe(harness, wire.audio(done["id"])))


async def test_a_spoken_interruption_stops_the_audio_and_truncates_the_history(harness: Harness):
    async with harness.connect() as wire:
        await wire.say("Tell me a very long story about the sea.")
        await wire.send("response.create")
        item_id = (await wire.until("response.output_audio.delta"))["item_id"]
        player = Player(wire, item_id)
        async with Microphone(wire) as microphone:
            await asyncio.sleep(2.0)
            await microphone.say(phrase("Wait a moment, please. What did you just say?"))
            started = await wire.until("input_audio_buffer.speech_started")
            played_ms = player.played_ms
            done = await wire.until("response.done")
            assert done["response"]["status"] == "cancelled"
            assert done["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
            after = wire.types[wire.events.index(started) : wire.events.index(done)]
            assert "response.output_audio.delta" not in after
            await wire.send(
                "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=played_ms
            )
            truncated = await wire.until("conversation.item.truncated")
            assert truncated["audio_end_ms"] == played_ms
            answer = (await wire.until("response.done", 2))["response"]
        kept = (await wire.retrieve(item_id))["content"][0]["transcript"]
        whole = caption(done["response"])
        assert whole.startswith(kept)
        assert 0 < len(kept) < len(whole)
        sound = wire.audio(done["response"]["id"])[: played_ms * 48]
        assert abs(len(words(kept)) - len(words(await transcribe(harness, sound)))) <= 3
        # the sandbox's answer repeats the last words of the assistant in the history
        assert words(kept)[-4:] == words(caption(answer))[-4:]


async def test_a_manual_turn(harness: Harness):
    async with harness.connect() as wire:
        await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        await wire.until("session.updated")
        await wire.append(phrase("What is my name?").tobytes())
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create", response={"metadata": {"asked": "yes"}})
        done = (await wire.until("response.done"))["response"]
        assert done["metadata"] == {"asked": "yes"}
        transcript = wire.of("conversation.item.input_audio_transcription.completed")[0]["transcript"]
        assert words(transcript) == words("What is my name?")
        assert "name" in words(caption(done))
        assert "input_audio_buffer.speech_started" not in wire.types


async def test_noise_gets_no_answer(harness: Harness):
    async with harness.connect() as wire:
        rng = np.random.default_rng(3)
        await append_speech(wire, rng.normal(0, 1500, 3 * 24_000).astype(np.int16), then_silence_s=2)
        await wire.ask("What is two plus three?", output_modalities=["text"])
        assert wire.count("response.created") == 1


async def test_deltas_of_a_chinese_answer_are_whole_clauses(harness: Harness):
    async with harness.connect() as wire:
        await wire.say("请给我讲一个故事。")
        await wire.send("response.create")
        await wire.until("response.output_audio_transcript.delta", 3)
        await wire.send("response.cancel")
        done = (await wire.until("response.done"))["response"]
        deltas = [e["delta"] for e in wire.of("response.output_audio_transcript.delta")]
        assert len(deltas) >= 3
        for delta in deltas:
            assert delta.rstrip()[-1] in "，。！？；：、…”’）》", deltas
        assert "".join(deltas) == caption(done)
        assert len(wire.audio(done["id"])) / 48_000 > 0.1 * len("".join(deltas[:2]))  # seconds per character


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
async def test_g711_audio_in_both_directions(harness: Harness, law: str):
    from realtime.core.audio import Resampler

    phone = AudioFormat(law, 8000)
    async with harness.connect() as wire:
        audio = {"input": {"format": {"type": law}}, "output": {"format": {"type": law}}}
        await wire.send("session.update", session={"audio": audio})
        await wire.until("session.updated")
        spoken = np.concatenate([silence(0.4), phrase("What is my favorite color?"), silence(1.5)])
        await wire.append(phone.encode(Resampler(24_000, 8_000).feed(spoken, last=True)))
        done = (await wire.until("response.done"))["response"]
        assert done["audio"]["output"]["format"] == {"type": law}
        transcript = wire.of("conversation.item.input_audio_transcription.completed")[0]["transcript"]
        assert "color" in words(transcript)
        sound = phone.decode(wire.audio(done["id"])).astype("<i2").tobytes()
        assert len(sound) > 8_000
        assert word_error_rate([(caption(done), await transcribe(harness, sound, 8_000))]) <= 0.5


WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def test_a_spoken_question_calls_a_function_and_the_answer_uses_its_result(harness: Harness):
    async with harness.connect() as wire:
        await wire.send("session.update", session={"tools": [WEATHER]})
        await append_speech(wire, phrase("What is the weather like in Paris today?"))
        done = (await wire.until("response.done"))["response"]
        (call,) = [item for item in done["output"] if item["type"] == "function_call"]
        assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
        output = {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": '{"sky":"sunny","celsius":21}',
        }
        await wire.send("conversation.item.create", item=output)
        await wire.send("response.create")
        answer = caption((await wire.until("response.done", 2))["response"])
        assert "21" in answer
        assert wire.audio()
