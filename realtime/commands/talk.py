"""Talk: microphone in, speaker and captions out. Interrupt whenever you like, end with Ctrl-C.

Without --headphones the microphone rests while the answer sounds, so that it does not hear itself; with them you can
speak into an answer and it stops.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from realtime_client import Conversation, DeviceError, Microphone, connect
from realtime_client.captions import Screen
from realtime_client.files import FileMicrophone, FileSpeaker, check_writable, read_sound, write_sound
from realtime_client.speaker import Speaker
from realtime_client.terminal import Terminal

from realtime.commands.checks import refuse_foreign_packages
from realtime.commands.common import Target, add_conversation, target
from realtime.commands.stdin import read_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--text", action="store_true", help="type instead of speaking")
    how.add_argument(
        "--wav", metavar="FILE", help="play this file in as the microphone, hear the answer, leave"
    )
    how.add_argument("--headphones", action="store_true", help="listen while speaking: interrupt by voice")
    parser.add_argument(
        "--save", metavar="FILE", help="save what is answered as .wav or .mp3, do not play it"
    )
    add_conversation(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 at the end of the conversation, Ctrl-C included; 1 if an answer failed."""
    try:
        return asyncio.run(_talk(args))
    except KeyboardInterrupt:
        print()
        return 0


async def _talk(args: argparse.Namespace) -> int:
    refuse_foreign_packages()
    if args.save:
        check_writable(args.save)
    said = read_sound(args.wav) if args.wav else None
    screen = Screen()
    async with AsyncExitStack() as stack:
        output = await _open_output(args, stack, screen)
        microphone = None if args.text or args.wav else await stack.enter_async_context(Microphone())
        server = await stack.enter_async_context(target(args))
        if isinstance(output, FileSpeaker):
            stack.callback(_save, args.save, output)
        conversation = await stack.enter_async_context(_connect(server, output))
        terminal = Terminal(conversation, output, screen, headphones=args.headphones or said is not None)
        if said is not None:
            file = FileMicrophone(said)
            await terminal.run(terminal.speak(file), terminal.hear_out(file.finished))
        elif microphone is not None:
            screen.note("Listening. Speak; Ctrl-C ends the conversation.")
            await terminal.run(terminal.speak(microphone))
        else:
            if sys.stdin.isatty():
                screen.note("Type a line and press Enter; Ctrl-D ends the conversation.")
            await terminal.run(terminal.type(read_lines(), patient=not sys.stdin.isatty()))
    return 1 if terminal.failures else 0


async def _open_output(
    args: argparse.Namespace, stack: AsyncExitStack, screen: Screen
) -> FileSpeaker | Speaker | None:
    """The speaker or the file; a typed conversation goes on without either."""
    try:
        return await stack.enter_async_context(FileSpeaker() if args.save else Speaker())
    except DeviceError as error:
        if not args.text:
            raise
        screen.note(f"Answers in writing only. {error}")
        return None


def _connect(
    server: Target, output: FileSpeaker | Speaker | None
) -> AbstractAsyncContextManager[Conversation]:
    session = dict(server.session or {})
    if output is None:
        session["output_modalities"] = ["text"]
    return connect(server.url, server.api_key, session=session or None)


def _save(path: str, output: FileSpeaker) -> None:
    if output.heard:
        write_sound(path, bytes(output.heard))
