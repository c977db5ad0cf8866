"""What music answers with: songs, lyrics, and what a recording to cover is made of (docs/minimax/music.md)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from realtime.errors import ProviderUnavailable
from realtime.minimax.errors import trace_of
from realtime.minimax.http import HttpClient
from realtime.minimax.json_text import decode_json
from realtime.minimax.media_result import MediaResult, from_hex
from realtime.minimax.results import Result, decimal, items, mapping, text, whole

FEATURE_LIFE_S = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Song(MediaResult):
    """A whole song: `audio` or `url` (lives for 24 h), as `output` asked.

    `length_ms` in milliseconds, `rate` in Hertz, `bitrate` in bits a second, `size_bytes` of the file; 0 where the
    answer does not say.
    """

    length_ms: int = 0
    rate: int = 0
    channels: int = 0
    bitrate: int = 0
    size_bytes: int = 0

    @property
    def audio(self) -> bytes:
        """The bytes, where they came with the answer; `read` gives them in any case."""
        return self.data or b""

    @classmethod
    async def of(cls, answer: Mapping[str, Any], http: HttpClient) -> Self:
        """From an answer; hex is decoded in a thread. Raises ProviderUnavailable if it holds no song."""
        audio, extra = text(mapping(answer, "data"), "audio"), mapping(answer, "extra_info")
        if not audio:
            raise ProviderUnavailable(
                "MiniMax: the answer holds no song.", trace_id=trace_of(answer), retryable=False
            )
        is_link = audio.startswith(("http://", "https://"))
        return cls(
            url=audio if is_link else None,
            data=None if is_link else await from_hex(audio),
            length_ms=whole(extra, "music_duration"),
            rate=whole(extra, "music_sample_rate"),
            channels=whole(extra, "music_channel"),
            bitrate=whole(extra, "bitrate"),
            size_bytes=whole(extra, "music_size"),
            raw=answer,
            trace_id=trace_of(answer),
            _http=http,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lyrics(Result):
    """The words of a song with tags for its sections, its title, and words for its style like ("Pop", "Upbeat")."""

    text: str
    title: str = ""
    style_tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """From an answer. Raises ProviderUnavailable if it holds no lyrics."""
        lyrics = text(answer, "lyrics")
        if not lyrics:
            raise ProviderUnavailable(
                "MiniMax: the answer holds no lyrics.", trace_id=trace_of(answer), retryable=False
            )
        tags = text(answer, "style_tags").replace("，", ",").split(",")
        return cls(
            text=lyrics,
            title=text(answer, "song_title"),
            style_tags=tuple(tag.strip() for tag in tags if tag.strip()),
            raw=answer,
            trace_id=trace_of(answer),
        )


@dataclass(frozen=True, slots=True)
class SongSection:
    """One section of a recording, in seconds. The labels: intro, verse, chorus, bridge, outro, inst, silence."""

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverFeatures(Result):
    """A recording that was prepared for covers. Give `id` as `cover_feature_id`, with `lyrics` as they are or changed.

    The id lives for 24 h, until `expires` (Unix seconds by this machine's clock); the same recording gives the same id
    again. `length_s` is that of the recording in seconds.
    """

    id: str
    lyrics: str = ""
    sections: tuple[SongSection, ...] = ()
    length_s: float = 0.0
    expires: int = 0

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """From an answer. Raises ProviderUnavailable if it holds no id."""
        feature_id = text(answer, "cover_feature_id")
        if not feature_id:
            raise ProviderUnavailable(
                "MiniMax: the answer holds no cover_feature_id.", trace_id=trace_of(answer), retryable=False
            )
        return cls(
            id=feature_id,
            lyrics=text(answer, "formatted_lyrics"),
            sections=_sections(answer.get("structure_result")),
            length_s=decimal(answer, "audio_duration"),
            expires=int(time.time()) + FEATURE_LIFE_S,
            raw=answer,
            trace_id=trace_of(answer),
        )


def _sections(structure: object) -> tuple[SongSection, ...]:
    """The structure is JSON inside a string. () where it cannot be read: the id is what was paid for."""
    if isinstance(structure, str):
        try:
            structure = decode_json(structure)
        except msgspec.DecodeError:
            return ()
    if not isinstance(structure, Mapping):
        return ()
    return tuple(
        SongSection(text(entry, "label"), decimal(entry, "start"), decimal(entry, "end"))
        for entry in items(structure, "segments")
    )
