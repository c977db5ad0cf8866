"""Long speech: what is sent, what is refused before, and what becomes of the result."""

from __future__ import annotations

import inspect
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import InvalidArgument, ProviderError, TaskFailed
from realtime.minimax import MiniMax
from realtime.minimax.field_tables import NARRATION
from realtime.minimax.narration import Narrations
from tests.minimax.narration_fake import AUDIO, EXTRA, FILE, TASK, FakePlatform, fake_platform, tar_of


@pytest.fixture
async def fake() -> AsyncIterator[FakePlatform]:
    async with fake_platform() as running:
        yield running


@pytest.fixture
async def mm(fake: FakePlatform) -> AsyncIterator[MiniMax]:
    async with MiniMax("key", fake.url, speech_model="speech-2.8-hd", voice_id="v") as client:
        yield client


def zipped(*members: tuple[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.operation("narration.create")
def test_every_field_is_a_named_argument() -> None:
    assert {each.name for each in NARRATION} <= set(inspect.signature(Narrations.create).parameters)


@pytest.mark.operation("narration.create", "narration.task")
async def test_a_text_becomes_a_file_with_subtitles(mm: MiniMax, fake: FakePlatform, tmp_path: Path) -> None:
    job = await mm.narration.create(
        "Once upon a time.",
        speed=1.5,
        volume=2,
        rate=32000,
        channels=2,
        language="en",
        pronunciation={"a": "b"},
    )
    assert job.id == str(TASK)
    assert fake.created == [
        {
            "model": "speech-2.8-hd",
            "text": "Once upon a time.",
            "voice_setting": {"voice_id": "v", "speed": 1.5, "vol": 2},
            "audio_setting": {"audio_sample_rate": 32000, "format": "mp3", "channel": 2},
            "pronunciation_dict": {"tone": ["a/b"]},
            "language_boost": "English",
        }
    ]
    narration = await job
    assert (narration.task_id, narration.file_id) == (str(TASK), str(FILE))
    (part,) = await narration.download(tmp_path, name="01-intro")
    assert part.audio == tmp_path / "01-intro.mp3"
    assert part.audio.read_bytes() == AUDIO
    assert (part.name, part.format, part.length_ms, part.rate) == (f"content-{FILE}", "mp3", 1000, 32000)
    assert [(line.text, line.end_ms) for line in part.subtitles] == [("One line.", 900.5)]
    assert part.extra == EXTRA
    assert os.listdir(tmp_path) == ["01-intro.mp3"]
    with pytest.raises(InvalidArgument):
        await narration.download(tmp_path, name="01-intro")
    await narration.download(tmp_path, name="01-intro", force=True)
    assert os.listdir(tmp_path) == ["01-intro.mp3"]


@pytest.mark.operation("narration.task")
async def test_a_task_is_found_again_by_its_id(mm: MiniMax, fake: FakePlatform) -> None:
    fake.words = ["processing", "SUCCESS"]
    job = mm.narration.task(TASK)
    assert [str(each.state) async for each in job] == ["running", "done"]
    fake.words = ["Failed"]
    with pytest.raises(TaskFailed):
        await mm.narration.task(str(TASK))
    with pytest.raises(InvalidArgument):
        await mm.narration.task("film")


@pytest.mark.operation("narration.create")
async def test_a_very_long_text_goes_up_as_a_file(mm: MiniMax, fake: FakePlatform) -> None:
    text = "é" * 50_001
    await mm.narration.create(text)
    assert fake.uploads == [("text.txt", text.encode())]
    assert fake.created[0]["text_file_id"] == 2**60 + 5
    assert "text" not in fake.created[0]
    with pytest.raises(InvalidArgument) as caught:
        await mm.narration.create("x" * 1_000_000)
    assert caught.value.param == "text"


@pytest.mark.operation("narration.create")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "中文。".encode("utf-8-sig")),
        ("a.zip", zipped(("one.txt", "One."), ("two.txt", "Two."))),
        (
            "a.zip",
            zipped(("2.json", '{"content": "Two."}'), ("1.json", '{"title": "One", "extra": "More."}')),
        ),
    ],
)
async def test_files_that_are_taken(
    mm: MiniMax, fake: FakePlatform, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    await mm.narration.create(file=path)
    await mm.narration.create(file=content)
    assert fake.uploads == [(name, content), (f"text.{name[2:]}", content)]


@pytest.mark.operation("narration.create")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n",
        b"\xff\xfe\x00",
        b"abc\x00def",
        "中文".encode("gb18030"),
        b"x" * 1_000_000,
        b"x" * 5_000_000,
        zipped(),
        zipped(("a.txt", "One."), ("1.json", '{"content": "Two."}')),
        zipped(("a.pdf", "One.")),
        zipped(("one.json", '{"content": "One."}')),
        zipped(("1.json", '{"content": "One."}'), ("3.json", '{"content": "Three."}')),
        zipped(("sub/1.json", '{"content": "One."}')),
        zipped(("1.json", "[1]")),
        zipped(("1.json", "{}")),
        zipped(("1.json", '{"content": 3}')),
        zipped(("1.json", "{")),
        zipped(("a.txt", "")),
        zipped(("bomb.txt", "0" * 50_000_000)),
        b"PK\x03\x04 and nothing behind it",
    ],
    ids=range(20),
)
async def test_files_that_cannot_be_read_out(mm: MiniMax, fake: FakePlatform, content: bytes) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await mm.narration.create(file=content)
    assert caught.value.param == "file"
    assert (fake.uploads, fake.created) == ([], [])


