"""The bytes of binary audio frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.protocol.framing import AudioFrame, FramingError, decode_frame, encode_frame

SAMPLES = bytes.fromhex("0100 ffff")


def test_a_frame_has_the_documented_bytes():
    frame = encode_frame(SAMPLES, stream=1, seq=42, start_ms=1240)
    assert frame == bytes.fromhex("01 01 00 01  2A 00 00 00  D8 04 00 00  01 00 FF FF")
    assert decode_frame(frame) == AudioFrame(SAMPLES, stream=1, seq=42, start_ms=1240, end=False)


def test_the_last_frame_of_a_stream_may_be_empty():
    frame = encode_frame(b"", stream=1, seq=43, start_ms=1260, end=True)
    assert frame == bytes.fromhex("01 01 01 01  2B 00 00 00  EC 04 00 00")
    assert decode_frame(frame) == AudioFrame(b"", stream=1, seq=43, start_ms=1260, end=True)


def test_a_documented_client_frame_is_decoded():
    frame = bytes.fromhex("01 01 00 00  07 00 00 00  8C 00 00 00  00 00 10 00")
    assert decode_frame(frame) == AudioFrame(b"\0\0\x10\0", stream=0, seq=7, start_ms=140, end=False)


@given(
    st.binary(max_size=100), st.integers(0, 255), st.integers(0, 2**33), st.integers(0, 2**33), st.booleans()
)
def test_a_decoded_frame_equals_the_encoded_one_and_numbers_wrap_around(payload, stream, seq, start_ms, end):
    frame = decode_frame(encode_frame(payload, stream=stream, seq=seq, start_ms=start_ms, end=end))
    assert frame == AudioFrame(payload, stream, seq % 2**32, start_ms % 2**32, end)


def test_unknown_flags_are_ignored():
    assert decode_frame(bytes.fromhex("01 01 FE 01  01 00 00 00  00 00 00 00")) == AudioFrame(
        b"", 1, 1, 0, end=False
    )


@pytest.mark.parametrize("kind", [0, 2, 255])
def test_reserved_kinds_are_ignored(kind):
    assert decode_frame(bytes([1, kind]) + bytes(10)) is None


@pytest.mark.parametrize("data", [b"", b"\x01", bytes.fromhex("01 01 00 01 2A 00 00 00 D8 04 00")])
def test_a_message_without_a_complete_header_is_an_error(data):
    with pytest.raises(FramingError, match="12 bytes") as caught:
        decode_frame(data)
    assert caught.value.close_code == 1002


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_an_error(version):
    with pytest.raises(FramingError, match=f"version {version}"):
        decode_frame(bytes([version, 1]) + bytes(10))


@pytest.mark.parametrize("stream", [-1, 256])
def test_a_stream_number_is_one_byte(stream):
    with pytest.raises(ValueError, match="0 to 255"):
        encode_frame(b"", stream=stream, seq=1, start_ms=0)


@given(st.binary(max_size=40))
def test_random_bytes_are_a_frame_or_a_framing_error(data):
    try:
        frame = decode_frame(data)
    except FramingError:
        return
    assert frame is None or frame.payload == data[12:]
