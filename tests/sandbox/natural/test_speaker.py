"""The natural voice as a whole, with a model that is a fake: what is asked of it, and when each word begins."""

import dataclasses

import numpy as np
import pytest

from realtime.sandbox import voice_text
from realtime.sandbox.natural.english import as_kokoro
from realtime.sandbox.natural.kokoro import LONGEST, MODEL_FILE, PHONEMES, RATE, Kokoro, Samples, Utterance
from realtime.sandbox.natural.speaker import CHINESE_VOICES, Delivery, NaturalVoice, kokoro_voice
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.sandbox.voice import Style, synthesize_segment
from realtime.sandbox.voice_engine import VoiceUnavailable
from tests.sandbox.natural.model import SILENCE, FakeModel

LADY = "Chinese (Mandarin)_Warm_Girl"


def spoken(text: str, **style) -> tuple[FakeModel, list[tuple[str, float]]]:
    """The model after it has said one sentence, and the words with the times of their starts in ms."""
    model = FakeModel()
    (segment,) = voice_text.segments(text)
    speech = synthesize_segment(segment, Style(LADY, natural=NaturalVoice(model), **style))
    return model, [(text[word.begin : word.end], word.start_ms) for word in speech.words]


def test_a_chinese_sentence_is_one_utterance_of_a_chinese_voice():
    model, words = spoken("你好，我很好。")
    assert model.phonemes == "ni↗xau↓, wo↓xə↗nxau↓."
    assert model.asked[0].voice in CHINESE_VOICES["female"]
    assert [word for word, _ in words] == list("你好我很好")
    starts = [start for _, start in words]
    assert starts == sorted(starts)
    assert len(set(starts)) == 5


def test_english_in_a_chinese_sentence_is_said_by_the_same_voice_in_one_go():
    model, words = spoken("我用iPhone付款。")
    (asked,) = model.asked
    assert asked.voice.startswith("z")
    assert "fˈOn" in asked.phonemes
    assert asked.phonemes.startswith("wo↓jʊ↘ŋ")
    assert [word for word, _ in words] == ["我", "用", "iPhone", "付", "款"]


def test_an_english_sentence_has_an_english_voice():
    model = FakeModel()
    (segment,) = voice_text.segments("Dr. Smith, hello?")
    synthesize_segment(segment, Style("English_Graceful_Lady", natural=NaturalVoice(model)))
    (asked,) = model.asked
    assert asked.voice.startswith("af_")
    assert asked.phonemes == "dˈɑktəɹ smˈɪθ, həlˈO?"


@pytest.mark.parametrize("text", ["これは日本語の文です。", "Добрый день.", "안녕하세요."])
def test_other_languages_are_espeaks(text):
    model, words = spoken(text)
    assert not model.asked
    assert words


@pytest.mark.parametrize("style", [{"language_boost": "Spanish"}, {"language_boost": "Chinese,Yue"}])
def test_a_language_that_the_request_names_is_espeaks(style):
    model, _ = spoken("hola 你好" if "Yue" not in style["language_boost"] else "你好", **style)
    assert not any(one.voice.startswith("af") for one in model.asked)
    assert "ni" not in model.phonemes or style["language_boost"] == "Spanish"


def test_speed_and_pitch_change_the_utterance_and_the_rate():
    voice, model = NaturalVoice(FakeModel()), FakeModel()
    voice = NaturalVoice(model)
    runs = [voice_text.Say("你好", (0, 1), "han")]
    _, _, rate = voice.say(runs, Delivery(LADY, "f2"))
    assert (rate, model.asked[-1].speed) == (RATE, 1.0)
    _, _, rate = voice.say(runs, Delivery(LADY, "f2", speed=1.5, semitones=12))
    assert (rate, model.asked[-1].speed) == (2 * RATE, 0.75)
    voice.say(runs, Delivery(LADY, "f2", speed=9.0))
    assert model.asked[-1].speed == 2.0


def test_a_text_longer_than_the_model_takes_is_said_in_portions():
    model = FakeModel()
    text = "重庆的天气" * 60
    pcm, events, _ = NaturalVoice(model).say(
        [voice_text.Say(text, tuple(range(len(text))), "han")], Delivery(LADY, "f2")
    )
    assert len(model.asked) > 1
    assert all(len(one.phonemes) <= LONGEST for one in model.asked)
    assert [at for at, _ in events] == list(range(len(text)))
    samples = [sample for _, sample in events]
    assert samples == sorted(samples)
    assert samples[0] == SILENCE
    assert samples[-1] < len(pcm)


