"""How the end-to-end tests speak and listen: a microphone in real time, a player that knows what it played, ears."""

from __future__ import annotations

import asyncio
import base64
from functools import cache

import numpy as np
import pytest

from realtime.core.audio import Resampler
from tests.clips import RATE
from tests.server.wire import House, Wire

WIRE_RATE = 24_000
BLOCK_MS = 100


def at_wire_rate(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """16-bit samples at the rate of the wire."""
    return Resampler(rate, WIRE_RATE).feed(samples.astype(np.int16), last=True)


def silence(seconds: float) -> np.ndarray:
    """A quiet room, not digital silence."""
    return np.random.default_rng(7).integers(-3, 4, int(seconds * WIRE_RATE)).astype(np.int16)


@cache
def phrase(text: str) -> np.ndarray:
    """Words in the sandbox's voice, at the rate of the wire."""
    pytest.importorskip("espeakng_loader", reason="the sandbox has no voice here")
    from realtime.sandbox import voice

    return voice.synthesize(text, voice_id="English_Graceful_Lady", rate=WIRE_RATE).pcm.astype(np.int16)


class Microphone:
    """Sends what is said in real time, and silence while nothing is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._saying: list[np.ndarray] = []
        self._said = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="test microphone")

    async def __aenter__(self) -> Microphone:
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def say(self, samples: np.ndarray) -> None:
        """Speak; returns when the last sample was sent."""
        self._said.clear()
        self._saying = list(blocks(samples))
        await self._said.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        quiet = silence(BLOCK_MS / 1000)
        while True:
            block = self._saying.pop(0) if self._saying else quiet
            await self._wire.append(block.tobytes())
            if not self._saying:
                self._said.set()
            due_s += BLOCK_MS / 1000
            await asyncio.sleep(max(0.0, due_s - loop.time()))


def blocks(samples: np.ndarray) -> list[np.ndarray]:
    size = WIRE_RATE * BLOCK_MS // 1000
    return [samples[start : start + size] for start in range(0, len(samples), size)]


async def dictate(wire: Wire, samples: np.ndarray, *, then_silence_s: float = 1.5) -> None:
    """All of it at once: audio is its own clock, so the server hears the same as in real time."""
    for block in blocks(np.concatenate([silence(0.4), samples, silence(then_silence_s)])):
        await wire.append(block.tobytes())


class Player:
    """A loudspeaker that plays what it is given in real time, from the first delta on."""

    def __init__(self, wire: Wire, item_id: str) -> None:
        self._wire = wire
        self._item_id = item_id
        self._began_s = asyncio.get_running_loop().time()

    @property
    def received_ms(self) -> float:
        return sum(
            len(base64.b64decode(event["delta"])) / 48
            for event in self._wire.of("response.output_audio.delta")
            if event["item_id"] == self._item_id
        )

    @property
    def played_ms(self) -> int:
        """How much has sounded by now."""
        passed_ms = (asyncio.get_running_loop().time() - self._began_s) * 1000
        return int(min(passed_ms, self.received_ms))


async def understood(house: House, pcm: bytes, rate: int = WIRE_RATE) -> str:
    """What somebody who hears this sound understands."""
    transcriber = house.server.runtime.providers.transcriber
    assert transcriber is not None
    samples = Resampler(rate, RATE).feed(np.frombuffer(pcm, "<i2"), last=True)
    return (await transcriber.transcribe(samples, language="en", final=True)).text


def likeness(heard: np.ndarray, meant: np.ndarray) -> float:
    """The best correlation of two recordings of one speech, wherever it begins: 1 is the same sound."""
    size = 1 << (len(heard) + len(meant)).bit_length()
    a, b = heard.astype(float), meant.astype(float)
    crossed = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(crossed.max() / (np.linalg.norm(a) * np.linalg.norm(b)))


def longest_gap_ms(sound: np.ndarray, rate: int = WIRE_RATE) -> float:
    """The longest run of digital silence, which no voice makes: sound that was lost on the way."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], sound == 0, [False]]).astype(int)))
    return float(max((edges[1::2] - edges[::2]).max(initial=0), 0) * 1000 / rate)
