"""Rules between the arguments of a song (docs/minimax/music.md 1): lengths by kind, lyrics, the source of a cover.

Pure: arguments in, nothing or InvalidArgument out. Ranges of single arguments are in `field_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.minimax.fields import refused

NEWEST, COVER_MODEL = "music-3.0", "music-cover"
LEAST_COVER_S, MOST_COVER_S = 6, 360


@dataclass(frozen=True, slots=True)
class MusicKind:
    """One kind of music: least and most characters of prompt and lyrics; None: it takes no lyrics."""

    name: str
    prompt: tuple[int, int]
    lyrics: tuple[int, int] | None


SONG = MusicKind("a song", (0, 2_000), (1, 3_500))
INSTRUMENTAL = MusicKind("an instrumental", (1, 2_000), None)
COVER = MusicKind("a cover", (10, 300), (10, 1_000))
OLDER = MusicKind("a song of this model", (10, 300), (10, 600))
# beginning of a model's name → its kind; the first that fits
_MODELS = {
    "music-cover": COVER,
    "music-1.5": OLDER,
    "music-2.0": OLDER,
    "music-2.5": SONG,
    "music-2.6": SONG,
    "music-3": SONG,
}


def model_for(model: str | None, *, is_cover: bool) -> str:
    """The model that was asked for, else the one that does what the other arguments say."""
    return model or (COVER_MODEL if is_cover else NEWEST)


def kind_of(model: str, instrumental: bool | None) -> MusicKind | None:
    """The kind of music; None for a model that is newer than this table."""
    for start, kind in _MODELS.items():
        if model.startswith(start):
            return INSTRUMENTAL if kind is SONG and instrumental else kind
    return None


def check_words(
    kind: MusicKind | None, prompt: str, lyrics: str | None, *, optimize: bool | None, feature_id: str | None
) -> None:
    """Lengths of prompt and lyrics, and lyrics where they are needed and only there."""
    if kind is None:
        return
    _check_length("prompt", prompt, kind, kind.prompt)
    if lyrics is not None:
        if kind.lyrics is None:
            raise refused("lyrics", "given", f"{kind.name} has none")
        _check_length("lyrics", lyrics, kind, kind.lyrics)
    elif kind is OLDER or (kind is SONG and not optimize):
        raise refused("lyrics", "missing", f"{kind.name} needs lyrics, optimize_lyrics or instrumental")
    elif kind is COVER and feature_id is not None:
        raise refused("lyrics", "missing", "a cover from cover_feature_id needs lyrics (see CoverFeatures)")


def check_cover(model: str, *, has_cover: bool, feature_id: str | None) -> None:
    """The cover model needs exactly one source."""
    if has_cover and feature_id is not None:
        raise refused("cover_feature_id", "given together with cover", "allowed is one of them")
    if model.startswith(COVER_MODEL) and not has_cover and feature_id is None:
        raise refused("cover", "missing", f"{model} needs a recording (cover) or cover_feature_id")


def check_cover_length(length_s: float | None) -> None:
    """6 s to 6 min, where the length could be read (None: not)."""
    if length_s is not None and not LEAST_COVER_S <= length_s <= MOST_COVER_S:
        raise refused("cover", f"{length_s:.1f} s long", "a recording to cover has 6 s to 6 min")


def _check_length(name: str, text: str, kind: MusicKind, allowed: tuple[int, int]) -> None:
    length = len(text) if text.strip() else 0
    if not allowed[0] <= length <= allowed[1]:
        given = f"{length:,} characters" if length else "empty"
        raise refused(name, given, f"{kind.name} takes {allowed[0]:,} to {allowed[1]:,} characters")
