"""A quick decode beside the careful one at the end of the voice: it is told first, and never runs on alone."""

import asyncio

import pytest

from realtime.listening.transcription import Transcription
from realtime.providers.base import Transcript
from tests.conversing import scripted
from tests.listening.test_transcription import LONG, SECOND, Linguist, english, interim, into, transcription


class Careful(Linguist):
    """Its final texts take longer than its guesses."""

    async def transcribe(self, samples, *, language, final):
        self.takes_s = 0.3 if final else 0.1
        return await super().transcribe(samples, language=language, final=final)


async def careful(*answers: Transcript) -> tuple[Transcription, Careful]:
    """What has decoded once in both ways."""
    linguist = Careful(*[english("Well.")] * 2, *answers)
    subject = transcription(linguist)
    await interim(subject)
    subject.early(LONG, 100.0, into([]))
    assert not subject.guesses_sooner, "nobody knows yet how long the careful one takes"
    await asyncio.sleep(0.35)
    assert subject.guesses_sooner
    await asyncio.sleep(2.0)
    linguist.told.clear()
    return subject, linguist


@scripted
async def test_a_guess_is_told_before_the_careful_text():
    subject, _ = await careful(english("What time is it?"), english("What climb is it?"))
    texts: list[str] = []
    subject.early(LONG, 900.0, into(texts))
    subject.guess(LONG, into(texts))
    await asyncio.sleep(0.2)
    assert texts == ["What climb is it?"]
    await asyncio.sleep(0.2)
    assert texts == ["What climb is it?", "What time is it?"]


@scripted
async def test_a_guess_waits_for_the_interim_decode_that_is_running_and_both_stop_at_the_final_one():
    subject, linguist = await careful(
        *[english(text) for text in ("So far.", "So far and more.", "All of it.")]
    )
    texts: list[str] = []
    subject.interim(SECOND, into(texts))
    await asyncio.sleep(0.05)
    subject.guess(LONG, into(texts))
    await asyncio.sleep(0.01)
    assert len(linguist.told) == 1, "one at a time"
    await asyncio.sleep(0.2)
    assert texts == ["So far.", "So far and more."]
    subject, linguist = await careful(*[english(text) for text in ("So far.", "All of it.")])
    subject.interim(SECOND, into(texts))
    await asyncio.sleep(0.05)
    subject.guess(LONG, into(texts))
    await asyncio.sleep(0.01)
    finished = linguist.finished
    assert (await subject.final(LONG, 900.0)).text == "All of it."
    await asyncio.sleep(1.0)
    assert linguist.finished == finished + 1, "neither of the others"


@scripted
async def test_a_guess_that_waits_gives_way_to_a_newer_one():
    """Where decodes are slow, one for each end of the voice would keep threads busy with sound that is not all."""
    subject, linguist = await careful(*[english(text) for text in ("So far.", "And all of it.")])
    texts: list[str] = []
    subject.interim(SECOND, into(texts))
    await asyncio.sleep(0.05)
    for _ in range(3):
        subject.guess(LONG, into(texts))
        await asyncio.sleep(0.01)
    await asyncio.sleep(1.0)
    assert texts == ["So far.", "And all of it."]
    assert len(linguist.told) == 2


@scripted
@pytest.mark.parametrize("ends", ["final", "aclose"])
async def test_nothing_is_decoded_on_where_a_guess_is_stopped_before_it_began(ends):
    subject, linguist = await careful(*[english(text) for text in ("So far.", "All of it.")])
    texts: list[str] = []
    subject.interim(SECOND, into(texts))
    await asyncio.sleep(0.05)
    subject.guess(LONG, into(texts))
    finished = linguist.finished
    if ends == "final":
        await subject.final(LONG, None)
        finished += 1
    else:
        await subject.aclose()
        assert not [task for task in asyncio.all_tasks() if "transcript" in task.get_name()]
    await asyncio.sleep(1.0)
    assert (texts, linguist.finished) == ([], finished)
