"""Installs the packages of a lock file once, in a folder of `.setup/`, which is not part of a release.

Without the installer or a registry the tests are skipped; if REQUIRE has the client's name, they fail.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

SETUP = Path(__file__).parents[2] / ".setup"
INSTALL_S = 110.0  # in all: a test may take 120 s


def installed(folder: Path, lock: Path, install: Callable[[], None]) -> Path:
    """The folder, after `install` has run for this content of the lock file; it runs again when that changes."""
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "installed"
    with folder.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # of two runs at the same time, only one installs
        if not stamp.is_file() or stamp.read_text() != wanted:
            install()
            stamp.write_text(wanted)
    return folder


def run(command: Sequence[str | Path], name: str, cwd: Path, limit_s: float = INSTALL_S) -> None:
    """Run one command of an installation; skips or fails, see `missing`, if it does not succeed."""
    called = f"{Path(command[0]).name} {command[1]}"
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        missing(f"{called} took more than {limit_s:g} s: is a registry reachable?", name)
    if done.returncode:
        missing(f"{called} failed: {done.stderr.strip()[-400:]}", name)


def missing(reason: str, name: str) -> NoReturn:
    """Skip with this reason, or fail if REQUIRE has this name."""
    if name in os.environ.get("REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
