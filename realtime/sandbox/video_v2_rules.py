"""Which V2 model makes which film: resolutions, seconds, ratios and sizes (docs/minimax/video.md 4).

Pure: no HTTP, no tasks, no media. What does not fit is Refusal 2013.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import fields
from .fields import invalid

ADAPTIVE = "adaptive"
RATIOS = (ADAPTIVE, "21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_EXPANSION = ("disabled", "balanced", "quality")
_SIDE = 32  # pixels: every side is a multiple of it


@dataclass(frozen=True, slots=True)
class Model:
    """One row."""

    resolutions: tuple[str, ...]
    least_s: int = 4
    most_s: int = 15
    expands: bool = False  # takes extra.prompt_expansion_mode
    names_ratio: bool = False  # references need a named ratio


MODELS: dict[str, Model] = {
    "MiniMax-H3": Model(("768P", "2K")),
    "MiniMax-H3-Max": Model(("480P", "768P"), least_s=5, expands=True),
    "MiniMax-H3-Highspeed": Model(("768P",)),
    "MiniMax-H3-Lite": Model(("480P", "768P"), names_ratio=True),
}


@dataclass(frozen=True, slots=True)
class Grid:
    """One row: the shorter side of a resolution, and the largest area as a multiple of its square."""

    shorter: int
    widest: float
    work: float  # share of the time of a film in 2K [guess]


GRIDS = {"480P": Grid(480, 1.75, 0.3), "768P": Grid(768, 1.75, 0.5), "2K": Grid(1440, 16 / 9, 1.0)}


@dataclass(frozen=True, slots=True)
class Order:
    """What a request asks for, without its content. `ratio` is one of RATIOS."""

    model: str
    resolution: str
    seconds: int
    ratio: str
    watermark: bool


def order_of(body: Mapping[str, Any]) -> Order:
    """Read a request for a film. Raises Refusal 2013."""
    name = fields.one_of(body, "model", MODELS)
    model = MODELS[name]
    resolution = fields.one_of(body, "resolution", model.resolutions)
    seconds = fields.whole(body, "duration", model.least_s, model.most_s)
    _check_extra(fields.mapping(body, "extra"), name)
    return Order(name, resolution, seconds, ratio_of(body), fields.flag(body, "aigc_watermark"))


def ratio_of(body: Mapping[str, Any]) -> str:
    """The asked ratio, `adaptive` if there is none. Raises Refusal 2013."""
    return fields.one_of(body, "ratio", RATIOS, ADAPTIVE)


def _check_extra(extra: Mapping[str, Any], name: str) -> None:
    if others := sorted(extra.keys() - {"prompt_expansion_mode"}):
        raise invalid("extra", f"unknown key {others[0]}")
    if extra and not MODELS[name].expands:
        raise invalid("extra.prompt_expansion_mode", f"not with {name}")
    fields.one_of(extra, "prompt_expansion_mode", _EXPANSION, "balanced")


def check_ratio(order: Order, frames: bool, references: bool) -> None:
    """Raises Refusal 2013 where a ratio has to be named: for text alone, and for references of some models."""
    if order.ratio != ADAPTIVE or frames:
        return
    if not references:
        raise invalid("ratio", "must be named for text alone")
    if MODELS[order.model].names_ratio:
        raise invalid("ratio", f"must be named for references with {order.model}")


def ratio_value(ratio: str) -> float:
    """Width / height of a named ratio."""
    width, height = ratio.split(":")
    return int(width) / int(height)


def film_size(resolution: str, ratio: float) -> tuple[int, int]:
    """Width and height: multiples of 32, the resolution as the shorter side, made smaller where that is too wide.

    768P stays in the area that `/v2/video_regeneration` takes: 16:9 is 1344×768, 21:9 is 1536×672.
    """
    grid = GRIDS[resolution]
    wide = max(ratio, 1 / ratio)
    shorter = grid.shorter * min(1.0, math.sqrt(grid.widest / wide))
    sides = (_SIDE * round(shorter * wide / _SIDE), _SIDE * round(shorter / _SIDE))
    return sides if ratio >= 1 else (sides[1], sides[0])
