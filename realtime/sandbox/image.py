"""`POST /v1/image_generation`: a prompt in, one to nine pictures out.

Knows the fields, sizes and answers of docs/minimax/image.md. The drawing is in `pictures.py`.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import fields
from .inputs import fetch_input
from .native import Call, Endpoint, add_endpoint
from .picture_facts import UnreadablePicture, picture_facts
from .pictures import make_picture
from .refusal import Refusal
from .sensitive import refuse_sensitive

PLAIN, LIVE = "image-01", "image-01-live"
RATIOS = {
    "1:1": (1024, 1024),
    "16:9": (1280, 720),
    "4:3": (1152, 864),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "3:4": (864, 1152),
    "9:16": (720, 1280),
    "21:9": (1344, 576),
}
STYLES = ("漫画", "元气", "中世纪", "水彩")
LEAST_SIDE, MOST_SIDE, SIDE_STEP = 512, 2048, 8  # pixels
MOST_PROMPT = 1500  # characters
MOST_SUBJECT_MB = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What a valid request asks for. Sizes in pixels."""

    prompt: str
    width: int
    height: int
    count: int
    seed: int
    base64: bool
    watermark: bool
    style: str | None
    style_weight: float

    def draw(self, place: int, subject: bytes | None) -> bytes:
        """Picture number `place`, a JPEG. Blocks. Raises ExtraMissing."""
        return make_picture(
            self.prompt, self.width, self.height, seed=self.seed + place, subject=subject, style=self.style,
            style_weight=self.style_weight, watermark=self.watermark,
        )  # fmt: skip


def add_routes(app: web.Application) -> None:
    """Register the endpoint."""
    endpoint = Endpoint("image", draw, limit="image", wait="image.ms", refused={"data": None})
    add_endpoint(app, "POST", "/v1/image_generation", endpoint)


async def draw(call: Call) -> dict[str, Any]:
    """Draw the pictures that moderation lets through. Raises Refusal 1027 if it stops all of them."""
    order = read_order(call.body, call.trace_id)
    subject = await _subject(call)
    refuse_sensitive(order.prompt)
    stopped = (order.count + 1) // 2 if call.faults.has("image.partial") else 0
    if stopped == order.count:
        raise Refusal(1027)
    # The first ones are stopped, so a client that joins pictures to its prompts by place shows its mistake.
    kept = range(stopped, order.count)
    pictures = [await asyncio.to_thread(order.draw, place, subject) for place in kept]
    counts = {"success_count": str(len(pictures)), "failed_count": str(stopped)}
    return {"id": call.trace_id, "data": await _data(call, order, pictures), "metadata": counts}


async def _data(call: Call, order: Order, pictures: list[bytes]) -> dict[str, list[str]]:
    if order.base64:
        coded = [await asyncio.to_thread(base64.b64encode, picture) for picture in pictures]
        return {"image_base64": [text.decode() for text in coded]}
    store = call.state.store
    kept = [store.add(data, f"{place}.jpeg", "image/jpeg") for place, data in enumerate(pictures, 1)]
    return {"image_urls": [call.link(artefact) for artefact in kept]}


def read_order(body: Mapping[str, Any], trace_id: str) -> Order:
    """Check every field but the subject. Without a seed the trace id gives one. Raises Refusal 2013."""
    model = fields.one_of(body, "model", (PLAIN, LIVE))
    prompt = fields.text(body, "prompt", most=MOST_PROMPT)
    width, height = _size(body, model)
    style, style_weight = _style(body, model)
    fields.flag(body, "prompt_optimizer")
    return Order(
        prompt, width, height,
        count=fields.whole(body, "n", 1, 9, 1),
        seed=fields.whole(body, "seed", -(2**63), 2**63 - 1, int(trace_id[:12], 16)),
        base64=fields.one_of(body, "response_format", ("url", "base64"), "url") == "base64",
        watermark=fields.flag(body, "aigc_watermark"),
        style=style,
        style_weight=style_weight,
    )  # fmt: skip


def _size(body: Mapping[str, Any], model: str) -> tuple[int, int]:
    """Width and height: the ratio wins over both (image.md)."""
    ratios = [ratio for ratio in RATIOS if ratio != "21:9" or model == PLAIN]
    ratio = fields.one_of(body, "aspect_ratio", ratios, "")
    width, height = _side(body, "width"), _side(body, "height")
    if ratio:
        return RATIOS[ratio]
    if not width and not height:
        return RATIOS["1:1"]
    if not width or not height:
        raise fields.invalid("height" if width else "width", "width and height go together")
    if model != PLAIN:
        raise fields.invalid("width", f"is only for {PLAIN}")
    return width, height


def _side(body: Mapping[str, Any], name: str) -> int:
    side = fields.whole(body, name, LEAST_SIDE, MOST_SIDE, 0)
    if side % SIDE_STEP:
        raise fields.invalid(name, f"must be a multiple of {SIDE_STEP}")
    return side


def _style(body: Mapping[str, Any], model: str) -> tuple[str | None, float]:
    style = fields.mapping(body, "style")
    if not style:
        return None, 0.8
    if model != LIVE:
        raise fields.invalid("style", f"is only for {LIVE}")
    weight = fields.number(style, "style_weight", 0, 1, 0.8)
    if weight == 0:
        raise fields.invalid("style_weight", "must be above 0")
    return fields.one_of(style, "style_type", STYLES), weight


async def _subject(call: Call) -> bytes | None:
    """The one person of `subject_reference`; MiniMax's CLI writes `image_url` for `image_file`."""
    name = "subject_reference"
    references = fields.items(call.body, name)
    if not references:
        return None
    if len(references) > 1 or not isinstance(references[0], dict):
        raise fields.invalid(name, "must be exactly one object")
    fields.one_of(references[0], "type", ("character",))
    named = references[0].get("image_file") or references[0].get("image_url")
    found = await fetch_input(call, named, f"{name} image_file", MOST_SUBJECT_MB)
    try:
        facts = await asyncio.to_thread(picture_facts, found.data)
    except UnreadablePicture as error:
        raise fields.invalid(f"{name} image_file", str(error)) from None
    if facts.format not in ("jpeg", "png"):
        raise fields.invalid(f"{name} image_file", f"is {facts.format}, not JPG, JPEG or PNG")
    return found.data
