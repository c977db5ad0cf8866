"""The tar of a narration: for each section the audio, its titles and its extra facts.

Knows the layout of docs/minimax/t2a-async.md 3. Blocking; a sentence is in memory at a time, audio goes to the disk.
Does not know tasks or where the text came from.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any, BinaryIO

from . import voice_text
from .encode import create_encoder, wav_header
from .narration_text import Section
from .speech_request import SpeechSettings
from .speech_stream import extra_info, file_entry
from .voice import synthesize_segment

_MODE = 0o644


class Stopped(Exception):
    """Nobody waits for the tar any more."""


@dataclass(frozen=True, slots=True)
class Tar:
    """How one tar is written. `id` names the folder and the members, `unix_s` is their time."""

    id: int
    settings: SpeechSettings
    unix_s: int
    stopped: Event

    def write(self, file: BinaryIO, sections: Sequence[Section]) -> None:
        """Say every section into `file`. Raises VoiceUnavailable, Stopped."""
        with tarfile.open(fileobj=file, mode="w") as archive:
            for section in sections:
                self._section(archive, section, Path(file.name).parent)

    def _section(self, archive: tarfile.TarFile, section: Section, directory: Path) -> None:
        # The ids of several members count up from the file's id.
        stem = f"{self.id}/{section.kind}-{self.id + section.number - 1}"
        with tempfile.TemporaryFile(dir=directory) as audio:
            titles, length_ms = self._say(section.text, audio)
            size = audio.tell()
            audio.seek(0)
            self._add(archive, f"{stem}.{self.settings.format}", audio, size)
        for ending, value in (("titles", titles), ("extra", self._extra(section.text, length_ms, size))):
            data = json.dumps(value, ensure_ascii=False).encode()
            self._add(archive, f"{stem}.{ending}", io.BytesIO(data), len(data))

    def _add(self, archive: tarfile.TarFile, name: str, data: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, self.unix_s, _MODE
        archive.addfile(member, data)

    def _say(self, text: str, audio: IO[bytes]) -> tuple[list[dict[str, Any]], float]:
        """The titles of a text and its length in ms; the audio goes into the file."""
        settings, style = self.settings, self.settings.style
        encoder = create_encoder(
            settings.format, style.rate, channels=settings.channels, bitrate=settings.bitrate
        )
        titles: list[dict[str, Any]] = []
        at_ms = 0.0
        for segment in voice_text.segments(text):
            if self.stopped.is_set():
                raise Stopped
            speech = synthesize_segment(segment, style, first=not titles)
            audio.write(encoder.encode(speech.pcm))
            titles.append(file_entry(text, speech, at_ms))
            at_ms += speech.duration_ms
        audio.write(encoder.finish())
        titles[-1]["is_final_segment"] = True
        self._write_length(audio)
        return titles, at_ms

    def _write_length(self, audio: IO[bytes]) -> None:
        """A wav's header was written before its length was known."""
        if self.settings.format not in ("wav", "pcmu_wav"):
            return
        form = (self.settings.format, self.settings.style.rate, self.settings.channels)
        data_bytes = audio.tell() - len(wav_header(*form))
        audio.seek(0)
        audio.write(wav_header(*form, data_bytes))
        audio.seek(0, io.SEEK_END)

    def _extra(self, text: str, length_ms: float, size: int) -> dict[str, Any]:
        info = extra_info(text, self.settings, length_ms, size)
        names = ("audio_length", "audio_sample_rate", "audio_size", "bitrate", "word_count")
        return {name: info[name] for name in names} | {"vol": self.settings.style.vol}
