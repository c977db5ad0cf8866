"""Make a film from words, from a first and a last picture, or with a person of yours in it.

Camera moves stand in the prompt in brackets, [Push in] or [推进]. `realtime video template` makes one from a template.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from realtime.commands.film_orders import Order, template_order, v1_order, v2_order
from realtime.commands.naming import absolute, check_out, name_result
from realtime.commands.platform import BUILT_IN, Platform, add_platform, print_json, run_on_platform
from realtime.commands.same_file import without_copy
from realtime.commands.task_kinds import TaskKind, go_on, run_task
from realtime.minimax.field_tables import VIDEO_MODELS, VIDEO_V2_MODELS
from realtime.minimax.film import Film
from realtime.minimax.templates import TEMPLATES
from realtime.minimax.video_v2_results import FilmV2
from realtime.task_records import Record, RecordState

DEFAULT_ACTION = "create"
ACTIONS = ("create", "template")
T = TypeVar("T", bound=Film | FilmV2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="a film from words and pictures (default)")
    create.add_argument(
        "prompt", metavar="PROMPT", nargs="?", help="what the film shows, up to 2,000 characters"
    )
    create.add_argument("--first", metavar="FILE", help="the picture it begins with, or its address")
    create.add_argument("--last", metavar="FILE", help="the picture it ends with")
    create.add_argument("--subject", metavar="FILE", help="a picture of one face that the film shows")
    create.add_argument("--seconds", type=int, metavar="N", help="6 or 10; models of V2: 4 to 15")
    create.add_argument(
        "--resolution", metavar="R", help="512P, 720P, 768P or 1080P; models of V2: 480P, 768P, 2K"
    )
    create.add_argument("--model", metavar="MODEL", help=", ".join((*VIDEO_MODELS, *VIDEO_V2_MODELS)))
    create.add_argument("--no-optimize", action="store_true", help="follow the prompt to the letter")
    create.add_argument(
        "--fast-pretreatment", action="store_true", default=None, help="improve the prompt faster"
    )
    create.add_argument("--watermark", action="store_true", default=None, help="mark it as made by AI")
    create.add_argument(
        "--ratio", metavar="W:H", help="models of V2: 21:9, 16:9, 4:3, 1:1, 3:4, 9:16 or adaptive"
    )
    create.add_argument(
        "--reference", action="append", default=[], metavar="FILE",
        help="models of V2: a picture, film or sound to follow; may be repeated",
    )  # fmt: skip
    create.add_argument(
        "--expand-prompt", metavar="HOW", help="MiniMax-H3-Max: disabled, balanced or quality"
    )
    template = actions.add_parser("template", help="a film from a template; without a name, the list of them")
    template.add_argument("template", metavar="NAME", nargs="?", help="id, English or Chinese name")
    template.add_argument("media", metavar="FILE", nargs="*", help="the picture that it wants")
    template.add_argument(
        "--text", dest="texts", action="append", default=[], metavar="TEXT", help="the text that it wants"
    )
    for action in (create, template):
        add_platform(action, buys=True, waits=True, writes=True)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if the film was saved, or ordered with --no-wait. Raises RealtimeError and OSError."""
    if args.action == "template" and args.template is None:
        return _list_templates(args.json)
    return run_on_platform(args, _make)


def _list_templates(as_json: bool) -> int:
    if as_json:
        names = ("id", "name", "name_zh", "wants")
        print_json({"templates": [{name: getattr(each, name) for name in names} for each in TEMPLATES]})
        return 0
    for each in TEMPLATES:
        print(f"{each.id}  {each.name} ({each.name_zh}): {each.wants}")
    return 0


async def _make(platform: Platform) -> int:
    args = platform.args
    order = _order(platform)
    kind = KINDS[order.kind]
    arguments = {**order.arguments, "out": absolute(args.out), "force": args.force}
    earlier = partial(_earlier, platform, kind, arguments)
    if (found := earlier()) is not None:
        return await go_on(platform, kind, found)
    check_out(args.out, force=args.force)
    await order.check_pictures()
    await platform.confirm_cost(order.cost)
    return await run_task(
        platform, kind, order.create, earlier=earlier, prompt=order.prompt, arguments=arguments
    )


def _order(platform: Platform) -> Order:
    if platform.args.action == "template":
        return template_order(platform)
    if (platform.args.model or "").startswith("MiniMax-H3"):
        return v2_order(platform)
    return v1_order(platform)


def _earlier(platform: Platform, kind: TaskKind[Any], arguments: Mapping[str, Any]) -> Record | None:
    """The same order that was sent before and whose film is not saved yet: it is not bought again.

    With --no-wait each call orders a film.
    """
    if platform.args.no_wait or platform.args.dry_run or platform.address == BUILT_IN:
        return None
    found = platform.records.same(kind.name, arguments, platform=platform.address)
    return None if found is None or found.state is RecordState.DONE else found


async def _save(platform: Platform, record: Record, film: Film | FilmV2) -> Sequence[Path]:
    out, force = record.arguments.get("out"), bool(record.arguments.get("force"))
    path = name_result(record.prompt, ".mp4", out=out, force=force)
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = await film.save(path, on_progress=platform.progress.transfer(f"saving {path.name}"), force=force)
    if saved.kind not in ("mp4", "unknown"):
        return [saved.path.rename(name_result(record.prompt, f".{saved.kind}", out=out, force=force))]
    wanted = name_result(record.prompt, ".mp4", out=out, force=True)
    return [await asyncio.to_thread(without_copy, saved.path, wanted)]


def _kind(name: str, open_: Callable[..., Any]) -> TaskKind[Any]:
    save: Callable[[Platform, Record, Any], Awaitable[Sequence[Path]]] = _save
    return TaskKind(name, open_, save)


TASK_KINDS = (
    _kind("video", lambda mm, task_id: mm.video.task(task_id)),
    _kind("template", lambda mm, task_id: mm.templates.task(task_id)),
    _kind("video_v2", lambda mm, task_id: mm.video_v2.task(task_id)),
)
KINDS: Mapping[str, TaskKind[Any]] = {kind.name: kind for kind in TASK_KINDS}
