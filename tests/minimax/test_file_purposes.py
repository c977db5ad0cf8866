"""What each purpose takes: kinds, sizes and lengths, at their limits; names that get the right ending."""

from __future__ import annotations

import pytest

from realtime.errors import InvalidArgument
from realtime.minimax.file_purposes import check_file, check_seconds, spoken_length
from realtime.minimax.file_source import MB

WAV = b"RIFF\0\0\0\0WAVEfmt "
MP3 = b"ID3\x04\0"
PNG = b"\x89PNG\r\n\x1a\n"
M4A = b"\0\0\0\x18ftypM4A \0\0\0\0"
MP4 = b"\0\0\0\x18ftypisom\0\0\0\0"


@pytest.mark.parametrize(
    ("purpose", "name", "first", "most_mb"),
    [
        ("voice_clone", "me.mp3", MP3, 20),
        ("voice_clone", "me.m4a", M4A, 20),
        ("voice_clone", "me.m4a", MP4, 20),
        ("prompt_audio", "me.wav", WAV, 20),
        ("video_generation_input", "a.png", PNG, 30),
        ("video_generation_input", "a.mp4", MP4, 50),
        ("video_generation_input", "a.mp3", MP3, 15),
        ("video_understanding", "a.mp4", MP4, 512),
        ("batch", "q.jsonl", b'{"custom_id":"1"}', 100),
    ],
)
def test_the_largest_file_passes_and_one_byte_more_does_not(purpose, name, first, most_mb):
    assert check_file(purpose, name, first, most_mb * MB) == name
    with pytest.raises(InvalidArgument, match=f"at most {most_mb} MB") as caught:
        check_file(purpose, name, first, most_mb * MB + 1)
    assert caught.value.param == "file"


@pytest.mark.parametrize(
    ("purpose", "name", "first", "kind"),
    [
        ("voice_clone", "me.mp3", PNG, "png"),
        ("voice_clone", "film.mp4", MP4, "mp4"),
        ("voice_clone", "me.mp3", b"hello, this is text", "text"),
        ("prompt_audio", "me.mp3", b"fLaC\0", "flac"),
        ("t2a_async_input", "book.txt", MP3, "mp3"),
        ("batch", "q.jsonl", b"PK\x03\x04", "zip"),
    ],
)
def test_a_kind_that_the_purpose_does_not_take(purpose, name, first, kind):
    with pytest.raises(InvalidArgument, match=f"{name} is {kind} by its bytes: {purpose} takes"):
        check_file(purpose, name, first, 100)


@pytest.mark.parametrize(
    ("purpose", "name", "first", "sent"),
    [
        ("voice_clone", "file", WAV, "file.wav"),
        ("voice_clone", "me.wav", MP3, "me.mp3"),
        ("voice_clone", "ME.MP3", MP3, "ME.MP3"),
        ("voice_clone", "v1.2 take", MP3, "v1.2 take.mp3"),
        ("t2a_async_input", "file", b"Chapter one", "file.txt"),
        ("t2a_async_input", "book.md", b"# Chapter one", "book.md.txt"),
        ("t2a_async_input", "book", b"PK\x03\x04", "book.zip"),
        ("batch", "lines.txt", b'{"custom_id":"1"}', "lines.jsonl"),
        ("retrieval", "anything", b"\0", "anything"),
        ("of tomorrow", "anything", b"\0", "anything"),
    ],
)
def test_the_name_gets_the_ending_of_the_bytes(purpose, name, first, sent):
    assert check_file(purpose, name, first, 100) == sent


@pytest.mark.parametrize(
    ("purpose", "kind", "seconds"),
    [
        ("voice_clone", "wav", 10.0),
        ("voice_clone", "wav", 300.0),
        ("voice_clone", "mp3", 300.05),
        ("voice_clone", "mp3", 9.95),
        ("voice_clone", "wav", None),
        ("prompt_audio", "wav", 7.99),
        ("prompt_audio", "mp3", 8.05),
        ("batch", "unknown", 1.0),
        ("of tomorrow", "wav", 1000.0),
    ],
)
def test_lengths_that_pass(purpose, kind, seconds):
    check_seconds(purpose, seconds, kind)


@pytest.mark.parametrize(
    ("purpose", "kind", "seconds", "said"),
    [
        ("voice_clone", "wav", 9.99, "The recording is 9.9 s, cloning wants 10 s to 5 min."),
        ("voice_clone", "mp3", 6.2, "The recording is 6.2 s, cloning wants 10 s to 5 min."),
        ("voice_clone", "wav", 300.01, "The recording is 5 min 0 s, cloning wants 10 s to 5 min."),
        ("voice_clone", "m4a", 363.0, "The recording is 6 min 3 s, cloning wants 10 s to 5 min."),
        ("prompt_audio", "wav", 8.0, "The prompt audio is 8.0 s, it has to be shorter than 8 s."),
        ("prompt_audio", "mp3", 9.0, "The prompt audio is 9.0 s, it has to be shorter than 8 s."),
    ],
)
def test_lengths_that_do_not(purpose, kind, seconds, said):
    with pytest.raises(InvalidArgument) as caught:
        check_seconds(purpose, seconds, kind, param="prompt")
    assert (str(caught.value), caught.value.param) == (said, "prompt")


def test_lengths_are_cut_and_not_rounded():
    assert (spoken_length(9.999), spoken_length(61), spoken_length(600)) == ("9.9 s", "61.0 s", "10 min 0 s")
