"""Whether sound comes in the format that was asked for, as far as its frames say. Pure.

Sound without a header is played as what was asked for. In another rate it would be too slow or too fast, and nobody
would be told. It is refused, not converted: most frames with sound say nothing of it, and the last frame of a text,
which does, comes when that sound was passed on; and a compressed format may come as well, which cannot be converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime.errors import ProviderRejected
from realtime.minimax.speech_config import SpeechConfig

_AGREE_MS = 20.0  # by which sound of another format may have the right length by chance


def check_format(info: Any, config: SpeechConfig, received_ms: float) -> None:
    """`info` is the `extra_info` of a frame, `received_ms` how long its sound is if it is what was asked for.

    What the frame says of the format is a label; if the length in the same frame says that the sound is right, the
    label is wrong. Raises ProviderRejected: whoever asks again gets the same.
    """
    if not config.raw_pcm or not isinstance(info, Mapping) or received_ms <= 0:
        return
    rate = _number(info.get("audio_sample_rate"), config.rate)
    channels = _number(info.get("audio_channel"), 1)
    format = _word(info.get("audio_format"), config.format)
    if (rate, channels, format) == (config.rate, 1, config.format):
        return
    length_ms = _number(info.get("audio_length"), 0)
    if length_ms and _is_as_asked(
        received_ms, length_ms, rate * channels / config.rate, format == config.format
    ):
        return
    raise _other_format(_named(format, rate, channels), _named(config.format, config.rate, 1))


def _is_as_asked(received_ms: float, length_ms: float, ratio: float, same_format: bool) -> bool:
    """Whether the length fits what was asked for better than what was told, which needs `ratio` times the bytes."""
    off_ms = abs(received_ms - length_ms)
    return off_ms < abs(received_ms / ratio - length_ms) if same_format else off_ms <= _AGREE_MS


def _number(value: Any, otherwise: float) -> float:
    """What a field says; one that is missing, 0 or no number says nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value > 0 else float(otherwise)


def _word(value: Any, otherwise: str) -> str:
    return value.strip().lower() if isinstance(value, str) and value.strip() else otherwise


def _named(format: str, rate: float, channels: float) -> str:
    """For a sentence."""
    plain = format if format.isalnum() and len(format) <= 12 else "another format"
    return f"{plain} of {rate:.0f} Hz with {channels:.0f} channel{'s' if channels != 1 else ''}"


def _other_format(came: str, asked: str) -> ProviderRejected:
    problem = f"the voice's sound came as {came}, but {asked} was asked for"
    error = ProviderRejected(f"MiniMax: {problem}.")
    error.reason = problem
    return error
