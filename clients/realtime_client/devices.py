"""PortAudio, through the sounddevice package. Turns all its errors into DeviceError; `calls.py` waits for it."""

from __future__ import annotations

import ctypes
import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from realtime.core.audio import Resampler
from realtime.errors import install, install_extra

from .errors import DeviceError

RATE = 24_000  # Hertz, of the wire
# Asked for in seconds, never as PortAudio's "low": through PulseAudio that is 9 ms, which starves or stalls.
LATENCY_S = 0.06
GONE_S = 3.0  # without a call of its callback a device is gone
_RATES = (
    48_000,
    44_100,
    32_000,
    16_000,
    96_000,
    22_050,
    8_000,
    192_000,
)  # tried after 24 kHz and the device's own
INSTALL_LINE = install_extra("local")


def sounddevice() -> Any:
    """The sounddevice module. Raises DeviceError, which says how to install what is missing."""
    _silence_alsa()
    try:
        import sounddevice as module
    except ImportError:
        raise DeviceError(f"Microphone and speaker need the sounddevice package: {INSTALL_LINE}") from None
    except OSError:
        raise DeviceError(f"The PortAudio library is missing: {_portaudio_line()}") from None
    return module


@functools.cache
def _silence_alsa() -> None:
    """Stop ALSA from printing its errors: the DeviceError is enough."""
    if not sys.platform.startswith("linux"):
        return
    try:
        set_handler = ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler
    except (OSError, AttributeError):  # no ALSA: nothing prints
        return
    set_handler(_says_nothing)


# kept for as long as the process lives, because ALSA calls it from its own threads
_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
_says_nothing = _HANDLER(lambda file, line, function, error, form: None)


def _portaudio_line() -> str:
    if sys.platform == "darwin":
        return "brew install portaudio"
    if sys.platform == "win32":
        return install("--force-reinstall sounddevice")
    return "sudo apt install libportaudio2"


@contextmanager
def device_errors(what: str, instead: str) -> Iterator[None]:
    """Turn sounddevice's errors into a DeviceError about `what`; `instead` names another way."""
    module = sounddevice()
    try:
        yield
    except (module.PortAudioError, ValueError) as error:
        reason = str(error.args[0] if error.args else error).strip().rstrip(".")
        if "device -1" in reason:  # PortAudio's number for a default device that does not exist
            raise DeviceError(f"This machine has no {what}: {instead}.") from None
        raise DeviceError(
            f"The {what} cannot be used ({reason}): see `realtime doctor`, or {instead}."
        ) from None


def device_names(kind: str) -> list[str]:
    """Names of the "input" or "output" devices. Raises DeviceError if PortAudio is not installed."""
    found = sounddevice().query_devices()
    return [device["name"] for device in found if device[f"max_{kind}_channels"] > 0]


def started(stream: Any) -> None:
    """Let a stream run. One that cannot is closed."""
    try:
        stream.start()
    except BaseException:
        stream.close()
        raise


@dataclass(frozen=True, slots=True)
class Form:
    """How a device is opened: frames in a second, and samples in a frame."""

    rate: int = RATE  # Hertz
    channels: int = 1


def usable_form(module: Any, kind: str, device: str | int | None) -> Form:
    """What this "input" or "output" takes: 24 kHz mono if it can, else its own rate, else more channels.

    A device is asked for nothing but what it is opened with afterwards, so one that offers 44.1 kHz and eight channels
    only is found as well. Raises PortAudioError and ValueError for a device that does not exist or takes nothing.
    """
    check = module.check_input_settings if kind == "input" else module.check_output_settings
    refusal: Exception | None = None
    for form in _forms(module.query_devices(device, kind), kind):
        try:
            check(device=device, samplerate=form.rate, channels=form.channels, dtype="int16")
        except module.PortAudioError as error:
            refusal = refusal or error
        else:
            return form
    raise refusal or ValueError(f"it has no {kind} channels")


def _forms(device: Mapping[str, Any], kind: str) -> Iterator[Form]:
    """The forms to try, best first."""
    most = int(device[f"max_{kind}_channels"])
    own_rate = round(device["default_samplerate"])
    rates = [rate for rate in dict.fromkeys((RATE, own_rate, *_RATES)) if _convertible(rate, kind)]
    # few channels first: an ALSA plug device says that it has 128 of them
    counts = sorted({count for count in (1, 2, 4, 6, 8, most) if 0 < count <= most})
    return (Form(rate, count) for count in counts for rate in rates)


def _convertible(rate: int, kind: str) -> bool:
    try:
        Resampler(rate, RATE) if kind == "input" else Resampler(RATE, rate)
    except ValueError:
        return False
    return True


class Liveness:
    """Whether a device still does its work. Its thread calls `alive` and `ended`, the loop asks `check`.

    A device that is unplugged ends its stream, or, with some sound servers, only never calls again.
    """

    def __init__(self, what: str, instead: str, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._instead = instead
        self._now = now
        self._last_s = self._checked_s = now()
        self._ended = False
        self.closing = False  # we end the stream ourselves

    def alive(self) -> None:
        self._last_s = self._now()

    def ended(self) -> None:
        self._ended = True

    def check(self) -> None:
        """Raises DeviceError if the device is gone. To be asked at least every second while it matters."""
        now_s = self._now()
        if now_s - self._checked_s > GONE_S / 2:
            self._last_s = now_s  # nobody asked for so long: the whole process may have been stopped
        self._checked_s = now_s
        if self.closing or not (self._ended or now_s - self._last_s > GONE_S):
            return
        raise DeviceError(
            f"The {self._what} is gone: it was unplugged, or its sound server has stopped. "
            f"Connect it and start again, or {self._instead}."
        )
