"""A word that sounds like an unlikely language is read again in that of the conversation."""

import asyncio

import pytest

from realtime.core.conversation import Message, OutputSpeech
from realtime.errors import ProviderUnavailable
from realtime.listening.transcription import Transcription
from realtime.providers.base import Transcript
from tests.contexts import Bench
from tests.conversing import scripted
from tests.listening.test_transcription import LONG, LOUD, WORD, Linguist, english


@scripted
async def test_a_word_in_an_unlikely_language_is_read_again_in_that_of_the_conversation():
    arabic, yeah = Transcript("يح", "ar", -1.2), english("Yeah.", -1.3)
    for talked, samples, answers, text, told in (
        ("Once there was a dog.", WORD, [arabic, yeah], "Yeah.", [None, "en"]),
        (
            "很久以前有一只小狗。",
            WORD,
            [Transcript("しだ", "ja", -1.1), Transcript("是的", "zh", -1.7)],
            "是的",
            [None, "zh"],
        ),
        (
            "Once there was a dog.",
            WORD,
            [Transcript("shu'er", "zh", -1.2), english("Sure.", -1.1)],
            "Sure.",
            [None, "en"],
        ),
        ("很久以前有一只小狗。", WORD, [Transcript("OK", "zh", -0.9)], "OK", [None]),
        ("Once there was a dog.", WORD, [arabic, english("")], arabic.text, [None, "en"]),
        ("Once there was a dog.", WORD, [arabic, english("Duck.", -2.0)], arabic.text, [None, "en"]),
        ("Once there was a dog.", WORD, [arabic, ProviderUnavailable("busy")], arabic.text, [None, "en"]),
        ("Once there was a dog.", WORD, [arabic, RuntimeError("broken")], arabic.text, [None, "en"]),
        ("Once there was a dog.", LOUD, [arabic, english("Yeah.", -1.3)], "Yeah.", [None, "en"]),
        # more than a word counts where it is sure, and so does what is long enough to tell its language
        ("Once there was a dog.", LOUD, [Transcript("يح", "ar", -0.9)], arabic.text, [None]),
        ("Once there was a dog.", LONG, [Transcript("يح", "ar", -1.1)], arabic.text, [None]),
        ("", WORD, [arabic], arabic.text, [None]),
    ):
        linguist = Linguist(*answers)
        bench = Bench(transcriber=linguist)
        if talked:
            bench.context.conversation.add(Message("item_1", "assistant", (OutputSpeech(talked),)))
        assert (await Transcription(bench.context).final(samples, None)).text == text
        assert [language for language, _ in linguist.told] == told


@scripted
async def test_laughter_that_is_read_as_chinese_is_read_in_the_only_language_of_this_speaker():
    for read, in_english, text in (
        (Transcript("火水水火塔", "zh", -1.1), english("Ha ha ha.", -1.5), "Ha ha ha."),
        (Transcript("火水水火塔", "zh", -1.1), english("Toss, what?", -2.0), "火水水火塔"),
        (Transcript("关掉音乐。", "zh", -0.7), None, "关掉音乐。"),
    ):
        linguist = Linguist(
            english("Tell me a story.", -0.3), *([read, in_english] if in_english else [read])
        )
        subject = talking_english(linguist)
        await subject.final(LONG, None)
        assert (await subject.final(LOUD, None)).text == text
        assert [language for language, _ in linguist.told] == [None, None, *(["en"] if in_english else [])]


class Hesitates(Linguist):
    """Takes so long for each answer."""

    def __init__(self, *answers, seconds):
        super().__init__(*answers)
        self.seconds = list(seconds)

    async def transcribe(self, samples, *, language, final):
        self.takes_s = self.seconds.pop(0)
        return await super().transcribe(samples, language=language, final=final)


def talking_english(linguist, **session):
    bench = Bench(transcriber=linguist, **session)
    bench.context.conversation.add(Message("item_1", "assistant", (OutputSpeech("Once there was a dog."),)))
    return Transcription(bench.context)


@scripted
async def test_a_second_reading_that_takes_long_costs_no_text():
    subject = talking_english(Hesitates(Transcript("يح", "ar", -1.2), english("Yeah."), seconds=[3.2, 60.0]))
    assert (await subject.final(WORD, None)).text == "يح"


@scripted
async def test_a_language_that_was_told_is_not_doubted():
    told = {"audio": {"input": {"transcription": {"language": "ar"}}}}
    subject = talking_english(Linguist(Transcript("يح", "ar", -1.2)), **told)
    assert (await subject.final(WORD, None)).text == "يح"


@scripted
async def test_a_language_that_was_spoken_in_more_than_a_word_is_not_doubted_and_one_word_proves_nothing():
    arabic = Transcript("يح", "ar", -0.4)
    for first, told in ((LOUD, [None, None]), (WORD, [None, "en", None, "en"])):
        linguist = Linguist(*([arabic, arabic] if first is LOUD else [arabic, english("")] * 2))
        subject = talking_english(linguist)
        for samples in (first, WORD):
            await subject.final(samples, None)
        assert [language for language, _ in linguist.told] == told


@scripted
async def test_a_text_that_nobody_said_is_no_murmur():
    class Murmurs(Linguist):
        async def murmur(self, samples, transcript):
            return "Okay."

    for text, murmur in (("Thanks for watching!", None), ("A sign.", "Okay.")):
        subject = Transcription(Bench(transcriber=Murmurs(english(text, -1.2))).context)
        told: list[Transcript] = []
        subject.read(WORD, 400.0, told.append)
        await asyncio.sleep(1.0)
        assert told[0].murmur == murmur
        await subject.aclose()


@pytest.mark.parametrize(("stopped", "murmur"), [(False, "Okay."), (True, None)])
def test_what_has_stopped_an_answer_meanwhile_is_not_asked_whether_it_is_a_murmur(stopped, murmur):
    class Murmurs(Linguist):
        async def murmur(self, samples, transcript):
            return "Okay."

    @scripted
    async def speak():
        subject = Transcription(Bench(transcriber=Murmurs(english("A sign.", -1.2), takes_s=0.1)).context)
        told: list[Transcript] = []
        decided = asyncio.Event()
        subject.early(WORD, 400.0, told.append, over_answer=lambda: not decided.is_set())
        await asyncio.sleep(0.05)
        if stopped:
            decided.set()
        await asyncio.sleep(1.0)
        assert told[0].murmur == murmur
        await subject.aclose()

    speak()
