"""The public names of `realtime`, `realtime.providers` and `realtime.minimax`."""

import ast
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import realtime
from realtime import minimax, providers

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("package", [realtime, providers], ids=["realtime", "realtime.providers"])
def test_every_public_name_exists_and_is_documented(package):
    for name in package.__all__:
        value = getattr(package, name)
        assert name == "__version__" or value.__doc__, f"{name} has no docstring"
    assert set(package.__all__) - {"__version__"} == set(package._MODULES)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


def test_every_method_of_a_role_is_documented():
    roles = [getattr(providers, name) for name in providers.__all__]
    roles = [role for role in roles if getattr(role, "_is_protocol", False)]
    assert len(roles) == 11
    for role in roles:
        for name, method in vars(role).items():
            if not name.startswith("_") and callable(method):
                assert method.__doc__, f"{role.__name__}.{name} has no docstring"
                typing.get_type_hints(method)


def test_every_public_name_of_the_client_is_documented():
    for name in minimax.__all__:
        assert getattr(minimax, name).__doc__, f"{name} has no docstring"


def parts(folder: Path) -> set[str]:
    """The modules and packages in a package."""
    return {path.stem for path in folder.glob("*.py")} - {"__init__"} | {
        path.parent.name for path in folder.glob("*/__init__.py")
    }


PACKAGES = [path.parent for name in ("realtime", "clients") for path in (ROOT / name).rglob("__init__.py")]
LARGE = [
    folder
    for folder in PACKAGES
    if len(parts(folder)) > 9 and folder != ROOT / "realtime"  # docs/architecture.md 1
]


@pytest.mark.parametrize("folder", LARGE, ids=lambda folder: folder.name)
def test_the_map_of_a_large_package_names_each_module_once(folder):
    """The docstring of the package says what its modules are for."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    table = text.partition("by what they are for:\n\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^ {4}(?:\S+ )*\S* {2,}(.*)$", table, re.MULTILINE)
    named = re.findall(r"\w+", " ".join(rows))
    assert sorted(named) == sorted(parts(folder)), f"the map in {folder.relative_to(ROOT)}/__init__.py"


@pytest.mark.parametrize(
    "package",
    [
        "realtime",
        "realtime.providers",
        "realtime.minimax",
        "realtime_client",
        "realtime.cli",
        "realtime.commands.tasks",
    ],
)
def test_importing_a_package_is_cheap(package):
    """The import loads no third-party module."""
    code = f"import sys, {package}; print({{name.split('.')[0] for name in sys.modules}} & {{'aiohttp', 'numpy', 'msgspec'}})"
    root = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'clients'}"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    )
    assert ran.stdout.strip() == "set()"


def test_the_version_is_the_same_everywhere():
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'version = "{realtime.__version__}"' in project
    assert f"## {realtime.__version__}" in (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
