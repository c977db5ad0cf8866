"""Pictures: what is refused before anything is sent, the request, and the answers a page shows (recorded shapes)."""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
import json
from contextlib import asynccontextmanager

import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderRejected, ProviderUnavailable
from realtime.minimax import MiniMax
from realtime.minimax.door import Pause
from realtime.minimax.field_tables import TABLES
from realtime.minimax.images import Images
from realtime.minimax.operations import Limit
from tests.minimax.scripted import Reply, scripted

JPEG = b"\xff\xd8\xff\xe0" + b"a picture" * 20
# docs/minimax/image.md: the example, with whole addresses
URLS = {
    "id": "0d3e",
    "data": {"image_urls": ["https://files.example/1.jpeg?sig=abc", "https://files.example/2.jpeg?sig=def"]},
    "metadata": {"success_count": "2", "failed_count": "0"},
    "base_resp": {"status_code": 0, "status_msg": "success"},
}


def answer(value: dict) -> Reply:
    return Reply(json.dumps(value).encode(), content_type="application/json")


@asynccontextmanager
async def platform(*answers: dict | Reply):
    """A client, and the script of what it was asked."""
    replies = [reply if isinstance(reply, Reply) else answer(reply) for reply in answers or (URLS,)]
    async with scripted(*replies) as script, MiniMax("key", script.url) as mm:
        yield mm, script


def body_of(script, index: int = 0) -> dict:
    path, body = script.requests[index]
    assert path == "/v1/image_generation"
    return json.loads(body)


@pytest.mark.operation("images.create")
async def test_the_example_of_the_page_makes_its_request_and_is_read():
    async with platform() as (mm, script):
        pictures = await mm.images.create("a lighthouse at night", ratio="16:9", n=2, output="url")
        first, *others = pictures
    assert body_of(script) == {
        "model": "image-01",
        "prompt": "a lighthouse at night",
        "aspect_ratio": "16:9",
        "response_format": "url",
        "n": 2,
    }
    assert first.url == "https://files.example/1.jpeg?sig=abc"
    assert len(others) == 1
    assert (len(pictures), pictures[1], pictures.failed, pictures.trace_id) == (2, others[0], 0, "0d3e")
    assert pictures.raw == URLS
    assert "sig=" not in repr(pictures) + repr(first)


@pytest.mark.operation("images.create")
async def test_every_argument_has_its_place():
    async with platform() as (mm, script):
        await mm.images.create(
            "海", width=512, height=2048, n=9, seed=-(2**63), optimize_prompt=True, watermark=False,
            extra={"new": {"field": 1}},
        )  # fmt: skip
        await mm.images.create("海", style="水彩", style_weight=0.5)
    assert body_of(script) == {
        "model": "image-01", "prompt": "海", "width": 512, "height": 2048, "n": 9, "seed": -(2**63),
        "prompt_optimizer": True, "aigc_watermark": False, "new": {"field": 1},
    }  # fmt: skip
    assert body_of(script, 1) == {
        "model": "image-01-live", "prompt": "海", "style": {"style_type": "水彩", "style_weight": 0.5},
    }  # fmt: skip


def test_every_field_of_the_table_is_an_argument():
    assert {field.name for field in TABLES["images.create"]} <= set(
        inspect.signature(Images.create).parameters
    )


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x" * 1501}, "prompt"),
        ({"ratio": "5:4"}, "ratio"),
        ({"ratio": "1:1", "width": 512, "height": 512}, "width"),
        ({"ratio": "1:1", "height": 512}, "height"),
        ({"width": 512}, "height"),
        ({"height": 512}, "width"),
        ({"width": 504, "height": 512}, "width"),
        ({"width": 2056, "height": 512}, "width"),
        ({"width": 1024, "height": 1020}, "height"),
        ({"model": "image-01-live", "width": 512, "height": 512}, "width"),
        ({"model": "image-01-live", "ratio": "21:9"}, "ratio"),
        ({"style": "油画"}, "style"),
        ({"style": "水彩", "model": "image-01"}, "style"),
        ({"style": "水彩", "style_weight": 0}, "style_weight"),
        ({"style_weight": 0.5}, "style"),
        ({"n": 0}, "n"),
        ({"n": 10}, "n"),
        ({"seed": 2**63}, "seed"),
        ({"output": "hex"}, "output"),
        ({"subject": b"GIF89a and more"}, "subject"),
        ({"subject": b""}, "subject"),
        ({"subject": JPEG + bytes(10 * 1024 * 1024)}, "subject"),
        ({"subject": "no such file.jpg"}, "subject"),
        ({"subject": "ftp://host/me.jpg"}, "subject"),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_sent(arguments, param):
    async with platform() as (mm, script):
        with pytest.raises(InvalidArgument) as caught:
            await mm.images.create(**{"prompt": "a cat", **arguments})
    assert caught.value.param == param
    assert script.requests == []


async def test_the_limits_themselves_are_allowed():
    async with platform() as (mm, script):
        await mm.images.create("x" * 1500, ratio="21:9", n=1)
        await mm.images.create("x", style="漫画", style_weight=1, ratio="9:16", seed=2**63 - 1)
        await mm.images.create("x", subject=JPEG.ljust(10 * 1024 * 1024, b"x"))
    assert len(script.requests) == 3


