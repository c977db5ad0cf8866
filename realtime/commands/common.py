"""Code for several commands: flags for settings, the settings file, a server in this process."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.settings import Settings
from realtime.settings.load import TOML_NAME, Loaded, load_settings, settings_file

_PREFIX = "setting_"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the flag for another settings file."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=f"settings file (default: {TOML_NAME} in this directory, if it exists)",
    )


def add_setting(parser: argparse.ArgumentParser, flag: str, field: str, metavar: str, help: str) -> None:
    """Add a flag that sets one field of `Settings`; it overrides the environment."""
    parser.add_argument(flag, dest=_PREFIX + field, metavar=metavar, help=help)


def add_setting_switch(parser: argparse.ArgumentParser, flag: str, field: str, help: str) -> None:
    """Add a flag without a value that sets one field of `Settings` to yes."""
    parser.add_argument(flag, dest=_PREFIX + field, action="store_const", const="yes", help=help)


def load(args: argparse.Namespace) -> Loaded:
    """The effective settings of this command. Raises ConfigError."""
    flags = {
        name.removeprefix(_PREFIX): value
        for name, value in vars(args).items()
        if name.startswith(_PREFIX) and value is not None
    }
    return load_settings(flags, args.environ, Path(args.config) if args.config else settings_file())


def add_conversation(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the commands that hold a conversation."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help="a running server, like ws://127.0.0.1:8000 (default: start one in this process)",
    )
    add_setting(parser, "--voice", "voice_id", "ID", "voice of the platform")
    add_setting(
        parser, "--language", "language", "CODE", "language you speak, like en or zh (default: detected)"
    )
    add_config(parser)


@dataclass(frozen=True, slots=True)
class Target:
    """The server of a conversation: URL, key, and session settings to send."""

    url: str
    api_key: str | None
    session: dict[str, Any] | None


@asynccontextmanager
async def target(args: argparse.Namespace) -> AsyncIterator[Target]:
    """The server that `--url` names, or one in this process that runs until the block ends."""
    settings = load(args).settings
    api_key = settings.api_keys[0] if settings.api_keys else None
    if args.url:
        yield Target(args.url, api_key, _session_fields(args, settings))
        return
    from realtime.server.run import running

    # only for this conversation: any free port of this machine, not the one for `serve`
    private = dataclasses.replace(settings, host="127.0.0.1", port=0, tls_cert=None, tls_key=None)
    async with running(private) as server:
        yield Target(server.url, api_key, None)


def _session_fields(args: argparse.Namespace, settings: Settings) -> dict[str, Any] | None:
    """The session settings from the flags, for a server with its own settings."""
    audio: dict[str, Any] = {}
    if getattr(args, _PREFIX + "voice_id"):
        audio["output"] = {"voice": settings.voice_id}
    if getattr(args, _PREFIX + "language") and settings.language:
        audio["input"] = {"transcription": {"language": settings.language}}
    return {"audio": audio} if audio else None
