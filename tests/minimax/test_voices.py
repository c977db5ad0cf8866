"""The voices namespace without a platform: arguments that are refused, and answers in every recorded shape."""

from __future__ import annotations

import datetime
import inspect

import pytest

from realtime.errors import AnswerLost, InvalidArgument
from realtime.minimax import MiniMax
from realtime.minimax.clone import cloned_voice
from realtime.minimax.design import designed_voice
from realtime.minimax.field_tables import TABLES
from realtime.minimax.http import HttpClient
from realtime.minimax.speech_rules import language_code, language_name
from realtime.minimax.voices import VoiceInfo

NOWHERE = "http://127.0.0.1:9"  # whatever is sent fails, so that a refusal is certainly ours


@pytest.fixture
async def mm():
    async with MiniMax("key", NOWHERE) as client:
        yield client


@pytest.mark.parametrize("name", ["voices.clone", "voices.design"])
async def test_each_field_is_a_keyword(mm: MiniMax, name: str):
    method = getattr(mm.voices, name.partition(".")[2])
    keywords = inspect.signature(method).parameters
    assert [field.name for field in TABLES[name] if field.name not in keywords] == []
    assert "extra" in keywords


GOOD = {"voice_id": "NarratorVoice1", "file_id": "300000000000001"}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"voice_id": "Short12"}, "voice_id"),
        ({"voice_id": "a" * 257}, "voice_id"),
        ({"voice_id": "1Narrator"}, "voice_id"),
        ({"voice_id": "NarratorVoice-"}, "voice_id"),
        ({"voice_id": "NarratorVoice_"}, "voice_id"),
        ({"voice_id": "Narrator Voice"}, "voice_id"),
        ({"voice_id": "Erzählerin"}, "voice_id"),
        ({"voice_id": "NarratorVoice1\n"}, "voice_id"),
        ({"file_id": None}, "file"),
        ({"file": b"RIFF"}, "file"),
        ({"file_id": "one"}, "file_id"),
        ({"say": "Hi."}, "model"),
        ({"say": "x" * 1001, "model": "speech-2.8-hd"}, "say"),
        ({"text_validation": "x" * 201}, "text_validation"),
        ({"accuracy": 1.1}, "accuracy"),
        ({"prompt": (5, "No mark")}, "prompt"),
        ({"prompt": (5, " ")}, "prompt"),
        ({"prompt": (-5, "Good.")}, "prompt"),
        ({"prompt": (5, None)}, "prompt"),
        ({"prompt": (None, "Good.")}, "prompt"),
        ({"prompt": (5,)}, "prompt"),
        ({"prompt": "good.wav"}, "prompt"),
        ({"language": "Klingon"}, "language"),
        ({"reduce_noise": 1}, "reduce_noise"),
    ],
)
async def test_a_wrong_clone_is_refused_before_anything_is_sent(mm: MiniMax, change: dict, param: str):
    arguments = GOOD | change
    with pytest.raises(InvalidArgument) as caught:
        await mm.voices.clone(arguments.pop("voice_id"), **arguments)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"say": ""}, "say"),
        ({"say": "x" * 501}, "say"),
        ({"voice_id": "captain_"}, "voice_id"),
        ({"voice_id": "short"}, "voice_id"),
    ],
)
async def test_a_wrong_design_is_refused_before_anything_is_sent(mm: MiniMax, change: dict, param: str):
    arguments = {"prompt": "an old captain", "say": "Welcome."} | change
    with pytest.raises(InvalidArgument) as caught:
        await mm.voices.design(arguments.pop("prompt"), **arguments)
    assert caught.value.param == param


async def test_a_wrong_filter_is_refused(mm: MiniMax):
    for arguments, param in (({"kind": "mine"}, "kind"), ({"language": "xx"}, "language")):
        with pytest.raises(InvalidArgument) as caught:
            [voice async for voice in mm.voices.list(**arguments)]
        assert caught.value.param == param


