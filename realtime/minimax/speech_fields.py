"""The named arguments of `synthesize` as a type, for the calls that pass them on. Their ranges: `field_tables`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from realtime.minimax.speech_rules import Pronunciation


class SpeechFields(TypedDict, total=False):
    """What `SpeechClient.synthesize` takes beside the text; the meanings and units are there."""

    voice_id: str | None
    model: str | None
    format: str
    rate: int | None
    bitrate: int | None
    channels: int | None
    force_cbr: bool | None
    speed: float | None
    volume: float | None
    pitch: int | None
    emotion: str | None
    language: str | None
    pronunciation: Pronunciation | None
    timbre_weights: Mapping[str, int] | None
    text_normalization: bool | None
    english_normalization: bool | None
    text_normalization_mode: str | None
    latex_read: bool | None
    continuous_sound: bool | None
    modify_pitch: int | None
    modify_intensity: int | None
    modify_timbre: int | None
    sound_effect: str | None
    subtitles: str | None
    output: str | None
    watermark: bool | None
