"""`POST /v1/image_generation` by plain HTTP, as docs/minimax/image.md prints it."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest

from realtime.sandbox.picture_facts import picture_facts
from tests.sandbox.platform_kit import Client, platform

Image = pytest.importorskip("PIL.Image")

PATH = "/v1/image_generation"
PAGE = {  # the page's own example
    "model": "image-01",
    "prompt": "a lighthouse at night",
    "aspect_ratio": "16:9",
    "response_format": "url",
    "n": 2,
}
PERSON = {"type": "character"}


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "image-01", "prompt": "a cat on a red sofa", "response_format": "base64", **fields}


def data_url(format: str = "PNG", size: tuple[int, int] = (64, 80)) -> str:
    data = io.BytesIO()
    Image.new("RGB", size, (255, 0, 255)).save(data, format)
    return f"data:image/{format.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"


async def pictures(client: Client, **fields: Any) -> list[bytes]:
    answer = await client.json("POST", PATH, json=body(**fields))
    assert answer["base_resp"] == {"status_code": 0, "status_msg": "success"}
    return [base64.b64decode(text) for text in answer["data"]["image_base64"]]


async def test_the_page_s_example_gives_two_pictures_by_url() -> None:
    """The pictures behind the links are JPEGs of the printed size with the prompt in them, and differ."""
    async with platform() as client:
        answer = await client.call("POST", PATH, json=PAGE)
        found = answer.json
        assert found["metadata"] == {"success_count": "2", "failed_count": "0"}
        assert found["id"] == answer.headers["trace-id"]
        assert found["base_resp"] == {"status_code": 0, "status_msg": "success"}
        made = [(await client.call("GET", url, key=None)).raw for url in found["data"]["image_urls"]]
        assert len(made) == 2
        assert made[0] != made[1]
        for data in made:
            facts = picture_facts(data)
            assert (facts.format, facts.width, facts.height) == ("jpeg", 1280, 720)
            assert facts.description == "a lighthouse at night"
        client.sandbox.forward(hours=24.1)
        assert (await client.call("GET", found["data"]["image_urls"][0], key=None)).status == 403


@pytest.mark.parametrize(
    ("ratio", "size"),
    [("1:1", (1024, 1024)), ("16:9", (1280, 720)), ("4:3", (1152, 864)), ("3:2", (1248, 832)),
     ("2:3", (832, 1248)), ("3:4", (864, 1152)), ("9:16", (720, 1280)), ("21:9", (1344, 576))],
)  # fmt: skip
async def test_every_ratio_has_its_printed_size_and_wins(ratio: str, size: tuple[int, int]) -> None:
    async with platform() as client:
        (made,) = await pictures(client, aspect_ratio=ratio, width=512, height=512)
        facts = picture_facts(made)
        assert (facts.width, facts.height) == size


async def test_width_and_height_seed_and_default_size() -> None:
    async with platform() as client:
        first, second = await pictures(client, width=520, height=640, seed=7, n=2)
        assert (picture_facts(first).width, picture_facts(first).height) == (520, 640)
        again = await pictures(client, width=520, height=640, seed=7, n=2)
        assert again == [first, second]
        (default,) = await pictures(client)
        assert (picture_facts(default).width, picture_facts(default).height) == (1024, 1024)


@pytest.mark.parametrize("key", ["image_file", "image_url"])
async def test_the_subject_stands_in_the_picture(key: str) -> None:
    """The subject is magenta, which no scene has by itself; both names of the field are read."""
    async with platform() as client:
        reference = [PERSON | {key: data_url()}]
        (made,) = await pictures(client, width=512, height=512, subject_reference=reference)
        pixels = np.asarray(Image.open(io.BytesIO(made)).convert("RGB"), dtype=int)
        magenta = np.abs(pixels - (255, 0, 255)).max(axis=2) < 25
        assert magenta.mean() > 0.005


async def test_the_live_model_draws_in_styles() -> None:
    async with platform() as client:
        plain = await pictures(client, model="image-01-live", aspect_ratio="4:3", seed=3)
        style = {"style_type": "水彩", "style_weight": 1}
        styled = await pictures(client, model="image-01-live", aspect_ratio="4:3", seed=3, style=style)
        assert picture_facts(styled[0]).width == 1152
        assert styled != plain


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("model", {"model": "image-02"}),
        ("prompt", {"prompt": ""}),
        ("prompt", {"prompt": "x" * 1501}),
        ("aspect_ratio", {"aspect_ratio": "5:4"}),
        ("aspect_ratio", {"model": "image-01-live", "aspect_ratio": "21:9"}),
        ("width", {"width": 511, "height": 512}),
        ("width", {"width": 516, "height": 512}),
        ("height", {"width": 512, "height": 2056}),
        ("height", {"width": 512}),
        ("width", {"height": 512}),
        ("width", {"model": "image-01-live", "width": 512, "height": 512}),
        ("response_format", {"response_format": "png"}),
        ("seed", {"seed": "7"}),
        ("seed", {"seed": 2**63}),
        ("n", {"n": 0}),
        ("n", {"n": 10}),
        ("n", {"n": True}),
        ("prompt_optimizer", {"prompt_optimizer": 1}),
        ("aigc_watermark", {"aigc_watermark": "yes"}),
        ("style", {"style": {"style_type": "水彩"}}),
        ("style_type", {"model": "image-01-live", "style": {"style_type": "oil"}}),
        ("style_weight", {"model": "image-01-live", "style": {"style_type": "水彩", "style_weight": 0}}),
        ("style_weight", {"model": "image-01-live", "style": {"style_type": "水彩", "style_weight": 1.1}}),
        ("subject_reference", {"subject_reference": PERSON}),
        ("subject_reference", {"subject_reference": [PERSON, PERSON]}),
        ("type", {"subject_reference": [{"type": "dog", "image_file": data_url()}]}),
        ("image_file", {"subject_reference": [PERSON]}),
        ("image_file", {"subject_reference": [PERSON | {"image_file": data_url("WEBP")}]}),
        ("image_file", {"subject_reference": [PERSON | {"image_file": "data:image/png;base64,aGVsbG8="}]}),
    ],
)
async def test_a_wrong_field_is_named(name: str, fields: dict[str, Any]) -> None:
    async with platform() as client:
        found = await client.json("POST", PATH, json=body(**fields))
        assert found["base_resp"]["status_code"] == 2013
        assert name in found["base_resp"]["status_msg"]
        assert found["data"] is None


async def test_the_longest_prompt_and_nine_pictures_pass() -> None:
    async with platform() as client:
        assert len(await pictures(client, prompt="x" * 1500, width=512, height=512, n=9)) == 9


async def test_forbidden_words_and_stopped_pictures() -> None:
    """Input: 1026. Half of the output: fewer pictures and code 0. All of it: 1027."""
    async with platform() as client:
        assert await client.code("POST", PATH, json=body(prompt="a sandbox-forbidden cat")) == 1026
        found = await client.json("POST", PATH, json=body(n=4), fault="image.partial")
        assert len(found["data"]["image_base64"]) == 2
        assert found["metadata"] == {"success_count": "2", "failed_count": "2"}
        assert found["base_resp"]["status_code"] == 0
        assert await client.code("POST", PATH, json=body(n=1), fault="image.partial") == 1027


async def test_the_limit_of_a_minute() -> None:
    async with platform("limit.image_rpm=1") as client:
        small = body(width=512, height=512)
        assert await client.code("POST", PATH, json=small) == 0
        assert await client.code("POST", PATH, json=small) == 1002
        client.sandbox.forward(minutes=1)
        assert await client.code("POST", PATH, json=small) == 0
