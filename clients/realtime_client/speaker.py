"""The speaker of this machine. PortAudio's thread takes samples from the player, with the time of the first one."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from realtime.core.audio import Resampler, pcm_to_samples, samples_to_pcm
from realtime.core.channels import spread

from .calls import closed, opened
from .devices import (
    LATENCY_S,
    RATE,
    Form,
    Liveness,
    device_errors,
    sounddevice,
    started,
    usable_form,
)
from .player import SAMPLE_BYTES, Player, Position

_BLOCK_MS = 10
INSTEAD = "save the audio in a file (`FileSpeaker`)"


class Speaker:
    """`async with Speaker() as speaker: speaker.player.write(part, pcm)`, whatever rate and channels the device has.

    Raises DeviceError on entry, and from `now` and `drained` if the device has vanished; `instead` is what its message
    advises.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        player: Player | None = None,
        latency_s: float = LATENCY_S,
        instead: str = INSTEAD,
    ) -> None:
        self.device = device
        self._wanted_s = latency_s  # of the device's buffer; a larger one is safer on a busy machine
        self.player = player or Player(RATE)
        self._stream: Any = None
        self._form = Form()  # of the device
        self._resampler = Resampler(RATE, RATE)
        self._converted = b""  # mono at the device's rate, left over from the block before
        self._instead = instead
        self._liveness = Liveness("speaker", instead)

    async def __aenter__(self) -> Speaker:
        await opened(self._open, self._close, "speaker", self._instead)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await closed(self._close)

    @property
    def latency_s(self) -> float:
        """Seconds from taking samples to hearing them, by the device."""
        return float(self._stream.latency)

    def now(self) -> float:
        """The device's clock, in seconds. Raises DeviceError if the device has vanished."""
        self._liveness.check()
        return float(self._stream.time)

    def flush(self) -> list[Position]:
        """Drop all audio. Returns how much of each part will have been heard when the device's buffer is empty."""
        return self.player.flush()

    async def drained(self) -> None:
        """Wait until all audio has been heard."""
        while self.player.active:
            self.player.positions(self.now())
            await asyncio.sleep(_BLOCK_MS / 1000)

    def _close(self) -> None:
        self._liveness.closing = True
        self._stream.close()

    def _open(self) -> None:
        module = sounddevice()
        with device_errors("speaker", self._instead):
            form = self._form = usable_form(module, "output", self.device)
            self._resampler = Resampler(RATE, form.rate)
            stream = module.RawOutputStream(
                samplerate=form.rate,
                blocksize=form.rate * _BLOCK_MS // 1000,
                device=self.device,
                channels=form.channels,
                dtype="int16",
                latency=self._wanted_s,
                callback=self._play,
                finished_callback=self._liveness.ended,
            )
            self._stream = stream
            started(stream)
            self._liveness.alive()

    def _play(self, out: Any, frames: int, time: Any, status: Any) -> None:
        self._liveness.alive()
        at_s = time.outputBufferDacTime
        if at_s <= time.currentTime:  # some hosts do not say
            at_s = time.currentTime + self.latency_s
        mono = self._read(frames, at_s)
        channels = self._form.channels
        out[:] = mono if channels == 1 else samples_to_pcm(spread(pcm_to_samples(mono), channels))

    def _read(self, frames: int, at_s: float) -> bytes:
        """So many frames of the device, as one channel at its rate; the first one will be heard at `at_s`."""
        if self._form.rate == RATE:
            return self.player.read(frames, at_s)
        size = frames * SAMPLE_BYTES
        while len(self._converted) < size:
            ahead_s = len(self._converted) / SAMPLE_BYTES / self._form.rate + self._resampler.held_ms / 1000
            block = pcm_to_samples(self.player.read(RATE * _BLOCK_MS // 1000, at_s + ahead_s))
            self._converted += samples_to_pcm(self._resampler.feed(block))
        out, self._converted = self._converted[:size], self._converted[size:]
        return out
