"""When the voice begins with an early answer, and when as much of it is in hand as may be."""

import asyncio

import pytest

from realtime.core.turn_end import EarlyAnswer
from realtime.replying.speculation import MOST_SPEECH_IN_VAIN
from tests.conversing import scripted
from tests.fakes import FakeSpeech
from tests.replying.test_responses import Early
from tests.replying.words_first import WordsFirst

TWO_CHUNKS = (
    "That is good to hear, so let us go on with it now. And then we have to go home again, my friend."
)


def in_vain(early: Early) -> float:
    return early.bench.context.metrics.registry.get_sample_value("realtime_speech_in_vain_total") or 0.0


@scripted
async def test_the_voice_begins_once_the_turn_is_likely_over():
    early = Early()
    speech = early.bench.providers.speech
    early.suppose("How are you?")
    await asyncio.sleep(2)
    assert speech.said == [], "the user may still be speaking"
    early.side.speculation.speak_ahead()
    await asyncio.sleep(0.1)
    assert speech.said == ["Fine."]
    assert early.bench.sent() == [], "nobody hears it yet"
    await asyncio.sleep(1)
    assert early.over("How are you?")
    used = early.side.responses.active
    assert used is not None
    assert "response.output_audio.delta" in [event["type"] for event in await early.side.ended(used)]
    assert speech.said == ["Fine."], "one request"
    assert in_vain(early) == 0
    await early.side.close()


@scripted
async def test_an_answer_that_begins_when_the_turn_is_likely_over_is_spoken_at_once():
    early = Early()
    early.side.likely_over = True
    early.suppose("How are you?")
    await asyncio.sleep(0.15)
    assert early.bench.providers.speech.said == ["Fine."]
    early.suppose("How are you today?")
    await asyncio.sleep(0.05)
    assert in_vain(early) == 1, "what the voice was given before was for nothing"
    await early.side.close()


@scripted
async def test_an_answer_that_the_voice_never_had_costs_no_speech():
    early = Early()
    early.suppose("How are")
    await asyncio.sleep(1)
    early.suppose("How are you?")
    await asyncio.sleep(1)
    early.side.speculation.drop()
    assert in_vain(early) == 0
    early.side.speculation.speak_ahead()
    await asyncio.sleep(1)
    assert early.bench.providers.speech.said == [], "there is no answer to speak"
    await early.side.close()


@pytest.mark.parametrize("short_of", ["requests", "patience"])
def test_the_voice_waits_for_the_end_of_the_turn_where_it_has_cost_enough(short_of: str):
    @scripted
    async def guess():
        early = Early(speech_rpm=20)
        early.side.likely_over = True
        if short_of == "requests":
            early.bench.providers.speech.budget = 5
        else:
            for count in range(MOST_SPEECH_IN_VAIN):
                early.suppose(f"How are you, {count}?")
                await asyncio.sleep(1)
        said = list(early.bench.providers.speech.said)
        early.suppose("How are you?")
        await asyncio.sleep(1)
        early.side.speculation.speak_ahead()
        await asyncio.sleep(1)
        assert early.bench.providers.speech.said == said
        assert early.side.progress[-1] is EarlyAnswer.READY, "its first clause is all there may be"
        assert early.over("How are you?")
        await asyncio.sleep(1)
        assert early.bench.providers.speech.said == [*said, "Fine."]
        await early.side.close()

    guess()


@pytest.mark.parametrize("voice", [FakeSpeech, WordsFirst])
@pytest.mark.parametrize("answer", ["Fine.", TWO_CHUNKS])
def test_an_early_answer_is_ready_when_its_first_sound_is_in_hand(voice: type[FakeSpeech], answer: str):
    """Not when its text is there, nor its second chunk; also where the words come before the sound."""

    @scripted
    async def guess():
        early = Early(speech=voice(first_s=0.5, factor=1e6), answer=answer, speculate="speech")
        early.suppose("How are you?")
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING]
        await asyncio.sleep(0.55)
        assert early.bench.providers.speech.said
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING], "no sound yet"
        await asyncio.sleep(0.2)
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
        assert early.bench.sent() == []
        await early.side.close()

    guess()


@scripted
async def test_an_answer_without_a_sound_is_ready_with_its_text():
    early = Early(answer="\N{GRINNING FACE}\N{GRINNING FACE}", stand_in="", speculate="speech")
    early.suppose("How are you?")
    await asyncio.sleep(1)
    assert early.side.progress == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
    await early.side.close()
