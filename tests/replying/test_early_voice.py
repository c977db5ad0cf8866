"""When the voice begins with an early answer, and when as much of it is in hand as may be."""

import asyncio

import pytest

from realtime.core.turn_end import EarlyAnswer
from realtime.replying.speculation import MOST_SPEECH_IN_VAIN
from tests.conversing import scripted
from tests.fakes import FakeSpeech, call
from tests.replying.test_responses import Early
from tests.replying.voices import LATER_S, Mute, WordsFirst

TWO_CHUNKS = ("That is good to hear, ", "so let us go on with it now. ")


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
async def test_what_the_voice_was_given_for_nothing_is_counted():
    early = Early()
    early.suppose("How are you?")
    early.side.speculation.speak_ahead()
    await asyncio.sleep(0.15)
    assert early.bench.providers.speech.said == ["Fine."]
    early.suppose("How are you today?")
    assert in_vain(early) == 1
    await asyncio.sleep(1)
    assert early.bench.providers.speech.said == ["Fine."], "the next answer waits for a pause of its own"
    await early.side.close()


@scripted
async def test_an_answer_that_is_dropped_at_the_moment_it_may_be_spoken_is_not():
    early = Early()
    early.suppose("How are you?")
    await asyncio.sleep(1)
    early.side.speculation.speak_ahead()
    early.side.speculation.drop()
    await asyncio.sleep(1)
    assert early.bench.providers.speech.said == []
    assert in_vain(early) == 0
    await early.side.close()


@pytest.mark.parametrize("speculate", ["chat", "speech"])
def test_where_there_is_sound_again_the_voice_waits_for_another_pause(speculate: str):
    @scripted
    async def guess():
        early = Early(speculate=speculate)
        early.suppose("How are you?")
        early.side.speculation.speak_ahead()
        early.side.speculation.hold_voice()
        await asyncio.sleep(1)
        assert early.bench.providers.speech.said == []
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING]
        early.side.speculation.speak_ahead()
        await asyncio.sleep(1)
        assert early.bench.providers.speech.said == ["Fine."]
        early.side.speculation.hold_voice()
        assert early.over("How are you?")
        assert len(early.chat.requests) == 1
        assert in_vain(early) == 0
        await early.side.close()

    guess()


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


@pytest.mark.parametrize("short_of", ["requests", "patience", "requests by then"])
def test_the_voice_waits_for_the_end_of_the_turn_where_it_has_cost_enough(short_of: str):
    @scripted
    async def guess():
        early = Early(speech_rpm=20)
        speech, speculation = early.bench.providers.speech, early.side.speculation
        if short_of == "requests":
            speech.budget = 5
        elif short_of == "patience":
            for count in range(MOST_SPEECH_IN_VAIN):
                early.suppose(f"How are you, {count}?")
                speculation.speak_ahead()
                await asyncio.sleep(1)
        said = list(speech.said)
        early.suppose("How are you?")
        await asyncio.sleep(1)
        if short_of == "requests by then":
            assert early.side.progress[-1] is EarlyAnswer.IN_THE_MAKING
            speech.budget = 5
        speculation.speak_ahead()
        await asyncio.sleep(1)
        assert speech.said == said
        assert early.side.progress[-1] is EarlyAnswer.READY, "its first clause is all there may be"
        assert early.over("How are you?")
        await asyncio.sleep(1)
        assert speech.said == [*said, "Fine."]
        await early.side.close()

    guess()


@pytest.mark.parametrize(("voice", "sound_s"), [(FakeSpeech, 0.6), (WordsFirst, 0.6 + LATER_S)])
@pytest.mark.parametrize("answer", [("Fine.",), TWO_CHUNKS])
def test_an_early_answer_is_ready_when_its_first_sound_is_in_hand(
    voice: type[FakeSpeech], sound_s: float, answer: tuple
):
    """Not when its text is there, nor its second chunk; also where the words come before the sound."""

    @scripted
    async def guess():
        early = Early(speech=voice(first_s=0.5, factor=1e6), answer=answer, speculate="speech")
        early.suppose("How are you?")
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING]
        await asyncio.sleep(sound_s - 0.02)
        assert early.bench.providers.speech.said
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING], "no sound yet"
        await asyncio.sleep(0.2)
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
        assert early.bench.sent() == []
        assert len(early.bench.providers.speech.said) == 1
        assert early.over("How are you?")
        await asyncio.sleep(2)
        assert len(early.bench.providers.speech.said) == len(answer), "the rest waited for the gate"
        await early.side.close()

    guess()


SMILE = "\N{GRINNING FACE}\N{GRINNING FACE}"


@pytest.mark.parametrize("speculate", ["chat", "speech"])
@pytest.mark.parametrize(
    "answer", [(SMILE,), (call("look_up", "{}"),), ("One moment", call("look_up", "{}"))]
)
def test_an_answer_of_which_no_sound_will_come_is_ready_without_one(speculate: str, answer: tuple):
    @scripted
    async def guess():
        early = Early(answer=answer, stand_in="", speculate=speculate)
        early.suppose("How are you?")
        await asyncio.sleep(1)
        assert early.side.progress == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
        assert early.bench.sent() == []
        await early.side.close()

    guess()


@scripted
async def test_a_call_does_not_hide_that_a_sound_will_come():
    early = Early(answer=("Let me look it up. ", call("look_up", "{}")))
    early.suppose("How are you?")
    await asyncio.sleep(1)
    assert early.side.progress == [EarlyAnswer.IN_THE_MAKING], "the voice may begin soon"
    early.side.speculation.speak_ahead()
    await asyncio.sleep(0.3)
    assert early.bench.providers.speech.said == ["Let me look it up."]
    assert early.side.progress == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
    await early.side.close()


@scripted
async def test_a_voice_without_a_sound_holds_no_turn_open():
    early = Early(speech=Mute(factor=1e6), answer=TWO_CHUNKS, speculate="speech")
    early.suppose("How are you?")
    await asyncio.sleep(1)
    assert early.side.progress == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
    await early.side.close()