async def test_a_subject_is_an_address_a_path_bytes_or_a_stream(tmp_path):
    (tmp_path / "me.jpg").write_bytes(JPEG)
    data_url = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    subjects = [
        "https://host/me.jpg",
        tmp_path / "me.jpg",
        str(tmp_path / "me.jpg"),
        JPEG,
        io.BytesIO(JPEG),
        data_url,
    ]
    async with platform() as (mm, script):
        for subject in subjects:
            await mm.images.create("her at sea", subject=subject)
    sent = [body_of(script, index)["subject_reference"] for index in range(len(subjects))]
    assert sent[0] == [{"type": "character", "image_file": "https://host/me.jpg"}]
    assert sent[1:] == [[{"type": "character", "image_file": data_url}]] * 5


async def test_base64_is_decoded_read_and_saved(tmp_path):
    coded = {**URLS, "data": {"image_base64": [base64.b64encode(JPEG * 1000).decode()]}}
    async with platform(coded) as (mm, _):
        (picture,) = await mm.images.create("a cat", output="base64")
        seen: list[tuple[int, int | None]] = []
        saved = await picture.save(tmp_path / "cat.jpeg", on_progress=lambda *step: seen.append(step))
        assert await picture.read() == JPEG * 1000
        with pytest.raises(InvalidArgument) as caught:
            await picture.save(tmp_path / "cat.jpeg")
        await picture.save(tmp_path / "cat.jpeg", force=True)
    assert caught.value.param == "target"
    assert (saved.path.read_bytes(), saved.kind, saved.size_bytes) == (JPEG * 1000, "jpeg", len(JPEG) * 1000)
    assert seen == [(len(JPEG) * 1000, len(JPEG) * 1000)]
    assert [path.name for path in tmp_path.iterdir()] == ["cat.jpeg"]
    assert "picture" not in repr(picture).replace("Picture", "")


async def test_a_link_is_fetched_without_the_key(tmp_path):
    async with platform(URLS, Reply(JPEG, content_type="image/jpeg")) as (mm, script):
        script.replies[0] = answer({**URLS, "data": {"image_urls": [f"{script.url}/files/1.jpeg?sig=%2F"]}})
        (picture,) = await mm.images.create("a cat")
        assert (await picture.save(tmp_path / "cat.jpeg")).path.read_bytes() == JPEG
        assert await picture.read() == JPEG
    assert [path for path, _ in script.requests[1:]] == ["/files/1.jpeg?sig=%2F"] * 2
    assert ["Authorization" in headers for headers in script.headers] == [True, False, False]


@pytest.mark.parametrize(
    "counts", [{"success_count": "1", "failed_count": "3"}, {"failed_count": 3}, {}, None]
)
async def test_pictures_that_were_stopped_are_counted(counts):
    half = {**URLS, "data": {"image_urls": ["https://files.example/1.jpeg"]}, "metadata": counts}
    async with platform(half) as (mm, _):
        pictures = await mm.images.create("a cat", n=4)
    assert (len(pictures), pictures.failed) == (1, 3)


async def test_all_of_them_stopped_is_an_error():
    async with platform({**URLS, "data": None, "metadata": {"success_count": "0", "failed_count": "2"}}) as (
        mm,
        _,
    ):
        with pytest.raises(ProviderRejected) as caught:
            await mm.images.create("a cat", n=2)
    assert (caught.value.code, caught.value.trace_id) == ("content_filter", "0d3e")
    refused = {
        "id": "0d3e",
        "data": None,
        "base_resp": {"status_code": 1026, "status_msg": "input sensitive"},
    }
    async with platform(refused) as (mm, script):
        with pytest.raises(ProviderRejected) as caught:
            await mm.images.create("a cat")
    assert (caught.value.code, caught.value.upstream_code) == ("content_filter", 1026)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "data", [{"image_base64": ["%%%"]}, {"image_urls": []}, {"image_urls": [None, 7]}, None]
)
async def test_an_answer_without_a_usable_picture_is_an_error_that_is_not_tried_again(data):
    async with platform({**URLS, "data": data}) as (mm, script):
        with pytest.raises(ProviderUnavailable) as caught:
            await mm.images.create("a cat")
    assert caught.value.retryable is False
    assert len(script.requests) == 1


async def test_a_broken_picture_costs_none_of_the_others():
    coded = {**URLS, "data": {"image_base64": ["%%%", base64.b64encode(JPEG).decode()]}}
    async with platform(coded) as (mm, _):
        pictures = await mm.images.create("a cat", n=2)
    assert ([picture.data for picture in pictures], pictures.failed) == ([JPEG], 1)


async def test_a_lost_answer_is_not_asked_for_again():
    async with platform(Reply(cut=True)) as (mm, script):
        with pytest.raises(AnswerLost, match="may have been accepted"):
            await mm.images.create("a cat")
    assert len(script.requests) == 1


async def test_the_platforms_refusal_names_our_argument():
    refused = {
        "base_resp": {"status_code": 2013, "status_msg": "invalid params, invalid params: aspect_ratio"}
    }
    async with platform(refused) as (mm, _):
        with pytest.raises(InvalidArgument) as caught:
            await mm.images.create("a cat", extra={"aspect_ratio": "9:1"})
    assert caught.value.param == "ratio"


async def test_requests_keep_to_the_limit_of_the_account():
    paused = asyncio.Event()
    pauses: list[Pause] = []

    def on_pause(pause: Pause) -> None:
        pauses.append(pause)
        paused.set()

    async with (
        scripted(answer(URLS)) as script,
        MiniMax("key", script.url, limits={"image": Limit(1)}, on_pause=on_pause) as mm,
    ):
        await mm.images.create("a cat")
        second = asyncio.create_task(mm.images.create("a cat"))
        async with asyncio.timeout(60):
            await paused.wait()
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
    assert [pause.reason for pause in pauses] == ["limit"]
    assert 50 < pauses[0].wait_s <= 60
    assert len(script.requests) == 1
