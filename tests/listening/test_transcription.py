"""Decodes of one speaker: which language interim decodes assume, and what a guess is reused for."""

import asyncio
import contextlib

import numpy as np
import pytest

from realtime.errors import ProviderTimeout, ProviderUnavailable
from realtime.listening.certainty import DOUBTFUL
from realtime.listening.decoding import Decoding
from realtime.listening.transcription import Transcription
from realtime.providers.base import MAY_WAIT, Transcript
from tests.contexts import Bench
from tests.conversing import scripted

SECOND = np.zeros(16_000, np.int16)
LOUD = (np.sin(np.arange(16_000) / 3) * 9_000).astype(np.int16)  # one second
LONG, WORD = np.concatenate([LOUD, LOUD]), LOUD[:6_000]


def into(texts: list):
    """What is told is put there, as text."""
    return lambda transcript: texts.append(transcript.text)


class Linguist:
    """A transcriber that tells languages, and remembers which one it was told."""

    interim = True
    name = "linguist"

    def __init__(self, *answers: Transcript, takes_s: float = 0.0) -> None:
        self.answers, self.takes_s = list(answers), takes_s
        self.told: list[tuple[str | None, bool]] = []
        self.finished = 0
        self.spares: set[str | None] = set()  # languages

    def spare(self, language):
        return language in self.spares

    async def transcribe(self, samples, *, language, final):
        self.told.append((language, final))
        answer = self.answers.pop(0)
        await asyncio.sleep(self.takes_s)
        if isinstance(answer, Exception):
            raise answer
        self.finished += 1
        return answer


def english(text: str = "Hello.", log_probability: float = -0.3) -> Transcript:
    return Transcript(text, "en", log_probability)


def transcription(linguist: Linguist, **session) -> Transcription:
    return Transcription(Bench(transcriber=linguist, **session).context)


async def interim(subject: Transcription, samples: np.ndarray = SECOND) -> list[str]:
    texts: list[str] = []
    await asyncio.sleep(2.5)  # rested, however long the last one took
    subject.interim(samples, into(texts))
    await subject._interim
    return texts


@scripted
async def test_a_word_of_an_interim_text_is_in_the_language_of_two_utterances_and_more_than_a_word_tells_its_own():
    linguist = Linguist(*[english()] * 6)
    subject = transcription(linguist)
    for _ in range(2):
        await interim(subject, WORD)
        await subject.final(LONG, None)
    await interim(subject, WORD)
    await interim(subject, SECOND)
    assert linguist.told == [(None, False), (None, True)] * 2 + [("en", False), (None, False)]


@scripted
async def test_an_item_of_the_client_says_nothing_about_the_open_utterance():
    """Neither its language, nor that its interim text is of no use any more."""
    linguist = Linguist(english(), Transcript("你好。", "zh", -0.4), *[english()] * 2, takes_s=1.0)
    subject = transcription(linguist)
    subject.began()
    await interim(subject, LONG)
    other = asyncio.ensure_future(subject.of_item(LONG))
    await asyncio.sleep(0)
    texts = await interim(subject, LONG)
    await other
    await interim(subject, LONG)
    assert linguist.told == [(None, False), (None, True), ("en", False), ("en", False)]
    assert texts == ["Hello."]


@scripted
async def test_the_language_of_an_utterance_is_found_once_and_the_next_one_may_be_in_another():
    chinese = Transcript("你好。", "zh", -0.4)
    linguist = Linguist(*[english()] * 3, *[chinese] * 2)
    subject = transcription(linguist)
    subject.began()
    await interim(subject, LONG)
    await interim(subject, LONG)
    subject.early(LONG, 900.0, into([]))
    await asyncio.sleep(0)
    subject.began()
    await interim(subject, LONG)
    await subject.final(LONG, None)
    assert linguist.told == [(None, False), ("en", False), ("en", True), (None, False), ("zh", True)]


@scripted
async def test_a_final_text_that_looks_wrong_in_the_language_that_was_found_is_decoded_without_one():
    linguist = Linguist(english(), english("Knee how.", DOUBTFUL - 0.1), Transcript("你好。", "zh", -0.4))
    subject = transcription(linguist)
    await interim(subject, LONG)
    assert (await subject.final(LONG, None)).text == "你好。"
    assert linguist.told == [(None, False), ("en", True), (None, True)]


@scripted
@pytest.mark.parametrize(
    ("sound", "known"),
    [
        pytest.param("LONG", Transcript("Mumble.", "en", DOUBTFUL - 0.1), id="doubtful words"),
        pytest.param("LONG", Transcript("", "en", -0.3), id="no words"),
        pytest.param("WORD", Transcript("Yes.", "en", -0.3), id="a word"),
    ],
)
async def test_what_tells_no_language_leaves_it_open(sound, known):
    linguist = Linguist(known, english())
    subject = transcription(linguist)
    await interim(subject, {"LONG": LONG, "WORD": WORD}[sound])
    await subject.final(LONG, None)
    assert linguist.told[-1] == (None, True)


