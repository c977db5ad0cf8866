"""A word that sounds like an unlikely language is read again in that of the conversation."""

from realtime.core.conversation import Message, OutputSpeech
from realtime.errors import ProviderUnavailable
from realtime.listening.transcription import Transcription
from realtime.providers.base import Transcript
from tests.contexts import Bench
from tests.conversing import scripted
from tests.listening.test_transcription import LOUD, WORD, Linguist, english


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
        ("Once there was a dog.", WORD, [arabic, english("")], arabic.text, [None, "en"]),
        ("Once there was a dog.", WORD, [arabic, english("Duck.", -2.0)], arabic.text, [None, "en"]),
        ("Once there was a dog.", WORD, [arabic, ProviderUnavailable("busy")], arabic.text, [None, "en"]),
        ("Once there was a dog.", LOUD, [arabic], arabic.text, [None]),  # more than a word
        ("", WORD, [arabic], arabic.text, [None]),
    ):
        linguist = Linguist(*answers)
        bench = Bench(transcriber=linguist)
        if talked:
            bench.context.conversation.add(Message("item_1", "assistant", (OutputSpeech(talked),)))
        assert (await Transcription(bench.context).final(samples, None)).text == text
        assert [language for language, _ in linguist.told] == told
