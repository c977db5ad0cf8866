"""Short words during an answer: which interrupt, and how soon (docs/architecture.md 2.5).

    python -m bench.short_words [--times 5] [--language en] [--json FILE]

The sandbox's voice says commands and backchannels over a long answer, in two voices each; the local transcriber reads
them. The delay is from the end of the word's energy to the cancelled reply. Needs the `sandbox` and `local` extras.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench.common import WireClient, connected, load_average, now_s, server, table
from bench.latency import stream
from bench.microphone import Microphone, Speech, speech_of
from bench.platform import platform
from realtime.core.audio import Resampler
from realtime.sandbox import voice_engine
from realtime.sandbox.voice_engine import Prosody
from tests.clips import RATE as CLIP_RATE
from tests.clips import Clip

WAIT_S = 3.0  # after the word; what has not interrupted by then does not
BEFORE_S = 1.0  # of the answer are heard before the word
WPM = 150
ANSWER = "Once there was a small dog that lived by the sea with an old man. " * 12
SETS = stream(300, 80, 200)


@dataclass(frozen=True)
class Word:
    """What is said, in which language, and whether it should interrupt."""

    text: str
    language: str  # of espeak
    interrupts: bool


WORDS = (
    Word("Stop.", "en-us", True),
    Word("Wait.", "en-us", True),
    Word("No.", "en-us", True),
    Word("停。", "cmn", True),
    Word("Mm-hmm.", "en-us", False),
    Word("Yeah, yeah.", "en-us", False),
    Word("嗯。", "cmn", False),
    Word("对对对。", "cmn", False),
)
VARIANTS = ("f2", "m3")  # a woman's and a man's voice


@dataclass(frozen=True)
class Said:
    """One word over one answer. `delay_ms`: from its end to the event that ended the answer; None: it went on."""

    text: str
    voice: str
    delay_ms: float | None
    transcript: str
    load: float


def speech(word: Word, variant: str) -> Speech:
    """The word, by one of espeak's voices."""
    prosody = Prosody(f"{word.language}+{variant}", WPM, 50, 50)
    samples, _, rate = voice_engine.say(word.text, prosody)
    resampler = Resampler(rate, CLIP_RATE)
    parts = [resampler.feed(samples), resampler.feed(samples[:0], last=True)]
    made = np.concatenate(parts).astype(np.int16)
    return speech_of(Clip(word.text, word.language, word.text, made, recorded=False))


def rounds(times: int) -> Iterator[tuple[Word, str]]:
    return ((word, variant) for _ in range(times) for word in WORDS for variant in VARIANTS)


async def say(client: WireClient, microphone: Microphone, word: Word, variant: str) -> Said:
    """Say the word during an answer, and wait for what comes of it."""
    await client.ask(f'Please say: "{ANSWER}"')
    await client.until("response.output_audio.delta")
    await _listen(client, now_s() + BEFORE_S)
    spoken = speech(word, variant)
    ended_s = await microphone.say(spoken) + spoken.end_ms / 1000
    await _listen(client, ended_s + WAIT_S)
    done = [(at_s, e["response"]) for at_s, e in client.events if e["type"] == "response.done"]
    delay_ms = next(((at_s - ended_s) * 1000 for at_s, r in done if r["status"] == "cancelled"), None)
    completed = "conversation.item.input_audio_transcription.completed"
    transcripts = [event["transcript"] for _, event in client.events if event["type"] == completed]
    return Said(word.text, variant, delay_ms, " ".join(transcripts), load_average())


async def _listen(client: WireClient, until_s: float) -> None:
    """Take in events up to this time."""
    try:
        async with asyncio.timeout(max(0.0, until_s - now_s())):
            while True:
                await client.next()
    except TimeoutError:
        return


async def one_round(url: str, word: Word, variant: str) -> Said:
    """One word in a conversation of its own; a command gets no answer."""
    async with connected(url, "extensions=playback") as client:
        detection = {"type": "server_vad", "create_response": False}
        audio = {"input": {"turn_detection": detection, "transcription": {"model": "default"}}}
        await client.configure(audio=audio)
        microphone = Microphone(client.send)
        running = asyncio.create_task(microphone.run())
        try:
            return await say(client, microphone, word, variant)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def measure(times: int, language: str) -> list[Said]:
    said = []
    async with (
        platform(*SETS) as upstream,
        server(upstream.url, REALTIME_LANGUAGE=language) as product,
    ):
        for word, variant in rounds(times):
            said.append(await one_round(product.url, word, variant))
            print(f"  {said[-1]}", flush=True)
    return said


def markdown(said: list[Said]) -> str:
    rows = []
    for word in WORDS:
        of_word = [one for one in said if one.text == word.text]
        delays = sorted(one.delay_ms for one in of_word if one.delay_ms is not None)
        spread = f"{delays[len(delays) // 2]:.0f} / {delays[-1]:.0f}" if delays else "-"
        wanted = "interrupts" if word.interrupts else "does not"
        load = f"{max((one.load for one in of_word), default=0.0):.1f}"
        rows.append((word.text, wanted, f"{len(delays)} of {len(of_word)}", spread, load))
    heads = ("word", "should", "interrupted", "end of word → cancelled, median / worst ms", "machine load")
    return table(heads, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.short_words", description="Say short words over an answer.")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--language", default="", help="of the transcriber; without one it is detected")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    said = await measure(options.times, options.language)
    print(markdown(said))
    if options.json:
        options.json.write_text(
            json.dumps([asdict(one) for one in said], ensure_ascii=False, indent=1) + "\n"
        )


if __name__ == "__main__":
    asyncio.run(main())
