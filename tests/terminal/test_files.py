"""Sound files of the person: read whatever rate they have, and tried before there is anything to save."""

import os
import resource
import signal
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from realtime_client import files
from realtime_client.errors import FileError
from realtime_client.files import check_writable, read_sound, write_sound

from realtime.core.audio import write_wav
from realtime.media import encode_mp3
from realtime.media import recording as recording_module

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


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
    with pytest.raises(FileError, match=r"no recording that can be read here\. Bring a 16-bit WAV file\."):
        read_sound(tmp_path / "a.wav")
    with pytest.raises(FileError, match="cannot be read"):
        read_sound(tmp_path / "b.wav")


def test_a_recording_without_sound_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no sound in it"):
        read_sound(recording(tmp_path / "a.wav", 24_000, 0.0))


def in_format(kind: str, samples: np.ndarray, rate: int) -> bytes:
    """A WAV file of two channels, silence in the second."""
    code, bits, body = {
        "24 bits": (
            1,
            24,
            (samples.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].copy().reshape(-1, 3),
        ),
        "float": (3, 32, (samples / 32768).astype("<f4").view(np.uint8).reshape(-1, 4)),
        "8 bits": (1, 8, (samples // 256 + 128).astype(np.uint8).reshape(-1, 1)),
    }[kind]
    silence = np.full_like(body, 128 if bits == 8 else 0)
    data = np.hstack([body, silence]).tobytes()
    size = bits // 8 * 2
    head = (
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        code,
        2,
        rate,
        rate * size,
        size,
        bits,
        b"data",
        len(data),
    )
    return struct.pack("<4sI4s4sIHHIIHH4sI", *head) + data


@pytest.mark.parametrize("kind", ["24 bits", "float", "8 bits", "mp3"])
def test_other_formats_are_read_as_a_wav_of_16_bits_is(tmp_path, monkeypatch, kind):
    tone = (np.sin(np.arange(44_100) * 2 * np.pi * 440 / 44_100) * 9_000).astype(np.int16)
    path = tmp_path / "a.wav"
    path.write_bytes(encode_mp3(tone.tobytes(), 44_100) if kind == "mp3" else in_format(kind, tone, 44_100))
    sound = np.frombuffer(read_sound(path), np.int16)
    assert len(sound) == pytest.approx(24_000, rel=0.1)
    assert abs(int(np.abs(np.fft.rfft(sound[:24_000])).argmax()) - 440) <= 1
    assert abs(sound).max() == pytest.approx(9_000, rel=0.1)  # the silent channel takes nothing away
    for module in (files, recording_module):
        monkeypatch.setattr(module, "pyav", lambda: None)
    with pytest.raises(
        FileError, match=r"Bring a 16-bit WAV file, or .*pip install 'minimax-realtime\[local\]'\."
    ):
        read_sound(path)


def test_recordings_that_were_joined_and_a_broken_end_are_read(tmp_path):
    tone = (np.sin(np.arange(44_100) * 2 * np.pi * 440 / 44_100) * 9_000).astype(np.int16)
    joined = (
        encode_mp3(tone.tobytes(), 44_100)
        + encode_mp3(tone.tobytes(), 48_000)
        + b"\xff\xfb"
        + bytes(range(99))
    )
    (tmp_path / "a.mp3").write_bytes(joined)
    assert len(read_sound(tmp_path / "a.mp3")) / 48_000 == pytest.approx(1.92, rel=0.1)


def test_a_recording_with_too_much_sound_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.mp3").write_bytes(encode_mp3(bytes(88_200), 44_100))
    monkeypatch.setattr(recording_module, "MOST_BYTES", 50_000)
    with pytest.raises(FileError, match="of sound: cut it into shorter recordings"):
        read_sound(tmp_path / "a.mp3")


def test_a_playlist_opens_nothing(tmp_path):
    song = recording(tmp_path / "song.wav", 24_000)
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{song}\n")
    (tmp_path / "a.txt").write_text(f"ffconcat version 1.0\nfile '{song}'\n")
    for name in ("a.m3u8", "a.txt"):
        with pytest.raises(FileError, match=r"no recording that can be read here\. Bring"):
            read_sound(tmp_path / name)


def test_a_wav_file_without_a_rate_is_told_so(tmp_path):
    path = recording(tmp_path / "a.wav", 24_000)
    path.write_bytes(path.read_bytes()[:24] + bytes(4) + path.read_bytes()[28:])
    with pytest.raises(FileError, match="says that it has 1 channels and 0 samples a second"):
        read_sound(path)


def test_a_recording_that_is_too_large_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_BYTES", 40_000)
    assert read_sound(recording(tmp_path / "a.wav", 16_000, 1.0))
    with pytest.raises(FileError, match=r"has more than 0 MB: cut it into shorter recordings\."):
        read_sound(recording(tmp_path / "a.wav", 24_000, 1.0))


@pytest.fixture
def full_disk():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_file_that_cannot_be_written_whole_leaves_the_earlier_one(tmp_path, full_disk):
    (tmp_path / "keep.wav").write_bytes(b"earlier")
    for name in ("keep.wav", "new.wav"):
        with pytest.raises(FileError, match="cannot be written"):
            write_sound(tmp_path / name, bytes(48_000))
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("keep.wav", b"earlier")]


def test_a_written_file_keeps_its_link_and_its_mode(tmp_path):
    real, link = tmp_path / "real.wav", tmp_path / "link.wav"
    real.write_bytes(b"earlier")
    real.chmod(0o640)
    link.symlink_to(real)
    write_sound(link, bytes(480))
    assert (link.is_symlink(), real.stat().st_mode & 0o777, len(read_sound(link))) == (True, 0o640, 480)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_pipe_takes_the_sound_directly(tmp_path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        write_sound(pipe, bytes(480))
        assert len(read.result()) == 44 + 480
    assert pipe.is_fifo()


def test_what_can_be_written_is_left_as_it_was(tmp_path):
    there, missing = tmp_path / "there.wav", tmp_path / "missing.wav"
    there.write_bytes(b"something")
    os.utime(there, (1, 1))
    check_writable(there)
    check_writable(missing)
    assert (there.read_bytes(), there.stat().st_mtime) == (b"something", 1)
    assert not missing.exists()


@pytest.mark.parametrize("name", ["folder.wav", "none/a.wav", "file/a.wav", "a" * 300 + ".wav", "a.txt", "a"])
def test_what_cannot_be_written_is_refused(tmp_path, name):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError) as refused:
        check_writable(tmp_path / name)
    assert str(refused.value).endswith(".")


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
@pytest.mark.parametrize("there", [True, False])
def test_what_is_protected_is_refused(tmp_path, there):
    target = tmp_path / "a.wav"
    if there:
        target.write_bytes(b"something")
        target.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileError, match="cannot be written: Permission denied"):
            check_writable(target)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of POSIX")
def test_a_link_a_pipe_and_a_device_are_what_they_lead_to(tmp_path):
    link, far = tmp_path / "link.wav", tmp_path / "far.wav"
    link.symlink_to(far)
    check_writable(link)
    assert not far.exists()
    write_sound(link, bytes(4800))
    assert far.stat().st_size == 4844
    pipe, null = tmp_path / "pipe.wav", tmp_path / "null.wav"
    os.mkfifo(pipe)
    check_writable(pipe)  # without waiting for who reads it
    null.symlink_to("/dev/null")
    check_writable(null)
    write_sound(null, bytes(4800))
    assert null.is_char_device()
    broken = tmp_path / "broken.wav"
    broken.symlink_to(tmp_path / "none" / "a.wav")
    with pytest.raises(FileError, match="cannot be written: No such file"):
        check_writable(broken)
