"""A file's kind by its first bytes, and its content type."""

from __future__ import annotations

import io
import tarfile
import wave
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.sniff import content_type, sniff


def a_tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a.mp3"), io.BytesIO(b""))
    return file.getvalue()


def a_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    return file.getvalue()


def a_wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 16000, 0, "NONE", ""))
    return file.getvalue()


KINDS = {
    b"\xff\xd8\xff\xe0\x00\x10JFIF": "jpeg",
    b"\x89PNG\r\n\x1a\n\x00\x00": "png",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ": "webp",
    b"GIF89a": "gif",
    b"\x00\x00\x00\x18ftypheic\x00\x00": "heic",
    b"\x00\x00\x00\x18ftypmif1\x00\x00": "heic",
    b"\x00\x00\x00\x18ftypisom\x00\x00": "mp4",
    b"\x00\x00\x00\x14ftypqt  \x00\x00": "mov",
    b"\x00\x00\x00\x18ftypM4A \x00\x00": "m4a",
    b"ID3\x04\x00\x00": "mp3",
    b"\xff\xfb\x90\x64": "mp3",
    b"\xff\xf3\x44\xc4": "mp3",
    b"fLaC\x00\x00": "flac",
    b"OggS\x00\x02": "ogg",
    b'\n {"base_resp":{}}': "json",
    b'\xef\xbb\xbf["a"]': "json",
    b"\r\n<!DOCTYPE html><html>": "html",
    b"<HTML><body>502": "html",
    b"hello": "text",
    "第一章".encode()[:-1]: "text",  # cut in the middle of a character
    b"\xff\xff\xff\xff": "unknown",
    b"\xff\xfe\x41\x00": "unknown",
    b"\x00\x01\x02": "unknown",
    b"": "unknown",
}


@pytest.mark.parametrize(("first", "kind"), KINDS.items(), ids=lambda value: repr(value)[:30])
def test_each_kind_is_known_by_its_first_bytes(first, kind) -> None:
    assert sniff(first) == kind


def test_real_containers_are_known() -> None:
    assert [sniff(a_tar()), sniff(a_zip()), sniff(a_wav())] == ["tar", "zip", "wav"]


@given(st.binary(max_size=600))
def test_any_bytes_have_a_kind(first) -> None:
    assert isinstance(sniff(first), str)


@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("a.png", b"\xff\xd8\xff\xe0", "image/jpeg"),  # the bytes are right, not the ending
        ("a", b"ID3\x04", "audio/mpeg"),
        ("a.m4a", b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        ("a.mov", b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        ("a.heic", b"\x00\x00\x00\x18ftypheic", "image/heic"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
        ("a.zip", b"PK\x03\x04", "application/zip"),
        ("lines.JSONL", b'{"custom_id":"1"}', "application/jsonl"),
        ("a.json", b"{}", "application/json"),
        ("book.txt", b"Chapter 1", "text/plain"),
        ("book", "第一章".encode(), "text/plain"),
        ("a.bin", b"\x00\x01", "application/octet-stream"),
        ("a.mp3", b"\x00\x00\x00\x00", "audio/mpeg"),
    ],
)
def test_the_content_type_comes_from_the_bytes_and_then_from_the_ending(name, first, expected) -> None:
    assert content_type(name, first) == expected
