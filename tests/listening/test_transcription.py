"""Decodes of one speaker: which language interim decodes assume, how often they come, and what a guess is reused for."""

import asyncio

import numpy as np
import pytest

from realtime.listening.transcription import DOUBTFUL, INTERIM_EVERY_MS, Transcription
from realtime.providers.base import Transcript
from tests.conversing import scripted

SECOND = np.zeros(16_000, np.int16)


class Linguist:
    """A transcriber that tells languages, and remembers which one it was told."""

    interim = True
    name = "linguist"

    def __init__(self, *answers: Transcript, takes_s: float = 0.0) -> None:
        self.answers, self.takes_s = list(answers), takes_s
        self.told: list[tuple[str | None, bool]] = []

    async def transcribe(self, samples, *, language, final):
        self.told.append((language, final))
        await asyncio.sleep(self.takes_s)
        return self.answers.pop(0)


def english(text: str = "Hello.", log_probability: float = -0.3) -> Transcript:
    return Transcript(text, "en", log_probability)


async def interim(hearing: Transcription) -> list[str]:
    texts: list[str] = []
    hearing.interim(SECOND, texts.append)
    await hearing._interim
    return texts


@scripted
async def test_interim_decodes_assume_the_language_of_two_utterances_and_final_ones_find_out():
    linguist = Linguist(*[english()] * 6)
    hearing = Transcription(linguist, 5.0)
    for _ in range(2):
        await interim(hearing)
        await hearing.final(SECOND, None)
    await interim(hearing)
    await hearing.final(SECOND, None)
    assert linguist.told == [(None, False), (None, True)] * 2 + [("en", False), (None, True)]


@scripted
async def test_an_assumed_language_is_given_up_when_the_words_are_doubtful():
    doubtful = english("Thank you for watching.", DOUBTFUL - 0.1)
    linguist = Linguist(english(), english(), doubtful, Transcript("你好。", "zh", -0.4))
    hearing = Transcription(linguist, 5.0)
    for _ in range(2):
        await hearing.final(SECOND, None)
    assert await interim(hearing) == [], "nobody sees what the wrong model made of it"
    assert await interim(hearing) == ["你好。"]
    assert linguist.told[-1] == (None, False)


@scripted
async def test_two_languages_in_turn_are_never_assumed():
    linguist = Linguist(english(), Transcript("你好。", "zh"), english(), english())
    hearing = Transcription(linguist, 5.0)
    for _ in range(3):
        await hearing.final(SECOND, None)
    await interim(hearing)
    assert linguist.told[-1] == (None, False)


@scripted
async def test_the_language_that_the_client_told_is_used_for_everything_and_never_doubted():
    linguist = Linguist(english("Nope.", -1.5), english())
    hearing = Transcription(linguist, 5.0)
    hearing.language = "en"
    assert await interim(hearing) == ["Nope."]
    await hearing.final(SECOND, None)
    assert linguist.told == [("en", False), ("en", True)]


@scripted
async def test_slow_decodes_come_less_often():
    for takes_s, every_ms in ((0.02, INTERIM_EVERY_MS[0]), (0.2, 500.0), (2.0, INTERIM_EVERY_MS[1])):
        hearing = Transcription(Linguist(english(), takes_s=takes_s), 5.0)
        await interim(hearing)
        assert hearing.interim_every_ms == pytest.approx(every_ms, abs=1)


@scripted
async def test_one_decode_serves_the_fading_the_pause_and_the_end():
    linguist = Linguist(english("Done."), takes_s=0.1)
    hearing, told = Transcription(linguist, 5.0), []
    hearing.guess(SECOND, 900.0, lambda text: told.append(f"faded {text}"))
    hearing.guess(SECOND, 900.0, lambda text: told.append(f"paused {text}"))
    assert (await hearing.final(SECOND, 900.0)).text == "Done."
    await asyncio.sleep(0)
    assert told == ["faded Done.", "paused Done."]
    assert linguist.told == [(None, True)]