@pytest.mark.operation("narration.create")
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "text"),
        ({"text": "a", "file": b"b"}, "file"),
        ({"text": "a", "file_id": 1}, "file_id"),
        ({"file": b"a", "file_id": 1}, "file_id"),
        ({"text": ""}, "text"),
        ({"file_id": "twelve"}, "file_id"),
        ({"text": "a", "format": "opus", "rate": 44100}, "rate"),
        ({"text": "a", "format": "mp3", "rate": 48000}, "rate"),
        ({"text": "a", "format": "pcm", "modify_pitch": 3}, "format"),
        ({"text": "a", "emotion": "whisper"}, "emotion"),
    ],
)
async def test_arguments_that_cannot_work(
    mm: MiniMax, fake: FakePlatform, given: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await mm.narration.create(**given)
    assert caught.value.param == param
    assert (fake.uploads, fake.created) == ([], [])


@pytest.mark.operation("narration.create")
async def test_ids_are_integers_on_the_wire(mm: MiniMax, fake: FakePlatform) -> None:
    await mm.narration.create(file_id=str(2**62 + 1), format="opus", rate=48000)
    assert fake.created[0]["text_file_id"] == 2**62 + 1
    assert fake.created[0]["audio_setting"] == {"format": "opus", "audio_sample_rate": 48000}


async def test_a_result_that_is_plain_audio(mm: MiniMax, fake: FakePlatform, tmp_path: Path) -> None:
    fake.content = b"ID3" + bytes(2000)
    (part,) = await mm.narration.download(FILE, tmp_path / "new")
    assert (part.audio, part.format, part.subtitles) == (tmp_path / "new" / "content.mp3", "mp3", ())
    assert os.listdir(tmp_path / "new") == ["content.mp3"]


async def test_a_dangerous_result_leaves_nothing(mm: MiniMax, fake: FakePlatform, tmp_path: Path) -> None:
    fake.content = tar_of(("a.mp3", AUDIO), ("../b.mp3", AUDIO))
    with pytest.raises(ProviderError):
        await mm.narration.download(FILE, tmp_path)
    assert os.listdir(tmp_path) == []
    fake.content = json.dumps({"base_resp": {"status_code": 2013, "status_msg": "file gone"}}).encode()
    with pytest.raises(ProviderError):
        await mm.narration.download(FILE, tmp_path)
    assert os.listdir(tmp_path) == []
