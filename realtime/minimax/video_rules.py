"""Which model makes which film: every cell of model × mode × seconds × resolution (docs/minimax/video.md 1).

Pure. A model that is not in the table is newer than this package: the platform decides about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from realtime.errors import InvalidArgument
from realtime.minimax.fields import refused


class Mode(StrEnum):
    """What a film is made from."""

    TEXT = "text"
    IMAGE = "first frame"
    FRAMES = "first and last frame"
    SUBJECT = "subject"


Cells = Mapping[str, tuple[int, ...]]  # resolution → seconds; the first resolution is the one without a wish

_768: Cells = {"768P": (6, 10), "1080P": (6,)}
_512: Cells = {"768P": (6, 10), "512P": (6, 10), "1080P": (6,)}
_720: Cells = {"720P": (6,)}

# The first model of a mode is its default.
CELLS: Mapping[Mode, Mapping[str, Cells]] = {
    Mode.TEXT: {
        "MiniMax-Hailuo-2.3": _768,
        "MiniMax-Hailuo-02": _768,
        "T2V-01-Director": _720,
        "T2V-01": _720,
    },
    Mode.IMAGE: {
        "MiniMax-Hailuo-2.3": _768,
        "MiniMax-Hailuo-2.3-Fast": _768,
        "MiniMax-Hailuo-02": _512,
        "I2V-01-Director": _720,
        "I2V-01-live": _720,
        "I2V-01": _720,
    },
    Mode.FRAMES: {"MiniMax-Hailuo-02": _768},
    Mode.SUBJECT: {"S2V-01": _720},
}
SECONDS = 6  # without a wish

FAST_PRETREATMENT: Mapping[Mode, tuple[str, ...]] = {
    Mode.TEXT: ("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02"),
    Mode.IMAGE: ("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3-Fast", "MiniMax-Hailuo-02"),
}

CAMERA_MOVES: Mapping[str, str] = {
    "Truck left": "左移",
    "Truck right": "右移",
    "Pan left": "左摇",
    "Pan right": "右摇",
    "Push in": "推进",
    "Pull out": "拉远",
    "Pedestal up": "上升",
    "Pedestal down": "下降",
    "Tilt up": "上摇",
    "Tilt down": "下摇",
    "Zoom in": "变焦推近",
    "Zoom out": "变焦拉远",
    "Shake": "晃动",
    "Tracking shot": "跟随",
    "Static shot": "固定",
}
"""Camera commands, English and Chinese. They stand in the prompt as `[Push in]` or `[推进]`, several in one pair of
brackets happen together (`[Pan left, Push in]`); three at most are advised. Hailuo and Director models know them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One film that can be made."""

    model: str
    mode: Mode
    resolution: str
    seconds: int


def cells() -> Iterator[Cell]:
    """Every film that can be made."""
    for mode, models in CELLS.items():
        for model, resolutions in models.items():
            for resolution, durations in resolutions.items():
                yield from (Cell(model, mode, resolution, seconds) for seconds in durations)


def mode_of(*, first: bool, last: bool, subject: bool) -> Mode:
    """The mode that the given pictures ask for. Raises InvalidArgument for a subject together with frames."""
    if subject and (first or last):
        raise refused("subject", "given together with a frame", "a film has either frames or a subject")
    if subject:
        return Mode.SUBJECT
    if last:
        return Mode.FRAMES  # the first frame may be missing there
    return Mode.IMAGE if first else Mode.TEXT


def default_model(mode: Mode) -> str:
    return next(iter(CELLS[mode]))


def check_film(
    mode: Mode, model: str, *, seconds: int | None, resolution: str | None, fast_pretreatment: bool | None
) -> None:
    """Raises InvalidArgument for a film that no model or not this model makes; it says which there are."""
    if not any(model in models for models in CELLS.values()):
        return
    _check_mode(mode, model)
    _check_cell(mode, model, seconds, resolution)
    if fast_pretreatment and model not in FAST_PRETREATMENT.get(mode, ()):
        allowed = ", ".join(FAST_PRETREATMENT.get(mode, ())) or "no model"
        raise refused("fast_pretreatment", True, f"from {mode} it is for {allowed}")


def check_prompt(mode: Mode, prompt: str | None) -> None:
    """Raises InvalidArgument where there is nothing to make a film from."""
    if mode is Mode.TEXT and prompt is None:
        raise InvalidArgument("prompt is missing: a film without a picture needs one.", param="prompt")


def _check_mode(mode: Mode, model: str) -> None:
    if model not in CELLS[mode]:
        modes = " or ".join(each for each, models in CELLS.items() if model in models)
        raise refused(
            "model",
            f"{model}, which makes films from {modes}",
            f"from {mode} there are {', '.join(CELLS[mode])}",
        )


def _check_cell(mode: Mode, model: str, seconds: int | None, resolution: str | None) -> None:
    table = CELLS[mode][model]
    chosen = resolution or next(iter(table))
    if chosen not in table:
        raise refused(
            "resolution", chosen, f"{model} from {mode} makes {_shown(table)}{_others(mode, chosen)}"
        )
    if (seconds or SECONDS) not in table[chosen]:
        raise refused("seconds", f"{seconds} in {chosen}", f"{model} from {mode} makes {_shown(table)}")


def _shown(table: Cells) -> str:
    return "; ".join(
        f"{resolution} of {' or '.join(map(str, seconds))} s" for resolution, seconds in table.items()
    )


def _others(mode: Mode, resolution: str) -> str:
    models = [model for model, table in CELLS[mode].items() if resolution in table]
    return f". {resolution} is made by {', '.join(models)}" if models else ""
