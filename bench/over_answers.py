"""What is said over an answer: which sounds stop it, how soon it is decided, and what becomes of it afterwards.

    python -m bench.over_answers [--times 1] [--language en] [--only murmur] [--natural] [--json FILE]

Interruptions, murmurs and noises, each over an answer of its own (docs/architecture.md 2.5). Words come from the
sandbox's voice, sentences from recordings, noises are made here. Decided: the answer is stopped, or as loud as before.
`--natural`: words in the voice of `realtime setup voice`. Needs the `sandbox` and `local` extras, and an idle
machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench import natural_voice
from bench.barge_in import continued_speech
from bench.common import RATE, WireClient, connected, load_average, now_s, percentile, server, table
from bench.microphone import Microphone, Speech
from bench.platform import platform
from bench.short_words import ANSWER, BEFORE_S, SETS, VARIANTS, Word, speech

CHINESE_ANSWER = "很久以前，有一只小狗和一位老人住在海边。" * 20
WAIT_S = 4.0  # after the sound: what has not happened by then does not
MURMURS = (
    "Mm-hmm.|Uh-huh.|Yeah.|Okay.|Right.|I see.|Got it.|Really?|Sure.|Makes sense.|Interesting.",
    "嗯。|对。|对对对。|明白。|真的吗？|好的。|是的。|原来如此。",
)
COMMANDS = ("Stop.|Wait.|No.|Hold on.|What?|Why?|Never mind.|But why?", "停。|等一下。|不对。|为什么？")
NOISE_S = (0.3, 0.8, 2.0)


@dataclass(frozen=True)
class Sound:
    """`kind`: interruption, murmur or noise, and the language."""

    kind: str
    speech: Speech


@dataclass(frozen=True)
class Outcome:
    """`stopped`: the answer was; `went_on`: a new response took it up. `decided_ms`: after the onset of the sound."""

    kind: str
    name: str
    stopped: bool
    went_on: bool
    decided_ms: float | None
    load: float

    @property
    def right(self) -> bool:
        """An interruption stops the answer for good, nothing else does."""
        return (self.stopped and not self.went_on) is self.kind.startswith("interruption")


def noise(seconds: float, low: bool) -> Speech:
    """White noise, or the low rumble of something that falls, with a soft beginning and end."""
    size = int(seconds * RATE)
    made = np.random.default_rng(int(seconds * 10)).normal(0.0, 4000.0, size)
    made = np.cumsum(made) / 12 % 8000 - 4000 if low else made
    made *= np.minimum(1.0, np.minimum(np.arange(size), np.arange(size)[::-1]) / (RATE / 100))
    return Speech(f"{'rumble' if low else 'hiss'} {seconds:g} s", made.astype(np.int16), 0.0, seconds * 1000)


def sounds(only: str, *, natural: bool) -> Iterator[Sound]:
    """All of them, or one kind."""
    for kind, texts in (("murmur", MURMURS), ("interruption", COMMANDS)):
        for language, line in zip(("en-us", "cmn"), texts, strict=True):
            for text in line.split("|") if only in ("", kind) else ():
                word = Word(text, language, interrupts=kind == "interruption")
                for variant in VARIANTS:
                    said = natural_voice.say(text, language, variant) if natural else speech(word, variant)
                    yield Sound(f"{kind}, {'English' if language == 'en-us' else 'Chinese'}", said)
    if only in ("", "interruption"):
        yield from (Sound("interruption, recorded", spoken) for spoken in continued_speech())
    if only in ("", "noise"):
        yield from (Sound("noise", noise(seconds, low)) for seconds in NOISE_S for low in (False, True))


async def over_answer(client: WireClient, microphone: Microphone, sound: Sound) -> Outcome:
    """Make the sound during an answer, and wait for what comes of it."""
    chinese = sound.kind.endswith("Chinese")
    answer = CHINESE_ANSWER if chinese else ANSWER
    await client.ask(f"请跟我说：“{answer}”" if chinese else f'Please say: "{answer}"')
    await client.until("response.output_audio.delta")
    await _listen(client, now_s() + BEFORE_S)
    began_s = await microphone.say(sound.speech)
    await _listen(client, began_s + sound.speech.end_ms / 1000 + WAIT_S)
    onset_s = began_s + sound.speech.onset_ms / 1000
    started = [at_s for at_s, event in client.events if event["type"] == "input_audio_buffer.speech_started"]
    gains = [
        at_s
        for at_s, event in client.events
        if event["type"] == "output_audio_buffer.gain_changed" and event["gain_db"] == 0
    ]
    created = sum(event["type"] == "response.created" for _, event in client.events)
    decided_s = next(iter(started or gains), None)
    decided_ms = None if decided_s is None else (decided_s - onset_s) * 1000
    went_on = bool(started) and created > 1 and not _said(client, answer)
    return Outcome(sound.kind, sound.speech.name, bool(started), went_on, decided_ms, load_average())


def _said(client: WireClient, answer: str) -> bool:
    """Whether the new response answers words, and is no rest of the old one."""
    texts = [
        event["delta"]
        for _, event in client.events
        if event["type"] == "response.output_audio_transcript.delta"
    ]
    return bool(texts) and texts[-1].strip() not in answer


async def _listen(client: WireClient, until_s: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, until_s - now_s())):
            while True:
                await client.next()
    except TimeoutError:
        return


async def one_round(url: str, sound: Sound) -> Outcome:
    """One sound in a conversation of its own."""
    async with connected(url, "extensions=playback") as client:
        microphone = Microphone(client.send)
        running = asyncio.create_task(microphone.run())
        try:
            return await over_answer(client, microphone, sound)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def measure(times: int, language: str, only: str, *, natural: bool) -> list[Outcome]:
    outcomes = []
    async with platform(*SETS) as upstream, server(upstream.url, REALTIME_LANGUAGE=language) as product:
        for _ in range(times):
            for sound in sounds(only, natural=natural):
                outcomes.append(await one_round(product.url, sound))
                print(f"  {outcomes[-1]}", flush=True)
    return outcomes


HEADS = (
    "sound",
    "sounds",
    "stopped",
    "of these went on",
    "right",
    "onset → decided, p50 / p95 ms",
    "machine load",
)


def markdown(outcomes: list[Outcome]) -> str:
    rows = []
    for kind in dict.fromkeys(one.kind for one in outcomes):
        these = [one for one in outcomes if one.kind == kind]
        decided = [one.decided_ms for one in these if one.decided_ms is not None]
        spread = f"{percentile(decided, 0.5):.0f} / {percentile(decided, 0.95):.0f}" if decided else "-"
        counts = [
            sum(one.stopped for one in these),
            sum(one.went_on for one in these),
            sum(one.right for one in these),
        ]
        rows.append((kind, len(these), *counts, spread, f"{max(one.load for one in these):.1f}"))
    return table(HEADS, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.over_answers", description="Make sounds over an answer.")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--language", default="", help="of the transcriber; without one it is detected")
    parser.add_argument("--only", default="", choices=("", "interruption", "murmur", "noise"))
    parser.add_argument("--natural", action="store_true", help="in the voice of `realtime setup voice`")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    outcomes = await measure(options.times, options.language, options.only, natural=options.natural)
    print(markdown(outcomes))
    if options.json:
        made = json.dumps([asdict(one) for one in outcomes], ensure_ascii=False, indent=1)
        options.json.write_text(made + "\n")


if __name__ == "__main__":
    asyncio.run(main())
