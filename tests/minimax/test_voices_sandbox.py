"""The voices namespace against the sandbox: every call, good and refused, and the 168 h of a new voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderRejected, ProviderUnavailable
from realtime.minimax import MiniMax
from realtime.minimax.audio_length import audio_seconds
from realtime.sandbox.encode import encode_all
from realtime.sandbox.server import Sandbox
from tests.sandbox.voice_kit import recording

MODEL = "speech-2.8-turbo"
ID = "captain-01"


@pytest.fixture(scope="module")
def sample() -> bytes:
    return recording(12.0)


async def ids(mm: MiniMax, kind) -> list[str]:
    return [voice.id async for voice in mm.voices.list(kind)]


async def uploads(mm: MiniMax) -> list[str]:
    return [file.purpose async for file in mm.files.list()]


@pytest.mark.operation("voices.list")
async def test_the_list_by_kind_and_language(mm: MiniMax):
    everything = [voice async for voice in mm.voices.list()]
    chinese = [voice async for voice in mm.voices.list(language="zh")]
    assert {voice.kind for voice in everything} == {"system"}
    assert len(everything) > 300
    assert 50 < len(chinese) < 70
    assert {voice.language for voice in chinese} == {"zh"}
    assert await ids(mm, "cloned") == []


@pytest.mark.operation("voices.list")
async def test_the_list_with_a_wrong_key(sandbox: Sandbox):
    async with MiniMax("sk-bad", sandbox.url) as mm:
        with pytest.raises(ProviderRejected) as caught:
            await ids(mm, "all")
        assert caught.value.code == "invalid_api_key"


@pytest.mark.operation("voices.clone", "voices.delete", "speech.synthesize", "files.upload")
async def test_clone_speak_keep_and_delete(sandbox: Sandbox, mm: MiniMax, sample: bytes, tmp_path: Path):
    voice = await mm.voices.clone(ID, file=sample, say="Welcome aboard.", model=MODEL, reduce_noise=True)
    assert (voice.id, voice.has_demo, voice.characters) == (ID, True, 15)
    saved = await voice.save(tmp_path / "demo.mp3")
    assert saved.kind == "mp3"
    assert audio_seconds(saved.path.read_bytes()) == pytest.approx(voice.seconds, abs=0.2)
    assert await voice.read() == saved.path.read_bytes()
    assert await ids(mm, "cloned") == []  # before its first use
    await mm.speech.synthesize("Hi.", voice_id=ID)
    sandbox.forward(hours=200)
    assert await ids(mm, "cloned") == [ID]
    await mm.voices.delete(ID)
    assert await ids(mm, "cloned") == []
    with pytest.raises(InvalidArgument):
        await mm.voices.delete(ID)


@pytest.mark.operation("voices.clone", "voices.delete")
async def test_a_voice_that_was_never_used_can_be_deleted_and_ends_by_itself(
    sandbox: Sandbox, mm: MiniMax, sample: bytes
):
    await mm.voices.clone(ID, file=sample)
    await mm.voices.delete(ID)
    await mm.voices.clone("captain-02", file=sample)
    sandbox.forward(hours=169)
    with pytest.raises(ProviderRejected) as caught:
        await mm.speech.synthesize("Hi.", voice_id="captain-02")
    assert caught.value.code == "invalid_voice"


@pytest.mark.operation("voices.clone")
async def test_a_prompt_goes_along(mm: MiniMax, sample: bytes):
    await mm.voices.clone(
        ID,
        file=sample,
        prompt=(recording(6.0), "Good morning, dear listeners. We are going home now."),
        language="en",
    )
    assert sorted(await uploads(mm)) == ["prompt_audio", "voice_clone"]


@pytest.mark.operation("voices.clone")
async def test_a_wrong_recording_is_refused_before_anything_is_sent(mm: MiniMax, sample: bytes):
    for arguments, param, said in (
        ({"file": recording(9.0)}, "file", "The recording is 9.0 s, cloning wants 10 s to 5 min."),
        ({"file": encode_all(np.zeros(363 * 8000, np.int16), "wav", 8000)}, "file", "6 min 3 s"),
        ({"file": sample, "prompt": (recording(9.0), "Good morning.")}, "prompt", "9.0 s"),
        ({"file": b"\x89PNG\r\n\x1a\n"}, "file", "is png by its bytes"),
        ({"file": b""}, "file", "is empty"),
    ):
        with pytest.raises(InvalidArgument, match=said) as caught:
            await mm.voices.clone(ID, **arguments)
        assert caught.value.param == param


@pytest.mark.operation("voices.clone")
@pytest.mark.parametrize(
    ("code", "said"),
    [(2037, "The recording is 12.0 s"), (2038, "verify the account"), (1043, "text_validation")],
)
async def test_a_refused_clone_leaves_no_file(
    sandbox: Sandbox, mm: MiniMax, sample: bytes, code: int, said: str
):
    sandbox.inject(f"clone.error={code}", times=1)
    with pytest.raises(ProviderRejected, match=said) as caught:
        await mm.voices.clone(ID, file=sample)
    assert caught.value.upstream_code == code
    assert caught.value.__cause__ is not caught.value
    assert await uploads(mm) == []
    await mm.voices.clone(ID, file=sample)


@pytest.mark.operation("voices.clone")
async def test_an_uploaded_recording_that_is_too_short_is_measured(
    mm: MiniMax, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("realtime.minimax.files.check_seconds", lambda *ignored: None)  # as an older client
    file = await mm.files.upload(recording(6.2), purpose="voice_clone")
    with pytest.raises(
        InvalidArgument, match=r"The recording is 6\.[12] s, cloning wants 10 s to 5 min"
    ) as caught:
        await mm.voices.clone(ID, file_id=file.id)
    assert (caught.value.param, caught.value.upstream_code) == ("file_id", 2037)
    assert await uploads(mm) == ["voice_clone"]  # it is the caller's


@pytest.mark.operation("voices.clone")
async def test_a_taken_id_and_a_lost_answer(sandbox: Sandbox, mm: MiniMax, sample: bytes):
    sandbox.inject("clone.lost", times=1)
    with pytest.raises(AnswerLost, match="may have been accepted"):
        await mm.voices.clone(ID, file=sample)
    assert await uploads(mm) == ["voice_clone"]
    with pytest.raises(InvalidArgument, match="choose another id"):
        await mm.voices.clone(ID, file=sample)


@pytest.mark.operation("voices.clone")
async def test_a_platform_that_fails_is_not_asked_twice(sandbox: Sandbox, mm: MiniMax, sample: bytes):
    sandbox.inject("clone.error=1000", times=1)
    with pytest.raises(ProviderUnavailable, match="cannot be decoded"):
        await mm.voices.clone(ID, file=sample)


@pytest.mark.operation("voices.design", "voices.delete")
async def test_design_speak_and_delete(mm: MiniMax):
    voice = await mm.voices.design("an old captain, rough and kind", say="Welcome aboard.")
    assert voice.id.startswith("ttv-voice-")
    assert (audio_seconds(await voice.read()) or 0) > 0.5
    named = await mm.voices.design("a young queen", say="Hello.", voice_id="queen-001")
    assert named.id == "queen-001"
    await mm.speech.synthesize("Hi.", voice_id=voice.id)
    assert await ids(mm, "designed") == [voice.id]
    await mm.voices.delete(voice.id)
    await mm.voices.delete("queen-001", kind="designed")
    assert await ids(mm, "designed") == []


@pytest.mark.operation("voices.design")
async def test_a_design_whose_answer_is_lost(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("design.lost", times=1)
    with pytest.raises(AnswerLost):
        await mm.voices.design("an old captain", say="Hi.")


@pytest.mark.operation("voices.delete")
async def test_a_system_voice_is_not_deleted(mm: MiniMax):
    with pytest.raises(InvalidArgument, match="system voice") as caught:
        await mm.voices.delete("English_Graceful_Lady")
    assert caught.value.param == "voice_id"


@pytest.mark.operation("voices.delete")
async def test_the_voice_of_another_account(sandbox: Sandbox, mm: MiniMax, sample: bytes):
    await mm.voices.clone(ID, file=sample)
    async with MiniMax("another-key", sandbox.url) as other:
        with pytest.raises(ProviderRejected, match="only the maker"):
            await other.voices.delete(ID)
