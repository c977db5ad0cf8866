"""Recordings for cloning and audiobooks with chapters: durations, levels, refusals, chapter marks."""

import io
import re
import subprocess
import sys
import wave

import numpy as np
import pytest

from realtime.errors import ConfigError, InvalidArgument
from realtime.media import Part, check_mp3, duration_s, encode_mp3, join, prepare_sample
from realtime.media.ffmpeg import ffmpeg

RATE = 16_000


def tone(seconds: float, *, amplitude: float = 0.1, channels: int = 1, rate: int = RATE) -> bytes:
    """A sine of 440 Hz as a WAV file."""
    times_s = np.arange(int(seconds * rate)) / rate
    samples = (np.sin(2 * np.pi * 440 * times_s) * amplitude * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).tobytes())
    return buffer.getvalue()


def convert(source, out, *options: str) -> None:
    """`out` from `source` by the packaged ffmpeg."""
    subprocess.run([ffmpeg(), "-v", "error", "-y", "-i", source, *options, out], check=True)


@pytest.fixture
def recording(tmp_path):
    """12 s of stereo in a WAV file."""
    path = tmp_path / "me.wav"
    path.write_bytes(tone(12, channels=2))
    return path


@pytest.mark.parametrize("ending", ["wav", "m4a", "mp3", "ogg", "flac", "mkv"])
def test_any_format_becomes_a_mono_wav_at_32_khz(recording, tmp_path, ending):
    source = recording
    if ending != "wav":
        source = tmp_path / f"me.{ending}"
        convert(recording, source)
    sample = prepare_sample(source)
    with wave.open(io.BytesIO(sample.wav)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (1, 32_000, 2)
        assert file.getnframes() / 32_000 == pytest.approx(12, abs=0.1)
    assert sample.duration_s == pytest.approx(12, abs=0.1)


def test_bytes_are_taken_as_well(recording, tmp_path):
    convert(recording, tmp_path / "me.m4a")  # m4a: ffmpeg has to seek in it
    assert prepare_sample((tmp_path / "me.m4a").read_bytes()).duration_s == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize(("amplitude", "note"), [(0.01, "louder"), (0.99, "quieter")])
def test_speech_is_brought_to_20_db_below_full_scale(amplitude, note):
    sample = prepare_sample(tone(11, amplitude=amplitude))
    assert sample.level_dbfs == pytest.approx(-20, abs=0.2)
    assert note in sample.notes[0]


def test_levelling_never_clips():
    samples = np.frombuffer(tone(11, amplitude=0.02)[44:], "<i2").copy()
    samples[1000:1040] = 20_000  # one click: the rest is quiet
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    sample = prepare_sample(buffer.getvalue())
    with wave.open(io.BytesIO(sample.wav)) as file:
        peak = np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)).max()
    assert peak < 32_767
    assert sample.level_dbfs < -25, "the click limits the gain"


@pytest.mark.parametrize(
    ("seconds", "prompt", "said"),
    [
        (6.2, False, "the recording is 6.2 s, cloning wants 10 s to 5 min"),
        (9.99, False, "the recording is 9.9 s, cloning wants 10 s to 5 min"),
        (360, False, "the recording is 6 min 0 s, cloning wants 10 s to 5 min"),
        (9.0, True, "the prompt audio is 9.0 s, it must be shorter than 8 s"),
        (8.0, True, "the prompt audio is 8.0 s, it must be shorter than 8 s"),
    ],
)
def test_a_recording_of_the_wrong_length_is_refused(seconds, prompt, said):
    with pytest.raises(InvalidArgument) as caught:
        prepare_sample(tone(seconds, rate=8_000), prompt=prompt, param="sample")
    assert str(caught.value) == said
    assert caught.value.param == "sample"


@pytest.mark.parametrize(("seconds", "prompt"), [(10, False), (300, False), (7.9, True)])
def test_the_limits_themselves_are_accepted_and_fit_into_20_mb(seconds, prompt):
    sample = prepare_sample(tone(seconds, rate=8_000), prompt=prompt)
    assert sample.duration_s == pytest.approx(seconds, abs=0.05)
    assert len(sample.wav) <= 20_000_000


def test_silence_is_refused():
    with pytest.raises(InvalidArgument, match="silent"):
        prepare_sample(tone(12, amplitude=0))


