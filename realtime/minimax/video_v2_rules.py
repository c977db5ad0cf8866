"""Which V2 model makes which film: model × resolution × seconds, and when a ratio is named (docs/minimax/video.md 4).

Pure. A model that is not in the table is newer than this package: the platform decides about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from realtime.errors import InvalidArgument
from realtime.minimax.fields import refused
from realtime.minimax.video_v2_content import Parts


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What one model makes. `shortest` and `longest` in seconds, both included."""

    resolutions: tuple[str, ...]
    shortest: int = 4
    longest: int = 15
    references_need_ratio: bool = False


MODELS: Mapping[str, ModelRow] = {
    "MiniMax-H3": ModelRow(("768P", "2K")),
    # The pages differ on references for Max: the mainland's has them, so they pass here.
    "MiniMax-H3-Max": ModelRow(("480P", "768P"), shortest=5),
    "MiniMax-H3-Highspeed": ModelRow(("768P",)),
    "MiniMax-H3-Lite": ModelRow(("480P", "768P"), references_need_ratio=True),
}


def check_film(model: str, parts: Parts, *, resolution: str, seconds: int, ratio: str | None) -> None:
    """Raises InvalidArgument for a film that the model does not make; it says which it makes."""
    if "base_video" in parts.roles:
        raise refused("content", "a base video", "it is for mm.video_v2.regenerate")
    named = ratio not in (None, "adaptive")
    if not parts.roles and not named:
        raise InvalidArgument(
            f"ratio is {ratio or 'missing'}: a film from a text alone needs a named one, like 16:9.",
            param="ratio",
        )
    row = MODELS.get(model)
    if row is None:
        return
    if resolution not in row.resolutions:
        others = ", ".join(name for name, each in MODELS.items() if resolution in each.resolutions)
        raise refused(
            "resolution",
            resolution,
            f"{model} makes {' and '.join(row.resolutions)}; {resolution} is for {others}",
        )
    if not row.shortest <= seconds <= row.longest:
        raise refused("seconds", seconds, f"{model} makes {row.shortest} to {row.longest} s")
    if row.references_need_ratio and parts.has_references and not named:
        raise InvalidArgument(
            f"ratio is {ratio}: with references {model} needs a named one, like 16:9.", param="ratio"
        )


def check_regeneration(source_task_id: str | None, parts: Parts | None) -> None:
    """Raises InvalidArgument unless there is exactly one film to start from, an earlier task or a base video."""
    if (source_task_id is None) == (parts is None):
        given = "both given" if parts is not None else "missing, and so is content"
        raise refused(
            "source_task_id", given, "give either an earlier task or a content with base_video(file)"
        )
    if parts is not None and parts.roles != ("base_video",):
        raise refused(
            "content", f"media {list(parts.roles)}", "it has one base_video(file) and perhaps a text"
        )


def check_context(parts: Parts) -> None:
    """Raises InvalidArgument for a base video, which only a regeneration takes."""
    if "base_video" in parts.roles:
        raise refused("content", "a base video", "it is for mm.video_v2.regenerate")
