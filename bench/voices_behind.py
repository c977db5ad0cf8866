"""Conversations in a café: one speaker, a turn every few seconds, and voices behind all the time.

    python -m bench.voices_behind [--only "babble 15"] [--first 0] [--conversations 6]

Each conversation is one session: what is known of the voices behind stays from turn to turn. They have one level from
the first turn to the last, relative to the mean level of the speaker, who is up to 3 dB louder or softer. With the
real detector, and silences of 500 ms; without a transcriber, so only the sound decides. No server, and no real time.
In two of the backgrounds the voices grow louder, or go, and come back.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.common import machine, table, today
from bench.conditions import ROOM_NOISE, VOICES, Samples, Speech, speech_of
from bench.turn_end import NOISY
from realtime.core.audio import AudioFormat
from realtime.core.endpointing import EndpointEvent, EndpointRules, Misfire, SpeechStarted, SpeechStopped
from realtime.listening.audio_input import AudioInput
from realtime.providers.base import VoiceDetector
from realtime.providers.catalog import find
from realtime.settings import Settings
from tests.clips import RATE, require_clips

LEVEL = 2_000.0  # of the speaker, root mean square of a sample where it is loud: -24 dBFS
LOUDER_DB = 3.0  # from turn to turn, or softer
LEAD_S, BETWEEN_S = 3.0, (4.0, 7.0)
SILENCE_MS = 500
APPEND = RATE // 10 * 2  # bytes, 100 ms
NOT_HEARD = 0.5  # of a turn
LOST_MS, LATE_MS = 150.0, 3_000.0
EARLY_MS = 600.0  # so shortly before the speaker a turn may be the speaker's: it is dated up to 320 ms back
GROWS_EVERY_S, GROWS_DB, GOES_EVERY_S = 25, 10.0, 17

Random = np.random.Generator


@dataclass(frozen=True)
class Spoken:
    """What the speaker said, from the first sound to the last, in ms of the conversation."""

    onset_ms: float
    end_ms: float


@dataclass(frozen=True)
class Turn:
    """What was made of it."""

    parts: int  # turns of the server
    heard: float  # the share of it that is part of one
    lost_ms: float  # of its end, if any was heard
    known_ms: float  # after its end the last part was over; infinite: not before the speaker's next turn
    begun: int  # turns that the voices behind began before the speaker's next one

    @property
    def is_lost(self) -> bool:
        return self.heard < NOT_HEARD

    @property
    def is_whole(self) -> bool:
        """Whether one turn of the server has all of it, and no more."""
        return not self.is_lost and self.parts == 1 and self.lost_ms <= LOST_MS and self.known_ms <= LATE_MS


def voices(size: int, count: int, speeches: Sequence[Speech], random: Random) -> Samples:
    """So many speakers at once, without a pause, at a level of 1."""
    made = np.zeros(size)
    for _ in range(count):
        row: list[Samples] = []
        while sum(map(len, row)) < size:
            one = speeches[int(random.integers(len(speeches)))]
            heard = one.samples[int(one.onset_ms * RATE / 1000) : int(one.end_ms * RATE / 1000)]
            row.append(heard / max(1.0, one.level))
        made += np.roll(np.concatenate(row)[:size], int(random.integers(size)))
    leveled: Samples = made / np.sqrt((made**2).mean())
    return leveled


def _babble(size: int, speeches: Sequence[Speech], random: Random) -> Samples:
    return voices(size, VOICES, speeches, random)


def _growing(size: int, speeches: Sequence[Speech], random: Random) -> Samples:
    louder = np.arange(size) // (GROWS_EVERY_S * RATE) % 2
    made: Samples = _babble(size, speeches, random) * 10 ** (GROWS_DB / 20 * louder)
    return made


def _going(size: int, speeches: Sequence[Speech], random: Random) -> Samples:
    made: Samples = _babble(size, speeches, random) * (np.arange(size) // (GOES_EVERY_S * RATE) % 2)
    return made


def _one(size: int, speeches: Sequence[Speech], random: Random) -> Samples:
    return voices(size, 1, speeches, random)


def _pink(size: int, speeches: Sequence[Speech], random: Random) -> Samples:
    spectrum = np.fft.rfft(random.normal(size=size))
    made = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), size)
    leveled: Samples = made / np.sqrt((made**2).mean())
    return leveled


Make = Callable[[int, Sequence[Speech], Random], Samples]
BACKGROUNDS: dict[str, tuple[Make | None, float]] = {  # and how many dB it is below the speaker
    "quiet room": (None, 0.0),
    "pink 10 dB": (_pink, 10.0),
    "babble 20 dB": (_babble, 20.0),
    "babble 15 dB": (_babble, 15.0),
    "babble 10 dB": (_babble, 10.0),
    "babble 20 dB, every 25 s 10 dB louder": (_growing, 20.0),
    "babble 10 dB, gone every 17 s": (_going, 10.0),
    "one voice 15 dB": (_one, 15.0),
}


def conversation(name: str, number: int, speeches: Sequence[Speech]) -> tuple[bytes, list[Spoken]]:
    """Every recording once, in an order of its own; 16 bit PCM at RATE."""
    random = np.random.default_rng(number)
    placed: list[tuple[int, Samples]] = []
    said: list[Spoken] = []
    at = int(LEAD_S * RATE)
    for index in random.permutation(len(speeches)):
        one = speeches[index]
        gain = LEVEL / one.level * 10 ** (random.uniform(-LOUDER_DB, LOUDER_DB) / 20)
        placed.append((at, one.samples * gain))
        at_ms = at * 1000 / RATE
        said.append(Spoken(at_ms + one.onset_ms, at_ms + one.end_ms))
        at += len(one.samples) + int(random.uniform(*BETWEEN_S) * RATE)
    sound = random.normal(0, ROOM_NOISE, at)
    make, below_db = BACKGROUNDS[name]
    if make is not None:
        sound += make(at, speeches, random) * LEVEL * 10 ** (-below_db / 20)
    for start, samples in placed:
        sound[start : start + len(samples)] += samples
    return sound.clip(-32768, 32767).astype("<i2").tobytes(), said


async def events_of(sound: bytes, detector: VoiceDetector) -> list[EndpointEvent]:
    """What the listening side of a session notices."""
    audio = AudioInput(detector, AudioFormat("audio/pcm", RATE), detects=True)
    audio.endpointer.change(EndpointRules(silence_ms=SILENCE_MS))
    noticed: list[EndpointEvent] = []
    try:
        for start in range(0, len(sound), APPEND):
            for scored in await audio.take(sound[start : start + APPEND]):
                noticed += audio.endpoint(scored)
            audio.arrived(start / 2 / RATE)
    finally:
        audio.close()
    return noticed


@dataclass(frozen=True)
class Part:
    """A turn of the server."""

    onset_ms: float
    end_ms: float = float("inf")  # of the speech; infinite: still open
    known_ms: float = float("inf")  # when that was known


def parts_of(events: Sequence[EndpointEvent]) -> list[Part]:
    """All turns of the server; what was too short to be speech is none."""
    parts: list[Part] = []
    for event in events:
        if isinstance(event, SpeechStarted):
            parts.append(Part(event.onset_ms))
        elif isinstance(event, SpeechStopped):
            parts[-1] = Part(parts[-1].onset_ms, event.end_of_speech_ms, event.at_ms)
        elif isinstance(event, Misfire):
            parts.pop()
    return parts


def turns_of(said: Sequence[Spoken], events: Sequence[EndpointEvent]) -> list[Turn]:
    """What was made of everything the speaker said."""
    every, turns = parts_of(events), []
    for number, one in enumerate(said):
        next_ms = said[number + 1].onset_ms if number + 1 < len(said) else float("inf")
        parts = [part for part in every if part.onset_ms < one.end_ms and part.end_ms > one.onset_ms]
        heard_ms = sum(min(part.end_ms, one.end_ms) - max(part.onset_ms, one.onset_ms) for part in parts)
        over_ms = parts[-1].known_ms if parts else float("inf")
        begun = [part for part in every if one.end_ms < part.onset_ms < next_ms - EARLY_MS]
        turns.append(
            Turn(
                len(parts),
                heard_ms / (one.end_ms - one.onset_ms),
                max(0.0, one.end_ms - parts[-1].end_ms) if parts else 0.0,
                over_ms - one.end_ms if over_ms < next_ms else float("inf"),
                len(begun),
            )
        )
    return turns


HEADS = (
    "voices behind",
    "turns",
    "not heard",
    "in parts",
    "end lost",
    "open after 3 s",
    "begun by the voices behind",
    "whole",
    "their end known after p50 (p90) ms",
)


def row(name: str, turns: Sequence[Turn]) -> list[object]:
    heard = [turn for turn in turns if not turn.is_lost]
    known = [turn.known_ms for turn in turns if turn.is_whole]
    return [
        name,
        len(turns),
        len(turns) - len(heard),
        sum(turn.parts > 1 for turn in heard),
        sum(turn.lost_ms > LOST_MS for turn in heard),
        sum(turn.known_ms > LATE_MS for turn in heard),
        sum(turn.begun for turn in turns),
        len(known),
        f"{np.percentile(known, 50):.0f} ({np.percentile(known, 90):.0f})" if known else "-",
    ]


async def measure(names: Sequence[str], numbers: Sequence[int]) -> str:
    detector = find("vad", "silero").create(Settings.from_env())
    speeches = [speech_of(clip) for clip in require_clips() if clip.language == "en" and clip.id not in NOISY]
    rows = []
    try:
        for name in names:
            turns: list[Turn] = []
            for number in numbers:
                sound, said = conversation(name, number, speeches)
                turns += turns_of(said, await events_of(sound, detector))
            rows.append(row(name, turns))
            print(f"  {rows[-1]}", flush=True)
    finally:
        await detector.aclose()
    return table(HEADS, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.voices_behind", description="Conversations in a café.")
    parser.add_argument("--only", default="", help="part of the name of a background")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="of the conversations")
    parser.add_argument("--conversations", type=int, default=6)
    options = parser.parse_args()
    names = [name for name in BACKGROUNDS if options.only in name]
    if not names or options.conversations < 1:
        parser.error("--only, --conversations: nothing is left to measure")
    numbers = range(options.first, options.first + options.conversations)
    print(f"{today()}, {machine()}\n\n{await measure(names, numbers)}")


if __name__ == "__main__":
    asyncio.run(main())
