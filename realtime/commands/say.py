"""Say a text, or a stream of text on standard input (`-`), as it arrives: on the speaker, or into a file."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from realtime_client.files import check_writable, write_sound
from realtime_client.player import PartKey
from realtime_client.speaker import Speaker

from realtime.commands.common import add_config, add_setting, load
from realtime.commands.stdin import read_stream
from realtime.core.chunker import Chunker, ChunkRules
from realtime.core.speakable import SpeakableFilter
from realtime.providers.base import Speech, SpeechAudio, SpeechPieceDone, Utterance, Voice

PART = PartKey("say", 0)
AT_ONCE = ChunkRules(lead_s=float("inf"))  # nobody listens to a file while it is written


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
        providers.speech.warm(voice)
        reading = Reading(providers.speech, voice, AT_ONCE if args.out else ChunkRules())
        if args.out:
            sound = bytearray()
            async for pcm in reading.sound(_text(args.text)):
                sound += pcm
            write_sound(args.out, bytes(sound))
            return 0
        async with Speaker() as speaker:
            async for pcm in reading.sound(_text(args.text)):
                speaker.player.write(PART, pcm)
            speaker.player.end(PART)
            await speaker.drained()
    return 0


async def _text(text: str) -> AsyncIterator[str]:
    if text != "-":
        yield text
        return
    async for piece in read_stream():
        yield piece


class Reading:
    """One text becoming sound: the same pieces, by the same clock, as an answer in a conversation."""

    def __init__(self, speech: Speech, voice: Voice, rules: ChunkRules) -> None:
        self._speech = speech
        self._voice = voice
        self._filter = SpeakableFilter()
        self._chunker = Chunker(rules)
        self._chunker.latency(speech.latency_s(voice))
        self._wake = asyncio.Event()
        self._received_ms: dict[int, float] = {}

    async def sound(self, text: AsyncIterator[str]) -> AsyncIterator[bytes]:
        """PCM as it arrives. Raises ProviderError."""
        async with self._speech.open(self._voice) as utterance:
            tasks = [asyncio.create_task(self._read(text)), asyncio.create_task(self._feed(utterance))]
            try:
                async with aclosing(utterance.events()) as events:
                    async for event in events:
                        if isinstance(event, SpeechAudio):
                            self._progress(event.piece, len(event.pcm) / 2 * 1000 / self._voice.rate)
                            yield event.pcm
                        elif isinstance(event, SpeechPieceDone):
                            self._progress(event.piece, 0.0, complete=True)
                for task in tasks:
                    await task
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _progress(self, piece: int, ms: float, *, complete: bool = False) -> None:
        total_ms = self._received_ms.get(piece, 0.0) + ms
        self._received_ms[piece] = total_ms
        self._chunker.audio(piece, total_ms, complete, asyncio.get_running_loop().time())
        self._wake.set()

    async def _read(self, text: AsyncIterator[str]) -> None:
        now = asyncio.get_running_loop().time
        async for piece in text:
            self._chunker.feed(self._filter.feed(piece), now())
            self._wake.set()
        self._chunker.feed(self._filter.finish(), now())
        self._chunker.finish(now())
        self._wake.set()

    async def _feed(self, utterance: Utterance) -> None:
        try:
            while not self._chunker.done:
                self._wake.clear()
                self._chunker.budget(self._speech.requests_left())
                for chunk in self._chunker.poll(asyncio.get_running_loop().time()):
                    if chunk.spoken:  # only the last chunk may have nothing to say
                        await utterance.say(chunk.spoken)
                if not self._chunker.done:
                    await self._news(self._chunker.deadline())
        finally:
            utterance.finish()

    async def _news(self, deadline_s: float | None) -> None:
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._wake.wait()
        except TimeoutError:
            return
