"""Code for several commands: flags for settings, the settings file, a server in this process."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import importlib
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime import logs
from realtime.errors import ConfigError, for_operator
from realtime.settings import Settings
from realtime.settings.accounts import only
from realtime.settings.load import TOML_NAME, Loaded, load_settings, secrets_of, settings_file
from realtime.settings.readers import key

if TYPE_CHECKING:
    from realtime_client import Conversation

SIGN_AFTER_S = 1.0
GIVE_KEY = "Give it with --api-key or REALTIME_API_KEYS (MINIMAX_API_KEY is the platform's)."
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


def add_key(parser: argparse.ArgumentParser, whose: str) -> None:
    """Add `--api-key`. The environment is the better place: other users of a machine can see its command lines."""
    parser.add_argument("--api-key", metavar="KEY", help=f"{whose}; others can see a command line")


def add_address(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where the platform is, and who asks."""
    add_setting(parser, "--url", "base_url", "URL", "the platform's address (better: MINIMAX_BASE_URL)")
    add_key(parser, "the platform's key (better: MINIMAX_API_KEY)")


def add_account(parser: argparse.ArgumentParser) -> None:
    """Add the flag that says which of several accounts asks."""
    parser.add_argument(
        "--account", metavar="NAME", help="one of the accounts in the settings (default: the first)"
    )


def add_speed(parser: argparse.ArgumentParser, most: float) -> None:
    """Add `--speed`, from 0.5 to `most`."""

    def speed(word: str) -> float:
        problem = argparse.ArgumentTypeError(f"{word} is not a number from 0.5 to {most:g}")
        try:
            number = float(word)
        except ValueError:
            raise problem from None
        if not 0.5 <= number <= most:  # also refuses nan
            raise problem
        return number

    parser.add_argument(
        "--speed", type=speed, metavar="X", help=f"how fast the voice speaks: 0.5 to {most:g}"
    )


def load(args: argparse.Namespace) -> Loaded:
    """The effective settings of this command. Raises ConfigError."""
    flags = {
        name.removeprefix(_PREFIX): value
        for name, value in vars(args).items()
        if name.startswith(_PREFIX) and value is not None
    }
    given = getattr(args, "api_key", None)
    if given is not None and not getattr(args, "url", None):  # with the URL of a server it is that server's
        flags["api_key"] = given
    loaded = load_settings(flags, args.environ, Path(args.config) if args.config else settings_file())
    name = getattr(args, "account", None)
    if name is None:
        return loaded
    settings = only(loaded.settings, name)
    other = settings.api_key != loaded.settings.api_key
    return dataclasses.replace(loaded, settings=settings, account=name if other else None)


def add_conversation(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the commands that hold a conversation."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help="a running server, like https://host or ws://127.0.0.1:8000 (default: start one in this process)",
    )
    add_key(
        parser,
        "with --url: the key of that server (better: REALTIME_API_KEYS); without: the platform's (better: "
        "MINIMAX_API_KEY)",
    )
    parser.add_argument("--ca-file", metavar="FILE", help="trust the certificates in this file too (PEM)")
    parser.add_argument("--insecure", action="store_true", help="trust any certificate: others can listen in")
    add_setting(parser, "--voice", "voice_id", "ID", "voice of the platform: `realtime voices` lists them")
    add_speed(parser, 1.5)
    add_setting(parser, "--model", "chat_model", "NAME", "chat model")
    add_setting(
        parser, "--language", "language", "CODE", "language you speak, like en or zh (default: detected)"
    )
    add_config(parser)


@dataclass(frozen=True, slots=True)
class Target:
    """The server of a conversation: URL, key, session settings to send, and what `connect` takes besides."""

    url: str
    api_key: str | None
    session: dict[str, Any] | None
    options: dict[str, Any] = field(default_factory=dict)

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[Conversation]:
        """`connect` with this server, and a sign of life on stderr if it takes longer than a moment."""
        given = {"session": self.session, **self.options, **options}
        async with AsyncExitStack() as stack:
            async with sign_of_life(f"Connecting to {self.url} ..."):
                talk = await stack.enter_async_context(self._connected(given))
            asked, answers = given.get("model"), talk.session.get("model")
            if asked and answers and asked != answers:  # a server answers with its own (docs/wire.md 1)
                print(
                    f"realtime: The server answers with its chat model {answers}, not {asked}.",
                    file=sys.stderr,
                )
            yield talk

    @asynccontextmanager
    async def _connected(self, options: dict[str, Any]) -> AsyncIterator[Conversation]:
        """`connect`. A key that is missing or wrong is told in words of the command line."""
        from realtime_client import (  # not for the commands that hold no conversation
            ConnectionFailed,
            connect,
        )

        async with AsyncExitStack() as stack:
            try:
                talk = await stack.enter_async_context(connect(self.url, self.api_key, **options))
            except ConnectionFailed as error:
                if error.code != "invalid_api_key":
                    raise
                problem = str(error) if self.api_key else "This server needs a key of its own."
                raise ConnectionFailed(f"{problem} {GIVE_KEY}", error.code) from None
            yield talk


