"""The end-of-turn model in a session: it shortens and lengthens the silence that ends a turn."""

import asyncio

import pytest

from realtime.core.turn_end import Evidence, silence_ms
from realtime.errors import ProviderUnavailable
from tests.conversing import Talk, scripted
from tests.fakes import FakeTranscriber
from tests.session.early import Heard, settings


class FakeEndOfTurnModel:
    """Says what it is told to say, and counts how often it was asked."""

    def __init__(self, *probabilities, delay_s: float = 0.03) -> None:
        self.probabilities, self.delay_s = list(probabilities), delay_s
        self.asked: list[float] = []

    async def finished(self, samples) -> float:
        self.asked.append(len(samples) / 16_000)
        await asyncio.sleep(self.delay_s)
        answer = self.probabilities.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        return


# Of what `speak(1.28)` brings, pre-roll included: nobody's words are known from their first sound on
WORDS_FROM_S = 1.3
SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}


async def silence_that_ended(end_of_turn: FakeEndOfTurnModel | None, text: str, **detection) -> float:
    """Milliseconds from the end of the loud samples to `speech_stopped`."""
    session = {"audio": {"input": {"turn_detection": {"type": "semantic_vad", **detection}}}}
    async with Talk(transcriber=Heard((WORDS_FROM_S, text)), end_of_turn=end_of_turn, **session) as talk:
        await talk.speak(1.28)
        end = talk.events[0]["at"] + 1.28
        await talk.silence(9.0)
        return (talk.of("input_audio_buffer.speech_stopped")[0]["at"] - end) * 1000


@scripted
async def test_sound_without_a_word_does_not_begin_the_silence_anew():
    text, before_s = "What time is it?", 0.288
    async with Talk(transcriber=Heard((WORDS_FROM_S, text)), settings=settings("off"), **SEMANTIC) as talk:
        await talk.speak(1.28)
        begun_s = talk.events[0]["at"]
        await talk.silence(before_s)
        await talk.speak(0.128)
        await talk.silence(2.0)
        sounded_s = begun_s + 1.28 + before_s + 0.128
        (stopped,) = talk.of("input_audio_buffer.speech_stopped")
    needed_ms = silence_ms(Evidence(text, silent_ms=before_s * 1000), "auto")
    assert (stopped["at"] - sounded_s) * 1000 == pytest.approx(needed_ms, abs=60)
    assert needed_ms < silence_ms(Evidence(text), "auto") - 200


@scripted
async def test_the_model_shortens_and_lengthens_the_silence():
    done, unsure = "What time is it?", "What time"
    waits = [
        await silence_that_ended(model, text)
        for model, text in (
            (FakeEndOfTurnModel(0.9), done),
            (FakeEndOfTurnModel(0.9), unsure),
            (None, unsure),
            (FakeEndOfTurnModel(0.1), unsure),
        )
    ]
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(silence_ms(Evidence(done, acoustic=0.9), "auto"), abs=60)
    assert waits[3] == pytest.approx(silence_ms(Evidence(unsure, acoustic=0.1), "auto"), abs=60)


@scripted
async def test_a_model_that_fails_or_is_slow_leaves_the_decision_to_the_text():
    for end_of_turn in (
        FakeEndOfTurnModel(ProviderUnavailable("busy")),
        FakeEndOfTurnModel(0.1, delay_s=30.0),
    ):
        by_text_ms = silence_ms(Evidence("What time is it?"), "auto")
        assert await silence_that_ended(end_of_turn, "What time is it?") == pytest.approx(by_text_ms, abs=60)


@scripted
async def test_the_model_is_asked_once_in_each_pause_and_only_under_semantic_vad():
    end_of_turn = FakeEndOfTurnModel(0.1, 0.9)
    async with Talk(
        transcriber=Heard((0, "Well"), (1.5, "Well, hello.")), end_of_turn=end_of_turn, **SEMANTIC
    ) as talk:
        await talk.speak(0.8)
        await talk.silence(0.5)
        await talk.speak(0.8)
        await talk.silence(0.6)
        assert len(talk.of("input_audio_buffer.speech_stopped")) == 1
        assert len(end_of_turn.asked) == 2
        assert end_of_turn.asked[0] < end_of_turn.asked[1]
    end_of_turn = FakeEndOfTurnModel()
    async with Talk(transcriber=Heard((0, "Hello.")), end_of_turn=end_of_turn) as talk:
        await talk.speak(0.8)
        await talk.silence(1.0)
        assert talk.of("input_audio_buffer.speech_stopped")
        assert end_of_turn.asked == []


class Broken(FakeTranscriber):
    async def transcribe(self, samples, *, language, final):
        raise ProviderUnavailable("busy")


@scripted
async def test_where_nobody_can_read_the_speech_the_sound_decides():
    for sounds_over in (0.95, 0.05):
        model = FakeEndOfTurnModel(sounds_over)
        async with Talk(transcriber=Broken(), end_of_turn=model, **SEMANTIC) as talk:
            await talk.speak(1.28)
            end = talk.events[0]["at"] + 1.28
            await talk.silence(4.0)
            (stopped,) = talk.of("input_audio_buffer.speech_stopped")
        assert len(model.asked) == 1
        needed_ms = silence_ms(Evidence(acoustic=sounds_over), "auto")
        assert (stopped["at"] - end) * 1000 == pytest.approx(needed_ms, abs=60)


@scripted
async def test_a_pause_does_not_inherit_the_length_of_the_one_before():
    """The first pause looked finished (380 ms); in the second one nothing is known for 400 ms: it must not end the turn."""
    transcriber = Heard((0, "Hello."), (1.5, "Hello. I would like to"))
    async with Talk(transcriber=transcriber, **SEMANTIC) as talk:
        await talk.speak(0.8)
        await talk.silence(0.2)
        transcriber.delay_s = 0.5
        await talk.speak(0.8)
        await talk.silence(1.0)
        assert not talk.of("input_audio_buffer.speech_stopped")
