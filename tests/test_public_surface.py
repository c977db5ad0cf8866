"""The public names of the package."""

import subprocess
import sys
from pathlib import Path

import realtime


def test_every_public_name_exists_and_is_documented():
    for name in realtime.__all__:
        value = getattr(realtime, name)
        assert name == "__version__" or value.__doc__, f"{name} has no docstring"
    assert set(realtime.__all__) == {*realtime._MODULES, "__version__"}


def test_importing_the_package_is_cheap():
    """`import realtime` loads no third-party module."""
    code = "import sys, realtime; print(sorted({name.split('.')[0] for name in sys.modules} & {'aiohttp', 'numpy'}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_version_is_the_same_everywhere():
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'version = "{realtime.__version__}"' in project
    assert f"## {realtime.__version__}" in (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
