"""A word soon after a cough or a murmur over an answer, which the transcriber is still reading; on virtual time."""

import asyncio

import numpy as np
import pytest

from realtime.providers.base import Transcript
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

STORY = [(0.1, "Every day it ran along the beach. ")] * 9
SOUND_LEVEL, WORD_LEVEL = 8_000, 16_000
SOUND, WORD = (np.full(480, level, "<i2").tobytes() for level in (SOUND_LEVEL, WORD_LEVEL))  # 20 ms at 24 kHz
LEAST_SAMPLES = 800  # of a level: 50 ms
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
# Silences between the two, and lengths of the word: with each, words were lost to some of the slow decodes
GAPS_AND_WORDS_S = ((0.54, 0.3), (0.6, 0.5), (0.72, 0.3), (0.96, 0.3), (0.66, 0.7))


class Reads(FakeTranscriber):
    """Reads the sound as one text, and the word as another."""

    def __init__(self, sound: str, word: str, *, delay_s: float = 0.8, interim: bool = True) -> None:
        super().__init__(interim=interim, delay_s=delay_s)
        self.texts_at = {SOUND_LEVEL: sound, WORD_LEVEL: word}

    async def transcribe(self, samples, *, language, final):
        await asyncio.sleep(self.delay_s)
        samples = np.asarray(samples, float)
        said = [
            text
            for level, text in self.texts_at.items()
            if text and (np.abs(samples - level) < level / 4).sum() > LEAST_SAMPLES
        ]
        return Transcript(" ".join(said))


async def heard(transcriber: FakeTranscriber, gap_s: float, word_s: float, *, interrupts: bool = True):
    """The status of each response, and what was read: a sound of 0.7 s, a silence, a word."""
    audio = {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": interrupts}}}
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=transcriber, audio=audio) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.6)
        await talk.microphone(SOUND, 0.7)
        await talk.silence(gap_s)
        await talk.microphone(WORD, word_s)
        await talk.silence(4.0)
        await asyncio.sleep(30)
        statuses = [event["response"]["status"] for event in talk.of("response.done")]
        return statuses, [event["transcript"] for event in talk.of(TRANSCRIBED)]


@pytest.mark.parametrize(
    ("delay_s", "interim", "sound", "word"),
    [
        (0.65, True, "", "Stop."),
        (0.8, True, "Mm-hmm.", "Stop."),
        (0.8, False, "嗯。", "停。"),
        (1.0, True, "", "What about cats?"),
        (1.0, False, "Mm-hmm.", "Wait!"),
    ],
)
def test_a_word_is_heard_though_the_sound_before_it_is_still_being_read(delay_s, interim, sound, word):
    @scripted
    async def hear():
        for gap_s, word_s in GAPS_AND_WORDS_S:
            reads = Reads(sound, word, delay_s=delay_s, interim=interim)
            statuses, texts = await heard(reads, gap_s, word_s)
            assert statuses == ["cancelled", "completed"], (gap_s, word_s)
            assert [text.split()[-len(word.split()) :] for text in texts] == [word.split()], (gap_s, word_s)

    hear()


@pytest.mark.parametrize("sound", ["", "Mm-hmm."])
def test_where_nothing_interrupts_it_is_answered_after_the_answer(sound):
    @scripted
    async def hear():
        for gap_s in (0.54, 0.64, 0.96):
            statuses, texts = await heard(Reads(sound, "What about cats?"), gap_s, 0.3, interrupts=False)
            assert statuses == ["completed", "completed"], gap_s
            assert [text.removeprefix(sound).strip() for text in texts] == ["What about cats?"], gap_s

    hear()


@pytest.mark.parametrize(
    ("sound", "word"), [("", ""), ("Mm-hmm.", "Mm-hmm."), ("嗯。", "对。"), ("", "Yeah.")]
)
def test_a_murmur_after_a_sound_disturbs_nothing(sound, word):
    @scripted
    async def hear():
        for gap_s, word_s in GAPS_AND_WORDS_S:
            assert await heard(Reads(sound, word), gap_s, word_s) == (["completed"], []), (gap_s, word_s)

    hear()
