"""TypeScript and esbuild for the tests of the SDK's package, installed once from `npm/package-lock.json`.

Without node, npm or a registry the tests are skipped; if REQUIRE names `node`, they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.stock import once

HERE = Path(__file__).parent / "npm"
FOLDER = once.SETUP / "web-npm"
LIMIT_S = 100.0


@cache
def programs() -> Path:
    """The folder of `tsc` and `esbuild`."""
    return once.installed(FOLDER, HERE / "package-lock.json", _install) / "node_modules" / ".bin"


def npm() -> str:
    found = shutil.which("npm")
    if found is None:
        once.missing("the SDK's package needs npm: apt-get install nodejs npm", "node")
    return found


def _install() -> None:
    for name in ("package-lock.json", "package.json"):
        shutil.copy(HERE / name, FOLDER / name)
    once.run([npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "node", FOLDER)


def run(*command: str | Path, cwd: Path) -> str:
    """What the command printed; fails with it if the command fails. Needs no network."""
    path = os.pathsep.join([str(programs()), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "npm_config_offline": "true"}
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, env=environment, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}"
    return done.stdout
