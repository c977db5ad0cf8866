"""The speaker of this machine. PortAudio's thread takes samples from the player, with the time of the first one."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from realtime.core.audio import Resampler, pcm_to_samples, samples_to_pcm

from .devices import LATENCY_S, RATE, device_errors, sounddevice, usable_rate
from .player import SAMPLE_BYTES, Player, Position

_BLOCK_MS = 10


class Speaker:
    """`async with Speaker() as speaker: speaker.player.write(part, pcm)`. Raises DeviceError on entry."""

    def __init__(
        self,
        device: str | int | None = None,
        *,
        player: Player | None = None,
        latency_s: float = LATENCY_S,
    ) -> None:
        self.device = device
        self._wanted_s = latency_s  # of the device's buffer; a larger one is safer on a busy machine
        self.player = player or Player(RATE)
        self._stream: Any = None
        self._rate = RATE  # Hertz, of the device
        self._resampler: Resampler | None = None
        self._converted = b""  # at the device's rate, left over from the block before

    async def __aenter__(self) -> Speaker:
        await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stream.close)

    @property
    def latency_s(self) -> float:
        """Seconds from taking samples to hearing them, by the device."""
        return float(self._stream.latency)

    def now(self) -> float:
        """The device's clock, in seconds."""
        return float(self._stream.time)

    def flush(self) -> list[Position]:
        """Drop all audio. Returns how much of each part will have been heard when the device's buffer is empty."""
        return self.player.flush()

    async def drained(self) -> None:
        """Wait until all audio has been heard."""
        while self.player.active:
            self.player.positions(self.now())
            await asyncio.sleep(_BLOCK_MS / 1000)

    def _open(self) -> None:
        module = sounddevice()
        with device_errors(
            "speaker", "save the audio in a file (`--out FILE`, of `realtime talk` `--save FILE`)"
        ):
            self._rate = usable_rate(module, "output", self.device)
            self._resampler = None if self._rate == RATE else Resampler(RATE, self._rate)
            self._stream = module.RawOutputStream(
                samplerate=self._rate,
                blocksize=self._rate * _BLOCK_MS // 1000,
                device=self.device,
                channels=1,
                dtype="int16",
                latency=self._wanted_s,
                callback=self._play,
            )
            self._stream.start()

    def _play(self, out: Any, frames: int, time: Any, status: Any) -> None:
        at_s = time.outputBufferDacTime
        if at_s <= time.currentTime:  # some hosts do not say
            at_s = time.currentTime + self.latency_s
        out[:] = self._read(frames, at_s)

    def _read(self, frames: int, at_s: float) -> bytes:
        if self._resampler is None:
            return self.player.read(frames, at_s)
        size = frames * SAMPLE_BYTES
        while len(self._converted) < size:
            start_s = at_s + len(self._converted) / SAMPLE_BYTES / self._rate
            block = pcm_to_samples(self.player.read(RATE * _BLOCK_MS // 1000, start_s))
            self._converted += samples_to_pcm(self._resampler.feed(block))
        out, self._converted = self._converted[:size], self._converted[size:]
        return out
