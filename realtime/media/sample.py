"""Any recording as what cloning accepts (docs/minimax/voices.md 1): mono WAV, levelled, measured, refused if unusable.

Blocks: call it with `asyncio.to_thread`. Knows no endpoint.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from realtime.errors import InvalidArgument
from realtime.media.ffmpeg import AudioSource, decode, pydub_segment

# Hertz: 5 minutes of 16-bit mono are 19.2 MB, below the limit of cloning without a lossy format.
SAMPLE_RATE = 32_000
MIN_SAMPLE_S, MAX_SAMPLE_S = 10.0, 300.0
MAX_PROMPT_S = 8.0  # the prompt audio must be shorter
MAX_SAMPLE_BYTES = 20_000_000
TARGET_DBFS = -20.0  # usual level of speech, RMS
PEAK_DBFS = -1.0  # no sample gets louder: nothing is clipped
SILENT_DBFS = -60.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording ready for cloning: 16-bit mono WAV at 32 kHz, its duration and its RMS level after levelling.

    `notes` are short sentences about what was changed.
    """

    wav: bytes = field(repr=False)
    duration_s: float
    level_dbfs: float
    notes: tuple[str, ...] = ()


def prepare_sample(source: AudioSource, *, prompt: bool = False, param: str = "file") -> Sample:
    """Any recording as a sample for cloning, or as its prompt audio.

    Raises InvalidArgument (naming `param`) for a file that cannot be read or is not audio, and for a recording that is
    silent, too short or too long; ConfigError without the extra `[media]`.
    """
    segment_type = pydub_segment()
    decoded = decode(source, SAMPLE_RATE, keep_s=MAX_SAMPLE_S, param=param)
    _check_duration(decoded.duration_s, prompt, param)
    segment = segment_type(data=decoded.pcm, sample_width=2, frame_rate=SAMPLE_RATE, channels=1)
    if segment.dBFS < SILENT_DBFS:
        raise InvalidArgument(
            "the recording is silent: record it again, closer to the microphone", param=param
        )
    gain_db = min(TARGET_DBFS - segment.dBFS, PEAK_DBFS - segment.max_dBFS)
    segment = segment.apply_gain(gain_db)
    with io.BytesIO() as buffer:
        segment.export(buffer, format="wav")
        wav = buffer.getvalue()
    if len(wav) > MAX_SAMPLE_BYTES:  # cannot happen while the rate and the longest duration are as above
        raise InvalidArgument(f"the sample has {len(wav) / 1e6:.1f} MB, cloning takes 20 MB", param=param)
    return Sample(wav, decoded.duration_s, segment.dBFS, _notes(gain_db, decoded.damaged))


def _check_duration(seconds: float, prompt: bool, param: str) -> None:
    if prompt and seconds >= MAX_PROMPT_S:
        raise InvalidArgument(
            f"the prompt audio is {_said(seconds)}, it must be shorter than {MAX_PROMPT_S:.0f} s", param=param
        )
    if not prompt and not MIN_SAMPLE_S <= seconds <= MAX_SAMPLE_S:
        raise InvalidArgument(f"the recording is {_said(seconds)}, cloning wants 10 s to 5 min", param=param)


def _said(seconds: float) -> str:
    if seconds < MAX_SAMPLE_S:
        return f"{int(seconds * 10) / 10:.1f} s"  # cut, not rounded: 9.99 s must not read as 10.0 s
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _notes(gain_db: float, damaged: bool) -> tuple[str, ...]:
    notes = ["parts of the file could not be decoded"] if damaged else []
    if abs(gain_db) >= 0.5:
        notes.append(f"made {'louder' if gain_db > 0 else 'quieter'} by {abs(gain_db):.1f} dB")
    return tuple(notes)
