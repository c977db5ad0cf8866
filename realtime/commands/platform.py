"""Code for all commands that use the platform: flags, the client or the built-in sandbox, costs, results on stdout.

A command is a coroutine function that takes a `Platform`; `run_on_platform` opens one for it. Knows no endpoint.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.commands import interruptible
from realtime.commands.common import add_account, add_address, add_config, load
from realtime.commands.extra import parse_extra
from realtime.commands.health import the_platform
from realtime.commands.progress import Progress, open_progress, spoken_s
from realtime.commands.stdin import read_line
from realtime.errors import RealtimeError
from realtime.settings import Settings
from realtime.settings.load import Loaded, secrets_of
from realtime.settings.together import SANDBOX_KEY
from realtime.task_records import TaskRecords, request_leaves, request_waits

if TYPE_CHECKING:  # where it is used, it is imported: much of it, and a list of tasks sends nothing
    from realtime.commands.dry_run import Recorder
    from realtime.minimax.client import MiniMax
    from realtime.minimax.door import Pause

BUILT_IN = "the built-in sandbox"
_SHOWN_PAUSE_S = 2.0
_LIMITS = {
    "limit": "for the limit of requests a minute",
    "in_flight": "or so: as many tasks as the account allows are unfinished",
}


class Declined(RealtimeError):
    """The user said no to the cost: nothing was sent."""


def add_platform(
    parser: argparse.ArgumentParser, *, buys: bool = False, waits: bool = False, writes: bool = False
) -> None:
    """Add the flags of a platform command: those of all, and those for buying, waiting for tasks, writing files."""
    if writes:
        parser.add_argument("-o", "--out", metavar="PATH", help="file or folder for the result")
        parser.add_argument("--force", action="store_true", help="overwrite files")
    if waits:
        parser.add_argument("--no-wait", action="store_true", help="print the id of the task and end")
    if buys:
        parser.add_argument("-y", "--yes", action="store_true", help="do not ask before something that costs")
        parser.add_argument("--dry-run", action="store_true", help="check, print the request, send nothing")
        parser.add_argument(
            "--set",
            dest="extra",
            action="append",
            default=[],
            metavar="FIELD=JSON",
            help="another field of the request, like seed=7 or voice_setting.pitch=2",
        )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, errors too")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    add_address(parser)
    add_account(parser)
    add_config(parser)


@dataclass(frozen=True, slots=True)
class Platform:
    """What a command works with. `sandbox`: nothing costs anything; `address` names the platform in records."""

    mm: MiniMax
    settings: Settings
    args: argparse.Namespace
    records: TaskRecords
    progress: Progress
    sandbox: bool
    address: str

    @property
    def extra(self) -> dict[str, Any]:
        """The fields of `--set`, for the client's `extra=`. Raises InvalidArgument."""
        return parse_extra(getattr(self.args, "extra", ()))

    async def confirm_cost(self, counted: str) -> None:
        """Say what is bought, like "4 pictures", and ask on a terminal. Raises Declined.

        Without a terminal nobody can answer, so a script goes on; against the sandbox and in a dry run nothing is said.
        """
        if self.sandbox or getattr(self.args, "dry_run", False):
            return
        asks = not self.args.yes and sys.stdin.isatty() and sys.stderr.isatty()
        if not asks:
            self.progress.say(f"This costs: {counted}.")
            return
        self.progress.clear()
        print(f"This costs: {counted}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        if (await read_line()).strip().lower() not in ("y", "yes"):
            raise Declined("Nothing was sent.")

    def show(self, lines: Iterable[str | os.PathLike[str]], document: Mapping[str, Any]) -> None:
        """The result on stdout: its lines (paths), or with `--json` the document. Call it once."""
        self.progress.clear()
        if self.args.json:
            print_json(document)
            return
        for line in lines:
            print(os.fspath(line))
        sys.stdout.flush()


def run_on_platform(args: argparse.Namespace, command: Callable[[Platform], Awaitable[int]]) -> int:
    """Run one command to its end; its exit status. With `--dry-run` its first request is printed and not sent.

    Raises what the command raises, and ConfigError for settings that cannot work.
    """
    return interruptible.run(_run, args, command)


async def _run(args: argparse.Namespace, command: Callable[[Platform], Awaitable[int]]) -> int:
    if not getattr(args, "dry_run", False):
        async with open_platform(args) as platform:
            try:
                return await command(platform)
            except asyncio.CancelledError:
                if platform.records.lost and platform.address != BUILT_IN:
                    platform.progress.say(
                        "It was sent, so it may be charged. To see what became of it: realtime tasks"
                    )
                raise
    async with _open_dry(args) as (platform, recorder):
        try:
            return await command(platform)
        except RealtimeError:
            if recorder.request is None:
                raise  # refused here: that is what a dry run is for
    print_json(recorder.request)
    return 0


@asynccontextmanager
async def open_platform(args: argparse.Namespace) -> AsyncIterator[Platform]:
    """The platform of the settings. Without a key the built-in sandbox runs until the end of the block.

    Raises ConfigError.
    """
    loaded = load(args)
    settings, address = loaded.settings, _address(loaded)
    async with AsyncExitStack() as stack:
        progress = stack.enter_context(open_progress(quiet=args.quiet))
        base_url = settings.base_url
        if settings.use_sandbox:
            from realtime.sandbox.server import Sandbox

            base_url = (await stack.enter_async_context(Sandbox(records=False))).url
            address = BUILT_IN
            print("No key is set: the built-in sandbox answers.", file=sys.stderr, flush=True)
        mm = await stack.enter_async_context(client_of(settings, base_url, progress))
        sandbox = settings.api_key in (None, SANDBOX_KEY)
        records = records_of(args, settings, None if args.quiet else progress.say)
        await stack.enter_async_context(the_platform(settings))
        yield Platform(mm, settings, args, records, progress, sandbox, address)


@asynccontextmanager
async def _open_dry(args: argparse.Namespace) -> AsyncIterator[tuple[Platform, Recorder]]:
    """A platform that refuses everything after writing it down; its records are thrown away."""
    from realtime.commands.dry_run import Recorder

    loaded = load(args)
    settings = loaded.settings
    with (
        tempfile.TemporaryDirectory(prefix="realtime-dry-run-") as folder,
        open_progress(quiet=True) as progress,
    ):
        async with Recorder(settings.base_url) as recorder, client_of(settings, recorder.url, progress) as mm:
            records = TaskRecords(Path(folder))
            yield (
                Platform(mm, settings, args, records, progress, True, _address(loaded)),
                recorder,
            )


def _address(loaded: Loaded) -> str:
    """What records call the platform: its tasks, files and voices are the account's."""
    base_url = loaded.settings.base_url
    return base_url if loaded.account is None else f"{base_url} (account {loaded.account})"


def client_of(settings: Settings, base_url: str, progress: Progress) -> MiniMax:
    """The client of every command: long waits before a request are said, and a record knows whether it was sent."""
    from realtime.minimax.client import MiniMax

    def on_pause(pause: Pause) -> None:
        request_waits(billed=pause.operation.billed)
        if pause.wait_s >= _SHOWN_PAUSE_S:
            why = _LIMITS.get(pause.reason) or f"({pause.error})"
            progress.say(f"Waiting {spoken_s(pause.wait_s)} {why}")

    mm = MiniMax(
        settings.api_key or SANDBOX_KEY,
        base_url,
        settings.speech_urls if base_url == settings.base_url else (),
        settings.group_id,
        on_pause=on_pause,
        chat_model=settings.chat_model,
        speech_model=settings.speech_model,
        voice_id=settings.voice_id,
    )
    for door in (mm.door, mm.speech.door):
        door.on_send = lambda operation: request_leaves(billed=operation.billed)
    return mm


def records_of(
    args: argparse.Namespace, settings: Settings, warn: Callable[[str], None] | None = None
) -> TaskRecords:
    """The records of this user; keys in the settings are blanked in them. `warn` is stderr unless given."""
    return TaskRecords(state_folder(args.environ), secrets=secrets_of(settings), warn=warn or _warn)


def _warn(sentence: str) -> None:
    """Also with --quiet: it is about what was paid for."""
    print(sentence, file=sys.stderr, flush=True)


def state_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where records are kept: XDG_STATE_HOME, else the usual place of the system."""
    home = Path(environ.get("HOME") or Path.home())
    base = Path(environ.get("XDG_STATE_HOME") or "")
    if not base.is_absolute():  # unset, or relative, which the XDG specification ignores
        mac = platform == "darwin"
        base = home / "Library" / "Application Support" if mac else home / ".local" / "state"
    return base / "minimax-realtime" / "tasks"


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str), flush=True)
