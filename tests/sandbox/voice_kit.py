"""Helpers for the tests of created voices: speech as recordings, its measurements, and a plain client."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import aiohttp
import numpy as np

from realtime.sandbox import voice_text
from realtime.sandbox.encode import encode_all
from realtime.sandbox.voice import Style, synthesize_segment
from realtime.sandbox.voice_engine import Samples
from realtime.sandbox.voice_samples import RATE, Sample, measure
from realtime.sandbox.voice_traits import Traits

SENTENCE = (
    "Good morning, dear listeners. We are going home now, and we hope that you all have a quiet evening."
)


def pcm_of(style: Style, text: str = SENTENCE) -> Samples:
    """The speech of a whole text."""
    return np.concatenate([synthesize_segment(part, style).pcm for part in voice_text.segments(text)])


def spoken(
    text: str = SENTENCE, *, voice: str = "Arnold", traits: Traits | None = None, **style: Any
) -> Samples:
    """Speech at the rate of the measurements."""
    return pcm_of(Style(voice, rate=RATE, traits=traits, **style), text)


def measured(pcm: Samples) -> Sample:
    """What 16 kHz speech sounds like."""
    return measure(pcm.astype(np.float32) / np.float32(32768))


@cache
def recording(seconds: float, *, format: str = "wav", voice: str = "Arnold", pitch: int = 0) -> bytes:
    """A file of exactly so many seconds in which a voice says a sentence again and again.

    Kept, because the breath of the voice is not the same twice, and a transcriber may read a cut word otherwise.
    """
    pcm = spoken(voice=voice, pitch=pitch)
    pcm = np.resize(pcm, round(seconds * RATE))
    return m4a(pcm) if format == "m4a" else encode_all(pcm, format, RATE)


def m4a(pcm: Samples) -> bytes:
    """AAC in an mp4 container, as telephones record."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=RATE)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


@dataclass(frozen=True)
class Account:
    """The user of one key."""

    url: str
    http: aiohttp.ClientSession

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, key: str = "any") -> AsyncIterator[Self]:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
            yield cls(url, http)

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        async with self.http.post(self.url + path, json=body) as answer:
            assert answer.status == 200
            return dict(await answer.json())

    async def upload(self, purpose: str, filename: str, data: bytes) -> int:
        """Upload a file; its id."""
        form = aiohttp.FormData()
        form.add_field("purpose", purpose)
        form.add_field("file", io.BytesIO(data), filename=filename)
        async with self.http.post(f"{self.url}/v1/files/upload", data=form) as answer:
            found = await answer.json()
        assert found["base_resp"]["status_code"] == 0, found
        return int(found["file"]["file_id"])

    async def speak(self, voice_id: str) -> int:
        """Use a voice over HTTP; the code of the answer."""
        body = {"model": "speech-2.8-turbo", "text": "Hi.", "voice_setting": {"voice_id": voice_id}}
        return int((await self.post("/v1/t2a_v2", body))["base_resp"]["status_code"])

    async def voices(self, kind: str) -> list[str]:
        """The ids of the listed voices of a type."""
        listed = await self.post("/v1/get_voice", {"voice_type": kind})
        return [voice["voice_id"] for voice in listed[kind]]