@pytest.mark.parametrize(
    "content", [b"", b"just some words, no audio\n" * 50, b"\x89PNG\r\n\x1a\n" + bytes(500)]
)
def test_what_is_not_audio_is_refused_by_name(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(InvalidArgument, match=r"notes\.txt is not audio"):
        prepare_sample(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidArgument, match="cannot be read: No such file"):
        prepare_sample(tmp_path / "-there is none.m4a")


def test_a_name_that_looks_like_an_option_is_only_a_name(recording, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording.rename(tmp_path / "-y.wav")
    assert duration_s("-y.wav") == pytest.approx(12, abs=0.01)


def test_the_duration_is_measured_and_not_read_from_the_header():
    whole = tone(12)
    assert duration_s(whole) == pytest.approx(12, abs=0.01)
    assert duration_s(whole[: 44 + RATE * 2 * 3]) == pytest.approx(3, abs=0.05)  # cut; the header says 12 s


def test_without_the_extra_the_error_has_the_line_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydub", None)
    with pytest.raises(ConfigError, match=r"pip install 'minimax-realtime\[media\]'"):
        prepare_sample(tone(12))


@pytest.mark.parametrize("encodes", ["av", "pydub"])
def test_speech_becomes_an_mp3_file_with_either_package(monkeypatch, encodes):
    pytest.importorskip(encodes)
    monkeypatch.setitem(sys.modules, {"av": "pydub", "pydub": "av"}[encodes], None)
    with io.BytesIO(tone(2)) as file, wave.open(file) as whole:
        pcm, rate = whole.readframes(whole.getnframes()), whole.getframerate()
    check_mp3()
    encoded = encode_mp3(pcm, rate)
    assert len(encoded) < len(pcm) / 3
    monkeypatch.undo()
    assert duration_s(encoded) == pytest.approx(2, abs=0.1)


def test_an_mp3_file_needs_one_of_two_packages(monkeypatch):
    for package in ("av", "pydub"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match="pip install"):
        check_mp3()


def chapters(path) -> list[tuple[float, float, str]]:
    """The chapters that ffmpeg finds in a file: start and end in seconds, title."""
    done = subprocess.run([ffmpeg(), "-i", path, "-f", "ffmetadata", "-"], capture_output=True, check=True)
    text = done.stdout.decode()
    found = re.findall(r"\[CHAPTER\]\nTIMEBASE=1/(\d+)\nSTART=(\d+)\nEND=(\d+)\ntitle=((?:\\\n|.)*)", text)
    return [(int(start) / int(base), int(end) / int(base), title) for base, start, end, title in found]


@pytest.mark.parametrize("ending", ["m4b", "mp3", "m4a"])
def test_joined_parts_are_chapters_that_fit_the_audio(tmp_path, ending):
    out = tmp_path / f"book.{ending}"
    (tmp_path / "two.wav").write_bytes(tone(3, channels=2))
    parts = [
        Part("第一章", tone(2)),
        Part("Two; or = more #2", tmp_path / "two.wav"),
        Part("Three", tone(1, rate=44_100)),
    ]
    joined = join(parts, out, title="A book", author="Somebody")
    assert joined.starts_s == pytest.approx((0, 2, 5), abs=0.01)
    assert joined.duration_s == pytest.approx(6, abs=0.01)
    assert duration_s(out) == pytest.approx(6, abs=0.15)
    found = chapters(out)
    assert [title.replace("\\", "") for _, _, title in found] == ["第一章", "Two; or = more #2", "Three"]
    # mp3 counts its first frame
    assert [start_s for start_s, _, _ in found] == pytest.approx([0, 2, 5], abs=0.05)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [out.name, "two.wav"], (
        "no temporary file is left"
    )


def test_joining_a_part_that_is_not_audio_names_it_and_leaves_no_file(tmp_path):
    with pytest.raises(InvalidArgument, match="chapter 'Two' is not audio"):
        join([Part("One", tone(1)), Part("Two", b"no audio")], tmp_path / "book.m4b")
    assert list(tmp_path.iterdir()) == []


def test_joining_keeps_the_old_file_until_the_new_one_is_complete(tmp_path):
    out = tmp_path / "book.mp3"
    out.write_bytes(b"the old one")
    with pytest.raises(InvalidArgument):
        join([Part("One", b"no audio")], out)
    assert out.read_bytes() == b"the old one"
    join([Part("One", tone(1))], out)
    assert duration_s(out) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("parts", "name"), [([], "a.m4b"), ([Part("One", b"")], "a.wav")])
def test_joining_nothing_or_into_another_format_is_refused(tmp_path, parts, name):
    with pytest.raises(InvalidArgument):
        join(parts, tmp_path / name)
