"""When interim text is asked for, who is told of it, and which text may be all that the user says."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from realtime.core import turn as turns
from realtime.core.items import Message, OutputSpeech
from realtime.listening.end_of_turn import EndOfTurnDelay
from realtime.listening.segment import SpeechSegment
from realtime.listening.speech_text import FIRST_INTERIM_MS, SpeechText
from realtime.providers.base import Transcript
from tests.contexts import Bench
from tests.conversing import scripted

EVERY_MS = 400.0


@dataclass
class Speaking:
    """What the endpointer would say, set by hand."""

    speaking: bool = True
    faded: bool = False
    paused: bool = False
    speech_ms: float = 0.0
    silence_ms: float = 500.0


@dataclass
class Audio:
    """A microphone of which only the endpointer counts."""

    endpointer: Speaking = field(default_factory=Speaking)
    scored_ms: float = 0.0
    start_ms: float = 0.0
    forgotten_ms: float = 0.0

    @property
    def kept_ms(self):
        return self.scored_ms - self.start_ms

    def samples(self, from_ms, to_ms):
        return np.zeros(max(160, int((to_ms - from_ms) * 16)), np.int16)

    def forget(self, before_ms):
        self.forgotten_ms = before_ms


class Decodes:
    """Transcription that is answered by hand."""

    takes_interim, guesses_sooner, may_settle, reads_at_a_price = True, False, True, False

    def __init__(self) -> None:
        self.every_ms = (EVERY_MS, EVERY_MS)  # rarely, often
        self.interims, self.guesses, self.earlies, self.discarded, self.left = [], [], [], 0, 0
        self.reads, self.settles, self.stopped = [], [], 0

    def settle(self, samples, on_text, on_failure):
        self.settles.append((len(samples) / 16_000, lambda text: on_text(Transcript(text)), on_failure))

    def stop_settling(self):
        self.stopped += 1

    def began(self):
        pass

    def interim_every_ms(self, *, often):
        return self.every_ms[often]

    def interim(self, samples, on_text):
        self.interims.append(lambda text, **doubts: on_text(Transcript(text, **doubts)))

    def guess(self, samples, on_text):
        self.guesses.append(lambda text, **doubts: on_text(Transcript(text, **doubts)))

    def early(self, samples, end_ms, on_text, on_failure, *, over_answer):
        self.earlies.append(lambda text, **doubts: on_text(Transcript(text, **doubts)))

    def read(self, samples, end_ms, on_text):
        self.reads.append(lambda text: on_text(Transcript(text)))

    def leave_early(self):
        self.left += 1

    def discard_early(self):
        self.discarded += 1


class Parrot:
    """Takes every text for an echo."""

    def own_words(self, text, audio, from_ms, to_ms):
        return ""

    def for_rules(self, text, audio, from_ms, to_ms):
        return "hm"


class Stage:
    """The text of one utterance, with everything around it moved by hand."""

    def __init__(self, *, echo=None, **session) -> None:
        self.bench, self.audio, self.decodes = Bench(**session), Audio(), Decodes()
        self.speaking = self.audio.endpointer
        delay = EndOfTurnDelay(self.bench.context, self.speaking)
        self.subject = SpeechText(self.bench.context, self.audio, self.decodes, delay, echo)
        self.segment = SpeechSegment("item_1")
        self.subject.began(self.segment)

    def grow(self, speech_ms: float) -> None:
        self.speaking.speech_ms = speech_ms
        self.audio.scored_ms = max(self.audio.scored_ms, speech_ms)
        self.subject.grew()

    def interim(self, text: str, *, after_ms: float = EVERY_MS, **doubts: float) -> None:
        """One interim decode gives this text."""
        self.grow(self.speaking.speech_ms + after_ms)
        self.decodes.interims[-1](text, **doubts)

    def fade(self) -> None:
        self.speaking.faded = True
        self.subject.faded(self.speaking.speech_ms)

    def pause(self) -> None:
        self.speaking.paused = True
        self.subject.paused(self.speaking.speech_ms)

    def resume(self, after_ms: float = 100.0) -> None:
        """There is sound again, so long after the voice ended."""
        self.speaking.faded = self.speaking.paused = False
        self.subject.resumed(self.speaking.speech_ms + after_ms)

    def supposed(self) -> list[str]:
        """The texts that were supposed to be all, since the last call."""
        texts = [event.text for event in self.bench.noticed if isinstance(event, turns.WholeTextSupposed)]
        self.bench.noticed.clear()
        return texts


@scripted
async def test_interim_text_is_asked_for_soon_and_then_at_intervals():
    stage = Stage()
    stage.grow(FIRST_INTERIM_MS - 1)
    assert len(stage.decodes.interims) == 0
    stage.grow(FIRST_INTERIM_MS)
    stage.grow(FIRST_INTERIM_MS + EVERY_MS - 1)
    assert len(stage.decodes.interims) == 1
    stage.grow(FIRST_INTERIM_MS + EVERY_MS)
    assert len(stage.decodes.interims) == 2


@scripted
@pytest.mark.parametrize(("over_answer", "every_ms"), [(True, 200.0), (False, 50.0)])
async def test_speech_over_an_answer_is_read_less_often_also_when_it_has_stopped_it(over_answer, every_ms):
    stage = Stage()
    stage.decodes.every_ms = (200.0, 50.0)
    stage.segment.announced = not over_answer
    stage.grow(1000)
    stage.segment.announced = True
    for time in (1, 2, 3):
        stage.grow(1000 + time * every_ms - 1)
        assert len(stage.decodes.interims) == time
        stage.grow(1000 + time * every_ms)
    stage.subject.began(SpeechSegment("item_2", announced=True))
    stage.grow(3000)
    stage.grow(3050)
    assert len(stage.decodes.interims) == 6, "it is other speech"


@scripted
async def test_a_pause_has_its_own_decode_and_puts_the_next_interim_one_off():
    stage = Stage()
    stage.segment.announced = True
    stage.speaking.speech_ms = 2000
    stage.fade()
    stage.pause()
    assert (len(stage.decodes.earlies), len(stage.decodes.interims)) == (2, 0)
    stage.grow(3000)
    assert stage.decodes.interims == [], "nothing new is said in a pause"
    stage.speaking.speech_ms = 2000
    stage.resume()
    stage.grow(2000 + EVERY_MS - 1)
    assert (stage.decodes.discarded, stage.decodes.interims) == (1, [])
    stage.grow(2000 + EVERY_MS)
    assert len(stage.decodes.interims) == 1


@scripted
async def test_the_text_of_a_part_decides_about_a_reply_also_when_the_speech_went_on():
    stage = Stage()
    stage.speaking.speech_ms = 400
    stage.fade()
    stage.pause()
    stage.resume()
    assert (stage.decodes.discarded, stage.decodes.left) == (0, 1)
    stage.speaking.speech_ms = 700
    stage.decodes.earlies[-1]("Yeah.")
    assert stage.bench.noticed.count(turns.InterimText("Yeah.", 400)) == 1
    stage.segment.announced = True
    stage.decodes.earlies[0]("Yeah.")
    assert stage.bench.noticed.count(turns.InterimText("Yeah.", 400)) == 1, "it is decided"


@scripted
async def test_a_whole_sentence_that_stays_the_same_may_be_all_until_more_is_said():
    stage = Stage()
    stage.interim("How are you?")
    assert stage.supposed() == [], "seen once"
    stage.interim("How are you?")
    assert stage.supposed() == ["How are you?"]
    stage.interim("How are you doing with")
    assert stage.supposed() == [""]
    stage.interim("How are you doing with")
    assert stage.supposed() == [], "no whole sentence"


@scripted
async def test_where_the_voice_only_fades_a_sentence_needs_a_few_words():
    for text, whole in (("Fine.", []), ("Fine, thanks.", []), ("I am fine.", ["I am fine."]), ("I am", [])):
        stage = Stage()
        stage.interim(text)
        stage.fade()
        assert stage.supposed() == whole, text
        stage.decodes.earlies[-1](text)
        assert stage.supposed() == whole, text


@scripted
async def test_the_first_digit_of_a_number_that_was_asked_for_is_not_all():
    for question, is_all in (("How many?", True), ("What is your PIN?", False)):
        stage = Stage()
        asked = Message("item_0", "assistant", (OutputSpeech(question),))
        stage.bench.context.conversation.add(asked)
        stage.interim("4.", last_word=0.99, stop=0.97)
        stage.interim("4.", last_word=0.99, stop=0.97)
        stage.pause()
        assert ("4." in stage.supposed()) is is_all, question


@scripted
async def test_an_interim_text_that_says_what_is_supposed_changes_nothing():
    stage = Stage()
    stage.interim("I am")
    stage.fade()
    stage.decodes.earlies[-1]("I am fine.")
    stage.resume()
    stage.interim("I am fine.")
    assert stage.supposed() == ["I am fine."]


@scripted
async def test_where_the_careful_decode_is_slow_a_guess_comes_before_it_once_for_each_end_of_the_voice():
    stage = Stage()
    stage.pause()
    assert stage.decodes.guesses == [], "the careful one is as quick"
    stage.resume()
    stage.decodes.guesses_sooner = True
    stage.pause()
    assert stage.decodes.guesses == [], "over an answer it may be a murmur, which only the careful one tells"
    stage.resume()
    stage.segment.announced = True
    stage.speaking.speech_ms = 800
    stage.fade()
    stage.pause()
    assert len(stage.decodes.guesses) == 1, "it is one end"
    stage.decodes.guesses[0]("明天上海的天气怎么样？")
    stage.decodes.earlies[-1]("明天上海的天气怎么样。")
    assert stage.supposed() == ["明天上海的天气怎么样？", "明天上海的天气怎么样。"]
    stage.resume()
    stage.speaking.speech_ms = 1_600
    stage.pause()
    assert len(stage.decodes.guesses) == 2


@scripted
async def test_where_each_decode_changes_the_text_questions_are_left_for_the_end():
    sure = {"last_word": 0.99, "stop": 0.95}
    stage = Stage()
    stage.interim("I have seen it.", **sure)
    stage.supposed()
    stage.segment.announced = True  # what was said before decided about a reply only
    for _ in range(2):
        stage.interim("We met.", **sure)
    stage.interim("We met them in Rome.", **sure)
    assert stage.supposed() == ["We met.", "We met.", "We met them in Rome."], "one of them twice"
    stage.interim("We met them in Rome today.", **sure)
    assert "We met them in Rome today." not in stage.supposed()
    stage.interim("We met them in Rome today.", **sure)
    assert stage.supposed() == ["We met them in Rome today."], "a second decode agrees"
    stage.subject.began(SpeechSegment("item_2"))
    stage.interim("How are you?", **sure)
    assert stage.supposed() == ["How are you?"], "another utterance"


@scripted
async def test_a_sentence_survives_a_voice_that_only_faded_and_no_pause_that_ended():
    stage = Stage()
    stage.interim("I am fine.")
    stage.fade()
    stage.resume()
    assert stage.supposed() == ["I am fine."]
    stage.pause()
    stage.resume()
    assert stage.supposed() == [""]
    stage.interim("I am fine.")
    stage.interim("I am fine.")
    stage.fade()
    stage.resume()
    assert "" not in stage.supposed(), "that pause is over"


@scripted
async def test_of_speech_that_is_taken_away_nothing_is_supposed():
    stage = Stage()
    stage.subject.discarded()
    assert stage.supposed() == [], "nothing was"
    stage.pause()
    stage.decodes.earlies[-1]("Fine.")
    stage.subject.discarded()
    assert stage.supposed() == ["Fine.", ""]
    assert stage.decodes.discarded == 2


@scripted
async def test_a_decode_that_is_late_says_nothing():
    stage = Stage()
    stage.fade()
    stage.pause()
    stage.speaking.speaking = stage.speaking.paused = False
    for on_text in stage.decodes.earlies:
        on_text("I am fine.")
    assert stage.bench.noticed == []


@scripted
async def test_a_decode_that_is_late_says_nothing_about_the_speech_after_it():
    stage = Stage()
    stage.grow(FIRST_INTERIM_MS)
    stage.pause()
    stage.subject.began(SpeechSegment("item_2"))
    stage.speaking.speech_ms = 300.0
    stage.decodes.interims[0]("Stop it.")
    stage.decodes.earlies[0]("Stop it now.")
    assert stage.bench.noticed == []
    stage.speaking.paused = False
    stage.grow(FIRST_INTERIM_MS)
    stage.decodes.interims[1]("Go on.")
    assert stage.bench.noticed == [turns.InterimText("Go on.")]


@scripted
async def test_the_client_is_told_once_it_knows_of_the_speech_and_where_it_wants_text():
    wanted, unwanted = Stage(), Stage(audio={"input": {"transcription": None}})
    for stage in (wanted, unwanted):
        stage.interim("I am fine")
        stage.interim("I am fine and")
        assert stage.bench.sent() == [], "the speech is not announced"
        stage.segment.announced = True
        stage.interim("I am fine and well")
        stage.interim("I am fine and well today")
    told = wanted.bench.sent()
    assert {event["type"] for event in told} == {"conversation.item.input_audio_transcription.delta"}
    assert {event["item_id"] for event in told} == {"item_1"}
    assert "".join(event["delta"] for event in told).startswith("I am fine and")
    assert unwanted.bench.sent() == []
    assert turns.InterimText("I am fine and well") in unwanted.bench.noticed, "the rules are told in any case"


@scripted
async def test_of_an_echo_the_client_gets_no_text_and_the_rules_a_hum_until_it_is_announced():
    stage = Stage(echo=Parrot())
    stage.grow(300)
    stage.interim("There was a lighthouse.")
    stage.segment.announced = True
    stage.grow(900)
    stage.interim("There was a lighthouse on a rock.")
    texts = [event.text for event in stage.bench.noticed if isinstance(event, turns.InterimText)]
    assert texts == ["hm", ""]
    assert not [event for event in stage.bench.sent() if event["type"].endswith("transcription.delta")]


@scripted
async def test_when_the_voice_has_faded_the_next_interim_text_comes_later():
    stage = Stage()
    stage.segment.announced = True
    stage.decodes.every_ms = (200.0, 50.0)
    stage.speaking.speech_ms = 1000
    stage.fade()
    stage.grow(1199)
    assert stage.decodes.interims == []
    stage.grow(1200)
    assert len(stage.decodes.interims) == 1
