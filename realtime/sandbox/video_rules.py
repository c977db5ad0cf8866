"""Which model makes which video: modes, resolutions, seconds and sizes of V1 (docs/minimax/video.md 1).

Pure: no HTTP, no tasks, no pictures. What does not fit is Refusal 2013.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import fields
from .fields import invalid
from .film_inputs import PictureLimits

MOST_PROMPT = 2000  # characters
PICTURE = PictureLimits(most_mb=20, least_side=301)  # "over 300 px"
TEXT, IMAGE, FRAMES, SUBJECT = "text", "image", "two frames", "subject"

Lengths = dict[str, tuple[int, ...]]  # resolution -> seconds
_HAILUO: Lengths = {"768P": (6, 10), "1080P": (6,)}
_SMALL: Lengths = {"512P": (6, 10)}
_OLDER: Lengths = {"720P": (6,)}


@dataclass(frozen=True, slots=True)
class Model:
    """One row. `modes` are what it makes a video of; the first resolution of a mode is its default."""

    modes: Mapping[str, Lengths]
    camera: bool = False  # understands camera commands
    fast: tuple[str, ...] = ()  # modes with fast_pretreatment


MODELS: dict[str, Model] = {
    "MiniMax-Hailuo-2.3": Model({TEXT: _HAILUO, IMAGE: _HAILUO}, camera=True, fast=(TEXT, IMAGE)),
    "MiniMax-Hailuo-2.3-Fast": Model({IMAGE: _HAILUO}, camera=True, fast=(IMAGE,)),
    "MiniMax-Hailuo-02": Model(
        {TEXT: _HAILUO, IMAGE: _HAILUO | _SMALL, FRAMES: _HAILUO}, camera=True, fast=(TEXT, IMAGE)
    ),
    "T2V-01-Director": Model({TEXT: _OLDER}, camera=True),
    "T2V-01": Model({TEXT: _OLDER}),
    "I2V-01-Director": Model({IMAGE: _OLDER}, camera=True),
    "I2V-01-live": Model({IMAGE: _OLDER}),
    "I2V-01": Model({IMAGE: _OLDER}),
    "S2V-01": Model({SUBJECT: _OLDER}),
}


@dataclass(frozen=True, slots=True)
class Shot:
    """What a request asks for, without its pictures."""

    model: Model
    mode: str
    prompt: str
    seconds: int
    resolution: str
    fast: bool
    watermark: bool


def shot_of(body: Mapping[str, Any]) -> Shot:
    """Read a request with today's field names. Raises Refusal 2013."""
    name = fields.one_of(body, "model", MODELS)
    model, mode = MODELS[name], mode_of(body)
    if mode not in model.modes:
        raise invalid("model", f"{name} makes no video of {mode}")
    prompt = fields.text(body, "prompt", most=MOST_PROMPT) if mode == TEXT else ""
    prompt = prompt or fields.text(body, "prompt", "", most=MOST_PROMPT)
    resolution, seconds = _length(body, model.modes[mode], f"{name} with {mode}")
    fields.flag(body, "prompt_optimizer", True)
    fast = fields.flag(body, "fast_pretreatment")
    if fast and mode not in model.fast:
        raise invalid("fast_pretreatment", f"not with {name} and {mode}")
    return Shot(model, mode, prompt, seconds, resolution, fast, fields.flag(body, "aigc_watermark"))


def mode_of(body: Mapping[str, Any]) -> str:
    """What the video is made of. Raises Refusal 2013 for a subject beside frames."""
    frames = [name for name in ("first_frame_image", "last_frame_image") if body.get(name)]
    if body.get("subject_reference"):
        if frames:
            raise invalid("subject_reference", f"not with {frames[0]}")
        return SUBJECT
    if "last_frame_image" in frames:
        return FRAMES
    return IMAGE if frames else TEXT


def _length(body: Mapping[str, Any], lengths: Lengths, who: str) -> tuple[str, int]:
    resolution = fields.one_of(body, "resolution", lengths, next(iter(lengths)))
    seconds = fields.whole(body, "duration", 1, 60, 6)
    if seconds not in lengths[resolution]:
        allowed = " or ".join(map(str, lengths[resolution]))
        raise invalid("duration", f"{who} in {resolution} takes {allowed}")
    return resolution, seconds


def subject_of(body: Mapping[str, Any]) -> Any:
    """The one picture of `subject_reference`. Raises Refusal 2013."""
    items = fields.items(body, "subject_reference")
    match items:
        case [{"type": "character", "image": [value]}]:
            return value
        case [{"type": "character", "image": str() as value}]:
            return value
    raise invalid("subject_reference", 'must be [{"type": "character", "image": ["<one picture>"]}]')


def film_size(resolution: str, ratio: float | None) -> tuple[int, int]:
    """Width and height in even pixels: the resolution is the shorter side. No ratio: 16:9, as documented 1366×768."""
    shorter = int(resolution.removesuffix("P"))
    ratio = ratio or 16 / 9
    longer = 2 * round(shorter * max(ratio, 1 / ratio) / 2)
    return (longer, shorter) if ratio >= 1 else (shorter, longer)
