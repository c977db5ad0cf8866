"""espeak-ng inside this process: text of one language in, samples and word events out.

The library keeps global state, so one lock guards every call; a sentence takes a few milliseconds. This module knows
nothing of voice ids, pauses or MiniMax: it only synthesizes a run of text.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extras import COMMAND, ExtraMissing

Samples = NDArray[np.int16]

INSTALL = f"the sandbox has no voice: {COMMAND}"

_SYNCHRONOUS = 2
_UTF8 = 1
_DO_NOT_EXIT = 0x8000  # without it the library ends the process when its data is missing
_LONGEST_PATH = 140  # bytes
_PARAMETER_RATE, _PARAMETER_VOLUME, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 2, 3, 4
_EVENT_END_OF_LIST, _EVENT_WORD = 0, 1
_IPA_TIED = 0x02 | 0x80 | ord("^") << 8  # phonemes in IPA, those of one sound joined by ^


class VoiceUnavailable(ExtraMissing):
    """The speech library is missing or does not start; the message is the install command."""


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Prosody:
    """The voice and prosody of a run."""

    voice: str  # espeak's name, such as `en-us+f2`
    wpm: int  # words a minute, 80 to 450
    pitch: int  # 0 to 100, 50 is the voice's own
    range: int  # 0 (monotone) to 100 (lively)


def _short_path(path: str) -> str:
    """A path that is short enough: the library truncates long paths, as in deep virtual environments."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    folder = tempfile.mkdtemp(prefix="espeak")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = os.path.join(folder, "espeak-ng-data")
    os.symlink(path, link, target_is_directory=True)
    return link


class Engine:
    """The one espeak instance of the process."""

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._lib: Any = ctypes.CDLL(str(espeakng_loader.get_library_path()))
            data = _short_path(str(espeakng_loader.get_data_path()))
        except (ImportError, OSError) as error:
            raise VoiceUnavailable(INSTALL) from error
        # The rate is in Hertz
        self.rate: int = self._lib.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), _DO_NOT_EXIT)
        if self.rate <= 0:
            raise VoiceUnavailable(f"espeak-ng does not start with its data in {data}; {INSTALL}")
        self._pcm = bytearray()
        self._words: list[tuple[int, int]] = []
        self._voice = ""
        # Kept as an attribute, because the library stores only the address.
        self._callback = _Callback(self._collect)
        self._lib.espeak_SetSynthCallback(self._callback)
        self._lib.espeak_SetParameter(_PARAMETER_VOLUME, 70, 0)

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if count > 0 and wave:
            self._pcm += ctypes.string_at(wave, count * 2)
        index = 0
        while events[index].type != _EVENT_END_OF_LIST:
            if events[index].type == _EVENT_WORD:
                self._words.append((events[index].text_position - 1, events[index].sample))
            index += 1
        return 0

    def say(self, text: str, prosody: Prosody) -> tuple[Samples, list[tuple[int, int]]]:
        """Samples at `rate`, and (character offset, sample) of the start of each word.

        Not thread-safe; callers hold the lock (see `say`).
        """
        if prosody.voice != self._voice:
            if self._lib.espeak_SetVoiceByName(prosody.voice.encode()) != 0:
                raise VoiceUnavailable(f"espeak-ng has no voice {prosody.voice!r}; {INSTALL}")
            self._voice = prosody.voice
        self._lib.espeak_SetParameter(_PARAMETER_RATE, prosody.wpm, 0)
        self._lib.espeak_SetParameter(_PARAMETER_PITCH, prosody.pitch, 0)
        self._lib.espeak_SetParameter(_PARAMETER_RANGE, prosody.range, 0)
        self._pcm.clear()
        self._words.clear()
        data = text.replace("\0", " ").encode("utf-8", "replace")
        self._lib.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        return np.frombuffer(bytes(self._pcm), dtype=np.int16), list(self._words)

    def phonemes(self, text: str, voice: str) -> list[tuple[str, str]]:
        """Each clause of the text, and its phonemes in IPA. Not thread-safe."""
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise VoiceUnavailable(f"espeak-ng has no voice {voice!r}; {INSTALL}")
        self._voice = voice
        data = ctypes.create_string_buffer(text.replace("\0", " ").encode("utf-8", "replace"))
        start = ctypes.addressof(data)
        at = ctypes.c_void_p(start)
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        clauses: list[tuple[str, str]] = []
        while at.value:
            before = at.value
            said = self._lib.espeak_TextToPhonemes(ctypes.byref(at), _UTF8, _IPA_TIED) or b""
            read = data.raw[before - start : (at.value or start + len(data)) - start].rstrip(b"\0")
            clauses.append((read.decode("utf-8", "replace"), said.decode("utf-8", "replace")))
        return clauses


_lock = threading.Lock()
_engine: Engine | None = None


def say(text: str, prosody: Prosody) -> tuple[Samples, list[tuple[int, int]], int]:
    """Synthesize `text`: samples, word starts (character offset, sample) and the rate in Hertz.

    Blocks for about a thousandth of the audio's length. Raises VoiceUnavailable.
    """
    with _lock:
        engine = _started()
        pcm, words = engine.say(text, prosody)
        return pcm, words, engine.rate


def phonemes(text: str, voice: str) -> list[tuple[str, str]]:
    """Each clause of the text with its phonemes in IPA, ^ between the signs of one sound. Raises VoiceUnavailable."""
    with _lock:
        return _started().phonemes(text, voice)


def _started() -> Engine:
    """The engine; the lock is held."""
    global _engine
    if _engine is None:
        _engine = Engine()
    return _engine
