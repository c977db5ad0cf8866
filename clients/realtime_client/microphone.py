"""The microphone of this machine, as blocks of 24 kHz PCM."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

from realtime.core.audio import Resampler, pcm_to_samples, samples_to_pcm

from .devices import LATENCY_S, RATE, device_errors, sounddevice, usable_rate

_BACKLOG_BLOCKS = 100  # two seconds; older audio is dropped, or the delay would never shrink


class Microphone:
    """`async with Microphone() as microphone: async for pcm in microphone: ...`.

    Blocks of `block_ms` milliseconds, 16-bit mono at 24 kHz. Raises DeviceError on entry.
    """

    def __init__(
        self, device: str | int | None = None, *, block_ms: int = 20, latency_s: float = LATENCY_S
    ) -> None:
        self.device = device
        self.latency_s = latency_s  # of the device's buffer; a larger one is safer on a busy machine
        self.block_ms = block_ms
        self.dropped_ms = 0  # of audio that was not read in time
        self._blocks: asyncio.Queue[bytes] = asyncio.Queue(_BACKLOG_BLOCKS)
        self._stream: Any = None
        self._resampler: Resampler | None = None

    async def __aenter__(self) -> Microphone:
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stream.close)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            pcm = await self._blocks.get()
            if self._resampler is not None:
                pcm = samples_to_pcm(self._resampler.feed(pcm_to_samples(pcm)))
            if pcm:
                yield pcm

    def _open(self) -> None:
        module = sounddevice()
        with device_errors(
            "microphone", "type with `realtime talk --text`, or bring a recording with --wav FILE"
        ):
            rate = usable_rate(module, "input", self.device)
            self._resampler = None if rate == RATE else Resampler(rate, RATE)
            self._stream = module.RawInputStream(
                samplerate=rate,
                blocksize=rate * self.block_ms // 1000,
                device=self.device,
                channels=1,
                dtype="int16",
                latency=self.latency_s,
                callback=self._heard,
            )
            self._stream.start()

    def _heard(self, data: Any, frames: int, time: Any, status: Any) -> None:
        # This is PortAudio's thread; the loop may have closed before the stream.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._keep, bytes(data))

    def _keep(self, pcm: bytes) -> None:
        if self._blocks.full():
            self._blocks.get_nowait()
            self.dropped_ms += self.block_ms
        self._blocks.put_nowait(pcm)
