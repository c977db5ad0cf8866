"""The line that makes the environment of LiveKit and Pipecat names all that their tests import there."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _packages_at_import(path: Path, seen: set[Path]) -> set[str]:
    """The packages that a module of the tests imports when it is imported, and the modules of the tests that it does."""
    if path in seen or not path.is_file():
        return set()
    seen.add(path)
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top == "tests":
                found |= _packages_at_import(ROOT.joinpath(*name.split(".")).with_suffix(".py"), seen)
            elif top not in sys.stdlib_module_names:
                found.add(top)
    return found


@pytest.mark.parametrize("test", ["test_livekit.py", "test_pipecat.py"])
def test_the_environment_of_the_stock_clients_has_what_their_tests_import(test: str):
    """The tests' own conftest.py is imported there as well."""
    page = (ROOT / "tests/stock/README.md").read_text(encoding="utf-8")
    [line] = re.findall(r"pip install (livekit(?:\\\n|.)+)", page)
    seen: set[Path] = set()
    needed = _packages_at_import(ROOT / "tests/conftest.py", seen)
    needed |= _packages_at_import(ROOT / "tests/stock" / test, seen)
    assert {"hypothesis", "numpy"} <= needed
    assert not [package for package in needed if not re.search(rf"(?<![\w-]){package}(?![\w])", line)]
