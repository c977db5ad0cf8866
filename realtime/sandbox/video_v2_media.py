"""Pictures, films and recordings of a V2 request: size, type, length (docs/minimax/video.md 4).

HEIC and HEIF are measured but cannot be drawn here: such a picture has no bytes, and the film opens without it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from typing import Any

from .extras import av, pillow
from .fields import invalid
from .film_facts import FilmFacts, UnreadableFilm, film_facts, film_frames
from .film_inputs import Picture, PictureLimits, checked, measured, off_loop
from .inputs import fetch_input
from .native import Call

PICTURE = PictureLimits(most_mb=30, least_side=256, most_side=5760)
FILM_MB, SOUND_MB = 50, 15
LEAST_S, MOST_S = 2.0, 15.0
LEAST_FPS, MOST_FPS = 23.97, 60.0  # 23.976 is 24000/1001
_SLACK_S = 0.1  # a frame or a block of sound more or less
_HEIF = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"hevc")
_MOVIE_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


async def heif_or_picture(call: Call, url: Any) -> Picture:
    """A measured picture. Raises Refusal 2013."""
    found = await fetch_input(call, url, "image_url", PICTURE.most_mb)
    if found.data[4:8] == b"ftyp" and found.data[8:12] in _HEIF:
        return checked(Picture(b"", *_heif_size(found.data)), "image_url", PICTURE)
    return await measured(found.data, "image_url", PICTURE)


def _heif_size(data: bytes) -> tuple[int, int]:
    """The size in the first `ispe` box."""
    at = data.find(b"ispe")
    if at < 0 or len(data) < at + 16:
        raise invalid("image_url", "not a readable HEIC picture")
    width, height = struct.unpack(">II", data[at + 8 : at + 16])
    return max(1, width), max(1, height)


async def film(call: Call, url: Any) -> tuple[bytes, FilmFacts]:
    """A reference or base film, mp4 or mov. Raises Refusal 2013."""
    found = await fetch_input(call, url, "video_url", FILM_MB)
    if found.data[4:8] not in _MOVIE_BOXES:
        raise invalid("video_url", "must be mp4 or mov")
    try:
        facts = await off_loop(lambda: film_facts(found.data))
    except UnreadableFilm as error:
        raise invalid("video_url", str(error)) from None
    if not LEAST_FPS <= facts.fps <= MOST_FPS:
        raise invalid("video_url", f"{facts.fps:.2f} frames a second, must be 23.976 to 60")
    _check_length(facts.seconds, "video_url")
    return found.data, facts


async def sound(call: Call, url: Any) -> float:
    """The seconds of a reference recording, wav or mp3. Raises Refusal 2013."""
    found = await fetch_input(call, url, "audio_url", SOUND_MB)
    seconds = await off_loop(lambda: _sound_s(found.data))
    _check_length(seconds, "audio_url")
    return seconds


def _sound_s(data: bytes) -> float:
    try:
        container = av().open(io.BytesIO(data))
    except av().FFmpegError:
        raise invalid("audio_url", "not a readable recording") from None
    with container:
        if container.format.name not in ("wav", "mp3") or not container.streams.audio:
            raise invalid("audio_url", "must be wav or mp3")
        stream = container.streams.audio[0]
        return float(
            stream.duration * stream.time_base if stream.duration else container.duration / 1_000_000
        )


def _check_length(seconds: float, name: str) -> None:
    if not LEAST_S - _SLACK_S <= seconds <= MOST_S + _SLACK_S:
        raise invalid(name, f"{seconds:.1f} s, must be 2 to 15 s")


def check_total(seconds: Iterable[float], name: str) -> None:
    """Raises Refusal 2013 for more than 15 s in all."""
    total_s = sum(seconds)
    if total_s > MOST_S + _SLACK_S:
        raise invalid(name, f"{total_s:.1f} s in all, at most 15 s")


def opening_of(data: bytes) -> Picture:
    """The first frame of a film as a picture. Blocks."""
    image = pillow("Image").fromarray(next(film_frames(data)))
    sink = io.BytesIO()
    image.save(sink, "PNG", compress_level=1)
    return Picture(sink.getvalue(), image.width, image.height)
