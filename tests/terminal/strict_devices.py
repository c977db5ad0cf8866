"""A fake of the sounddevice module with one device, which refuses as PortAudio does whatever it does not offer."""

import threading
import types

import numpy as np


class PortAudioError(Exception):
    pass


class Stream:
    """One that the test runs by hand: `push` and `pull` are a device's callbacks."""

    latency = 0.05

    def __init__(
        self,
        module,
        kind,
        *,
        samplerate,
        blocksize,
        device,
        channels,
        dtype,
        latency,
        callback,
        finished_callback,
    ):
        module.check(kind, device=device, samplerate=samplerate, channels=channels, dtype=dtype)
        self.rate, self.blocksize, self.channels = samplerate, blocksize, channels
        self.time = 0.0
        self.running = self.closed = False
        self._callback, self._finished = callback, finished_callback
        self._refuses_to_start = module.refuses_to_start
        module.streams.append(self)

    def start(self):
        if self._refuses_to_start:
            raise PortAudioError("Error starting stream: Device unavailable [PaErrorCode -9985]")
        self.running = True

    def close(self):
        self.closed, self.running = True, False
        self._finished()

    def vanish(self):
        """What PortAudio does with a device that is unplugged, on its own thread."""
        thread = threading.Thread(target=self._finished)
        thread.start()
        thread.join()

    def push(self, frames):
        """One block for an input: an array of frames by channels."""
        assert frames.shape[1] == self.channels
        self._callback(np.ascontiguousarray(frames, np.int16).tobytes(), len(frames), None, None)

    def pull(self):
        """One block of an output, as an array of frames by channels."""
        out = bytearray(self.blocksize * self.channels * 2)
        clock = types.SimpleNamespace(outputBufferDacTime=self.time + self.latency, currentTime=self.time)
        self._callback(memoryview(out), self.blocksize, clock, None)
        self.time += self.blocksize / self.rate
        return np.frombuffer(bytes(out), np.int16).reshape(-1, self.channels)


class StrictDevices(types.ModuleType):
    """`rates` and `channels` are all that the device takes."""

    PortAudioError = PortAudioError

    def __init__(self, *, rates=(48_000,), channels=(2,), default_rate=None, refuses_to_start=False):
        super().__init__("sounddevice")
        self.rates, self.channels = rates, channels
        self.default_rate = default_rate or rates[0]
        self.refuses_to_start = refuses_to_start
        self.streams = []

    def query_devices(self, device=None, kind=None):
        most = max(self.channels, default=0)
        return {
            "name": "strict", "default_samplerate": float(self.default_rate),
            "max_input_channels": most, "max_output_channels": most,
        }  # fmt: skip

    def check(self, kind, *, device=None, samplerate, channels, dtype):
        if channels not in self.channels:
            raise PortAudioError("Invalid number of channels [PaErrorCode -9998]")
        if samplerate not in self.rates:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")

    def check_input_settings(self, **form):
        self.check("input", **form)

    def check_output_settings(self, **form):
        self.check("output", **form)

    def RawInputStream(self, **form):
        return Stream(self, "input", **form)

    def RawOutputStream(self, **form):
        return Stream(self, "output", **form)
