"""Installs the packages of package-lock.json once into `.setup/stock`, which is not part of a release.

Without npm or a registry the tests are skipped; if REQUIRE names `node`, they fail.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".setup" / "stock"
INSTALL_S = 110.0


@cache
def node() -> str:
    """The path of node; skips or fails if it is missing."""
    found = shutil.which("node")
    return found if found else missing("the stock JavaScript client needs node: apt-get install nodejs npm")


@cache
def modules() -> Path:
    """The `node_modules` folder with the packages of the lock file."""
    lock = HERE / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp = FOLDER / "installed"
    with (FOLDER / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # of two runs at the same time, only one installs
        if not stamp.is_file() or stamp.read_text() != wanted:
            _install(lock)
            stamp.write_text(wanted)
    return FOLDER / "node_modules"


def _install(lock: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("the stock JavaScript client needs npm: apt-get install npm")
    for source in (lock, HERE / "package.json"):
        shutil.copy(source, FOLDER / source.name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        missing(f"npm ci took more than {INSTALL_S:g} s: is a registry reachable?")
    if done.returncode:
        missing(f"npm ci failed: {done.stderr.strip()[-400:]}")


def missing(reason: str) -> NoReturn:
    """Skip with this reason, or fail if REQUIRE names `node`."""
    if "node" in os.environ.get("REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
