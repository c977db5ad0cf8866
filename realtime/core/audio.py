"""Arithmetic on audio: samples and milliseconds, the wire's three formats, frames, WAV (and rates, from `resample.py`).

Everything is mono and 16 bits wide. Has no clock, does no I/O and does not know what is said.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realtime.core import g711
from realtime.core.channels import one_channel
from realtime.core.resample import Resampler as Resampler  # part of this module's surface
from realtime.core.resample import resampled as resampled

Samples = NDArray[np.int16]
FormatType = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]

SAMPLE_BYTES = 2
G711_RATE = 8_000  # Hertz
SILENCE_DBFS = -120.0  # what digital silence is called, where the logarithm has no answer
_CHOICE_MS = 20  # of a file: for so long the same channel is read
_PCM = np.dtype("<i2")
_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def ms_to_samples(ms: float, rate: int) -> int:
    """How many samples fit into `ms` milliseconds at `rate` Hertz."""
    return int(ms * rate // 1000)


def samples_to_ms(samples: int, rate: int) -> int:
    """How many whole milliseconds these samples last at `rate` Hertz."""
    return samples * 1000 // rate


def ms_to_bytes(ms: float, rate: int) -> int:
    """How many bytes of 16-bit PCM fit into `ms` milliseconds: always whole samples."""
    return ms_to_samples(ms, rate) * SAMPLE_BYTES


def pcm_to_samples(pcm: bytes) -> Samples:
    """Little-endian 16-bit PCM as an array. Raises ValueError on half a sample."""
    if len(pcm) % SAMPLE_BYTES:
        raise ValueError(f"{len(pcm)} bytes are not whole 16-bit samples")
    return np.frombuffer(pcm, _PCM).astype(np.int16, copy=False)


def samples_to_pcm(samples: Samples) -> bytes:
    """An array as little-endian 16-bit PCM."""
    return samples.astype(_PCM, copy=False).tobytes()


def level_dbfs(samples: Samples) -> float:
    """The RMS level in dB below full scale: 0 is a full square wave, SILENCE_DBFS digital silence."""
    if not len(samples):
        return SILENCE_DBFS
    scaled = samples.astype(np.float64) / 32768.0
    power = float(np.mean(scaled * scaled))
    return max(SILENCE_DBFS, 10.0 * float(np.log10(power))) if power else SILENCE_DBFS


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """One of the three formats of the wire: 16-bit PCM at any rate, or G.711 at 8 kHz.

    Raises ValueError for another type, or a G.711 rate that is not 8,000 (`docs/wire.md` 2).
    """

    type: FormatType = "audio/pcm"
    rate: int = 24_000  # Hertz

    def __post_init__(self) -> None:
        if self.type not in ("audio/pcm", "audio/pcmu", "audio/pcma"):
            raise ValueError(f"{self.type!r} is not audio/pcm, audio/pcmu or audio/pcma")
        if self.type != "audio/pcm" and self.rate != G711_RATE:
            raise ValueError(f"{self.type} is always {G711_RATE} Hz, not {self.rate}")
        if self.rate <= 0:
            raise ValueError(f"a rate of {self.rate} Hz makes no sound")

    @property
    def sample_bytes(self) -> int:
        return SAMPLE_BYTES if self.type == "audio/pcm" else 1

    @property
    def bytes_per_ms(self) -> float:
        return self.rate * self.sample_bytes / 1000

    def decode(self, data: bytes) -> Samples:
        """Whole samples at `rate`. Raises ValueError on half a sample; streams use `PcmDecoder`."""
        match self.type:
            case "audio/pcmu":
                return g711.mulaw_decode(data)
            case "audio/pcma":
                return g711.alaw_decode(data)
            case _:
                return pcm_to_samples(data)

    def encode(self, samples: Samples) -> bytes:
        """Samples at `rate` as the wire wants them."""
        match self.type:
            case "audio/pcmu":
                return g711.mulaw_encode(samples)
            case "audio/pcma":
                return g711.alaw_encode(samples)
            case _:
                return samples_to_pcm(samples)


class PcmDecoder:
    """Decodes a stream that was cut anywhere: half a sample waits for its other half."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._carry = b""

    def feed(self, data: bytes) -> Samples:
        data = self._carry + data if self._carry else data
        whole = len(data) - len(data) % self.format.sample_bytes
        self._carry = data[whole:]
        return self.format.decode(data[:whole])

    def reset(self) -> None:
        """Discard the half sample, as when the buffer is cleared."""
        self._carry = b""


class Framer:
    """Cuts a stream into frames of exactly `size` samples; the rest waits for more."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._rest: Samples = np.zeros(0, np.int16)

    def feed(self, samples: Samples) -> list[Samples]:
        joined = np.concatenate((self._rest, samples)) if len(self._rest) else samples
        whole = len(joined) - len(joined) % self.size
        self._rest = joined[whole:].copy()
        return [joined[start : start + self.size] for start in range(0, whole, self.size)]

    def reset(self) -> None:
        self._rest = np.zeros(0, np.int16)


def wav_header(rate: int, data_bytes: int) -> bytes:
    """The 44 bytes before `data_bytes` bytes of 16-bit mono PCM."""
    fmt = (1, 1, rate, rate * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    return _WAV_HEADER.pack(b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, *fmt, b"data", data_bytes)


def write_wav(samples: Samples, rate: int) -> bytes:
    """A whole WAV file."""
    pcm = samples_to_pcm(samples)
    return wav_header(rate, len(pcm)) + pcm


class OtherFormat(ValueError):
    """This is sound perhaps, and no uncompressed 16-bit sound in a WAV file."""


def chosen_channel(frames: Samples, rate: int) -> Samples:
    """The channel that is spoken into, of frames with a column for each channel."""
    return one_channel(frames, max(1, rate * _CHOICE_MS // 1000))


def read_wav(data: bytes) -> tuple[Samples, int]:
    """The samples of the channel that is spoken into (`channels.py`), and the rate in Hertz, of a WAV file.

    A length the writer could not know yet means "to the end": that of a stream, and none of a recorder that was
    interrupted. Raises ValueError on anything but uncompressed 16-bit sound,
    and OtherFormat where something else may read it.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise OtherFormat("this is not a WAV file")
    at, channels, rate = 12, 0, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            channels, rate = _read_fmt(body)
        elif name == b"data":
            if not rate:
                raise ValueError("this WAV file has no format before its sound")
            if not size and not _only_chunks(data, at + 8):
                body = data[at + 8 :]
            block = SAMPLE_BYTES * channels
            frames = pcm_to_samples(body[: len(body) - len(body) % block]).reshape(-1, channels)
            return chosen_channel(frames, rate), rate
        at += 8 + size + size % 2
    raise ValueError("this WAV file has no sound in it")


def _only_chunks(data: bytes, at: int) -> bool:
    """Whether from here to the end there is nothing, or chunks that are no sound: their lengths lead to the end."""
    while at + 8 <= len(data) and data[at : at + 4].isascii():
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return at == len(data)


def _read_fmt(body: bytes) -> tuple[int, int]:
    if len(body) < 16:
        raise ValueError("this WAV file's format chunk is cut short")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if code == 0xFFFE and len(body) >= 26:  # "extensible": the real code is the first field of a GUID
        code = int.from_bytes(body[24:26], "little")
    if not channels or not rate:
        raise ValueError(f"this WAV file says that it has {channels} channels and {rate} samples a second")
    if (code, bits) != (1, 8 * SAMPLE_BYTES):
        raise OtherFormat(f"this WAV file is not uncompressed 16-bit sound (format {code}, {bits} bits)")
    return channels, rate
