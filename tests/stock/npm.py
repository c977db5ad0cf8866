"""The packages of package-lock.json, installed once into `.setup/stock`, outside the tree that is shipped.

Without npm or a registry the tests skip with the reason; where REQUIRE names `node`, they fail.
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
    """The node program; skips or fails without one."""
    found = shutil.which("node")
    return found if found else missing("the stock JavaScript client needs node: apt-get install nodejs npm")


@cache
def modules() -> Path:
    """The `node_modules` folder with exactly what the lock file names."""
    lock = HERE / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp = FOLDER / "installed"
    with (FOLDER / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # two runs at once install once
        if not stamp.is_file() or stamp.read_text() != wanted:
            _install(lock)
            stamp.write_text(wanted)
    return FOLDER / "node_modules"


def _install(lock: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("the stock JavaScript client is installed by npm, which is not here: apt-get install npm")
    for source in (lock, HERE / "package.json"):
        shutil.copy(source, FOLDER / source.name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        missing(f"npm ci took more than {INSTALL_S:g} s: no registry within reach?")
    if done.returncode:
        missing(f"npm ci failed: {done.stderr.strip()[-400:]}")


def missing(reason: str) -> NoReturn:
    """Skip with this reason; fail where the run must have node."""
    if "node" in os.environ.get("REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
