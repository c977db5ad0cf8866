"""PortAudio, through the sounddevice package. Turns all its errors into DeviceError."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import DeviceError

RATE = 24_000  # Hertz, of the wire
# Asked for in seconds, never as PortAudio's "low": through PulseAudio that is 9 ms, which starves or stalls.
LATENCY_S = 0.06
INSTALL_LINE = "pip install 'minimax-realtime[local]'"


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
        return "pip install --force-reinstall sounddevice"
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


def usable_rate(module: Any, kind: str, device: str | int | None) -> int:
    """24 kHz if the device supports it, otherwise its own rate, in Hertz."""
    check = module.check_input_settings if kind == "input" else module.check_output_settings
    try:
        check(device=device, samplerate=RATE, channels=1, dtype="int16")
    except module.PortAudioError:
        return int(module.query_devices(device, kind)["default_samplerate"])
    return RATE
