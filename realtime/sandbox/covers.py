"""`POST /v1/music_cover_preprocess`: a recording in, a feature id out that lives a day (docs/minimax/music.md 2).

Also gets the recording of a cover for `music.py`, from a URL, base64 or such an id. What is in a recording is found in
`cover_audio.py`.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import fields
from .cover_audio import Recording, UnreadableSong, read_recording, structure
from .inputs import decode_base64, fetch_input
from .lyrics import write_lyrics
from .music_rules import COVER
from .native import Call, Endpoint, add_endpoint
from .store import MEGABYTE

PATH = "/v1/music_cover_preprocess"
MOST_MB = 50
MOST_FEATURES = 1000  # kept; the oldest go first


@dataclass(frozen=True, slots=True)
class Feature:
    """What is kept of a prepared recording. `until_s` is a time of the sandbox's clock."""

    recording: Recording
    lyrics: str
    until_s: float


FEATURES: web.AppKey[dict[str, Feature]] = web.AppKey("cover features", dict)


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    app[FEATURES] = {}
    add_endpoint(app, "POST", PATH, Endpoint("cover", prepare, "music", "cover.ms"))


async def prepare(call: Call) -> dict[str, Any]:
    """Keep a recording as a feature; the same audio has the same id."""
    fields.one_of(call.body, "model", (COVER,))
    given = [name for name in ("audio_url", "audio_base64") if call.body.get(name)]
    if len(given) != 1:
        raise fields.invalid(given[1] if given else "audio_url", "exactly one of audio_url, audio_base64")
    recording = await read_source(call, given[0])
    lyrics = recording.lyrics or write_lyrics("", seed=recording.seed).text
    life_s = call.state.options["life.feature_h"] * 3600
    id = _keep(call, Feature(recording, lyrics, call.state.clock.now_s() + life_s))
    return {
        "cover_feature_id": id,
        "formatted_lyrics": lyrics,
        "structure_result": structure(recording, lyrics),
        "audio_duration": round(recording.seconds, 2),
        "trace_id": call.trace_id,
    }


async def read_source(call: Call, name: str) -> Recording:
    """The recording of `audio_url` or `audio_base64`. Raises Refusal 2013 that names the field."""
    value = fields.text(call.body, name)
    if name == "audio_url":
        data = (await fetch_input(call, value, name, MOST_MB)).data
    else:
        data = await asyncio.to_thread(decode_base64, value.partition(";base64,")[2] or value, name)
        if not data or len(data) > MOST_MB * MEGABYTE:
            raise fields.invalid(name, f"must have 1 byte to {MOST_MB} MB")
    try:
        return await asyncio.to_thread(read_recording, data)
    except UnreadableSong as error:
        raise fields.invalid(name, str(error)) from None


def find_feature(call: Call, id: str) -> Feature:
    """A feature that is alive. Raises Refusal 2013."""
    kept = call.request.app[FEATURES].get(id)
    if kept is None or kept.until_s <= call.state.clock.now_s():
        raise fields.invalid("cover_feature_id", "is unknown or has expired")
    return kept


def _keep(call: Call, feature: Feature) -> str:
    kept = call.request.app[FEATURES]
    id = str(uuid.UUID(feature.recording.md5))
    kept.pop(id, None)
    kept[id] = feature
    while len(kept) > MOST_FEATURES:
        del kept[next(iter(kept))]
    return id
