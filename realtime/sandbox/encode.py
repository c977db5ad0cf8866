"""Encoders for the formats of the platform: pcm, wav, mp3, flac, opus, pcmu_raw, pcmu_wav, block by block.

An encoder is used for one synthesis. It does not know text, time or sockets. Formats: docs/minimax/t2a-websocket.md
1.2 and 1.8; mp3, flac and opus need PyAV, from the extra `sandbox`.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

import numpy as np

from .voice_engine import INSTALL, Samples, VoiceUnavailable

FORMATS = ("mp3", "pcm", "flac", "wav", "pcmu_raw", "pcmu_wav", "opus")
CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "pcm": "application/octet-stream",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcmu_raw": "audio/basic",
    "pcmu_wav": "audio/wav",
    "opus": "audio/ogg",
}
_UNKNOWN_LENGTH = 0xFFFFFFFF


class Encoder(Protocol):
    """Mono samples in, bytes of one format out."""

    def encode(self, pcm: Samples) -> bytes:
        """The bytes that are ready; may be empty while the codec fills a frame."""

    def finish(self) -> bytes:
        """The remaining bytes; the encoder cannot be used again."""


def create_encoder(format: str, rate: int, *, channels: int = 1, bitrate: int = 128_000) -> Encoder:
    """An encoder for a stream. `rate` in Hertz, `bitrate` in bits a second. Raises VoiceUnavailable without PyAV."""
    match format:
        case "pcm" | "wav" | "pcmu_raw" | "pcmu_wav":
            header = wav_header(format, rate, channels) if format in ("wav", "pcmu_wav") else b""
            return _Plain(header, channels, mulaw=format.startswith("pcmu"))
        case "mp3":
            return _Mp3(rate, channels, bitrate)
        case "flac":
            return _InContainer("flac", "flac", "s16", rate, channels)
        case "opus":
            # Opus supports few rates; 48000 is the one that every decoder plays.
            return _InContainer("ogg", "libopus", "s16", rate, channels, codec_rate=48_000)
    raise ValueError(f"unknown format {format!r}")


def encode_all(pcm: Samples, format: str, rate: int, *, channels: int = 1, bitrate: int = 128_000) -> bytes:
    """A whole file; a wav header has the true length."""
    encoder = create_encoder(format, rate, channels=channels, bitrate=bitrate)
    data = encoder.encode(pcm) + encoder.finish()
    if format in ("wav", "pcmu_wav"):
        header = len(wav_header(format, rate, channels))
        data = wav_header(format, rate, channels, len(data) - header) + data[header:]
    return data


def wav_header(format: str, rate: int, channels: int, data_bytes: int | None = None) -> bytes:
    """A RIFF header; without a length both sizes are 0xFFFFFFFF, as on a stream."""
    code, width = (7, 1) if format == "pcmu_wav" else (1, 2)
    form = struct.pack("<HHIIHH", code, channels, rate, rate * channels * width, channels * width, width * 8)
    if code == 7:
        form += struct.pack("<H", 0)
    length = _UNKNOWN_LENGTH if data_bytes is None else data_bytes
    riff = _UNKNOWN_LENGTH if data_bytes is None else 20 + len(form) + data_bytes
    chunks = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", riff) + chunks


def mulaw(pcm: Samples) -> bytes:
    """G.711 µ-law."""
    value = pcm.astype(np.int32)
    magnitude = np.minimum(np.abs(value), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    coded = ~(np.where(value < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF
    return bytes(coded.astype(np.uint8).tobytes())


class _Plain:
    def __init__(self, header: bytes, channels: int, *, mulaw: bool) -> None:
        self._header = header
        self._channels = channels
        self._mulaw = mulaw

    def encode(self, pcm: Samples) -> bytes:
        pcm = np.repeat(pcm, self._channels)
        header, self._header = self._header, b""
        return header + (mulaw(pcm) if self._mulaw else pcm.astype("<i2").tobytes())

    def finish(self) -> bytes:
        header, self._header = self._header, b""
        return header


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise VoiceUnavailable(INSTALL) from error
    return av


def _frame(pcm: Samples, rate: int, channels: int) -> Any:
    layout = "stereo" if channels == 2 else "mono"
    frame = _av().AudioFrame.from_ndarray(
        np.repeat(pcm, channels).reshape(1, -1), format="s16", layout=layout
    )
    frame.sample_rate = rate
    return frame


class _Mp3:
    """Raw mp3 frames without a file header, so that outputs can be joined."""

    def __init__(self, rate: int, channels: int, bitrate: int) -> None:
        self._rate, self._channels = rate, channels
        self._codec = _av().CodecContext.create("libmp3lame", "w")
        self._codec.sample_rate = rate
        self._codec.layout = "stereo" if channels == 2 else "mono"
        self._codec.format = "s16p"
        self._codec.bit_rate = bitrate

    def encode(self, pcm: Samples) -> bytes:
        if not len(pcm):
            return b""
        return b"".join(map(bytes, self._codec.encode(_frame(pcm, self._rate, self._channels))))

    def finish(self) -> bytes:
        return b"".join(map(bytes, self._codec.encode(None))) if self._codec.is_open else b""


class _Sink:
    """A write-only file: a stream cannot go back to its header."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += bytes(data)
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


class _InContainer:
    """A codec inside a container, written page by page."""

    def __init__(
        self,
        container: str,
        codec: str,
        sample_format: str,
        rate: int,
        channels: int,
        *,
        codec_rate: int | None = None,
    ) -> None:
        self._rate, self._channels = rate, channels
        self._sink = _Sink()
        options = {"flush_packets": "1"} | ({"page_duration": "100000"} if container == "ogg" else {})
        self._container = _av().open(self._sink, "w", format=container, options=options)
        self._stream = self._container.add_stream(codec, rate=codec_rate or rate)
        self._stream.codec_context.layout = "stereo" if channels == 2 else "mono"
        self._stream.codec_context.format = sample_format
        if codec == "libopus":
            self._stream.codec_context.bit_rate = 48_000 * channels

    def encode(self, pcm: Samples) -> bytes:
        if len(pcm):
            self._container.mux(self._stream.encode(_frame(pcm, self._rate, self._channels)))
        return self._sink.take()

    def finish(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()
