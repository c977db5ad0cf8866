"""Barge-in: how soon the server stops when a user keeps speaking, and which words its history keeps.

    python -m bench.barge_in [--rounds 12] [--json FILE]

Rows 7 and 9 of docs/architecture.md 4. A client plays a long story in real time and acknowledges its position. Then it
sends recorded speech. Word times come from the extension `words`, the times of frames from the clock of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.common import RATE, WireClient, connected, figures, load_average, now_s, pcm_of, server, table
from bench.latency import stream
from bench.microphone import Microphone, Speech, speech_of
from bench.platform import Platform, platform
from tests.clips import RATE as CLIP_RATE
from tests.clips import Clip, clips

SETS = (*stream(300, 80, 200), "speech.factor=1.2", "speech.connect_ms=400", "http.connect_ms=400")
MIN_S, MAX_S = 2.2, 3.2  # length of the interrupting speech
MIN_WORDS = 4  # "yes" over an answer is no interruption, however long its recording is
CLEAR_DB, NOISE_MS = -25.0, 100.0  # below the loudest 10 ms; what is softer for longer before it may be noise
ACK_EVERY_S = 0.1


@dataclass(frozen=True)
class BargeIn:
    """One interruption. Milliseconds."""

    clip: str
    confirmed: float  # true onset to `speech_started`
    last_audio: float  # `speech_started` to the last audio delta; negative if the delta came first
    kept_too_much: int  # words in the history that were not heard
    lost: int  # heard words that are missing in the history
    new_connections: int  # opened before the first audio of the next answer


@dataclass
class Result:
    rounds: list[BargeIn] = field(default_factory=list)
    missed: int = 0  # interruptions that the server did not detect
    load: float = 0.0


class Player:
    """Plays audio without a buffer, and acknowledges its position."""

    def __init__(self, client: WireClient) -> None:
        self._client = client
        self.item_id = ""
        self.started_s = 0.0
        self.received_ms = 0.0
        self.last_audio_s = 0.0
        self.words: list[dict[str, Any]] = []
        self.stopped = False

    @property
    def played_ms(self) -> float:
        return min((now_s() - self.started_s) * 1000, self.received_ms) if self.started_s else 0.0

    def receive(self, at_s: float, event: dict[str, Any]) -> None:
        match event["type"]:
            case "response.output_audio.delta":
                self.item_id = event["item_id"]
                self.started_s = self.started_s or at_s
                self.received_ms += len(pcm_of(event)) / 2 / RATE * 1000
                self.last_audio_s = at_s
            case "response.output_audio_words.delta":
                self.words += event["words"]

    async def acknowledge(self, state: str = "playing") -> float:
        played_ms = int(self.played_ms)
        await self._client.send(
            "output_audio_buffer.played", item_id=self.item_id, played_ms=played_ms, state=state
        )
        return played_ms

    async def run(self) -> None:
        while not self.stopped:
            await asyncio.sleep(ACK_EVERY_S)
            if self.item_id and not self.stopped:
                await self.acknowledge()


def continued_speech() -> list[Speech]:
    """Recordings of sentences whose onset is known."""
    long = [
        clip for clip in clips("en") if clip.seconds >= MIN_S and len(clip.transcript.split()) >= MIN_WORDS
    ]
    shortened = [replace(clip, samples=clip.samples[: int(MAX_S * CLIP_RATE)]) for clip in long]
    return [speech_of(clip) for clip in shortened if _begins_clearly(clip)]


def _begins_clearly(clip: Clip) -> bool:
    """Whether it does not begin with noise that is nearly as loud as the softest speech."""
    return speech_of(clip, CLEAR_DB).onset_ms - speech_of(clip).onset_ms <= NOISE_MS


async def barge_in(
    client: WireClient, microphone: Microphone, upstream: Platform, speech: Speech
) -> BargeIn | None:
    client.clear()
    player = Player(client)
    await client.ask("Tell me a long story.")
    acks = asyncio.create_task(player.run())
    try:
        while player.received_ms < 1500:
            player.receive(*await client.next())
        speech_start = asyncio.create_task(microphone.say(speech))
        try:
            async with asyncio.timeout(speech.ms / 1000 + 3.0):
                while True:
                    at_s, event = await client.next()
                    player.receive(at_s, event)
                    if event["type"] == "input_audio_buffer.speech_started":
                        break
        except TimeoutError:
            await _end_story(client)
            return None
        player.stopped = True
        heard_ms = await player.acknowledge("flushed")
        onset_s = await speech_start + speech.onset_ms / 1000
        ended_s = await speech_start + speech.end_ms / 1000
        transcript = ""
        while not transcript and now_s() < at_s + 5.0:
            truncated = await client.next()
            player.receive(*truncated)
            if truncated[1]["type"] == "conversation.item.truncated":
                transcript = truncated[1].get("transcript") or " "
    finally:
        acks.cancel()
        await asyncio.gather(acks, return_exceptions=True)
    new = await _answer(client, upstream, ended_s)
    return BargeIn(
        speech.name,
        (at_s - onset_s) * 1000,
        (player.last_audio_s - at_s) * 1000,
        *compare(player.words, heard_ms, transcript),
        new,
    )


def compare(words: Sequence[dict[str, Any]], heard_ms: float, transcript: str) -> tuple[int, int]:
    """How many words the history keeps that were not heard, and how many it lost: one more or less is right."""
    heard, kept = sum(word["end_ms"] <= heard_ms for word in words), len(transcript.split())
    return max(0, kept - heard - 1), max(0, heard - kept - 1)


async def _end_story(client: WireClient) -> None:
    """Nothing has interrupted it: the next round begins without it."""
    await client.send("output_audio_buffer.clear")
    await client.forget(0.3)


async def _answer(client: WireClient, upstream: Platform, ended_s: float) -> int:
    """Wait for the answer to the interruption; returns how many new connections it had to wait for."""
    await asyncio.sleep(max(0.0, ended_s - now_s()))
    new = 0
    with contextlib.suppress(TimeoutError):
        await client.until("response.output_audio.delta", 8.0)
        after = await upstream.traffic()
        requests = after.speech_after(ended_s - 0.5)
        new = sum(request.waited for request in requests[:1])
        await client.until("response.done", 15.0)
        await asyncio.sleep(3.0)
    await client.send("output_audio_buffer.clear")
    await asyncio.sleep(0.3)
    return new


async def measure(rounds: int) -> Result:
    result = Result()
    recordings = continued_speech()
    async with (
        platform(*SETS) as upstream,
        server(upstream.url, REALTIME_LANGUAGE="en") as product,
        connected(product.url, "extensions=playback,words,latency") as client,
    ):
        microphone = Microphone(client.send)
        running = asyncio.create_task(microphone.run())
        try:
            await asyncio.sleep(1.0)
            for number in range(rounds):
                one = await barge_in(client, microphone, upstream, recordings[number % len(recordings)])
                if one is None:
                    result.missed += 1
                else:
                    result.rounds.append(one)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        result.load = load_average()
    return result


HEADS = (
    "barge-in",
    "rounds",
    "onset → confirmed, p50 / p95 ms",
    "confirmed → last audio, worst ms",
    "unheard words kept / heard words lost (more than 1)",
    "new connections",
    "missed",
    "machine load",
)


def markdown(result: Result) -> str:
    rounds = result.rounds
    row = [
        "continued speech over an answer",
        len(rounds),
        figures([one.confirmed for one in rounds]) if rounds else "-",
        f"{max([0.0, *(one.last_audio for one in rounds)]):.1f}",
        f"{sum(one.kept_too_much for one in rounds)} / {sum(one.lost for one in rounds)}",
        sum(one.new_connections for one in rounds),
        result.missed,
        f"{result.load:.1f}",
    ]
    return table(HEADS, [row])


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.barge_in", description="Interrupt a story.")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = await measure(options.rounds)
    for one in result.rounds:
        print(f"  {one}")
    print(markdown(result))
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
