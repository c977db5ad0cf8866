"""Phantom answers: sounds in which nobody speaks to the server, and what it would answer.

    python -m bench.background [--seconds 60] [--only typing] [--language en]

Noise, music, a hum, typing, knocks, coughs, babble and one far voice, each at two levels, go through the listening side
of a session with the real detector and transcriber, on the clock of the audio. A turn with words is a phantom answer:
the chat model would be asked. A turn without words is told to the client and is not answered.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import zlib
from collections.abc import Callable

import numpy as np

from bench.common import machine, table, today
from bench.conditions import ROOM_NOISE, Samples, Sound, room, speech_of
from bench.listened import AudioLoop, Heard, Rule, listen
from realtime.providers.base import Providers
from realtime.providers.catalog import find
from realtime.settings import Settings
from tests.clips import RATE, require_clips
from tests.fakes import FakeChat, FakeSpeech

LOUD, FAINT = -30.0, -45.0  # dBFS of the sound where it sounds
RULE = Rule("semantic_vad auto", {"type": "semantic_vad", "eagerness": "auto"})
Random = np.random.Generator
Make = Callable[[int, Random], Samples]


def _noise(slope: float) -> Make:
    """Noise whose power falls by this power of the frequency: 0 white, 1 pink, 2 brown."""

    def make(size: int, random: Random) -> Samples:
        spectrum = np.fft.rfft(random.normal(size=size))
        spectrum /= np.maximum(20 * size / RATE, np.arange(len(spectrum))) ** (slope / 2)
        made: Samples = np.fft.irfft(spectrum, size)
        return made

    return make


def _scattered(each_s: float, burst: Callable[[Random], Samples]) -> Make:
    """Such bursts, on average so far apart."""

    def make(size: int, random: Random) -> Samples:
        made = np.zeros(size + 2 * RATE)
        at = 0
        while (at := at + int(random.exponential(each_s) * RATE)) < size:
            sound = burst(random) * random.uniform(0.4, 1.0)
            made[at : at + len(sound)] += sound
        return made[:size]

    return make


def _burst(
    random: Random, seconds: float, lowest_hz: float, highest_hz: float, rise_s: float = 0.001
) -> Samples:
    """Noise of a band that rises and dies away."""
    size = int(seconds * RATE)
    spectrum = np.fft.rfft(random.normal(size=size))
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    spectrum[(hertz < lowest_hz) | (hertz > highest_hz)] = 0
    at_s = np.arange(size) / RATE
    band = np.fft.irfft(spectrum, size)
    made: Samples = band / np.abs(band).max() * np.minimum(1, at_s / rise_s) * 10 ** (-2.5 * at_s / seconds)
    return made


def _key(random: Random) -> Samples:
    return _burst(random, 0.03, random.uniform(800, 2000), 7000)


def _knock(random: Random) -> Samples:
    return _burst(random, 0.15, 60, random.uniform(200, 500), 0.003)


def _cough(random: Random) -> Samples:
    return _burst(random, random.uniform(0.25, 0.45), 300, 4500, 0.015)


def _note(hertz: float, seconds: float) -> Samples:
    """A plucked string: eight partials, of which the higher die sooner."""
    at_s = np.arange(int(seconds * RATE)) / RATE
    partials = [
        np.sin(2 * np.pi * hertz * n * at_s) / n * np.exp(-at_s * (1 + n))
        for n in range(1, 9)
        if hertz * n < 7000
    ]
    made: Samples = np.sum(partials, axis=0)
    return made


def _music(size: int, random: Random) -> Samples:
    """Chords, a melody and a drum at 100 beats a minute."""
    made = np.zeros(size + 4 * RATE)
    beat = int(0.6 * RATE)
    for number, at in enumerate(range(0, size, beat)):
        root = 110 * 2 ** ((0, 9, 5, 7)[number // 4 % 4] / 12)
        if number % 4 == 0:
            for step in (0, 4, 7):
                chord = _note(root * 2 ** (step / 12), 2.4)
                made[at : at + len(chord)] += 0.5 * chord
        melody = _note(2 * root * 2 ** (random.choice((0, 2, 4, 7, 9)) / 12), 0.9)
        made[at : at + len(melody)] += melody
        drum = _burst(random, 0.12, 50 if number % 2 else 2000, 400 if number % 2 else 7500)
        made[at : at + len(drum)] += 0.5 * drum
    return made[:size]


def _hum(size: int, random: Random) -> Samples:
    """Somebody hums a tune: a buzz with vibrato under two formants, a new tone every half second, and breaths."""
    tones = np.repeat(random.choice((0, 2, 4, 5, 7, 9), size // (RATE // 2) + 1), RATE // 2)[:size]
    smooth = np.convolve(tones, np.ones(RATE // 20) / (RATE // 20), mode="same")
    at_s = np.arange(size) / RATE
    hertz = 160 * 2 ** ((smooth + 0.3 * np.sin(2 * np.pi * 5.5 * at_s)) / 12)
    phase = np.cumsum(hertz) / RATE
    buzz = np.sum([np.cos(2 * np.pi * n * phase) * (0.3 + (n < 4)) / n for n in range(1, 20)], axis=0)
    breath = (at_s % 4.0) < 3.4
    made: Samples = buzz * np.convolve(breath, np.ones(RATE // 25) / (RATE // 25), mode="same")
    return made


def _voices(count: int) -> Make:
    """So many recordings at once, one after the other, from the far end of a room with 0.7 s of reverberation."""

    def make(size: int, random: Random) -> Samples:
        made = np.zeros(size)
        speeches = [speech_of(clip) for clip in require_clips()]
        for _ in range(count):
            order = random.permutation(len(speeches))
            row = np.concatenate(
                [np.pad(speeches[at].samples / speeches[at].level, (0, RATE)) for at in order]
            )
            made += np.roll(np.resize(row, size), int(random.integers(size)))
        far = room(0.7)(made, speeches[0], speeches, random)
        return far - 0.5 * made  # little of the direct sound

    return make


SOUNDS: dict[str, Make] = {
    "white noise": _noise(0),
    "pink noise": _noise(1),
    "brown noise": _noise(2),
    "music": _music,
    "a hum": _hum,
    "typing": _scattered(0.15, _key),
    "knocks and steps": _scattered(0.7, _knock),
    "coughs": _scattered(3.0, _cough),
    "babble of six": _voices(6),
    "one far voice": _voices(1),
}


def sound(name: str, level_db: float, seconds: float) -> Sound:
    """So much of it, in a quiet room. Its level is that of the louder half of its tenths of a second."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    made = SOUNDS[name](int(seconds * RATE), random)
    tenths = made[: len(made) // 1600 * 1600].reshape(-1, 1600)
    powers = np.sort((tenths**2).mean(axis=1))
    level = np.sqrt(powers[len(powers) // 2 :].mean())
    made = made / level * 32768 * 10 ** (level_db / 20) + random.normal(0, ROOM_NOISE, len(made))
    return Sound(name, "en", "", np.clip(made, -32768, 32767).astype(np.int16), float("inf"))


HEADS = ("sound", "dBFS", "seconds", "turns begun", "without words", "phantom answers", "what was read")


def row(name: str, level_db: float, seconds: float, heard: Heard) -> list[object]:
    texts = [text for text in heard.texts if text.strip()]
    read = "; ".join(f"“{text.strip()}”" for text in texts[:4]) + (" …" if len(texts) > 4 else "")
    return [
        name,
        f"{level_db:.0f}",
        f"{seconds:.0f}",
        len(heard.began_ms),
        len(heard.texts) - len(texts),
        len(texts),
        read or "-",
    ]


async def main(args: argparse.Namespace) -> None:
    settings = dataclasses.replace(Settings.from_env(), language=args.language)
    detector = find("vad", "silero").create(settings)
    transcriber = find("transcriber", "local").create(settings)
    providers = Providers(detector, transcriber, FakeChat(), FakeSpeech())
    rows = []
    try:
        for name in SOUNDS:
            for level_db in (LOUD, FAINT) if args.only in name else ():
                heard = await listen(providers, RULE, sound(name, level_db, args.seconds))
                rows.append(row(name, level_db, args.seconds, heard))
                print(f"  {rows[-1]}", flush=True)
    finally:
        for provider in (detector, transcriber):
            await provider.aclose()
    print(f"{today()}, {machine()}\n\n{table(HEADS, rows)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench.background", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each sound, at each of two levels")
    parser.add_argument("--only", default="", help="part of a sound's name")
    parser.add_argument("--language", default="en")
    with asyncio.Runner(loop_factory=AudioLoop) as runner:
        runner.run(main(parser.parse_args()))
