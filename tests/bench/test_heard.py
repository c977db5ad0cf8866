"""What a benchmark of turns says of one sound: cut, delay, first sound, and what was asked and spoken in vain."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.conditions import Sound
from bench.listened import AudioLoop, Heard, Listening, Rule, listen
from realtime.core import turn as turns
from realtime.core.turn_end import MOST_QUESTIONS, EarlyAnswer
from realtime.providers.base import Providers
from realtime.replying.speculation import MOST_SPEECH_IN_VAIN
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeVad

SILENCE = np.zeros(16, np.int16)
SENTENCE = Sound("one", "en", "clean", SILENCE, 3_000.0)
HESITATES = Sound("one@2000+800", "en", "clean", SILENCE, 5_000.0, (2_000.0, 2_800.0))
SILENT_500 = Rule("silence of 500 ms", {"type": "server_vad", "silence_duration_ms": 500})


@pytest.mark.parametrize(("ended_ms", "cut"), [(1_000, True), (2_849, True), (2_850, False), (3_600, False)])
def test_a_turn_is_cut_if_it_ends_more_than_150_ms_before_the_speech(ended_ms: float, cut: bool) -> None:
    assert Heard(ended_ms=[ended_ms]).cut(SENTENCE) is cut
    assert Heard(ended_ms=[ended_ms, 3_700.0]).cut(SENTENCE) is cut, "whatever ends later"


@pytest.mark.parametrize(
    ("ended_ms", "cut"),
    [(1_849, False), (1_850, True), (2_400, True), (2_799, True), (2_800, False), (5_600, False)],
)
def test_a_hesitation_is_cut_only_by_a_turn_that_ends_within_it(ended_ms: float, cut: bool) -> None:
    assert Heard(ended_ms=[ended_ms]).cut(HESITATES) is cut


def test_who_ends_no_turn_has_cut_nobody_and_never_ends() -> None:
    heard = Heard()
    assert not heard.cut(SENTENCE)
    assert not heard.cut(HESITATES)
    assert heard.never_ends(SENTENCE)
    assert np.isnan([heard.delay_ms(SENTENCE), heard.first_sound_ms(SENTENCE)]).all()


def test_the_delay_is_that_of_the_first_turn_that_ends_about_the_end_of_speech_or_later() -> None:
    assert Heard(ended_ms=[3_600.0, 4_400.0]).delay_ms(SENTENCE) == 600
    assert Heard(ended_ms=[2_900.0]).delay_ms(SENTENCE) == -100
    assert Heard(ended_ms=[1_500.0, 3_480.0]).delay_ms(SENTENCE) == 480
    assert np.isnan(Heard(ended_ms=[1_500.0]).delay_ms(SENTENCE))


def test_a_turn_that_was_cut_and_not_taken_up_again_never_ends() -> None:
    assert Heard(ended_ms=[1_500.0]).never_ends(SENTENCE)
    assert not Heard(ended_ms=[1_500.0, 2_850.0]).never_ends(SENTENCE)


def test_the_first_sound_is_that_of_the_answer_to_the_turn_that_the_delay_is_of() -> None:
    heard = Heard(ended_ms=[1_500.0, 3_600.0, 5_000.0], sounds_ms=[2_100.0, 3_750.0, 5_600.0])
    assert heard.first_sound_ms(SENTENCE) == 750
    assert np.isnan(Heard(ended_ms=[1_500.0], sounds_ms=[2_100.0]).first_sound_ms(SENTENCE))


def test_the_background_begins_a_turn_only_after_the_end_of_speech() -> None:
    assert not Heard(began_ms=[500.0, 3_000.0]).begins_after(SENTENCE)
    assert Heard(began_ms=[500.0, 3_001.0]).begins_after(SENTENCE)


@given(st.lists(st.floats(0, 10_000), max_size=6))
def test_a_sentence_is_cut_or_has_one_delay_or_never_ends(ended_ms: list[float]) -> None:
    heard = Heard(ended_ms=sorted(ended_ms))
    assert heard.never_ends(SENTENCE) is bool(np.isnan(heard.delay_ms(SENTENCE)))
    if not heard.never_ends(SENTENCE):
        assert heard.delay_ms(SENTENCE) >= -150
    assert heard.cut(SENTENCE) or not ended_ms or not heard.never_ends(SENTENCE)


# -- an early answer in the making --------------------------------------------------------------------------------


@dataclass
class Told:
    """In place of the listening side: keeps what it is told."""

    answers: list[EarlyAnswer] = field(default_factory=list)

    def announce(self, onset_ms: float) -> None: ...

    def commit_turn(self, item_id: str, at_ms: float) -> None: ...

    def answer_is(self, answer: EarlyAnswer) -> None:
        self.answers.append(answer)

    async def append(self, pcm: bytes) -> None: ...


class Talk:
    """One turn, told event by event; `until` moves the clock of the audio."""

    def __init__(self, speculate: str = "speech", language: str = "en") -> None:
        providers = Providers(FakeVad(), FakeTranscriber(), FakeChat(), FakeSpeech())
        rule = Rule("", {"type": "semantic_vad"}, speculate=speculate)
        self.listening = Listening(providers, rule, language)
        self.told = self.listening.user = Told()
        self.heard = self.listening.heard
        self._at_ms = 0
        self.notice(turns.SpeechBegan(0.0, "item"))

    def notice(self, *events: turns.TurnEvent) -> None:
        for event in events:
            self.listening._notice(event)

    def suppose(self, text: str) -> None:
        self.notice(turns.WholeTextSupposed(text))

    async def until(self, at_ms: int) -> None:
        while self._at_ms < at_ms:
            await self.listening.append(b"")
            self._at_ms += 20

    async def end(self, at_ms: int, text: str) -> Heard:
        await self.until(at_ms)
        self.notice(turns.SpeechEnded(at_ms), turns.TranscriptKnown("item", text))
        return self.heard


@pytest.mark.parametrize(("ends_ms", "sounds_ms"), [(1_200, 1_730), (1_500, 1_730), (2_000, 2_000)])
async def test_an_early_answer_sounds_at_the_end_of_the_turn_or_when_it_is_ready(
    ends_ms: int, sounds_ms: float
) -> None:
    """60 ms for the decode, 370 to the first clause and 300 for the voice."""
    talk = Talk()
    await talk.until(1_000)
    talk.suppose("Turn it on.")
    heard = await talk.end(ends_ms, "Turn it on.")
    assert heard.sounds_ms == [sounds_ms]
    assert (heard.questions, heard.spoken, heard.in_vain) == (1, 1, 0)


@pytest.mark.parametrize("text", ["", " \n", None])
async def test_a_turn_without_words_is_not_answered_and_nothing_is_asked_for_it(text: str | None) -> None:
    """None: its text could not be found out."""
    talk = Talk()
    await talk.until(1_000)
    talk.suppose("Turn it.")
    await talk.until(1_500)
    read = turns.TranscriptFailed("item") if text is None else turns.TranscriptKnown("item", text)
    talk.notice(turns.SpeechEnded(1_500.0), read)
    heard = await talk.end(3_500, "Turn it on.")
    assert (heard.questions, heard.spoken, heard.in_vain) == (2, 2, 1)
    assert np.isnan(heard.sounds_ms[0])
    assert heard.sounds_ms[1:] == [4_170]
    assert heard.texts == [text or "", "Turn it on."]
    assert heard.first_sound_ms(SENTENCE) == 1_170, "the answer to the second turn, not to the first"
    assert np.isnan(heard.first_sound_ms(Sound("", "en", "clean", SILENCE, 1_500.0)))


async def test_a_decode_takes_longer_where_the_language_is_another_one() -> None:
    talk = Talk(language="zh")
    await talk.until(1_000)
    talk.suppose("打开灯。")
    assert (await talk.end(1_500, "打开灯。")).sounds_ms == [1_820]


async def test_without_an_early_answer_all_of_it_comes_after_the_end_of_the_turn() -> None:
    heard = await Talk().end(2_000, "Turn it on.")
    assert heard.sounds_ms == [2_670]
    assert (heard.questions, heard.spoken, heard.in_vain, heard.texts) == (1, 1, 0, ["Turn it on."])


async def test_an_answer_to_other_words_is_in_vain_only_if_the_voice_had_begun_with_it() -> None:
    for ends_ms, in_vain in ((1_420, 0), (1_440, 1)):
        talk = Talk()
        await talk.until(1_000)
        talk.suppose("Turn it.")
        heard = await talk.end(ends_ms, "Turn it off.")
        assert heard.sounds_ms == [ends_ms + 670]
        assert (heard.questions, heard.spoken, heard.in_vain) == (2, 1 + in_vain, in_vain)


async def test_the_same_words_are_asked_about_once() -> None:
    talk = Talk()
    for at_ms, text in ((1_000, "Turn it on."), (1_100, "turn it on"), (1_200, "Turn it on!")):
        await talk.until(at_ms)
        talk.suppose(text)
    heard = await talk.end(1_300, "Turn it on.")
    assert (heard.questions, heard.sounds_ms) == (1, [1_730])


async def test_with_chat_alone_the_voice_waits_until_the_turn_is_likely_over() -> None:
    for likely_ms, sounds_ms in ((1_200, 1_730), (1_500, 1_800), (None, 2_300)):
        talk = Talk("chat")
        await talk.until(1_000)
        talk.suppose("Turn it on.")
        if likely_ms is not None:
            await talk.until(likely_ms)
            talk.notice(turns.LikelyOver())
        await talk.until(1_600)
        if likely_ms is not None:
            talk.notice(turns.LikelyOver())
        assert (await talk.end(2_000 if likely_ms is None else 1_600, "Turn it on.")).sounds_ms == [sounds_ms]


async def test_sound_after_a_pause_holds_a_voice_that_has_not_begun() -> None:
    for goes_on_ms, sounds_ms in ((1_400, 2_300), (1_440, 2_000)):
        talk = Talk()
        await talk.until(1_000)
        talk.suppose("Turn it on.")
        await talk.until(goes_on_ms)
        talk.notice(turns.PauseEnded())
        assert (await talk.end(2_000, "Turn it on.")).sounds_ms == [sounds_ms]


async def test_the_listening_side_is_told_once_that_the_answer_is_ready() -> None:
    talk = Talk()
    await talk.until(1_000)
    talk.suppose("Turn it on.")
    await talk.until(1_720)
    assert talk.told.answers == [EarlyAnswer.IN_THE_MAKING]
    await talk.until(2_000)
    assert talk.told.answers == [EarlyAnswer.IN_THE_MAKING, EarlyAnswer.READY]
    talk.suppose("")
    assert talk.told.answers[2:] == [EarlyAnswer.NONE]
    assert talk.heard.spoken == 1


async def test_after_enough_in_vain_the_voice_waits_for_the_end_of_the_turn_and_not_of_the_next() -> None:
    talk = Talk()
    for number in range(MOST_SPEECH_IN_VAIN + 1):
        talk.suppose(f"It is {number}.")
        await talk.until(1_000 * (number + 1))
    heard = await talk.end(4_000, f"It is {MOST_SPEECH_IN_VAIN}.")
    assert heard.sounds_ms == [4_300]
    assert (heard.spoken, heard.in_vain) == (MOST_SPEECH_IN_VAIN + 1, MOST_SPEECH_IN_VAIN)
    talk.notice(turns.SpeechBegan(4_100.0, "item"))
    talk.suppose("And now?")
    assert (await talk.end(6_000, "And now?")).sounds_ms == [4_300, 6_000]


async def test_no_more_questions_are_asked_in_a_turn_than_the_server_asks() -> None:
    talk = Talk()
    for number in range(MOST_QUESTIONS + 3):
        talk.suppose(f"It is {number}.")
    assert talk.heard.questions == MOST_QUESTIONS
    heard = await talk.end(2_000, f"It is {MOST_QUESTIONS + 2}.")
    assert (heard.questions, heard.sounds_ms) == (MOST_QUESTIONS + 1, [2_670])


# -- a whole sound ------------------------------------------------------------------------------------------------


def said(*parts_ms: tuple[int, bool], condition: str = "clean", **truth) -> Sound:
    """Loud and silent stretches."""
    samples = [np.sin(np.arange(ms * 16) / 3) * (8_000 if loud else 0) for ms, loud in parts_ms]
    return Sound("said", "en", condition, np.concatenate(samples).astype(np.int16), **truth)


def heard_of(sound: Sound, rule: Rule = SILENT_500, texts: tuple[str, ...] = ("Turn it on.",) * 3) -> Heard:
    transcriber = FakeTranscriber(list(texts), delay_s=0.0, interim=False)
    with asyncio.Runner(loop_factory=AudioLoop) as runner:
        return runner.run(listen(Providers(FakeVad(), transcriber, FakeChat(), FakeSpeech()), rule, sound))


@pytest.mark.parametrize("wait_ms", [300, 500, 900])
def test_a_turn_is_heard_to_end_after_the_silence_of_its_rule(wait_ms: int) -> None:
    sound = said((500, False), (1_500, True), (3_000, False), end_ms=2_000.0)
    heard = heard_of(sound, Rule("", {"type": "server_vad", "silence_duration_ms": wait_ms}))
    assert heard.began_ms == pytest.approx([500], abs=64)
    assert heard.delay_ms(sound) == pytest.approx(wait_ms, abs=64)
    assert heard.first_sound_ms(sound) == pytest.approx(wait_ms + 670, abs=84)
    assert (heard.cut(sound), heard.never_ends(sound), heard.texts) == (False, False, ["Turn it on."])
    assert heard_of(sound, Rule("", {"type": "server_vad", "silence_duration_ms": wait_ms})) == heard


def test_a_pause_longer_than_the_silence_of_the_rule_is_heard_as_a_cut() -> None:
    sound = said((500, False), (900, True), (800, False), (900, True), (2_000, False), end_ms=3_100.0)
    heard = heard_of(sound)
    assert heard.cut(sound)
    assert len(heard.ended_ms) == 2
    assert heard.delay_ms(sound) == pytest.approx(500, abs=64), "the second turn is the one that is timed"


@pytest.mark.parametrize(("gap_ms", "cut"), [(400, False), (800, True)])
def test_a_hesitation_is_heard_to_be_cut_or_not_and_nothing_after_it_counts(gap_ms: int, cut: bool) -> None:
    parts = (500, False), (900, True), (gap_ms, False), (900, True), (3_000, False)
    sound = said(*parts, end_ms=2_300.0 + gap_ms, hesitation=(1_400.0, 1_400.0 + gap_ms))
    heard = heard_of(sound)
    assert heard.cut(sound) is cut
    assert len(heard.ended_ms) == cut


@pytest.mark.parametrize(("condition", "again"), [("clean", False), ("babble 10 dB", True)])
def test_what_begins_long_after_the_turn_is_listened_to_only_in_babble(condition: str, again: bool) -> None:
    parts = (500, False), (900, True), (2_000, False), (900, True), (1_500, False)
    sound = said(*parts, condition=condition, end_ms=1_400.0)
    assert heard_of(sound).begins_after(sound) is again
