"""Say a text, or a stream of text on standard input (`-`), as it arrives: on the speaker, or into a file."""

from __future__ import annotations

import argparse
import asyncio
import functools
from collections.abc import AsyncIterator, Callable

from realtime_client.files import check_writable, write_sound
from realtime_client.player import PartKey
from realtime_client.speaker import Speaker

from realtime.commands.common import add_config, add_setting, load
from realtime.commands.stdin import read_stream
from realtime.core.chunker import ChunkRules
from realtime.errors import ConfigError, provider_error
from realtime.providers.base import Speech, Voice
from realtime.replying.speech_feed import ChunkAudio, SpeechFeed

PART = PartKey("say", 0)
# Nobody listens to a file while it is written: few large requests, and none waits for playback.
AT_ONCE = ChunkRules(lead_s=float("inf"), refill_s=float("inf"), cap_chars=1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", metavar="TEXT", help="what to say; - reads it from standard input as it comes"
    )
    parser.add_argument("--out", metavar="FILE", help="save as .wav or .mp3 instead of playing")
    add_setting(parser, "--voice", "voice_id", "ID", "voice of the platform")
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 once everything was heard or saved. Raises ClientError, ConfigError and ProviderError."""
    return asyncio.run(_say(args))


async def _say(args: argparse.Namespace) -> int:
    if args.out:
        check_writable(args.out)
    settings = load(args).settings
    from realtime.server.runtime import open_providers

    async with open_providers(settings) as providers:
        voice = Voice(settings.voice_id)
        providers.speech.prewarm(voice)
        if args.out:
            sound = bytearray()
            await _speak(providers.speech, voice, AT_ONCE, _text(args.text), sound.extend)
            write_sound(args.out, bytes(sound))
            return 0
        async with Speaker() as speaker:
            play = functools.partial(speaker.player.write, PART)
            await _speak(providers.speech, voice, ChunkRules(), _text(args.text), play)
            speaker.player.end(PART)
            await speaker.drained()
    return 0


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

    Raises ConfigError for a text without a word, and ProviderError.
    """
    spoken = False
    feed = SpeechFeed(speech, voice, rules=rules)

    async def read() -> None:
        async for fragment in text:
            feed.feed(fragment)
        feed.finish()

    try:
        async with asyncio.TaskGroup() as group, feed.speaking() as events:
            group.create_task(read())
            async for event in events:
                if isinstance(event, ChunkAudio):
                    sink(event.pcm)
                    spoken = True
    except ExceptionGroup as failures:
        raise provider_error(failures) from failures
    if not spoken:
        raise ConfigError("There is nothing to say: the text has no word.")