def test_a_text_without_anything_to_say_is_silence():
    pcm, events, _ = NaturalVoice(FakeModel()).say([voice_text.Say("。", (0,), "han")], Delivery(LADY, "f2"))
    assert not len(pcm)
    assert not events


def test_men_and_women_keep_their_voices():
    for variant, sex in (("f2", "f"), ("linda", "f"), ("m2", "m"), ("Denis", "m")):
        for chinese in (True, False):
            one = Delivery("anyone", variant)
            assert kokoro_voice(one, chinese=chinese)[1] == sex
            assert kokoro_voice(one, chinese=chinese) == kokoro_voice(one, chinese=chinese)


def test_every_sound_of_espeaks_english_is_known_to_the_model():
    said = "ə^ʊ dˈɑːlɚz θɹˈiː pɔ^ɪnt fˈa^ɪv zˈi^əɹo^ʊ lˈɪɾə^l t^ʃˈɜːt^ʃ d^ʒˈʌd^ʒ mˈe^ɪkɪŋ bˈʌʔn̩ ðə^"
    assert not set(as_kokoro(said)) - PHONEMES.keys()


class FakeSession:
    def __init__(self) -> None:
        self.feeds: list[dict] = []

    def run(self, names, feed):
        self.feeds.append(feed)
        return [np.full((1, 100), 2.0, np.float32)]


def kokoro(tmp_path):
    (tmp_path / "af_heart.bin").write_bytes(np.arange(510 * 256, dtype="<f4").tobytes())
    session = FakeSession()
    return Kokoro(tmp_path, session=lambda path: session), session


def test_the_model_gets_numbers_the_style_of_their_count_and_the_speed(tmp_path):
    model, session = kokoro(tmp_path)
    pcm = model.say(Utterance("a☃b", "af_heart", 1.25))
    (feed,) = session.feeds
    assert feed["tokens"].tolist() == [[0, 43, 44, 0]]
    assert feed["style"].tolist() == [list(range(2 * 256, 3 * 256))]
    assert feed["speed"].tolist() == [1.25]
    assert pcm.tolist() == [32767] * 100


def test_what_was_said_is_not_said_again(tmp_path):
    model, session = kokoro(tmp_path)
    one = Utterance("a", "af_heart", 1.0)
    assert model.say(one) is model.say(dataclasses.replace(one))
    model.say(dataclasses.replace(one, speed=1.1))
    assert len(session.feeds) == 2


def test_a_missing_model_is_an_error_that_names_the_command(tmp_path):
    (segment,) = voice_text.segments("你好")
    with pytest.raises(RuntimeError, match="realtime setup voice"):
        synthesize_segment(segment, Style(LADY, natural=NaturalVoice(Kokoro(tmp_path))))
    assert not (tmp_path / MODEL_FILE).exists()


@pytest.mark.parametrize(
    ("profile", "sets", "natural"),
    [
        ("local", (), True),
        ("local", ("chat.first_ms=5",), True),
        ("local", ("speech.first_ms=300",), False),
        ("mainland", (), False),
        ("far", (), False),
    ],
)
async def test_emulated_times_are_never_those_of_the_natural_voice(tmp_path, profile, sets, natural):
    options = SandboxOptions.parse(profile, sets)
    async with Sandbox(options, natural_voice=tmp_path) as sandbox:
        assert (sandbox.state.natural is not None) == natural


class RuntimeTooOld(Exception):
    """As onnxruntime has them: of no class that anybody knows."""


class BrokenModel(FakeModel):
    """A model that this onnxruntime does not take."""

    def load(self) -> None:
        raise RuntimeTooOld("unknown opset")

    def say(self, utterance: Utterance) -> Samples:
        raise RuntimeTooOld("unknown opset")


async def test_a_model_that_cannot_be_loaded_says_so_and_the_sandbox_still_ends(tmp_path):
    sandbox = Sandbox(natural_voice=tmp_path)
    sandbox._natural = NaturalVoice(BrokenModel())
    async with sandbox:
        assert sandbox._runner is not None
    assert sandbox._runner is None
    with pytest.raises(VoiceUnavailable, match="unknown opset"):
        sandbox._natural.say([voice_text.Say("你好", (0, 1), "han")], Delivery(LADY, "f2"))
