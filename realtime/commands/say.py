"""Say a text, or a stream of text on standard input (`-`), as it arrives: on the speaker, or into a file."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import functools
import importlib
from collections.abc import AsyncIterator, Callable

from realtime_client.files import check_writable
from realtime_client.player import PartKey
from realtime_client.speaker import Speaker

from realtime.commands import interruptible
from realtime.commands.common import (
    add_account,
    add_address,
    add_config,
    add_setting,
    add_speed,
    deaf,
    load,
    sign_after,
    sign_of_life,
    without_warnings,
)
from realtime.commands.health import the_platform
from realtime.commands.own_stderr import own_stderr
from realtime.commands.said_file import said_file
from realtime.commands.stdin import read_stream
from realtime.core.characters import pronounceable
from realtime.core.chunker import ChunkRules
from realtime.core.normalize import said_of
from realtime.core.spoken_form import spoken_form
from realtime.errors import ConfigError, InvalidArgument, provider_error
from realtime.providers.base import Speech, Voice
from realtime.replying.speech_feed import ChunkAudio, SpeechFeed
from realtime.settings import Settings

NOTHING = "There is nothing to say: the text has no word."
FILE_WAIT_S = 90.0  # for the account's requests: a file has time
WAITING, WAITING_S = "Waiting for the voice ...", 2.0
PART = PartKey("say", 0)
# Nobody listens to a file while it is written: few large requests, and none waits for playback.
AT_ONCE = ChunkRules(lead_s=float("inf"), refill_s=float("inf"), cap_chars=1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", metavar="TEXT", help="what to say; - reads it from standard input as it comes"
    )
    parser.add_argument("--out", metavar="FILE", help="save as .wav or .mp3 instead of playing; replaces it")
    add_setting(parser, "--voice", "voice_id", "ID", "voice of the platform: `realtime voices` lists them")
    add_speed(parser, 2)
    add_setting(parser, "--model", "speech_model", "NAME", "speech model, like speech-2.8-hd")
    add_address(parser)
    add_account(parser)
    add_config(parser)


def prepare(args: argparse.Namespace) -> None:
    """Import what speech needs, while Ctrl-C still ends the process at once."""
    importlib.import_module("realtime.server.runtime")


def run(args: argparse.Namespace) -> int:
    """Exit status 0 once everything was heard or saved. Raises ClientError, ConfigError and ProviderError."""
    with own_stderr(not args.out):
        return interruptible.run(_say, args)


async def _say(args: argparse.Namespace) -> int:
    loaded = load(args)
    settings = deaf(loaded.settings)
    encoded = _platform_encodes(args, settings)
    if args.out:
        check_writable(args.out, encodes=not encoded)
    if args.text != "-" and not _pronounceable(args.text):
        raise ConfigError(NOTHING)
    if args.out:
        settings = dataclasses.replace(settings, budget_wait_s=max(settings.budget_wait_s, FILE_WAIT_S))
    with without_warnings(loaded):
        async with the_platform(settings):
            return await _said(args, settings, encoded)


async def _said(args: argparse.Namespace, settings: Settings, encoded: bool) -> int:
    from realtime.server.runtime import open_runtime

    async with open_runtime(settings) as runtime:
        if encoded:
            from realtime.commands.say_mp3 import mp3

            with said_file(args.out, mp3=True) as file:
                async with sign_of_life(WAITING, WAITING_S):
                    await mp3(runtime.settings, _text(args.text), args.speed, file.add)
            return 0
        speech, voice = runtime.providers.speech, Voice(settings.voice_id, speed=args.speed or 1.0)
        speech.prewarm(voice)
        if args.out:
            with said_file(args.out, mp3=False) as file:
                await _speak(speech, voice, AT_ONCE, _text(args.text), file.add)
            return 0
        async with Speaker(instead="save the audio with `--out FILE`") as speaker:
            play = functools.partial(speaker.player.write, PART)
            await _speak(speech, voice, ChunkRules(), _text(args.text), play)
            speaker.player.end(PART)
            await speaker.drained()
    return 0


def _platform_encodes(args: argparse.Namespace, settings: Settings) -> bool:
    """Whether the file comes from the platform as it is wanted: then no other package has to encode it."""
    return bool(args.out) and args.out.lower().endswith(".mp3") and settings.speech_provider == "minimax"


def _pronounceable(text: str) -> bool:
    return pronounceable(spoken_form(said_of(text))[0])


async def _text(text: str) -> AsyncIterator[str]:
    if text != "-":
        yield text
        return
    async for fragment in read_stream():
        yield fragment


async def _speak(
    speech: Speech,
    voice: Voice,
    rules: ChunkRules,
    text: AsyncIterator[str],
    sink: Callable[[bytes], None],
) -> None:
    """The text as PCM into `sink`, by the same clock as an answer in a conversation.

    Raises ConfigError for a text without a word, InvalidArgument for what is no text, and ProviderError.
    """
    spoken = False
    sign: asyncio.TimerHandle | None = None
    feed = SpeechFeed(speech, voice, rules=rules)

    async def read() -> None:
        nonlocal sign
        async for fragment in text:
            feed.feed(fragment)
            sign = sign or sign_after(WAITING_S, WAITING)
        feed.finish()

    try:
        async with asyncio.TaskGroup() as group, feed.speaking() as events:
            group.create_task(read())
            async for event in events:
                if isinstance(event, ChunkAudio):
                    sink(event.pcm)
                    if sign is not None:
                        sign.cancel()
                    spoken = True
    except ExceptionGroup as failures:
        if refused := next((each for each in failures.exceptions if isinstance(each, InvalidArgument)), None):
            raise refused from None
        raise provider_error(failures) from failures
    finally:
        if sign is not None:
            sign.cancel()
    if not spoken:
        raise ConfigError(NOTHING)
