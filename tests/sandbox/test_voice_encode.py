"""Formats: audio that is encoded block by block decodes to the same audio."""

from __future__ import annotations

import functools
import io
import wave

import numpy as np
import pytest
import soxr

from realtime.sandbox.encode import FORMATS, create_encoder, encode_all, mulaw, wav_header
from realtime.sandbox.voice import synthesize

av = pytest.importorskip("av")
RATES = (8000, 16000, 22050, 24000, 32000, 44100)


@functools.cache
def spoken(text: str, rate: int) -> np.ndarray:
    return synthesize(text, voice_id="Arnold", rate=rate).pcm


def encoded_blocks(pcm: np.ndarray, format: str, rate: int, channels: int) -> list[bytes]:
    encoder = create_encoder(format, rate, channels=channels)
    size = rate // 10
    return [encoder.encode(pcm[i : i + size]) for i in range(0, len(pcm), size)] + [encoder.finish()]


def decode(data: bytes, rate: int) -> tuple[np.ndarray, int, int]:
    """First channel at `rate`, number of channels, the file's own rate."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        own, channels = stream.rate, stream.channels
        resampler = av.AudioResampler(format="fltp", layout=stream.layout.name)
        frames = [f.to_ndarray() for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    sound = np.concatenate(frames, axis=1)[0]
    return (sound if own == rate else soxr.resample(sound, own, rate)), channels, own


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Greatest normalised cross-correlation over small shifts (a codec delays)."""
    size = min(len(a), len(b)) - 3000
    a = a[:size].astype(float)
    whole = 1 << (size + 3000).bit_length()  # so long that no shift wraps around
    spectrum = np.fft.rfft(b[: size + 3000], whole) * np.conj(np.fft.rfft(a, whole))
    best = int(np.argmax(np.fft.irfft(spectrum, whole)[:3000]))
    part = b[best : best + size]
    return float(np.dot(a, part) / (np.linalg.norm(a) * np.linalg.norm(part)))


@pytest.mark.parametrize("rate", [8000, 24000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("format", ["mp3", "flac", "wav", "opus", "pcmu_wav"])
def test_a_stream_can_be_decoded(format: str, channels: int, rate: int) -> None:
    """Every format with a container or frames of its own, at three rates, mono and stereo."""
    pcm = spoken("We must find a new home in the stars.", rate)
    sound, found, own = decode(b"".join(encoded_blocks(pcm, format, rate, channels)), rate)
    assert found == channels
    assert own == (48000 if format == "opus" else rate)
    assert len(sound) / rate == pytest.approx(len(pcm) / rate, abs=0.25)
    assert similarity(pcm, np.concatenate([sound, np.zeros(3000)])) > 0.95


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_at_every_rate_comes_in_blocks(format: str, rate: int) -> None:
    """Much of the audio comes before the end: no format waits for the last sample."""
    parts = encoded_blocks(spoken("Hello there, my friend, how are you today?", rate), format, rate, 1)
    total = sum(map(len, parts))
    assert total > 1000
    assert sum(map(len, parts[: len(parts) // 2 + 1])) > 0.25 * total


def test_pcm_is_the_raw_samples() -> None:
    """Little-endian, the same in every channel, no header."""
    pcm = np.array([1, -2, 300], dtype=np.int16)
    assert encode_all(pcm, "pcm", 8000) == b"\x01\x00\xfe\xff\x2c\x01"
    assert encode_all(pcm, "pcm", 8000, channels=2) == b"\x01\x00\x01\x00\xfe\xff\xfe\xff\x2c\x01\x2c\x01"


def test_mulaw_has_the_values_of_g711() -> None:
    """Silence, both ends, and known points of the standard's table."""
    pcm = np.array([0, -1, 32767, -32768, 100, -100, 1000, -1000], dtype=np.int16)
    assert mulaw(pcm).hex() == "ff7f8000f272ce4e"
    assert encode_all(pcm, "pcmu_raw", 8000) == mulaw(pcm)


def test_a_wav_file_has_its_length_and_a_wav_stream_has_not() -> None:
    """A file can be opened by any reader; a stream's header says 0xFFFFFFFF."""
    pcm = np.arange(500, dtype=np.int16)
    with wave.open(io.BytesIO(encode_all(pcm, "wav", 24000, channels=2))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (24000, 2, 500)
    header = create_encoder("wav", 24000).encode(pcm)[:44]
    assert header == wav_header("wav", 24000, 1)
    assert header[4:8] == header[40:44] == b"\xff\xff\xff\xff"


def test_mp3_outputs_of_two_tasks_can_be_joined() -> None:
    """Frames without a header: two outputs one after the other are one playable file."""
    speech = synthesize("Hello.", voice_id="Arnold", rate=32000)
    data = encode_all(speech.pcm, "mp3", 32000)
    assert data[0] == 0xFF
    sound, _, _ = decode(data + data, 32000)
    assert len(sound) / 32000 == pytest.approx(2 * len(speech.pcm) / 32000, abs=0.25)
