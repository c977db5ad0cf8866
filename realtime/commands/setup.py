"""Fetch what is too big or too foreign for a package of ours, check it, and put it into this user's cache.

`realtime setup turn` brings the model that hears whether somebody has finished speaking (smart-turn v3.2, 9 MB, BSD-2).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from realtime.errors import ConfigError
from realtime.providers import weights

WHEEL = "pipecat-ai==1.14.0"
INSIDE = f"pipecat/audio/turn/smart_turn/data/{weights.SMART_TURN_FILE}"
PATIENCE_S = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["turn"], help="turn: the model that hears the end of a turn")


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing. Raises ConfigError with what to do when it cannot be had."""
    try:
        print(f"Already here, and the published file: {weights.smart_turn()}")
        return 0
    except ConfigError:
        pass  # absent or damaged: fetch it
    print(f"Fetching {WHEEL} (12 MB) for the one file in it that is needed ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="realtime-setup-") as folder:
        path = keep(download(Path(folder)))
    print(f"Done: {path}\nThe server uses it for `semantic_vad` from its next start on.")
    return 0


def download(folder: Path) -> Path:
    """The pinned wheel, fetched by pip with whatever index and proxy pip is configured for. Raises ConfigError."""
    if importlib.util.find_spec("pip") is None:
        raise ConfigError(
            f"This environment has no pip: install {WHEEL} with --no-deps by the tool that made the environment; "
            "its model is found there."
        )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), WHEEL]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{WHEEL} did not arrive in {PATIENCE_S // 60} minutes: try again later.") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise ConfigError(
            f"{WHEEL} cannot be fetched ({_reason(done.stderr)}). Without a network, copy {weights.SMART_TURN_FILE} "
            f"from a machine that has it into {weights.cache_dir()}."
        )
    return wheels[0]


def keep(wheel: Path) -> Path:
    """Take the model out of the wheel into the cache, if it is the published one. Raises ConfigError."""
    cache = weights.cache_dir()
    building: str | None = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, building = tempfile.mkstemp(prefix=f".{weights.SMART_TURN_FILE}-", dir=cache)
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(INSIDE) as inside,
            os.fdopen(handle, "wb") as file,
        ):
            shutil.copyfileobj(inside, file)
        weights.checked(Path(building), weights.SMART_TURN_SHA256)
        Path(building).chmod(0o644)
        return Path(shutil.move(building, cache / weights.SMART_TURN_FILE))
    except (KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{wheel.name} does not hold {INSIDE}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{cache} cannot be written: {error}") from error
    finally:
        if building is not None:
            Path(building).unlink(missing_ok=True)


def _reason(stderr: str) -> str:
    """The last line in which pip says what went wrong."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else "pip said nothing"
