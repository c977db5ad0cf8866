"""The locks in requirements/: what pyproject.toml needs to run must be in each of them, or `make run` cannot start."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*-3.*.txt"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_every_package_that_the_server_imports(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {normal(re.split(r"[\s\[<>=!~;]", line)[0]) for line in project["dependencies"]}
    locked = {
        normal(name) for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", lock.read_text())
    }
    assert needed <= locked, f"run `make lock`: {sorted(needed - locked)}"


def test_there_is_a_lock_for_each_python():
    assert len(LOCKS) >= 3
