"""Ask one question and hear the answer; its words are printed as they sound."""

from __future__ import annotations

import argparse
from contextlib import AsyncExitStack

from realtime_client.captions import Screen
from realtime_client.files import FileSpeaker, check_writable
from realtime_client.keyboard import without_echo
from realtime_client.speaker import Speaker
from realtime_client.terminal import Terminal

from realtime.commands import interruptible
from realtime.commands.common import add_conversation, prepare_server, target
from realtime.commands.own_stderr import own_stderr
from realtime.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", help="the question")
    parser.add_argument("--out", metavar="FILE", help="save the answer as .wav or .mp3 instead of playing it")
    add_conversation(parser)


prepare = prepare_server


def run(args: argparse.Namespace) -> int:
    """Exit status 0 once the answer has been heard, 1 if it failed. Raises ClientError and ConfigError."""
    with without_echo():
        return interruptible.run(_ask, args)


async def _ask(args: argparse.Namespace) -> int:
    if not args.text.strip():
        raise ConfigError("The question is empty: write it in quotes, after `ask`.")
    if args.out:
        check_writable(args.out)
    speaker = FileSpeaker(paced=False) if args.out else Speaker(instead="save the answer with `--out FILE`")
    async with AsyncExitStack() as stack:
        stack.enter_context(own_stderr(not args.out))
        server = await stack.enter_async_context(target(args, hears=False, greets=False))
        if isinstance(speaker, FileSpeaker):
            stack.callback(speaker.save, args.out)  # also what came before Ctrl-C or a failure
        conversation = await stack.enter_async_context(server.connected(speaker=speaker))
        terminal = Terminal(conversation, Screen())
        if isinstance(speaker, FileSpeaker):
            terminal.on_refused = speaker.heard.clear  # the greeting of that server
        await terminal.run(terminal.ask(args.text))
    return 1 if terminal.failures or not terminal.answers else 0
