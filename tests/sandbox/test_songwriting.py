"""`POST /v1/lyrics_generation` by plain HTTP, as docs/minimax/music.md 3 prints it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.sandbox.platform_kit import Client, platform

PATH = "/v1/lyrics_generation"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with platform() as running:
        yield running


def body(**fields: Any) -> dict[str, Any]:
    return {"mode": "write_full_song", "prompt": "a cheerful song about lighthouses", **fields}


async def test_a_whole_song(client: Client) -> None:
    found = await client.json("POST", PATH, json=body())
    assert set(found) == {"song_title", "style_tags", "lyrics", "base_resp"}
    assert found["base_resp"] == {"status_code": 0, "status_msg": "success"}
    assert "[Verse]" in found["lyrics"]
    assert "[Chorus]" in found["lyrics"]
    assert "lighthouses" in found["lyrics"]
    assert len(found["style_tags"].split(", ")) > 1
    assert 0 < len(found["lyrics"]) <= 3500


async def test_a_given_title_stays_and_an_empty_prompt_is_any_song(client: Client) -> None:
    assert (await client.json("POST", PATH, json=body(title="Light")))["song_title"] == "Light"
    assert (await client.json("POST", PATH, json={"mode": "write_full_song"}))["lyrics"]


async def test_an_edit_keeps_most_lines(client: Client) -> None:
    lyrics = "[Verse]\nfirst line\nsecond line\n[Chorus]\nthird line\nfourth line"
    found = await client.json("POST", PATH, json=body(mode="edit", prompt="add rain", lyrics=lyrics))
    kept = set(found["lyrics"].splitlines()) & set(lyrics.splitlines())
    assert {"[Verse]", "[Chorus]", "second line", "fourth line"} <= kept
    assert found["lyrics"] != lyrics


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("mode", {"mode": "rewrite"}),
        ("mode", {"mode": None}),
        ("prompt", {"prompt": "x" * 2001}),
        ("prompt", {"prompt": 7}),
        ("lyrics", {"lyrics": "[Verse]\nla"}),
        ("lyrics", {"mode": "edit", "lyrics": "x" * 3501}),
        ("title", {"title": ["Light"]}),
    ],
)
async def test_a_wrong_field_is_named(client: Client, name: str, fields: dict[str, Any]) -> None:
    found = await client.json("POST", PATH, json=body(**fields))
    assert found["base_resp"]["status_code"] == 2013
    assert name in found["base_resp"]["status_msg"]


async def test_other_refusals() -> None:
    async with platform("limit.lyrics_rpm=1") as client:
        assert await client.code("POST", PATH, json=body(), fault="lyrics.error=1008") == 1008
        assert await client.code("POST", PATH, json=body(prompt="a sandbox-forbidden song")) == 1026
        assert await client.code("POST", PATH, json=body()) == 1002
        client.sandbox.forward(minutes=1)
        with pytest.raises(aiohttp.ClientError):
            await client.call("POST", PATH, json=body(), fault="lyrics.lost")