@pytest.mark.parametrize(
    ("given", "name", "code"),
    [
        ("zh", "Chinese", "zh"),
        ("zh-CN", "Chinese", "zh"),
        ("zh-HK", "Chinese,Yue", "yue"),
        ("Chinese", "Chinese", "zh"),
        ("chinese,yue", "Chinese,Yue", "yue"),
        ("EN", "English", "en"),
        ("Norwegian", "Norwegian", "no"),
    ],
)
def test_languages_by_code_and_by_name(given, name, code):
    assert (language_name(given), language_code(given)) == (name, code)


def test_the_entries_of_the_page():
    system = VoiceInfo.read(
        {
            "voice_id": "Chinese (Mandarin)_Reliable_Executive",
            "voice_name": "沉稳高管",
            "description": ["calm", "reliable"],
            "created_time": "1970-01-01",
        },
        "system",
    )
    assert (system.name, system.description, system.created) == ("沉稳高管", "calm reliable", None)
    assert system.language == "zh"
    cloned = VoiceInfo.read(
        {"voice_id": "German_Girl1", "description": [], "created_time": "2026-01-01"}, "cloned"
    )
    assert (cloned.created, cloned.language, cloned.gender) == (datetime.date(2026, 1, 1), None, None)


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("1790000000", datetime.date(2026, 9, 21)),
        ("2026-01-01 12:00:00", datetime.date(2026, 1, 1)),
        ("soon", None),
        ("9" * 30, None),
        (None, None),
    ],
)
def test_dates_in_every_shape(created, expected):
    assert VoiceInfo.read({"voice_id": "a", "created_time": created}, "cloned").created == expected


CLONED = {
    "input_sensitive": False,
    "input_sensitive_type": 0,
    "demo_audio": "https://host/demo.mp3?signature=s3cret",
    "extra_info": {"audio_length": 1200, "usage_characters": 14},
    "base_resp": {"status_code": 0, "status_msg": "success"},
}


async def test_the_answer_of_a_clone():
    http = HttpClient(NOWHERE, "key")
    voice = cloned_voice("NarratorVoice1", 2**60, CLONED, http)
    assert (voice.id, voice.file_id, voice.seconds, voice.characters) == (
        "NarratorVoice1",
        str(2**60),
        1.2,
        14,
    )
    assert voice.has_demo
    assert "s3cret" not in repr(voice)
    silent = cloned_voice("NarratorVoice1", 1, {"demo_audio": "", "input_sensitive": {"type": 3}}, http)
    assert (silent.has_demo, silent.sensitive_type) == (False, 3)
    with pytest.raises(InvalidArgument, match="no demo"):
        await silent.read()
    with pytest.raises(InvalidArgument, match="no demo"):
        await silent.save("demo.mp3")
    assert cloned_voice("a", 1, {"input_sensitive": True}, http).sensitive_type == 1
    assert (
        cloned_voice("a", 1, {"input_sensitive": True, "input_sensitive_type": 5}, http).sensitive_type == 5
    )
    await http.aclose()


async def test_the_answer_of_a_design(tmp_path):
    voice = await designed_voice({"voice_id": "ttv-voice-1", "trial_audio": "494433"}, None)
    assert (voice.id, await voice.read()) == ("ttv-voice-1", b"ID3")
    saved = await voice.save(tmp_path / "captain.mp3")
    assert (saved.path.read_bytes(), saved.kind) == (b"ID3", "mp3")
    with pytest.raises(InvalidArgument, match="exists"):
        await voice.save(tmp_path / "captain.mp3")
    await voice.save(tmp_path / "captain.mp3", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["captain.mp3"]


async def test_a_design_with_half_an_answer_keeps_what_is_there():
    assert (await designed_voice({"voice_id": "", "trial_audio": None}, "captain-01")).id == "captain-01"
    assert (await designed_voice({"voice_id": "captain-01", "trial_audio": "xyz"}, None)).audio == b""
    with pytest.raises(AnswerLost, match="without a voice id"):
        await designed_voice({"trial_audio": "494433"}, None)
