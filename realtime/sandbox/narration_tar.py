"""Speaks the parts of a long text into files and packs them into the tar of the platform (docs/minimax/t2a-async.md 3).

Sentence by sentence and straight to the disk, so that an hour of sound needs no memory. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from typing import IO, Any

from .encode import create_encoder, wav_header
from .narration_source import Part
from .speech_request import SpeechSettings
from .speech_stream import extra_info, file_entry
from .voice import speak

ENDINGS = {"pcmu_raw": "pcm", "pcmu_wav": "wav", "opus": "opus"}


async def write_tar(
    target: IO[bytes], id: int, parts: Sequence[Part], settings: SpeechSettings, vol: float, now_s: int
) -> None:
    """Write the archive with audio, titles and figures of each part. Raises VoiceUnavailable."""
    archive = tarfile.open(fileobj=target, mode="w")  # noqa: SIM115 - closed below, the target stays open
    for part in parts:
        with tempfile.TemporaryFile() as sound:
            titles, info = await _spoken(part, settings, vol, sound)
            name = f"{id}/{part.prefix}-{id}{f'-{part.member}' if part.member else ''}"
            ending = ENDINGS.get(settings.format, settings.format)
            await asyncio.to_thread(_add_file, archive, f"{name}.{ending}", sound, now_s)
        _add(archive, f"{name}.titles", titles, now_s)
        _add(archive, f"{name}.extra", info, now_s)
    archive.close()


async def _spoken(
    part: Part, settings: SpeechSettings, vol: float, sound: IO[bytes]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The sound of a part into a file; its titles and figures."""
    rate, channels = settings.style.rate, settings.channels
    encoder = create_encoder(settings.format, rate, channels=channels, bitrate=settings.bitrate)
    titles: list[dict[str, Any]] = []
    length_ms = 0.0
    async with aclosing(speak(part.text, settings.style)) as segments:
        async for speech in segments:
            titles.append(file_entry(part.text, speech, length_ms))
            length_ms += speech.duration_ms
            sound.write(await asyncio.to_thread(encoder.encode, speech.pcm))
    sound.write(await asyncio.to_thread(encoder.finish))
    if settings.format in ("wav", "pcmu_wav"):
        header = wav_header(settings.format, rate, channels)
        data_bytes = sound.tell() - len(header)
        sound.seek(0)
        sound.write(wav_header(settings.format, rate, channels, data_bytes))
        sound.seek(0, io.SEEK_END)
    if titles:
        titles[-1]["is_final_segment"] = True
    info = extra_info(part.text, settings, length_ms, sound.tell())
    kept = ("audio_length", "audio_sample_rate", "audio_size", "bitrate", "word_count")
    return titles, {name: info[name] for name in kept} | {"vol": vol}


def _add_file(archive: tarfile.TarFile, name: str, file: IO[bytes], now_s: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = file.tell(), now_s
    file.seek(0)
    archive.addfile(info, file)


def _add(archive: tarfile.TarFile, name: str, content: Any, now_s: int) -> None:
    data = json.dumps(content, ensure_ascii=False).encode()
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), now_s
    archive.addfile(info, io.BytesIO(data))
