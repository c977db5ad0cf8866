"""Helpers for the tests of films: small pictures, tasks that take minutes of the sandbox's clock, decoded results."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from realtime.sandbox.film_facts import FilmFacts, film_facts, film_frames
from tests.sandbox import platform_kit
from tests.sandbox.platform_kit import Client

OK = {"status_code": 0, "status_msg": "success"}
RED, GREEN, BLUE = (200, 30, 30), (30, 180, 60), (30, 40, 200)
MORE_QUESTIONS = 5
SLOW = (
    "video.prepare_s=10", "video.queue_s=10", "video.process_s=100", "template.prepare_s=10",
    "template.process_s=100", "video_v2.queue_s=10", "video_v2.run_s=100", "video_v2.context_s=100",
)  # fmt: skip


async def settled(ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """What is told of a task whose time is over: on a busy machine its work takes longer than one question waits. A task
    that never ends says so at once each time."""
    found = await ask()
    for _ in range(MORE_QUESTIONS):
        if found["status"] not in ("Processing", "running"):
            break
        found = await ask()
    return found


def picture(width: int, height: int, colour: tuple[int, int, int] = RED, kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    image = pytest.importorskip("PIL.Image", reason="pip install 'minimax-realtime[sandbox]'")
    sink = io.BytesIO()
    image.new("RGB", (width, height), colour).save(sink, kind)
    return sink.getvalue()


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def frame_url(width: int = 400, height: int = 400, colour: tuple[int, int, int] = RED) -> str:
    """A picture as a request holds it."""
    return data_url(picture(width, height, colour))


def ends(film: bytes) -> tuple[list[int], list[int]]:
    """The mean colours of the first and of the last frame."""
    frames = list(film_frames(film))
    return mean(frames[0]), mean(frames[-1])


def mean(frame: Any) -> list[int]:
    return [int(part) for part in np.asarray(frame).reshape(-1, 3).mean(axis=0)]


def near(found: list[int], colour: tuple[int, int, int]) -> bool:
    """The same colour, but for what the encoding changes."""
    return all(abs(a - b) < 12 for a, b in zip(found, colour, strict=True))


@asynccontextmanager
async def platform(*sets: str, faults: tuple[str, ...] = ()) -> AsyncIterator[Client]:
    """A sandbox whose films take minutes of its clock, so that a test decides when they end."""
    pytest.importorskip("av", reason="pip install 'minimax-realtime[sandbox]'")
    async with platform_kit.platform(*SLOW, *sets, faults=faults) as client:
        yield client


async def downloaded(client: Client, url: str) -> bytes:
    answer = await client.call("GET", url, key=None)
    assert answer.status == 200
    return answer.raw


async def film_of(client: Client, file_id: str) -> tuple[bytes, FilmFacts]:
    """The bytes and facts of a V1 film, by `files/retrieve` as the documents say."""
    found = await client.json("GET", f"/v1/files/retrieve?file_id={file_id}")
    data = await downloaded(client, found["file"]["download_url"])
    return data, film_facts(data)
