"""Songs, lyrics and covers: `mm.music` (docs/minimax/music.md).

A song has no task id: it is made while its request waits, for a minute or more, and is lost with its connection. So no
request here is sent again by itself after it has left, unless the platform certainly refused it. Rules between
arguments are in `music_rules`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from realtime import deadlines
from realtime.errors import InvalidArgument, ProviderTimeout
from realtime.minimax.cover_source import cover_fields, own_name
from realtime.minimax.door import Door, whole_answer
from realtime.minimax.field_tables import COVER, LYRICS
from realtime.minimax.fields import build, check_seconds, refused
from realtime.minimax.file_source import FileSource
from realtime.minimax.http import trace_header
from realtime.minimax.media_result import from_hex
from realtime.minimax.music_request import song_body
from realtime.minimax.music_results import CoverFeatures, Lyrics, Song, SongSection
from realtime.minimax.music_rules import COVER_MODEL
from realtime.minimax.music_stream import SongStream
from realtime.minimax.operations import OPERATIONS

__all__ = ["CoverFeatures", "Lyrics", "Music", "Song", "SongSection"]

STALL_S = 300.0  # the longest silence of a stream: a song may be thought about for minutes


class Music:
    """`mm.music`."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def create(
        self,
        prompt: str = "",
        *,
        lyrics: str | None = None,
        model: str | None = None,
        optimize_lyrics: bool | None = None,
        instrumental: bool | None = None,
        format: str | None = None,
        rate: int | None = None,
        bitrate: int | None = None,
        channels: int | None = None,
        output: str | None = None,
        cover: FileSource | None = None,
        cover_feature_id: str | None = None,
        seed: int | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Song:
        """A whole song. It takes 60 to 90 s; the wait is bounded by 600 s.

        `prompt` is its style and mood. `lyrics` has tags for sections, `[Verse]`, `[Pre Chorus]` or `[Pre-Chorus]`;
        without them say `optimize_lyrics` (the platform writes some) or `instrumental`. Their lengths in characters
        depend on model and kind: see the page. `model` is music-3.0, or music-cover where a cover is asked for.

        `format` is mp3, wav or pcm, `rate` 16000 to 44100 Hertz, `bitrate` 32000 to 256000 bits a second, `output`
        "hex" (default: the audio comes with the answer) or "url". A cover is made of a recording of 6 s to 6 min and
        up to 50 MB (`cover`: an address, a path, bytes or a binary stream) or of what `prepare_cover` gave
        (`cover_feature_id`); `seed`, 0 to 1,000,000, is for covers.

        Raises InvalidArgument before anything is sent; AnswerLost, after which the song may have been charged and is
        not asked for again; ProviderError.
        """
        values = {
            "prompt": prompt, "lyrics": lyrics, "model": model, "optimize_lyrics": optimize_lyrics,
            "instrumental": instrumental, "format": format, "rate": rate, "bitrate": bitrate, "channels": channels,
            "output": output, "cover_feature_id": cover_feature_id, "seed": seed, "watermark": watermark,
        }  # fmt: skip
        body = await song_body(values, cover, extra)
        operation = OPERATIONS["music.create"]
        try:
            answer = await self._door.call(operation, body=body)
        except InvalidArgument as error:
            own_name(error)
            raise
        with whole_answer(operation):
            return await Song.of(answer, self._door.http)

    async def stream(
        self,
        prompt: str = "",
        *,
        lyrics: str | None = None,
        model: str | None = None,
        optimize_lyrics: bool | None = None,
        instrumental: bool | None = None,
        format: str | None = None,
        rate: int | None = None,
        bitrate: int | None = None,
        channels: int | None = None,
        cover: FileSource | None = None,
        cover_feature_id: str | None = None,
        seed: int | None = None,
        extra: Mapping[str, Any] | None = None,
        stall_timeout_s: float = STALL_S,
    ) -> AsyncGenerator[bytes, None]:
        """A song as it is made: its bytes in order. The arguments are those of `create`; no url, no watermark.

        `stall_timeout_s` is the longest wait for a byte. Raises as `create` does, also in the middle: a stream that
        ends before its last event raises AnswerLost after what came. Close it (`contextlib.aclosing`) if you stop
        before the end.
        """
        check_seconds("stall_timeout_s", stall_timeout_s, needed=True)
        values = {
            "prompt": prompt, "lyrics": lyrics, "model": model, "optimize_lyrics": optimize_lyrics,
            "instrumental": instrumental, "format": format, "rate": rate, "bitrate": bitrate, "channels": channels,
            "cover_feature_id": cover_feature_id, "seed": seed, "stream": True,
        }  # fmt: skip
        body = await song_body(values, cover, extra)
        try:
            song = self._door.stream(
                OPERATIONS["music.create"], lambda _: self._fragments(body, stall_timeout_s)
            )
            async with aclosing(song) as fragments:
                async for fragment in fragments:
                    yield fragment
        except InvalidArgument as error:
            own_name(error)
            raise

    async def write_lyrics(
        self,
        prompt: str = "",
        *,
        lyrics: str | None = None,
        mode: str | None = None,
        title: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Lyrics:
        """Lyrics for a song about `prompt` (up to 2,000 characters; empty: about anything), or changed `lyrics`.

        With `lyrics` (up to 3,500 characters) the `prompt` says what to change: `mode` is "edit" then, otherwise
        "write_full_song". A given `title` stays. Raises InvalidArgument, AnswerLost and ProviderError.
        """
        mode = mode or ("write_full_song" if lyrics is None else "edit")
        if lyrics is not None and mode == "write_full_song":
            raise refused("lyrics", "given", "lyrics are only for the mode edit")
        if lyrics is None and mode == "edit":
            raise refused("lyrics", "missing", "the mode edit changes given lyrics")
        values = {"mode": mode, "prompt": prompt or None, "lyrics": lyrics, "title": title}
        operation = OPERATIONS["music.write_lyrics"]
        answer = await self._door.call(operation, body=build(LYRICS, values, extra))
        with whole_answer(operation):
            return Lyrics.of(answer)

    async def prepare_cover(
        self,
        cover: FileSource,
        *,
        model: str = COVER_MODEL,
        extra: Mapping[str, Any] | None = None,
    ) -> CoverFeatures:
        """What a recording (6 s to 6 min, up to 50 MB) is made of: lyrics to change, sections, an id for `create`.

        `cover` is an address, a path, bytes or a binary stream. Raises InvalidArgument, AnswerLost and ProviderError.
        """
        body = build(COVER, {"model": model, **await cover_fields(cover)}, extra)
        operation = OPERATIONS["music.prepare_cover"]
        try:
            answer = await self._door.call(operation, body=body)
        except InvalidArgument as error:
            own_name(error)
            raise
        with whole_answer(operation):
            return CoverFeatures.of(answer)

    async def _fragments(
        self, body: Mapping[str, Any], stall_timeout_s: float
    ) -> AsyncGenerator[bytes, None]:
        """The audio of the stream's events. Raises ProviderError."""
        song = SongStream()
        operation = OPERATIONS["music.create"]
        try:
            async with self._door.open(operation, body=body, timeout_s=stall_timeout_s) as response:
                while not song.complete:
                    async with deadlines.timeout(stall_timeout_s):
                        fragment = await response.content.readany()
                    trace_id = trace_header(response)
                    for audio in song.feed(fragment) if fragment else song.finish(response.status, trace_id):
                        with whole_answer(operation):
                            part = await from_hex(audio)
                        yield part
        except TimeoutError as error:
            raise ProviderTimeout(f"MiniMax: no audio came for {stall_timeout_s:.0f} s.") from error
