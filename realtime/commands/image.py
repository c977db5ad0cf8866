"""Make pictures from words.

A picture of one person can be given, who is drawn in them. More than nine pictures are several requests.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from typing import Any

from realtime.commands.answered import Answer, Order, Place, answered_kind, buy, earlier, waiting
from realtime.commands.naming import check_out
from realtime.commands.platform import Platform, add_platform, run_on_platform
from realtime.commands.sources import same_source
from realtime.errors import InvalidArgument
from realtime.minimax.field_tables import IMAGE_MODELS
from realtime.minimax.images import image_body
from realtime.task_records import Record

MOST_A_REQUEST = 9
TYPICAL_S = 20.0
TASK_KINDS = (answered_kind("image", "picture"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", metavar="PROMPT", help="what the pictures show, up to 1,500 characters")
    parser.add_argument("-n", type=int, default=1, metavar="N", dest="count", help="so many (default: 1)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--ratio", metavar="W:H", help="1:1 (default), 16:9, 4:3, 3:2, 2:3, 3:4, 9:16 or 21:9")
    size.add_argument("--size", metavar="WxH", help="512 to 2048 pixels in steps of 8, like 1024x768")
    parser.add_argument(
        "--subject", metavar="FILE", help="a picture of one person (JPEG, PNG), or its address"
    )
    parser.add_argument("--style", metavar="STYLE", help="漫画, 元气, 中世纪 or 水彩 (model image-01-live)")
    parser.add_argument("--style-weight", type=float, metavar="X", help="above 0, up to 1 (default: 0.8)")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="the same seed gives nearly the same pictures again"
    )
    parser.add_argument(
        "--optimize-prompt", action="store_true", default=None, help="let the platform improve the prompt"
    )
    parser.add_argument("--watermark", action="store_true", default=None, help="mark them as made by AI")
    parser.add_argument("--model", metavar="MODEL", help=" or ".join(IMAGE_MODELS))
    add_platform(parser, buys=True, writes=True)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if pictures were saved, also if some were stopped. Raises RealtimeError and OSError."""
    return run_on_platform(args, _draw)


async def _draw(platform: Platform) -> int:
    args = platform.args
    arguments = _arguments(args)
    if args.count < 1:
        raise InvalidArgument(f"-n {args.count}: it has to be 1 or more.", param="n")
    orders = await asyncio.to_thread(_orders, platform, arguments)
    begun = await asyncio.to_thread(earlier, platform, orders)
    if not any(found for order, found in begun):
        check_out(args.out, count=args.count, force=args.force)
    values = {"prompt": args.prompt, "seed": args.seed, **arguments}
    await image_body(values, values.pop("subject"), platform.extra)  # refused before the question of the cost
    count = sum(order.asked["n"] for order, found in begun if found is None)
    if count:
        await platform.confirm_cost("1 picture" if count == 1 else f"{count} pictures")
        kept = sum(len(found.paths) for order, found in begun if found is not None)
        if kept:
            platform.progress.say(f"{kept} of them were saved before (delete them for others).")
    paths: list[str] = []
    for order, found in begun:
        try:
            paths += await _request(platform, arguments, order, found)
        except BaseException:  # Ctrl-C, too
            _say_what_there_is(platform, paths)
            raise
    failed = max(0, args.count - len(paths))
    if failed:
        platform.progress.say(f"{failed} of {args.count} pictures were stopped as sensitive and are missing.")
    platform.show(paths, {"kind": "image", "prompt": args.prompt, "paths": paths, "failed": failed})
    return 0


def _orders(platform: Platform, arguments: Mapping[str, Any]) -> list[Order]:
    """The requests for all pictures, each for up to nine of them."""
    asked = {**arguments, "subject": same_source(arguments["subject"]), "extra": platform.extra}
    return [_order(platform, asked, first) for first in range(0, platform.args.count, MOST_A_REQUEST)]


def _order(platform: Platform, asked: Mapping[str, Any], first: int) -> Order:
    args = platform.args
    n = min(MOST_A_REQUEST, args.count - first)
    # The same seed would draw the same pictures again
    seed = None if args.seed is None else args.seed + first
    place = Place(args.out, args.force, ".jpeg", first, args.count)
    return Order(TASK_KINDS[0], args.prompt, place, {**asked, "n": n, "seed": seed})


async def _request(
    platform: Platform, arguments: Mapping[str, Any], order: Order, found: Record | None
) -> tuple[str, ...]:
    """The paths of up to nine pictures. With `found` they are bought already."""
    n, seed = order.asked["n"], order.asked["seed"]

    async def create() -> Answer:
        asked = platform.mm.images.create(order.prompt, n=n, seed=seed, extra=platform.extra, **arguments)
        pictures = await waiting(platform, "image", TYPICAL_S, asked)
        return Answer.of(pictures, pictures.trace_id)

    return await buy(platform, order, create, found)


def _arguments(args: argparse.Namespace) -> dict[str, Any]:
    """The arguments of the client's call that are the same in all requests. Raises InvalidArgument."""
    width, height = _size(args.size)
    return {
        "model": args.model, "ratio": args.ratio, "width": width, "height": height, "subject": args.subject,
        "style": args.style, "style_weight": args.style_weight, "optimize_prompt": args.optimize_prompt,
        "watermark": args.watermark,
    }  # fmt: skip


def _size(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    width, cross, height = text.lower().replace("×", "x").partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise InvalidArgument(f"--size {text}: write width and height, like 1024x768.", param="size")
    return int(width), int(height)


def _say_what_there_is(platform: Platform, paths: list[str]) -> None:
    if paths:
        platform.progress.say(f"Saved before this: {', '.join(paths)}")
