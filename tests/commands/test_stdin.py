"""Text on standard input: the encodings that are read, and what is refused in one sentence."""

import os
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from realtime.commands.say import _speak
from realtime.commands.stdin import read_lines, read_stream
from realtime.core.chunker import ChunkRules
from realtime.errors import InvalidArgument
from realtime.providers.base import Voice
from tests.fakes import FakeSpeech

TEXT = "Hello.\n你好，世界。\nCafé"


@contextmanager
def given(monkeypatch, data):
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield
        for thread in threading.enumerate():
            if thread.name == "stdin":
                thread.join()  # before its file is closed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
async def test_unicode_is_read_by_its_mark(monkeypatch, encoding):
    with given(monkeypatch, TEXT.encode(encoding)):
        assert "".join([text async for text in read_stream()]) == TEXT
    with given(monkeypatch, TEXT.replace("\n", "\r\n").encode(encoding)):
        assert [line async for line in read_lines()] == TEXT.split("\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("你好，世界。".encode("gbk"), "no text in UTF-8"),
        ("Café au lait".encode("latin-1"), "no text in UTF-8"),
        ("你".encode()[:2], "no text in UTF-8"),
        ("Hello".encode("utf-16-le"), "binary"),
    ],
)
async def test_what_is_no_text_is_refused(monkeypatch, data, said):
    for read in (read_stream, read_lines):
        with given(monkeypatch, data), pytest.raises(InvalidArgument, match=said):
            _ = [text async for text in read()]


async def test_nothing_is_empty(monkeypatch):
    with given(monkeypatch, b""):
        assert [line async for line in read_lines()] == []


async def test_a_folder_is_no_text(monkeypatch, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: folder, isatty=lambda: False))
    with pytest.raises(IsADirectoryError):
        _ = [line async for line in read_lines()]
    os.close(folder)


async def test_the_refusal_reaches_whoever_has_it_spoken(monkeypatch):
    with given(monkeypatch, "你好".encode("gbk")), pytest.raises(InvalidArgument):
        await _speak(FakeSpeech(), Voice("x"), ChunkRules(), read_stream(), bytearray().extend)
