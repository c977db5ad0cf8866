"""Sound files of the person, of whatever rate."""

import struct
from pathlib import Path

import numpy as np
import pytest
from realtime_client.errors import FileError
from realtime_client.files import read_sound

from realtime.core.audio import write_wav


def recording(path: Path, rate: int, seconds: float = 1.0) -> Path:
    tone = np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * 440 / rate) * 9_000
    path.write_bytes(write_wav(tone.astype(np.int16), rate))
    return path


@pytest.mark.parametrize("rate", [8_000, 11_127, 22_254, 44_056, 44_100, 47_999, 96_000])
def test_a_recording_of_any_usual_or_rare_rate_is_read(tmp_path, rate):
    sound = np.frombuffer(read_sound(recording(tmp_path / "a.wav", rate)), np.int16)
    assert len(sound) == pytest.approx(24_000, rel=0.001)
    spectrum = np.abs(np.fft.rfft(sound[:24_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.parametrize("rate", [3, 22, 4_000_000_000])
def test_a_rate_that_no_sound_has_is_refused_in_one_sentence(tmp_path, rate):
    pcm = bytes(400)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 436, b"WAVE", b"fmt ", 16, 1, 1, rate, 0, 2, 16, b"data", 400
    )
    (tmp_path / "a.wav").write_bytes(head + pcm)
    with pytest.raises(FileError, match=rf"a\.wav: {rate} Hz is too far from 24000 Hz\."):
        read_sound(tmp_path / "a.wav")


def test_what_is_no_recording_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"Hello.")
    with pytest.raises(FileError, match="not a WAV file"):
        read_sound(tmp_path / "a.wav")
    with pytest.raises(FileError, match="cannot be read"):
        read_sound(tmp_path / "b.wav")
