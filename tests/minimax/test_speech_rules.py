"""The rules between the fields of speech: what is refused before anything is sent, by the name of the argument."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from realtime.errors import InvalidArgument
from realtime.minimax.field_tables import SPEECH
from realtime.minimax.speech import SpeechClient
from realtime.minimax.speech_fields import SpeechFields
from realtime.minimax.speech_rules import language_name, pronunciations, weights
from tests.minimax.scripted import Reply, scripted

OURS = {"subtitle_enable", "stream", "exclude_aggregated_audio"}  # set by the call itself


def client() -> SpeechClient:
    return SpeechClient(("http://127.0.0.1:9",), "k", model="speech-2.8-hd", voice_id="v")


def body(text: str = "Hello.", *, stream: bool = False, **given: Any) -> dict[str, Any]:
    return client()._body({"text": text, **given}, stream=stream)


@pytest.mark.operation("speech.synthesize")
def test_every_field_is_a_named_argument() -> None:
    named = set(inspect.signature(SpeechClient.synthesize).parameters)
    fields = {field.name for field in SPEECH} - OURS
    assert fields <= named
    assert set(SpeechFields.__annotations__) == fields - {"text"}


def test_the_body_has_each_field_in_its_place() -> None:
    sent = body(
        format="flac",
        rate=44100,
        channels=2,
        speed=1.5,
        volume=3,
        pitch=-2,
        emotion="happy",
        language="zh-HK",
        pronunciation={"重庆": "(chong2)(qing4)"},
        modify_timbre=20,
        sound_effect="robotic",
        subtitles="word",
        output="url",
        extra={"voice_setting": {"breath": 1}},
    )
    assert sent == {
        "model": "speech-2.8-hd",
        "text": "Hello.",
        "stream": False,
        "language_boost": "Chinese,Yue",
        "voice_setting": {
            "voice_id": "v", "speed": 1.5, "vol": 3, "pitch": -2, "emotion": "happy", "breath": 1,
        },
        "audio_setting": {"format": "flac", "sample_rate": 44100, "channel": 2},
        "pronunciation_dict": {"tone": ["重庆/(chong2)(qing4)"]},
        "voice_modify": {"timbre": 20, "sound_effects": "robotic"},
        "subtitle_enable": True,
        "subtitle_type": "word",
        "output_format": "url",
    }  # fmt: skip


def test_a_mixture_of_voices_needs_no_voice() -> None:
    sent = body(timbre_weights={"a": 1, "b": 100})
    assert sent["voice_setting"]["voice_id"] == ""
    assert sent["timbre_weights"] == [{"voice_id": "a", "weight": 1}, {"voice_id": "b", "weight": 100}]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 10_000}, "text"),
        ({"speed": 0.4}, "speed"),
        ({"volume": 0}, "volume"),
        ({"volume": 10.1}, "volume"),
        ({"pitch": 13}, "pitch"),
        ({"pitch": 0.5}, "pitch"),
        ({"emotion": "bored"}, "emotion"),
        ({"emotion": "whisper"}, "emotion"),
        ({"emotion": "fluent", "model": "speech-02-hd"}, "emotion"),
        ({"format": "aac"}, "format"),
        ({"rate": 48000}, "rate"),
        ({"format": "opus", "rate": 44100}, "rate"),
        ({"format": "opus", "modify_pitch": 1}, "format"),
        ({"format": "pcm", "sound_effect": "robotic"}, "format"),
        ({"modify_pitch": 101}, "modify_pitch"),
        ({"sound_effect": "cave"}, "sound_effect"),
        ({"bitrate": 100}, "bitrate"),
        ({"channels": 3}, "channels"),
        ({"language": "xx"}, "language"),
        ({"language": "fa", "model": "speech-02-hd"}, "language"),
        ({"subtitles": "word_streaming"}, "subtitles"),
        ({"force_cbr": True}, "force_cbr"),
        ({"output": "base64"}, "output"),
        ({"timbre_weights": {}}, "timbre_weights"),
        ({"timbre_weights": dict.fromkeys("abcde", 1)}, "timbre_weights"),
        ({"timbre_weights": {"a": 0}}, "timbre_weights"),
        ({"timbre_weights": {"a": 101}}, "timbre_weights"),
        ({"timbre_weights": {"a": True}}, "timbre_weights"),
        ({"pronunciation": "asap/as soon as possible"}, "pronunciation"),
        ({"pronunciation": ["asap"]}, "pronunciation"),
        ({"pronunciation": {"": "x"}}, "pronunciation"),
        ({"stream": True, "format": "wav", "modify_pitch": 1}, "format"),
        ({"stream": True, "format": "flac", "force_cbr": True}, "force_cbr"),
        ({"stream": True, "output": "url"}, "output"),
        ({"stream": True, "watermark": True}, "watermark"),
    ],
)
def test_what_cannot_work_is_refused_by_name(given: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        body(**{"text": "Hello.", **given})
    assert caught.value.param == param
    assert param in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"text": "x" * 9_999},
        {"emotion": "whisper", "model": "speech-2.6-hd"},
        {"emotion": "whisper", "model": "speech-9-hd"},  # a newer model: the platform knows
        {"format": "opus", "rate": 24000},
        {"format": "wav", "modify_pitch": -100},
        {"language": "fa"},
        {"stream": True, "subtitles": "word_streaming"},
        {"stream": True, "force_cbr": True, "sound_effect": "robotic"},
        {"timbre_weights": dict.fromkeys("abcd", 50)},
    ],
)
def test_what_the_documents_allow_passes(given: dict[str, Any]) -> None:
    stream = bool(given.pop("stream", False))
    assert body(**{"text": "Hello.", **given}, stream=stream)["stream"] is stream


def test_the_made_arguments() -> None:
    assert pronunciations(["a/b"]) == ["a/b"]
    assert pronunciations(None) is None
    assert weights(None) is None
    assert [language_name(each) for each in (None, "auto", "en-US", "Korean")] == [
        None,
        "auto",
        "English",
        "Korean",
    ]


async def test_nothing_is_sent_for_a_refused_argument() -> None:
    async with scripted(Reply(b"{}", content_type="application/json")) as server:
        speech = SpeechClient((server.url,), "k")
        with pytest.raises(InvalidArgument):
            await speech.synthesize("x", speed=9)
        with pytest.raises(InvalidArgument):
            speech.synthesize_stream("x", speed=9)
        await speech.aclose()
        assert server.requests == []
