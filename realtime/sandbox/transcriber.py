"""The sandbox's transcriber: a whole recording through Whisper, in the calling thread, and once.

English uses the small English weights; another language needs the multilingual ones. Knows no HTTP.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import threading
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError

INSTALL = "the sandbox's transcriber is not installed: pip install 'minimax-realtime[local]'"
CONTAINERS = frozenset("wav aiff flac mov mp3 aac ogg".split())  # as docs/minimax/asr.md lists them
RATE = 16_000  # Hertz, Whisper's input
THREADS = 1  # the other cores are for the programs under test

MOST_KNOWN = 32

_models: dict[str, Any] = {}
_loading = threading.Lock()


class NotInstalled(Exception):
    """The transcriber is missing; the message is the install command."""


class Unreadable(Exception):
    """The file is not a recording that the platform accepts."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of speech, in seconds from the start."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcription:
    """The text of a recording."""

    text: str
    duration_s: float
    segments: tuple[Segment, ...]


# By samples and language: a client that asks again gets the same
_known: dict[tuple[bytes, str], Transcription] = {}


def transcribe(data: bytes, language: str | None, max_s: float) -> Transcription:
    """Transcribe a recording; takes a fraction of its length, so call it in a thread.

    Raises NotInstalled without the `[local]` extra, Unreadable for an unknown format or more than `max_s` seconds.
    """
    if importlib.util.find_spec("faster_whisper") is None:
        raise NotInstalled(INSTALL)
    samples = _decode(data, max_s)
    code = (language or "en").split("-")[0].lower()
    key = (hashlib.sha256(samples).digest(), code)
    if (known := _known.get(key)) is None:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        known = _known[key] = _transcribe(samples, code)
    return known


def _transcribe(samples: Any, code: str) -> Transcription:
    model = _model("english" if code == "en" else "multilingual")
    parts, _ = model.transcribe(
        samples,
        language="zh" if code == "yue" else "tl" if code == "fil" else code,
        beam_size=1,
        condition_on_previous_text=False,
        vad_filter=True,
    )
    segments = tuple(
        Segment(round(part.start, 2), round(part.end, 2), part.text.strip())
        for part in parts
        if part.text.strip()
    )
    text = ("" if code in ("zh", "yue", "ja") else " ").join(part.text for part in segments)
    return Transcription(text, round(len(samples) / RATE, 2), segments)


def _decode(data: bytes, max_s: float) -> Any:
    """Samples as float32 at 16 kHz."""
    import av
    from faster_whisper.audio import decode_audio

    try:
        with av.open(io.BytesIO(data)) as container:
            known = set(container.format.name.split(",")) & CONTAINERS
            if not known or not container.streams.audio:
                raise Unreadable(f"unsupported file format '{container.format.name}'")
        samples = decode_audio(io.BytesIO(data), sampling_rate=RATE)
    except (av.FFmpegError, IndexError, ValueError):
        raise Unreadable("the file cannot be read as audio (raw PCM is not accepted)") from None
    if len(samples) == 0:
        raise Unreadable("the file holds no audio")
    if len(samples) > max_s * RATE:
        raise Unreadable(f"audio is longer than {max_s:g} seconds")
    return samples


def _model(which: str) -> Any:
    from faster_whisper import WhisperModel

    from ..providers import weights

    with _loading:
        if which not in _models:
            try:
                folder = weights.english() if which == "english" else weights.multilingual()
            except ConfigError as error:
                raise NotInstalled(str(error)) from None
            _models[which] = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS, local_files_only=True
            )
        return _models[which]
