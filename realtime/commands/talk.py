"""Talk with the microphone; the answers are played and shown as captions. Ctrl-C ends the conversation.

Without --headphones the microphone is muted while an answer is played, so that the assistant does not hear itself. With
--headphones you can interrupt: speak, and the answer stops.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import AsyncExitStack

from realtime_client import AudioInput, AudioOutput, Conversation, DeviceError, Microphone
from realtime_client.captions import Screen
from realtime_client.files import FileMicrophone, FileSpeaker, check_writable, read_sound
from realtime_client.keyboard import Keyboard, without_echo
from realtime_client.prompt import PromptPage, has_prompt_toolkit, is_dumb, plain_lines
from realtime_client.speaker import Speaker
from realtime_client.terminal import Terminal

from realtime.commands import interruptible
from realtime.commands.common import Target, add_conversation, prepare_server, target
from realtime.commands.foreign_packages import refuse_foreign_packages
from realtime.commands.own_stderr import own_stderr
from realtime.commands.stdin import read_lines
from realtime.minimax.file_source import in_waiting_thread

TYPE = "Type a line and press Enter; Ctrl-D ends the conversation."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--text", action="store_true", help="type instead of speaking")
    how.add_argument(
        "--wav", metavar="FILE", help="use this file instead of the microphone, and end after the answer"
    )
    how.add_argument(
        "--headphones",
        action="store_true",
        help="keep the microphone on during an answer: interrupt by voice",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="save the answers as .wav or .mp3 instead of playing them"
    )
    add_conversation(parser)


prepare = prepare_server


def run(args: argparse.Namespace) -> int:
    """Exit status 0 at the end of the conversation; 1 if an answer failed.

    Ctrl-C is how a conversation ends; before it has begun it raises KeyboardInterrupt as everywhere.
    """
    begun: list[Terminal] = []
    try:
        return interruptible.run(_talk, args, begun)
    except KeyboardInterrupt as end:
        if not begun or isinstance(end, interruptible.Terminated):
            raise
        print()
        return 0


async def _talk(args: argparse.Namespace, begun: list[Terminal]) -> int:
    refuse_foreign_packages()
    if args.out:
        check_writable(args.out)
    file = FileMicrophone(await in_waiting_thread(read_sound, args.wav)) if args.wav else None
    typed = args.text and sys.stdin.isatty() and sys.stdout.isatty()
    page = PromptPage() if typed and has_prompt_toolkit() and not is_dumb() else None
    screen = Screen(page)
    async with AsyncExitStack() as stack:
        # prompt_toolkit has the keyboard to itself, and lines that `tee` would read are seen as they are typed
        alone = page is None and (typed or not args.text)
        keyboard = stack.enter_context(without_echo(asks=typed)) if alone else Keyboard(None)
        stack.enter_context(own_stderr(not args.out or not (args.text or file)))
        server = await stack.enter_async_context(target(args, hears=not args.text))
        # what is typed interrupts nobody who waits for a file; a voice does
        speaker = (
            FileSpeaker(paced=not args.text)
            if args.out
            else Speaker(instead="save the answers with `--out FILE`")
        )
        if isinstance(speaker, FileSpeaker):
            stack.callback(speaker.save, args.out)
        microphone = (
            None
            if args.text
            else file or Microphone(instead="type with `--text`, or bring a recording with `--wav FILE`")
        )
        talk = await _connect(stack, server, speaker, microphone, args, screen)
        terminal = Terminal(talk, screen)
        begun.append(terminal)
        if file is not None:
            await terminal.run(terminal.hear_out(file.finished))
        elif microphone is not None:
            screen.note("Listening. Speak; Ctrl-C ends the conversation.")
            await terminal.run()
        elif typed:
            screen.note(TYPE)
            lines = page.lines() if page else plain_lines(terminal.settled, keyboard)
            await terminal.run(terminal.type(lines, echo=page is not None))
        else:
            if sys.stdin.isatty():
                screen.note(TYPE)
            await terminal.run(terminal.type(read_lines(), wait=True))
    return 1 if terminal.failures else 0


async def _connect(
    stack: AsyncExitStack,
    server: Target,
    speaker: AudioOutput,
    microphone: AudioInput | None,
    args: argparse.Namespace,
    screen: Screen,
) -> Conversation:
    """Connect; a typed conversation works without a speaker."""
    headphones = args.headphones or bool(args.wav)  # a file cannot hear the speaker
    by_voice = server.connected(speaker=speaker, microphone=microphone, headphones=headphones)
    try:
        return await stack.enter_async_context(by_voice)
    except DeviceError as error:
        if not args.text:
            raise
        screen.note(f"Answers in writing only. {error}")
    session = {**(server.session or {}), "output_modalities": ["text"]}
    return await stack.enter_async_context(server.connected(session=session))
