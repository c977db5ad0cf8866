"""Installs the packages of package-lock.json once. Without node, npm or a registry the tests are skipped;
if REQUIRE names `node`, they fail.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from typing import NoReturn

from tests.stock import once

HERE = Path(__file__).parent
FOLDER = once.SETUP / "stock"


@cache
def node() -> str:
    """The path of node; skips or fails if it is missing."""
    found = shutil.which("node")
    return found if found else missing("the stock JavaScript client needs node: apt-get install nodejs npm")


@cache
def modules() -> Path:
    """The `node_modules` folder with the packages of the lock file."""
    return once.installed(FOLDER, HERE / "package-lock.json", _install) / "node_modules"


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("the stock JavaScript client needs npm: apt-get install npm")
    for name in ("package-lock.json", "package.json"):
        shutil.copy(HERE / name, FOLDER / name)
    once.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "node", FOLDER)


def missing(reason: str) -> NoReturn:
    """Skip with this reason, or fail if REQUIRE names `node`."""
    once.missing(reason, "node")
