"""Pictures that a request for a film names, and the making of the film in a thread of its own.

Knows how to fetch and measure a picture and how to run the maker. Does not know models, modes or tasks.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from . import extras
from .fields import invalid
from .films import make_film
from .inputs import fetch_input
from .native import Call
from .picture_facts import UnreadablePicture, picture_facts
from .refusal import Refusal
from .speech_request import SENSITIVE_WORDS

T = TypeVar("T")
# Few threads, so that many tasks at once leave the machine to the other endpoints.
_MAKERS = ThreadPoolExecutor(2, "sandbox-film")


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What an endpoint takes. Sides in pixels; a ratio is width / height."""

    most_mb: float
    least_side: int
    most_side: int = 100_000
    least_ratio: float = 0.4
    most_ratio: float = 2.5


@dataclass(frozen=True, slots=True)
class Picture:
    """A measured picture; without bytes it cannot be drawn here."""

    data: bytes
    width: int
    height: int

    @property
    def ratio(self) -> float:
        """Width / height."""
        return self.width / self.height


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """What to film; the arguments of `films.make_film`."""

    prompt: str
    seconds: float
    width: int
    height: int
    first: Picture | None = None
    last: Picture | None = None
    subject: Picture | None = None
    camera: bool = False
    audio: bool = False
    watermark: bool = False


_FILMS: dict[FilmPlan, bytes] = {}  # the last ones: the same plan makes the same film, and takes seconds
_FILMS_KEPT = 4


async def picture(call: Call, value: Any, name: str, limits: PictureLimits) -> Picture:
    """The picture that the field `name` names. Raises Refusal 2013, or 1000 without the extra."""
    found = await fetch_input(call, value, name, limits.most_mb)
    return await measured(found.data, name, limits)


async def measured(data: bytes, name: str, limits: PictureLimits) -> Picture:
    """The picture in these bytes. Raises Refusal as `picture` does."""
    try:
        facts = await off_loop(lambda: picture_facts(data))
    except UnreadablePicture as error:
        raise invalid(name, str(error)) from None
    return checked(Picture(data, facts.width, facts.height), name, limits)


def checked(found: Picture, name: str, limits: PictureLimits) -> Picture:
    """The same picture. Raises Refusal 2013 if its size or ratio is outside the limits."""
    shorter, longer = sorted((found.width, found.height))
    if shorter < limits.least_side or longer > limits.most_side:
        raise invalid(
            name, f"{found.width}x{found.height}, sides must be {limits.least_side} to {limits.most_side} px"
        )
    if not limits.least_ratio <= found.ratio <= limits.most_ratio:
        raise invalid(name, f"ratio {found.ratio:.2f}, must be {limits.least_ratio} to {limits.most_ratio}")
    return found


async def off_loop(work: Callable[[], T]) -> T:
    """Run blocking work in a thread. A missing package of the extra is Refusal 1000 with its install line."""
    try:
        return await asyncio.to_thread(work)
    except extras.ExtraMissing as error:
        raise Refusal(1000, str(error)) from None


async def need_makers() -> None:
    """Raises Refusal 1000 if films cannot be made here, so that no task is made in vain."""
    await off_loop(lambda: (extras.av(), extras.pillow("Image")))


async def filmed(plan: FilmPlan) -> bytes:
    """The film, as an mp4. A cancelled call stops the thread soon, so that the sandbox can stop."""
    stop = threading.Event()
    try:
        return await asyncio.get_running_loop().run_in_executor(_MAKERS, lambda: _made(plan, stop))
    finally:
        stop.set()


def _made(plan: FilmPlan, stop: threading.Event) -> bytes:
    film = _FILMS.pop(plan, None) or make_film(
        plan.prompt, seconds=plan.seconds, width=plan.width, height=plan.height, first=_data(plan.first),
        last=_data(plan.last), subject=_data(plan.subject), camera=plan.camera, audio=plan.audio,
        watermark=plan.watermark, stop=stop,
    )  # fmt: skip
    _FILMS[plan] = film  # as the newest
    while len(_FILMS) > _FILMS_KEPT:
        _FILMS.pop(next(iter(_FILMS)), None)
    return film


def _data(picture: Picture | None) -> bytes | None:
    return picture.data or None if picture is not None else None


def check_words(*texts: str) -> None:
    """Raises Refusal 1026 for a text with a word that the sandbox takes as sensitive."""
    if any(word in text for word in SENSITIVE_WORDS for text in texts):
        raise Refusal(1026, "video description contains sensitive content")
