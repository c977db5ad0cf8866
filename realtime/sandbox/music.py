"""`POST /v1/music_generation`: a song, an instrumental or a cover, as hex, by URL or as a stream.

Knows the answers of docs/minimax/music.md 1. The rules are in `music_rules.py`, the music in `tunes.py`, the recordings
of covers in `covers.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .context import base_resp, cut, delay_ms
from .cover_audio import Recording
from .covers import find_feature, read_source
from .encode import CONTENT_TYPES, create_encoder, encode_all
from .json_frames import frame_json
from .lyrics import write_lyrics
from .music_rules import Order, read_order
from .native import Call, Endpoint, add_endpoint
from .sensitive import refuse_sensitive
from .song_tags import SongTags, id3, tagged
from .tunes import Tune, make_tune

PATH = "/v1/music_generation"
EVENT_S = 2.0  # of music in one event of a stream
FIRST_SHARE = 0.25  # of the time of a song: when a stream's first event comes [guess]


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    add_endpoint(app, "POST", PATH, Endpoint("music", compose, "music", "music.ms", refused={"data": None}))


@dataclass(frozen=True, slots=True)
class Song:
    """A tune with what its file says."""

    order: Order
    tune: Tune
    tags: SongTags

    def file(self) -> bytes:
        """The whole song in its format. Blocks."""
        order = self.order
        pcm = encode_all(
            self.tune.pcm, order.format, order.rate, channels=order.channels, bitrate=order.bitrate
        )
        return tagged(pcm, order.format, self.tags)

    def pieces(self) -> list[bytes]:
        """The song as a stream has it: each piece some seconds. Blocks."""
        order, size = self.order, int(EVENT_S * self.order.rate)
        encoder = create_encoder(order.format, order.rate, channels=order.channels, bitrate=order.bitrate)
        pcm = self.tune.pcm
        made = [encoder.encode(pcm[at : at + size]) for at in range(0, len(pcm), size)] + [encoder.finish()]
        if order.format == "mp3":
            made[0] = id3(self.tags) + made[0]
        return [piece for piece in made if piece]

    def answer(self, audio: str, size: int, trace_id: str) -> dict[str, Any]:
        """The answer, without the envelope; `size` in bytes."""
        return {
            "data": {"audio": audio, "status": 2},
            "trace_id": trace_id,
            "extra_info": {
                "music_duration": round(self.tune.seconds * 1000),
                "music_sample_rate": self.order.rate,
                "music_channel": self.order.channels,
                "bitrate": self.order.bitrate,
                "music_size": size,
            },
            "analysis_info": None,
        }


async def compose(call: Call) -> Mapping[str, Any] | web.StreamResponse:
    """Make a song. The same request gives another one each time, unless it is a cover or has a seed."""
    begun_s = asyncio.get_running_loop().time()
    song = await _song(call, read_order(call.body))
    if song.order.stream and not call.faults.has("music.lost"):
        return await _stream(call, song, begun_s)
    data = await asyncio.to_thread(song.file)
    if song.order.url:
        name = f"{call.trace_id}.{song.order.format}"
        audio = call.link(call.state.store.add(data, name, CONTENT_TYPES[song.order.format]))
    else:
        audio = await asyncio.to_thread(data.hex)
    return song.answer(audio, len(data), call.trace_id)


async def _song(call: Call, order: Order) -> Song:
    refuse_sensitive(order.prompt, order.lyrics)
    recording, lyrics = await _recording(call, order)
    seed = order.seed if order.seed is not None else int(call.trace_id[:8], 16)
    if order.seed is None and recording is not None:
        seed = recording.seed
    if not lyrics and not order.instrumental:
        lyrics = write_lyrics(order.prompt, seed=seed).text
    tune = await asyncio.to_thread(
        make_tune, order.prompt, lyrics, seed=seed, rate=order.rate,
        instrumental=order.instrumental, seconds=recording.seconds if recording else None,
    )  # fmt: skip
    return Song(order, tune, SongTags(order.prompt, lyrics, order.watermark and not order.stream))


async def _recording(call: Call, order: Order) -> tuple[Recording | None, str]:
    """The recording of a cover, and the lyrics: those of the request, or those that are known of the recording."""
    if not order.source:
        return None, order.lyrics
    if order.source == "cover_feature_id":
        return find_feature(call, call.body[order.source]).recording, order.lyrics
    recording = await read_source(call, order.source)
    return recording, order.lyrics or recording.lyrics


async def _stream(call: Call, song: Song, begun_s: float) -> web.StreamResponse:
    """Events with status 1, evenly over the time of a song, and one with status 2 that has everything again."""
    loop = asyncio.get_running_loop()
    pieces = await asyncio.to_thread(song.pieces)
    total_s = delay_ms(call.request.app, "music.ms") / 1000
    step_s = total_s * (1 - FIRST_SHARE) / max(1, len(pieces))
    headers = {"Content-Type": "text/event-stream", "trace-id": call.trace_id}
    response = web.StreamResponse(headers=headers)
    try:
        for place, piece in enumerate(pieces):
            await asyncio.sleep(max(0.0, begun_s + total_s * FIRST_SHARE + place * step_s - loop.time()))
            if not response.prepared:
                await response.prepare(call.request)
            audio = await asyncio.to_thread(piece.hex)
            await _send(response, {"data": {"audio": audio, "status": 1}, "trace_id": call.trace_id})
            if call.faults.has("music.drop_mid"):
                cut(call.request)
                return response
        whole = await asyncio.to_thread(song.file)
        audio = await asyncio.to_thread(whole.hex)
        await _send(response, song.answer(audio, len(whole), call.trace_id))
    except ConnectionResetError:
        pass  # the client has disconnected
    return response


async def _send(response: web.StreamResponse, event: Mapping[str, Any]) -> None:
    await response.write(b"data: " + frame_json({**event, "base_resp": base_resp()}) + b"\n\n")
