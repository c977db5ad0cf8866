"""Files of the account: list, upload, get, info, delete. Results of tasks are in no list: `get` wants their id."""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable
from typing import Any

from realtime.commands.naming import absolute, check_out, name_result
from realtime.commands.platform import Platform, add_platform, run_on_platform
from realtime.commands.table import table
from realtime.minimax.file_purposes import PURPOSES
from realtime.minimax.file_source import readable_size
from realtime.minimax.files import FileInfo

DEFAULT_ACTION = "list"
_PURPOSES = ", ".join([*PURPOSES, "retrieval"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what was uploaded (default)")
    listing.add_argument("--purpose", metavar="PURPOSE", help=f"only these: {_PURPOSES}")
    add_platform(listing)
    upload = actions.add_parser("upload", help="upload a file")
    upload.add_argument("file", metavar="FILE", help="its path")
    upload.add_argument("--purpose", metavar="PURPOSE", required=True, help=f"what it is for: {_PURPOSES}")
    add_platform(upload)
    get = actions.add_parser("get", help="save a file here; a broken transfer goes on with the same command")
    get.add_argument("file_id", metavar="ID", help="id of an upload, or of a result")
    add_platform(get, writes=True)
    for name, what in (("info", "what is known of a file"), ("delete", "delete a file")):
        action = actions.add_parser(name, help=what)
        action.add_argument("file_id", metavar="ID", help="its id, as `realtime files list` shows it")
        add_platform(action)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if it is done. Raises RealtimeError and OSError."""
    actions: dict[str, Callable[[Platform], Awaitable[int]]] = {
        "list": _list,
        "upload": _upload,
        "get": _get,
        "info": _info,
        "delete": _delete,
    }
    return run_on_platform(args, actions[args.action])


async def _list(platform: Platform) -> int:
    found = [file async for file in platform.mm.files.list(platform.args.purpose)]
    rows = [
        (file.id, file.purpose, readable_size(file.size_bytes), _when(file.created), file.name)
        for file in found
    ]
    lines = table(("ID", "PURPOSE", "SIZE", "CREATED", "NAME"), rows)
    if not found:
        platform.progress.say("There are no files.")
    platform.show(lines, {"files": [_document(file) for file in found]})
    return 0


async def _upload(platform: Platform) -> int:
    args = platform.args
    show = platform.progress.transfer(f"uploading {args.file}")
    file = await platform.mm.files.upload(args.file, purpose=args.purpose, on_progress=show)
    platform.show([file.id], _document(file))
    return 0


async def _get(platform: Platform) -> int:
    args = platform.args
    check_out(args.out, force=args.force)
    file = await platform.mm.files.get(args.file_id)
    stem, dot, suffix = (file.name or f"file-{file.id}").rpartition(".")
    suffix_known = f".{suffix.lower()}" if stem and dot else ".bin"
    path = name_result(stem or suffix, suffix_known, out=absolute(args.out), force=args.force)
    path.parent.mkdir(parents=True, exist_ok=True)
    show = platform.progress.transfer(f"saving {path.name}")
    saved = await platform.mm.files.save(args.file_id, path, on_progress=show, force=args.force)
    platform.show([saved.path], {"path": str(saved.path), "bytes": saved.size_bytes})
    return 0


async def _info(platform: Platform) -> int:
    file = await platform.mm.files.get(platform.args.file_id)
    lines = [
        f"id       {file.id}",
        f"name     {file.name}",
        f"purpose  {file.purpose}",
        f"size     {readable_size(file.size_bytes) if file.size_bytes else 'not told'}",
        f"created  {_when(file.created)}",
    ]
    platform.show(lines, _document(file))
    return 0


async def _delete(platform: Platform) -> int:
    await platform.mm.files.delete(platform.args.file_id)
    platform.show([platform.args.file_id], {"file_id": platform.args.file_id, "deleted": True})
    return 0


def _document(file: FileInfo) -> dict[str, Any]:
    """Without its link, which is a secret."""
    return {
        "file_id": file.id,
        "name": file.name,
        "purpose": file.purpose,
        "bytes": file.size_bytes,
        "created": file.created,
    }


def _when(unix_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(unix_s)) if unix_s > 0 else "not told"
