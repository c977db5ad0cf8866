"""The rules of a music request: which model takes which fields, and how long they are (docs/minimax/music.md 1).

Pure. Knows no recordings and no sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import fields
from .refusal import Refusal

COVER = "music-cover"
SOURCES = ("audio_url", "audio_base64", "cover_feature_id")
RATES = (16_000, 24_000, 32_000, 44_100)  # Hertz
BITRATES = (32_000, 64_000, 128_000, 256_000)
FORMATS = ("mp3", "wav", "pcm")
MOST_SEED = 1_000_000
_OLD = ("music-2.0", "music-1.5")
_OPTIONAL_LYRICS = ("music-3.0", "music-2.6", "music-2.5+")  # take lyrics_optimizer and is_instrumental
MODELS = (*_OPTIONAL_LYRICS, "music-2.5", COVER, *_OLD)


@dataclass(frozen=True, slots=True)
class Order:
    """What a valid request asks for."""

    model: str
    prompt: str
    lyrics: str  # "": to be written, to be heard, or none
    instrumental: bool
    seed: int | None
    stream: bool
    url: bool  # answer with a URL, not with hex
    watermark: bool
    format: str
    rate: int  # Hertz
    bitrate: int
    channels: int
    source: str  # the name of the field with the recording of a cover, "" for a song


def read_order(body: Mapping[str, Any]) -> Order:
    """Check every field. Raises Refusal 2013, and 2044 for a free model that has stopped."""
    model = body.get("model")
    if isinstance(model, str) and model.endswith("-free"):
        raise Refusal(2044)
    model = fields.one_of(body, "model", MODELS)
    instrumental = _only(body, "is_instrumental", model)
    optimizer = _only(body, "lyrics_optimizer", model)
    source = _source(body, model)
    prompt, lyrics = _words(body, model, instrumental=instrumental, optional=optimizer, source=source)
    stream = fields.flag(body, "stream")
    url = fields.one_of(body, "output_format", ("hex", "url"), "hex") == "url"
    if stream and url:
        raise fields.invalid("output_format", "must be hex in a stream")
    audio = fields.mapping(body, "audio_setting")
    return Order(
        model, prompt, lyrics, instrumental, _seed(body, model), stream, url,
        watermark=fields.flag(body, "aigc_watermark"),
        format=fields.one_of(audio, "format", FORMATS, "mp3"),
        rate=fields.one_of(audio, "sample_rate", RATES, 44_100),
        bitrate=fields.one_of(audio, "bitrate", BITRATES, 256_000),
        channels=fields.one_of(audio, "channel", (1, 2), 2),
        source=source,
    )  # fmt: skip


def _only(body: Mapping[str, Any], name: str, model: str) -> bool:
    """A flag that only some models take."""
    wanted = fields.flag(body, name)
    if wanted and model not in _OPTIONAL_LYRICS:
        raise fields.invalid(name, f"is only for {', '.join(_OPTIONAL_LYRICS)}")
    return wanted


def _seed(body: Mapping[str, Any], model: str) -> int | None:
    if body.get("seed") is None:
        return None
    if model != COVER:
        raise fields.invalid("seed", f"is only for {COVER}")
    return fields.whole(body, "seed", 0, MOST_SEED)


def _source(body: Mapping[str, Any], model: str) -> str:
    """The one source of a cover."""
    given = [name for name in SOURCES if body.get(name)]
    if model != COVER:
        if given:
            raise fields.invalid(given[0], f"is only for {COVER}")
        return ""
    if len(given) != 1:
        raise fields.invalid(given[1] if given else SOURCES[0], f"exactly one of {', '.join(SOURCES)}")
    fields.text(body, given[0])
    return given[0]


def _words(
    body: Mapping[str, Any], model: str, *, instrumental: bool, optional: bool, source: str
) -> tuple[str, str]:
    """Prompt and lyrics, with the lengths of the request's kind."""
    if model == COVER:
        needed = source == "cover_feature_id"
        return fields.text(body, "prompt", least=10, most=300), _lyrics(body, 10, 1000, needed=needed)
    if model in _OLD:
        return fields.text(body, "prompt", least=10, most=300), _lyrics(body, 10, 600)
    if instrumental:
        if body.get("lyrics"):
            raise fields.invalid("lyrics", "an instrumental has none")
        return fields.text(body, "prompt", most=2000), ""
    return fields.text(body, "prompt", "", most=2000), _lyrics(body, 1, 3500, needed=not optional)


def _lyrics(body: Mapping[str, Any], least: int, most: int, *, needed: bool = True) -> str:
    if not needed and not body.get("lyrics"):
        return ""
    return fields.text(body, "lyrics", least=least, most=most)
