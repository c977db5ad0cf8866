"""Lengths of recordings from their headers: real encoders, small files made by hand, and garbage."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.audio_length import audio_seconds
from realtime.minimax.mp3_frames import frame_at
from realtime.sandbox.encode import encode_all

TONE = (np.sin(np.arange(round(3.5 * 32_000)) / 20) * 9000).astype(np.int16)
WAV = encode_all(TONE, "wav", 32_000)
MP3 = encode_all(TONE, "mp3", 32_000)
FRAME = b"\xff\xfb\x90\xc0" + bytes(413)  # MPEG 1, 128 kbit/s, 44.1 kHz, mono: 417 bytes, 1152 samples
FRAME_S = 1152 / 44_100


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def movie(header: bytes, *, before: bytes = b"") -> bytes:
    return box(b"ftyp", b"M4A \0\0\0\0") + before + box(b"moov", box(b"mvhd", header))


def short_header(scale: int, length: int) -> bytes:
    return struct.pack(">IIIII", 0, 0, 0, scale, length) + bytes(80)


def xing(frames: int, *, padding: int | None = None) -> bytes:
    """A first frame that counts the others."""
    head = FRAME[:21] + b"Xing" + struct.pack(">II", 1, frames)
    if padding is not None:
        head += b"LAME3.100" + bytes(12) + padding.to_bytes(3)
    return head + bytes(417 - len(head))


def test_files_of_real_encoders():
    assert audio_seconds(WAV) == pytest.approx(3.5)
    assert audio_seconds(MP3) == pytest.approx(3.5, abs=0.1)


def test_a_stream_is_read_from_where_it_is():
    stream = io.BytesIO(b"something" + WAV)
    stream.seek(9)
    assert audio_seconds(stream) == pytest.approx(3.5)


def test_a_wav_from_a_pipe_and_one_that_was_cut():
    at = WAV.index(b"data") + 4
    for size in (0, 0xFFFFFFFF):
        piped = WAV[:at] + struct.pack("<I", size) + WAV[at + 4 :]
        assert audio_seconds(piped) == pytest.approx(3.5)
    assert audio_seconds(WAV[: len(WAV) - 64_000]) == pytest.approx(2.5)


def test_a_wav_without_a_format_is_not_known():
    assert audio_seconds(WAV.replace(b"fmt ", b"junk")) is None


def test_frames_are_counted_behind_tags_and_between_garbage():
    tag = b"ID3\x04\0\0\0\0\x01\x02" + b"\xff" * 130
    assert audio_seconds(FRAME * 10) == pytest.approx(10 * FRAME_S)
    assert audio_seconds(tag + FRAME * 10) == pytest.approx(10 * FRAME_S)
    assert audio_seconds(FRAME * 5 + b"\xff\0garbage" + FRAME * 5) == pytest.approx(10 * FRAME_S)
    assert audio_seconds(FRAME * 10 + FRAME[:200]) == pytest.approx(10 * FRAME_S)
    assert audio_seconds(FRAME * 10 + b"TAG" + bytes(125)) == pytest.approx(10 * FRAME_S)


def test_a_count_in_the_first_frame_wins():
    assert audio_seconds(xing(1000) + FRAME * 3) == pytest.approx(1000 * FRAME_S)
    with_padding = xing(1000, padding=(576 << 12) + 1000)
    assert audio_seconds(with_padding + FRAME * 3) == pytest.approx(1000 * FRAME_S - 1576 / 44_100)
    vbri = FRAME[:36] + b"VBRI" + bytes(10) + struct.pack(">I", 500)
    assert audio_seconds(vbri + bytes(417 - len(vbri)) + FRAME * 3) == pytest.approx(500 * FRAME_S)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xfb\x90\x00", (417, 1152, 44_100)),
        (b"\xff\xfb\x92\x00", (418, 1152, 44_100)),  # with one byte of padding
        (b"\xff\xf3\x18\xc0", (36, 576, 16_000)),  # MPEG 2
        (b"\xff\xe3\x18\xc0", (72, 576, 8_000)),  # MPEG 2.5
    ],
)
def test_headers(head, expected):
    frame = frame_at(head)
    assert frame is not None
    assert (frame.size, frame.samples, frame.rate) == expected


@pytest.mark.parametrize(
    "head",
    [b"\xff\xfb\x00\x00", b"\xff\xfb\xf0\x00", b"\xff\xfb\x9c\x00", b"\xff\xeb\x90\x00", b"\xff\xfd\x90\x00"],
)
def test_what_is_no_header(head):
    assert frame_at(head) is None


def test_movies_say_it_in_either_version():
    assert audio_seconds(movie(short_header(1000, 12_340))) == pytest.approx(12.34)
    long_header = b"\x01" + bytes(3) + struct.pack(">QQIQ", 0, 0, 48_000, 2**33) + bytes(80)
    assert audio_seconds(movie(long_header)) == pytest.approx(2**33 / 48_000)
    assert audio_seconds(movie(short_header(1000, 5000), before=box(b"mdat", bytes(5000)))) == pytest.approx(
        5.0
    )


def test_movies_that_do_not_say_it():
    assert audio_seconds(movie(short_header(1000, 0))) is None
    assert audio_seconds(movie(short_header(0, 1000))) is None
    assert audio_seconds(movie(short_header(1000, 0xFFFFFFFF))) is None
    fragments = box(b"mvhd", short_header(1000, 0)) + box(b"mvex", box(b"mehd", struct.pack(">II", 0, 7000)))
    assert audio_seconds(box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", fragments)) == pytest.approx(7.0)


STARTS = [b"", b"ID3\x04\0\0\0\0\0\x0a", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x10ftypM4A \0\0\0\0", FRAME, xing(3)]
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"moov", b"mvhd", b"mvex", b"mehd", b"fmt ", b"data", b"ID3", FRAME, FRAME[:4], b"\xff" * 9]
    ),
    st.integers(0, 40).map(lambda size: struct.pack(">I", size)),
    st.integers(0, 40).map(lambda size: struct.pack("<I", size)),
)


@given(st.sampled_from(STARTS), st.lists(PIECES, max_size=12))
def test_garbage_is_not_known_or_has_a_length(start, pieces):
    seconds = audio_seconds(start + b"".join(pieces))
    assert seconds is None or seconds >= 0


@given(
    st.integers(0, 400),
    st.binary(min_size=1, max_size=8),
    st.sampled_from([WAV[:2000], MP3[:2000], movie(short_header(1000, 9))]),
)
def test_damage_is_not_an_error(at, damage, file):
    seconds = audio_seconds(file[:at] + damage + file[at + len(damage) :])
    assert seconds is None or seconds >= 0
