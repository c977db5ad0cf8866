"""The narration namespace against the sandbox: every call, good and refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderError, TaskFailed
from realtime.minimax import MiniMax
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

pytest.importorskip("realtime.sandbox.narration")

TEXT = "One little sentence. And another one."


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    options = SandboxOptions.parse(sets=("narration.least_s=0.2", "narration.process_s=0.1"))
    async with Sandbox(options) as running:
        yield running


@pytest.fixture
async def mm(sandbox: Sandbox) -> AsyncIterator[MiniMax]:
    async with MiniMax("key", sandbox.url) as client:
        yield client


@pytest.mark.operation("narration.create", "narration.task")
@pytest.mark.parametrize(
    ("format", "rate"), [("mp3", 32000), ("pcm", 16000), ("flac", 44100), ("wav", 8000), ("opus", 48000),
                         ("pcmu_raw", 8000), ("pcmu_wav", 8000)]
)  # fmt: skip
async def test_a_text_becomes_audio_with_subtitles(
    mm: MiniMax, tmp_path: Path, format: str, rate: int
) -> None:
    job = await mm.narration.create(TEXT, format=format, rate=rate, speed=1.5, volume=2, pitch=1, channels=1)
    narration = await job
    (part,) = await narration.download(tmp_path, name="a")
    assert (part.format, part.rate) == (format, rate)
    assert part.audio.stat().st_size > 1000
    assert " ".join(line.text for line in part.subtitles) == TEXT
    assert part.length_ms >= part.subtitles[-1].end_ms > part.subtitles[0].start_ms
    again = await mm.narration.task(job.id)
    assert again == narration


@pytest.mark.operation("narration.create")
async def test_a_file_and_an_uploaded_file(mm: MiniMax, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in (1, 2):
            archive.writestr(
                f"{number}.json", json.dumps({"title": f"Part {number}.", "content": "Words here."})
            )
    narration = await (await mm.narration.create(file=content.getvalue(), format="wav", rate=8000))
    parts = await narration.download(tmp_path / "zip")
    assert [part.name.split("-")[0] for part in parts] == ["title", "content"] * 2
    assert len({part.audio for part in parts}) == 4
    file = await mm.files.upload(TEXT.encode(), purpose="t2a_async_input", name="a.txt")
    narration = await (await mm.narration.create(file_id=file.id, format="wav", rate=8000))
    assert len(await narration.download(tmp_path / "txt")) == 1


@pytest.mark.operation("narration.create")
async def test_refusals_have_names(sandbox: Sandbox, mm: MiniMax) -> None:
    with pytest.raises(InvalidArgument):
        await mm.narration.create(file_id="123456789")
    with pytest.raises(ProviderError) as caught:
        await mm.narration.create(TEXT, voice_id="nobody")
    assert caught.value.upstream_code == 2054
    sandbox.inject("narration.error=1008", times=1)
    with pytest.raises(ProviderError) as caught:
        await mm.narration.create(TEXT)
    assert caught.value.upstream_code == 1008
    with pytest.raises(InvalidArgument) as unknown:
        await mm.narration.create(TEXT, extra={"language_boost": "Klingon"})
    assert unknown.value.param == "language"


@pytest.mark.operation("narration.create")
async def test_a_lost_answer_is_not_sent_again(sandbox: Sandbox, mm: MiniMax) -> None:
    sandbox.inject("narration.lost", times=1)
    with pytest.raises(AnswerLost):
        await mm.narration.create(TEXT)
    assert [each.path for each in sandbox.state.requests].count("/v1/t2a_async_v2") == 1


@pytest.mark.operation("narration.task")
async def test_a_task_that_fails_and_one_that_is_unknown(sandbox: Sandbox, mm: MiniMax) -> None:
    sandbox.inject("narration.fail=1026", times=1)
    with pytest.raises(TaskFailed):
        await (await mm.narration.create(TEXT))
    with pytest.raises(InvalidArgument):
        await mm.narration.task("123")


@pytest.mark.operation("narration.task")
async def test_a_result_that_is_gone(sandbox: Sandbox, mm: MiniMax, tmp_path: Path) -> None:
    narration = await (await mm.narration.create(TEXT, format="wav", rate=8000))
    sandbox.forward(hours=10)
    with pytest.raises(ProviderError):
        await narration.download(tmp_path)
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".wav")]