@scripted
async def test_a_late_text_of_the_utterance_before_says_nothing_about_this_one():
    linguist = Linguist(english(), english(), takes_s=0.5)
    subject = transcription(linguist)
    subject.interim(LONG, into([]))
    await asyncio.sleep(0.1)
    subject.began()
    await asyncio.sleep(1)
    await subject.final(LONG, None)
    assert linguist.told == [(None, False), (None, True)]


@scripted
async def test_an_assumed_language_is_given_up_when_the_words_are_doubtful():
    doubtful = english("Thank you for watching.", DOUBTFUL - 0.1)
    linguist = Linguist(english(), english(), doubtful, Transcript("你好。", "zh", -0.4))
    subject = transcription(linguist)
    for _ in range(2):
        await subject.final(LONG, None)
    assert await interim(subject, WORD) == [], "nobody sees what the wrong model made of it"
    assert await interim(subject, WORD) == ["你好。"]
    assert [language for language, _ in linguist.told[-2:]] == ["en", None]


@scripted
async def test_a_language_that_was_found_is_given_up_when_the_words_become_doubtful():
    doubtful = english("Knee how.", DOUBTFUL - 0.1)
    linguist = Linguist(english(), doubtful, Transcript("你好。", "zh", -0.4))
    subject = transcription(linguist)
    assert await interim(subject, LONG) == ["Hello."]
    assert await interim(subject, LONG) == []
    assert await interim(subject, LONG) == ["你好。"]


@scripted
async def test_two_languages_in_turn_are_never_assumed():
    linguist = Linguist(english(), Transcript("你好。", "zh"), english(), english())
    subject = transcription(linguist)
    for _ in range(3):
        await subject.final(SECOND, None)
    await interim(subject)
    assert linguist.told[-1] == (None, False)


@scripted
async def test_the_language_that_the_client_told_is_used_for_everything_and_never_doubted():
    linguist = Linguist(english("Nope.", -1.5), english(), english(), english("Nope.", -1.5))
    subject = transcription(linguist, audio={"input": {"transcription": {"language": "en"}}})
    assert await interim(subject) == ["Nope."]
    for _ in range(2):
        await subject.final(SECOND, None)
    assert await interim(subject) == ["Nope."]
    assert linguist.told == [("en", False), ("en", True), ("en", True), ("en", False)]


@scripted
async def test_doubtful_words_are_told_as_long_as_no_language_was_assumed():
    subject = transcription(Linguist(english("Mumble.", DOUBTFUL - 0.1)))
    assert await interim(subject) == ["Mumble."]


@scripted
async def test_one_decode_serves_the_fading_the_pause_and_the_end():
    linguist = Linguist(english("Done."), takes_s=0.1)
    subject, told = transcription(linguist), []
    subject.early(SECOND, 900.0, lambda text: told.append(f"faded {text.text}"))
    subject.early(SECOND, 900.0, lambda text: told.append(f"paused {text.text}"))
    assert (await subject.final(SECOND, 900.0)).text == "Done."
    await asyncio.sleep(0)
    assert told == ["faded Done.", "paused Done."]
    assert linguist.told == [(None, True)]


@scripted
async def test_the_interim_decode_stops_when_the_final_one_begins():
    """Two decodes at once would share the cores, and the one that matters would be late."""
    linguist = Linguist(english("So"), english("So far."), takes_s=1.0)
    subject, told = transcription(linguist), []
    subject.interim(SECOND, into(told))
    await asyncio.sleep(0)
    assert (await subject.final(SECOND, None)).text == "So far."
    assert subject._interim.cancelled()
    assert told == []


@scripted
async def test_an_early_decode_of_speech_that_went_on_is_not_used():
    linguist = Linguist(english("So"), english("So far."), takes_s=0.1)
    subject = transcription(linguist)
    subject.early(SECOND, 900.0, lambda text: None)
    await asyncio.sleep(0)
    subject.discard_early()
    assert (await subject.final(SECOND, 900.0)).text == "So far."
    await asyncio.sleep(1)
    assert linguist.finished == 1, "nobody decodes for nothing"


@scripted
async def test_an_early_decode_of_a_later_end_replaces_the_one_before():
    linguist = Linguist(english("So"), english("So far."), takes_s=0.1)
    subject, told = transcription(linguist), []
    subject.early(SECOND, 900.0, into(told))
    await asyncio.sleep(0.05)
    subject.early(SECOND, 1500.0, into(told))
    assert (await subject.final(SECOND, 1500.0)).text == "So far."
    await asyncio.sleep(1)
    assert (told, linguist.finished) == (["So far."], 1)


