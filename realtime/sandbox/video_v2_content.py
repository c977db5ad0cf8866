"""The `content` of a V2 request: one text, and pictures, films and recordings with roles (docs/minimax/video.md 4).

Knows which roles go together, how many there may be, and the size and length of each. Does not know models or tasks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .fields import invalid
from .film_facts import FilmFacts
from .film_inputs import Picture, check_words
from .native import Call
from .refusal import Refusal
from .video_v2_media import check_total, film, heif_or_picture, sound

MOST_TEXT = 7000  # characters
MOST_MEDIA = 12
FIRST, LAST, BASE = "first_frame", "last_frame", "base_video"
# role -> type of its item, how many
ROLES: dict[str, tuple[str, int]] = {
    FIRST: ("image_url", 1),
    LAST: ("image_url", 1),
    "reference_image": ("image_url", 9),
    "reference_video": ("video_url", 3),
    "reference_audio": ("audio_url", 3),
}
BASE_ROLES = {BASE: ("video_url", 1)}
_TYPES = ("image_url", "video_url", "audio_url")


@dataclass(frozen=True, slots=True)
class Medium:
    """One item of the content that is no text."""

    role: str
    url: Any


@dataclass(frozen=True, slots=True)
class Words:
    """The content as it was sent: nothing is fetched yet."""

    text: str
    media: tuple[Medium, ...]

    @property
    def frames(self) -> bool:
        """Whether it has a first or last frame."""
        return any(medium.role in (FIRST, LAST) for medium in self.media)


@dataclass(frozen=True, slots=True)
class Content:
    """The content with its media, measured."""

    text: str
    first: Picture | None
    last: Picture | None
    pictures: tuple[Picture, ...]  # references
    films: tuple[FilmFacts, ...]
    sound_s: float  # of the reference recordings, seconds

    @property
    def ratio(self) -> float | None:
        """The shape that the media give the film; None without pictures and films."""
        shapes = [shape for shape in (self.first, self.last, *self.pictures) if shape is not None]
        if shapes:
            return shapes[0].ratio
        return self.films[0].width / self.films[0].height if self.films else None

    @property
    def film_s(self) -> float:
        """Seconds of the reference films."""
        return sum(film.seconds for film in self.films)

    @property
    def image_count(self) -> int:
        """How many pictures there are."""
        return len(self.pictures) + (self.first is not None) + (self.last is not None)


def read_content(
    body: Mapping[str, Any],
    roles: Mapping[str, tuple[str, int]],
    most_text: int = MOST_TEXT,
    *,
    needs_text: bool = True,
) -> Words:
    """Check the items and their roles. Raises Refusal 2013, 1026 for a sensitive text."""
    items = body.get("content")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid("content", "must be a list of items")
    texts = [item.get("text") for item in items if item.get("type") == "text"]
    text = _text(texts, most_text, needs_text)
    media = tuple(_medium(item, roles) for item in items if item.get("type") != "text")
    _check_roles(media, roles)
    check_words(text)
    return Words(text, media)


def _text(texts: list[Any], most: int, needed: bool) -> str:
    if needed and not (texts and isinstance(texts[0], str) and texts[0].strip()):
        raise Refusal(2013, "invalid params, content must include a non-empty text item (prompt is required)")
    if len(texts) > 1:
        raise invalid("content", "takes one text item")
    text = texts[0] if texts else ""
    if not isinstance(text, str) or len(text) > most:
        raise invalid("content.text", f"must be a string of at most {most} characters")
    return text


def _medium(item: Mapping[str, Any], roles: Mapping[str, tuple[str, int]]) -> Medium:
    kind = item.get("type")
    if kind not in _TYPES:
        raise invalid("content.type", f"must be text or one of {', '.join(_TYPES)}")
    role = item.get("role") or (FIRST if kind == "image_url" and FIRST in roles else None)
    if not isinstance(role, str) or role not in roles or roles[role][0] != kind:
        allowed = ", ".join(role for role, (wanted, _) in roles.items() if wanted == kind)
        raise invalid("content.role", f"of {kind} must be one of {allowed}" if allowed else f"no {kind} here")
    value = item.get(kind)
    url = value.get("url") if isinstance(value, dict) else None
    return Medium(role, url)


def _check_roles(media: tuple[Medium, ...], roles: Mapping[str, tuple[str, int]]) -> None:
    if len(media) > MOST_MEDIA:
        raise invalid("content", f"takes at most {MOST_MEDIA} media, not {len(media)}")
    found = Counter(medium.role for medium in media)
    for role, count in found.items():
        if count > roles[role][1]:
            raise invalid("content.role", f"takes at most {roles[role][1]} {role}, not {count}")
    references = [role for role in found if role.startswith("reference")]
    if references and (found[FIRST] or found[LAST]):
        raise invalid("content.role", f"frames and {references[0]} exclude each other")


async def fetch_content(call: Call, words: Words) -> Content:
    """Fetch and measure the media. Raises Refusal 2013."""
    pictures: dict[str, list[Picture]] = {}
    films: list[FilmFacts] = []
    sounds: list[float] = []
    for medium in words.media:
        if medium.role == "reference_video":
            films.append((await film(call, medium.url))[1])
        elif medium.role == "reference_audio":
            sounds.append(await sound(call, medium.url))
        else:
            pictures.setdefault(medium.role, []).append(await heif_or_picture(call, medium.url))
    check_total([film.seconds for film in films], "video_url")
    check_total(sounds, "audio_url")
    first, last = (next(iter(pictures.get(role, ())), None) for role in (FIRST, LAST))
    references = tuple(pictures.get("reference_image", ()))
    return Content(words.text, first, last, references, tuple(films), sum(sounds))
