"""The request for a song: arguments checked, alone and together, and put in their places (docs/minimax/music.md 1).

Reads the recording of a cover; sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime.minimax.cover_source import cover_fields
from realtime.minimax.field_tables import MUSIC
from realtime.minimax.fields import build, refused
from realtime.minimax.file_source import FileSource
from realtime.minimax.music_rules import COVER_MODEL, check_cover, check_words, kind_of, model_for


async def song_body(
    values: dict[str, Any], cover: FileSource | None, extra: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The checked body from the arguments of `Music.create` (`values`, by name, None: not given).

    The recording is read last, when everything else is right. Raises InvalidArgument.
    """
    feature_id = values["cover_feature_id"]
    is_cover = cover is not None or feature_id is not None
    model = values["model"] = model_for(values["model"], is_cover=is_cover)
    build(MUSIC, values, extra)
    check_cover(model, has_cover=cover is not None, feature_id=feature_id)
    if cover is not None and not model.startswith(COVER_MODEL) and kind_of(model, False) is not None:
        raise refused("cover", f"not for the model {model}", f"it is only for {COVER_MODEL}")
    kind = kind_of(model, values["instrumental"])
    check_words(
        kind, values["prompt"], values["lyrics"], optimize=values["optimize_lyrics"], feature_id=feature_id
    )
    values["prompt"] = values["prompt"] or None
    return build(MUSIC, {**values, **await cover_fields(cover)}, extra)
