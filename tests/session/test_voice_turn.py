"""One turn by voice: what is made ready when somebody begins to speak, and which steps of it are timed."""

from tests.conversing import Talk, scripted
from tests.fakes import FakeTranscriber


@scripted
async def test_the_voice_and_the_chat_model_are_prewarmed_as_soon_as_somebody_speaks():
    async with Talk(transcriber=FakeTranscriber(["Hello there."])) as talk:
        await talk.silence(0.5)
        voices, connections = len(talk.speech.prewarmed), talk.chat.prewarmed
        await talk.speak(0.5)
        assert "input_audio_buffer.speech_started" in talk.types
        assert len(talk.speech.prewarmed) == voices + 1
        assert talk.chat.prewarmed == connections + 1


@scripted
async def test_the_final_transcript_is_a_step_of_the_waterfall():
    transcriber = FakeTranscriber(["Hello there."], interim=False, delay_s=0.3)
    async with Talk(transcriber=transcriber, extensions="latency") as talk:
        await talk.speak(0.8)
        await talk.silence(2.0)
        marks = (await talk.until("response.latency.done"))["marks"]
        waited_ms = marks["transcript_final"] - marks["turn_confirmed"]
        assert 290 <= waited_ms <= 320
        assert marks["transcript_final"] <= marks["chat_request"]
