"""Media that a request names: data URLs, URLs and uploaded files."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from aiohttp import web

from realtime.sandbox.inputs import fetch_input
from realtime.sandbox.native import Call, Endpoint, add_endpoint
from realtime.sandbox.store import MEGABYTE
from tests.sandbox.platform_kit import Client, platform

MOST = MEGABYTE // 2  # bytes


async def show(call: Call) -> dict[str, Any]:
    found = await fetch_input(call, call.body.get("image"), "image", 0.5)
    return {"size": len(found.data), "start": found.data[:4].hex(), "type": found.content_type}


class Shown:
    """An endpoint that says what it was given."""

    @staticmethod
    def add_routes(app: web.Application) -> None:
        add_endpoint(app, "POST", "/test/input", Endpoint("image", show, wait="image.ms"))


async def ask(client: Client, image: Any) -> dict[str, Any]:
    return await client.json("POST", "/test/input", json={"image": image})


def data_url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


async def test_the_three_kinds_give_the_same_bytes() -> None:
    data = b"\x89PNG" + bytes(1000)
    async with platform(parts=(Shown,)) as client:
        answer = await client.upload(data, "a.png", "video_generation_input", "image/png")
        id = answer.json["file"]["file_id"]
        kept = client.sandbox.state.store.add(data, "b.png", "image/png")
        for image in (
            data_url(data),
            f"mm_file://{id}",
            client.sandbox.url + client.sandbox.state.store.link(kept),
        ):
            found = await ask(client, image)
            assert (found["size"], found["start"], found["type"]) == (1004, "89504e47", "image/png")


@pytest.mark.parametrize(
    "image",
    [None, "", 5, [], "a.png", "file:///etc/passwd", "data:image/png;base64,", "data:image/png;base64,%%%",
     "data:image/png,abc", "mm_file://7", "mm_file://x", "http://127.0.0.1:9/a.png", "http://", "{url}/v1/nothing",
     data_url(bytes(MOST + 1))],
)  # fmt: skip
async def test_what_cannot_be_had_is_2013_and_names_the_field(image: Any) -> None:
    async with platform(parts=(Shown,)) as client:
        if isinstance(image, str):
            image = image.replace("{url}", client.sandbox.url)
        found = await ask(client, image)
        assert found["base_resp"]["status_code"] == 2013
        assert "image" in found["base_resp"]["status_msg"]


async def test_a_url_is_read_up_to_the_limit_only() -> None:
    async with platform(parts=(Shown,)) as client:
        for size, code in ((MOST, 0), (MOST + 1, 2013)):
            kept = client.sandbox.state.store.add(bytes(size), "b.png", "image/png")
            found = await ask(client, client.sandbox.url + client.sandbox.state.store.link(kept))
            assert found["base_resp"]["status_code"] == code
