"""The tar of long speech: what is found in an honest one, and that a dishonest one does nothing."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProviderError
from realtime.minimax.narration_tar import NarrationPart, unpack
from tests.minimax.narration_fake import AUDIO, result_tar, tar_of


def unpacked(content: bytes, folder: Path, name: str | None = None) -> tuple[NarrationPart, ...]:
    source = folder / "result.tar"
    source.write_bytes(content)
    (folder / "out").mkdir(exist_ok=True)
    try:
        return unpack(source, folder / "out", name)
    finally:
        source.unlink()


def strange(name: str, kind: bytes, target: str = "", size: int = 0) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.size = kind, target, size
        tar.addfile(entry)
    return content.getvalue()


def test_json_parts_each_have_their_audio(tmp_path: Path) -> None:
    members = [(f"7/{stem}-7.{end}", data) for stem in ("title", "content", "extra") for end, data in (
        ("mp3", AUDIO), ("titles", b"[]"), ("extra", b'{"audio_length": "12"}'))]  # fmt: skip
    parts = unpacked(tar_of(*members, ("7/readme.md", b"x")), tmp_path)
    assert [part.name for part in parts] == ["title-7", "content-7", "extra-7"]
    assert [part.audio.name for part in parts] == ["title-7.mp3", "content-7.mp3", "extra-7.mp3"]
    assert [part.length_ms for part in parts] == [12, 12, 12]
    numbered = unpacked(tar_of(*members), tmp_path, "book")
    assert [part.audio.name for part in numbered] == ["book-1.mp3", "book-2.mp3", "book-3.mp3"]


def test_a_number_after_a_name_replaces_no_other_member(tmp_path: Path) -> None:
    parts = unpacked(tar_of(("1/a.mp3", b"one"), ("2/a.mp3", b"two"), ("3/a-2.mp3", b"three")), tmp_path)
    assert [part.audio.read_bytes() for part in parts] == [b"one", b"two", b"three"]


def test_two_members_of_one_name_in_two_folders_are_both_kept(tmp_path: Path) -> None:
    parts = unpacked(tar_of(("1/content.wav", b"a"), ("2/content.wav", b"b")), tmp_path)
    assert [part.audio.read_bytes() for part in parts] == [b"a", b"b"]


@pytest.mark.parametrize(("format", "ending"), [("pcmu_raw", "ulaw"), ("pcmu_wav", "wav"), ("opus", "opus")])
def test_names_end_in_what_the_audio_is(tmp_path: Path, format: str, ending: str) -> None:
    (part,) = unpacked(tar_of((f"a.{format}", AUDIO)), tmp_path)
    assert (part.format, part.audio.name) == (format, f"a.{ending}")


def test_broken_subtitles_do_not_cost_the_audio(tmp_path: Path) -> None:
    (part,) = unpacked(tar_of(("a.mp3", AUDIO), ("a.titles", b"["), ("a.extra", b"\xff")), tmp_path)
    assert (part.audio.read_bytes(), part.subtitles, part.extra) == (AUDIO, (), {})


HOSTILE = {
    "absolute": tar_of(("/etc/a.mp3", AUDIO)),
    "parent": tar_of(("x/../../a.mp3", AUDIO)),
    "backslash": tar_of(("..\\a.mp3", AUDIO)),
    "symlink": strange("a.mp3", tarfile.SYMTYPE, "/etc/passwd"),
    "hardlink": strange("a.mp3", tarfile.LNKTYPE, "/etc/passwd"),
    "device": strange("a.mp3", tarfile.CHRTYPE),
    "fifo": strange("a.mp3", tarfile.FIFOTYPE),
    "sparse": strange("a.mp3", tarfile.GNUTYPE_SPARSE),
    "cut": tar_of(("a.mp3", AUDIO))[:560],
    "no audio": tar_of(("a.titles", b"[]")),
    "twice": tar_of(("a.mp3", AUDIO), ("a.wav", AUDIO)),
    "good, then bad": tar_of(("a.mp3", AUDIO), ("/b.mp3", AUDIO)),
    "empty": b"",
    "noise": b"noise" * 400,
    "gzip": b"\x1f\x8b\x08\x00" + bytes(600),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_dishonest_tar_writes_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ProviderError):
        unpacked(content, tmp_path)
    assert os.listdir(tmp_path) == ["out"]
    assert os.listdir(tmp_path / "out") == []


def test_a_member_that_claims_more_than_there_is(tmp_path: Path) -> None:
    head = tarfile.TarInfo("a.mp3")
    head.size = 10**12
    with pytest.raises(ProviderError, match="larger than the whole file"):
        unpacked(head.tobuf() + bytes(1024), tmp_path)


@given(st.binary(max_size=64), st.integers(0, 3500))
def test_a_damaged_tar_never_writes_outside(noise: bytes, at: int) -> None:
    content = bytearray(result_tar())
    content[at : at + len(noise)] = noise
    with tempfile.TemporaryDirectory() as folder:
        try:
            parts = unpacked(bytes(content), Path(folder))
        except ProviderError:
            parts = ()
        assert os.listdir(folder) == ["out"]
        assert sorted(os.listdir(Path(folder) / "out")) == sorted(part.audio.name for part in parts)