@pytest.mark.parametrize(("late_s", "fails"), [(-0.1, False), (0.1, True)])
def test_long_audio_may_take_longer(late_s: float, fails: bool):
    @scripted
    async def decode():
        timeout_s = Bench().settings.transcribe_timeout_s + 0.25 * 60
        subject = transcription(Linguist(english(), takes_s=timeout_s + late_s))
        if not fails:
            assert (await subject.final(np.zeros(60 * 16_000, np.int16), None)).text == "Hello."
            return
        with pytest.raises(ProviderTimeout) as failure:
            await subject.final(np.zeros(60 * 16_000, np.int16), None)
        assert failure.value.code == "transcription_failed"

    decode()


@pytest.mark.parametrize(("takes_s", "errors"), [(0.1, 0), (3600.0, 1)])
@pytest.mark.parametrize("final", [True, False])
def test_a_transcription_that_timed_out_is_counted_as_an_error(final: bool, takes_s: float, errors: int):
    """It was cancelled: the transcriber itself cannot tell."""

    @scripted
    async def decode():
        bench = Bench(transcriber=Linguist(english(), takes_s=takes_s))
        subject = Decoding(bench.context)
        with contextlib.suppress(ProviderTimeout):
            await subject.transcribe(SECOND, final=final)
        assert bench.context.metrics.registry.get_sample_value(
            "realtime_upstream_errors_total",
            {"kind": "transcription", "code": "upstream_timeout", "upstream_code": ""},
        ) == (errors or None)

    decode()


@scripted
async def test_what_is_read_is_told_in_any_case_unless_it_is_discarded():
    busy = ProviderUnavailable("busy")
    for answers, told in (
        ([english("Stop.")], "Stop."),
        ([busy, english("Stop.")], "Stop."),
        ([busy] * 2, ""),
    ):
        linguist = Linguist(english())
        linguist.interim = False
        linguist.answers = list(answers)
        subject, heard = transcription(linguist), []
        subject.early(LOUD, 900.0, into(heard))
        assert linguist.told == [], "an early guess is not worth a request"
        subject.read(LOUD, 900.0, into(heard))
        subject.read(LOUD, 900.0, into(heard))
        await asyncio.sleep(1)
        assert heard == [told] * 2
        assert linguist.told == [(None, True)] * len(answers), "one request serves both, and a second attempt"
    discarded, heard = transcription(Linguist(english(), takes_s=0.5)), []
    discarded.read(LOUD, 900.0, into(heard))
    await asyncio.sleep(0.1)
    discarded.discard_early()
    await asyncio.sleep(1)
    assert heard == []


@scripted
async def test_a_word_is_in_the_language_that_this_speaker_speaks():
    """It is too short to tell its language by itself."""
    german = Transcript("Ja.", "de", -0.4)
    linguist = Linguist(german, german, german, german)
    subject = transcription(linguist)
    for samples in (LOUD, LOUD, LOUD[:6_000], LOUD):
        await subject.final(samples, None)
    assert [language for language, _ in linguist.told] == [None, None, "de", None]


@scripted
async def test_an_invented_text_is_no_text_in_every_kind_of_decode():
    invented = english("Thank you for watching!", -1.1)
    subject = transcription(Linguist(*[invented] * 3), audio={"input": {"transcription": {"language": "en"}}})
    told = await interim(subject)
    subject.early(LOUD, 900.0, into(told))
    assert (await subject.final(LOUD, None)).text == ""
    await asyncio.sleep(1)
    assert told == ["", ""]


@scripted
async def test_an_interim_text_may_run_ahead_of_the_sound_and_a_final_one_may_not():
    ahead = english("What about the weather in Paris today?")
    subject = transcription(Linguist(ahead, ahead))
    texts: list[str] = []
    subject.interim(LOUD[:4_000], into(texts))
    await subject._interim
    assert texts == [ahead.text]
    assert (await subject.final(LOUD[:4_000], None)).text == ""


class Patient(Linguist):
    """Notes how many decodes of what may wait run at once."""

    running = most = 0

    async def transcribe(self, samples, *, language, final):
        may_wait = MAY_WAIT.get()
        self.running += may_wait
        self.most = max(self.most, self.running)
        try:
            return await super().transcribe(samples, language=language, final=final)
        finally:
            self.running -= may_wait


@scripted
async def test_recordings_of_a_session_are_read_one_after_the_other_and_speech_does_not_wait_for_them():
    """However long that takes: the clock of each begins with its decode."""
    linguist = Patient(*[english()] * 9, takes_s=4.0)
    subject, began_s = transcription(linguist), asyncio.get_running_loop().time()
    recordings = [asyncio.create_task(subject.of_item(SECOND)) for _ in range(8)]
    await asyncio.sleep(1.0)
    await subject.final(LONG, None)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(5.0, abs=0.1)
    await asyncio.gather(*recordings)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(32.0, abs=0.1)
    assert linguist.most == 1
    assert not MAY_WAIT.get()
