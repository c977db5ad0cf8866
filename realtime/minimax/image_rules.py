"""Rules between the arguments of a picture (docs/minimax/image.md): sizes, styles, and which model takes what.

Pure: arguments in, nothing or InvalidArgument out. Ranges of single arguments are in `field_tables`.
"""

from __future__ import annotations

from realtime.minimax.fields import refused

PLAIN, LIVE = "image-01", "image-01-live"


def model_for(model: str | None, style: str | None) -> str:
    """The model that was asked for, else the one that does what the other arguments say."""
    return model or (PLAIN if style is None else LIVE)


def check_size(model: str, ratio: str | None, width: int | None, height: int | None) -> None:
    """A ratio, or width and height together, or nothing. The live model knows neither sizes nor 21:9."""
    if width is None and height is None:
        if ratio == "21:9" and model == LIVE:
            raise refused("ratio", repr(ratio), f"it is only for {PLAIN}")
        return
    sized = "width" if width is not None else "height"
    if ratio is not None:
        raise refused(sized, "given together with ratio", "allowed is a ratio, or width and height")
    if width is None or height is None:
        missing = "width" if width is None else "height"
        raise refused(missing, "missing", "width and height go together")
    if model == LIVE:
        raise refused(sized, f"not for the model {model}", f"it is only for {PLAIN}; use ratio")


def check_style(style: str | None, weight: float | None) -> None:
    """A weight needs its style."""
    if weight is not None and style is None:
        raise refused("style", "missing", "style_weight is the weight of a style")