@asynccontextmanager
async def sign_of_life(sentence: str, after_s: float = SIGN_AFTER_S) -> AsyncIterator[None]:
    """Say on stderr what is waited for, if the block takes longer than a moment."""

    timer = sign_after(after_s, sentence)
    try:
        yield
    finally:
        timer.cancel()


def sign_after(after_s: float, sentence: str) -> asyncio.TimerHandle:
    """Say this on stderr after a while, unless it is cancelled."""

    def say() -> None:
        print(f"realtime: {sentence}", file=sys.stderr, flush=True)

    return asyncio.get_running_loop().call_later(after_s, say)


@asynccontextmanager
async def target(
    args: argparse.Namespace, *, hears: bool = True, greets: bool = True
) -> AsyncIterator[Target]:
    """The server that `--url` names, or one in this process that runs until the block ends.

    Not `hears`: it gets no audio, so it loads nothing that listens. Not `greets`: it waits for the first question.
    """
    loaded = load(args)
    settings = loaded.settings
    session = _session_fields(args, settings)
    if args.url:
        from realtime_client import tls_context

        tls = args.ca_file or args.insecure
        context = tls_context(args.ca_file, insecure=args.insecure) if tls else None
        model = getattr(args, _PREFIX + "chat_model")
        api_key = _server_key(args, settings)
        yield Target(args.url, api_key, session, {"ssl_context": context, "model": model})
        return
    from realtime.server.run import running

    # only for this conversation: any free port of this machine, not the one for `serve`
    private = dataclasses.replace(settings, host="127.0.0.1", port=0, tls_cert=None, tls_key=None)
    if not hears:
        private = deaf(private)
    if not greets:
        private = dataclasses.replace(private, greeting=None)
    with without_warnings(loaded), for_operator():
        async with running(private) as server:
            yield Target(server.url, private.api_keys[0] if private.api_keys else None, session)


def without_warnings(loaded: Loaded) -> AbstractContextManager[None]:
    """The log of a command. Warnings are in it only if they are asked for: what concerns the person is said anyway."""
    settings = loaded.settings
    level = "error" if loaded.origins["log_level"] == "default" else settings.log_level
    return logs.configured(level, settings.log_format, secrets_of(settings))


def deaf(settings: Settings) -> Settings:
    """The same, but nothing is loaded that listens."""
    return dataclasses.replace(settings, transcriber="none", voice_detector="none", end_of_turn_model="none")


def prepare_server(args: argparse.Namespace) -> None:
    """Import what a server in this process needs, before anything runs that Ctrl-C would have to end."""
    if not args.url:
        importlib.import_module("realtime.server.run")


def _server_key(args: argparse.Namespace, settings: Settings) -> str | None:
    """The key of the server at `--url`. Raises ConfigError for one that no header can carry."""
    if args.api_key is None:
        return settings.api_keys[0] if settings.api_keys else None
    try:
        return key(args.api_key)
    except ValueError as problem:
        raise ConfigError(f"--api-key must be {problem}.") from None


def _session_fields(args: argparse.Namespace, settings: Settings) -> dict[str, Any] | None:
    """The session settings from the flags. A server in this process has all but the speed from the settings."""
    output: dict[str, Any] = {}
    audio: dict[str, Any] = {}
    if args.url and getattr(args, _PREFIX + "voice_id"):
        output["voice"] = settings.voice_id
    if args.speed is not None:
        output["speed"] = args.speed
    if output:
        audio["output"] = output
    if args.url and getattr(args, _PREFIX + "language") and settings.language:
        audio["input"] = {"transcription": {"language": settings.language}}
    return {"audio": audio} if audio else None
