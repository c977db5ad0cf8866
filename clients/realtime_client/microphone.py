"""The microphone of this machine, as blocks of 24 kHz PCM."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

from realtime.core.audio import Resampler, pcm_to_samples, samples_to_pcm
from realtime.core.channels import Downmix

from .calls import closed, opened
from .devices import (
    LATENCY_S,
    RATE,
    Liveness,
    device_errors,
    sounddevice,
    started,
    usable_form,
)

_BACKLOG_BLOCKS = 100  # two seconds; older audio is dropped, or the delay would never shrink
_LOOK_S = 1.0  # without sound for so long the device is looked at
INSTEAD = "type with `realtime talk --text`, or bring a recording with `realtime talk --wav FILE`"


class Microphone:
    """`async with Microphone() as microphone: async for pcm in microphone: ...`.

    Blocks of `block_ms` milliseconds, 16-bit mono at 24 kHz, whatever rate and channels the device has. Raises
    DeviceError on entry, and while it runs if the device vanishes; `instead` is what its message advises.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        block_ms: int = 20,
        latency_s: float = LATENCY_S,
        instead: str = INSTEAD,
    ) -> None:
        self.device = device
        self.latency_s = latency_s  # of the device's buffer; a larger one is safer on a busy machine
        self.block_ms = block_ms
        self.dropped_ms = 0  # of audio that was not read in time
        self._blocks: asyncio.Queue[bytes] = asyncio.Queue(_BACKLOG_BLOCKS)
        self._stream: Any = None
        self._downmix = Downmix(1)
        self._resampler = Resampler(RATE, RATE)
        self._instead = instead
        self._liveness = Liveness("microphone", instead)

    async def __aenter__(self) -> Microphone:
        self._loop = asyncio.get_running_loop()
        await opened(self._open, self._close, "microphone", self._instead)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await closed(self._close)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(_LOOK_S):
                    block = await self._blocks.get()
            except TimeoutError:
                block = b""
            if not block:
                self._liveness.check()
                continue
            mono = self._downmix.feed(pcm_to_samples(block))
            if pcm := samples_to_pcm(self._resampler.feed(mono)):
                yield pcm

    def _close(self) -> None:
        self._liveness.closing = True
        self._stream.close()

    def _open(self) -> None:
        module = sounddevice()
        with device_errors("microphone", self._instead):
            form = usable_form(module, "input", self.device)
            self._downmix, self._resampler = Downmix(form.channels), Resampler(form.rate, RATE)
            stream = module.RawInputStream(
                samplerate=form.rate,
                blocksize=form.rate * self.block_ms // 1000,
                device=self.device,
                channels=form.channels,
                dtype="int16",
                latency=self.latency_s,
                callback=self._heard,
                finished_callback=self._finished,
            )
            self._stream = stream
            started(stream)
            self._liveness.alive()

    def _heard(self, data: Any, frames: int, time: Any, status: Any) -> None:
        self._liveness.alive()
        self._tell(bytes(data))

    def _finished(self) -> None:
        self._liveness.ended()
        self._tell(b"")

    def _tell(self, pcm: bytes) -> None:
        # This is PortAudio's thread; the loop may have closed before the stream.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._keep, pcm)

    def _keep(self, pcm: bytes) -> None:
        if self._blocks.full():
            self._blocks.get_nowait()
            self.dropped_ms += self.block_ms
        self._blocks.put_nowait(pcm)
