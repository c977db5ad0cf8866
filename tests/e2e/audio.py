"""Audio for the end-to-end tests: a microphone in real time, a player that knows its position, and comparisons."""

from __future__ import annotations

import asyncio
import base64
from functools import cache

import numpy as np
import pytest

from realtime.core.audio import Resampler
from tests.clips import RATE
from tests.server.harness import Harness, WireClient

WIRE_RATE = 24_000
BLOCK_MS = 100


def at_wire_rate(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """16-bit samples, resampled to the rate of the protocol."""
    return Resampler(rate, WIRE_RATE).feed(samples.astype(np.int16), last=True)


def silence(seconds: float) -> np.ndarray:
    """Very quiet noise, not digital silence."""
    return np.random.default_rng(7).integers(-3, 4, int(seconds * WIRE_RATE)).astype(np.int16)


@cache
def phrase(text: str) -> np.ndarray:
    """The text in the sandbox's voice, at the rate of the protocol."""
    pytest.importorskip("espeakng_loader", reason="the sandbox has no voice here")
    from realtime.sandbox import voice

    return voice.synthesize(text, voice_id="English_Graceful_Lady", rate=WIRE_RATE).pcm.astype(np.int16)


class Microphone:
    """Sends speech in real time, and silence in between."""

    def __init__(self, wire: WireClient) -> None:
        self._wire = wire
        self._queued: list[np.ndarray] = []
        self._all_sent = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="test microphone")

    async def __aenter__(self) -> Microphone:
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def say(self, samples: np.ndarray) -> None:
        """Send speech; returns after the last sample."""
        self._all_sent.clear()
        self._queued = list(blocks(samples))
        await self._all_sent.wait()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        quiet = silence(BLOCK_MS / 1000)
        while True:
            block = self._queued.pop(0) if self._queued else quiet
            await self._wire.append(block.tobytes())
            if not self._queued:
                self._all_sent.set()
            due_s += BLOCK_MS / 1000
            await asyncio.sleep(max(0.0, due_s - loop.time()))


def blocks(samples: np.ndarray) -> list[np.ndarray]:
    size = WIRE_RATE * BLOCK_MS // 1000
    return [samples[start : start + size] for start in range(0, len(samples), size)]


async def append_speech(wire: WireClient, samples: np.ndarray, *, then_silence_s: float = 1.5) -> None:
    """Append speech and silence at once: the server measures time in audio, so the result is as in real time."""
    for block in blocks(np.concatenate([silence(0.4), samples, silence(then_silence_s)])):
        await wire.append(block.tobytes())


class Player:
    """Computes what a client has played, in real time from the first delta on."""

    def __init__(self, wire: WireClient, item_id: str) -> None:
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
        """How much has been played by now."""
        passed_ms = (asyncio.get_running_loop().time() - self._began_s) * 1000
        return int(min(passed_ms, self.received_ms))


async def transcribe(harness: Harness, pcm: bytes, rate: int = WIRE_RATE) -> str:
    """The text of this audio, by the server's transcriber."""
    transcriber = harness.server.runtime.providers.transcriber
    assert transcriber is not None
    samples = Resampler(rate, RATE).feed(np.frombuffer(pcm, "<i2"), last=True)
    return (await transcriber.transcribe(samples, language="en", final=True)).text


def similarity(received: np.ndarray, expected: np.ndarray) -> float:
    """The highest correlation of two signals over all offsets: 1 means equal."""
    size = 1 << (len(received) + len(expected)).bit_length()
    a, b = received.astype(float), expected.astype(float)
    crossed = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    return float(crossed.max() / (np.linalg.norm(a) * np.linalg.norm(b)))
