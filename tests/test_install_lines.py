"""The line to install what is missing is one that a person can type: with the Python that misses it."""

import subprocess
from pathlib import Path

import pytest

from realtime.errors import PIP, for_clients, install, install_extra, pip_of

PYTHON = "/home/ada/talk/.venv/bin/python"


@pytest.mark.parametrize(
    ("python", "folder", "typed"),
    [
        (PYTHON, "/home/ada/talk", ".venv/bin/python -m pip"),
        (PYTHON, "/home/ada", "talk/.venv/bin/python -m pip"),
        (PYTHON, "/home/bob", f"{PYTHON} -m pip"),
        ("/a b/bin/python", "/", "'a b/bin/python' -m pip"),
        ("", "/", "pip"),
    ],
)
def test_the_python_that_misses_it_is_named(python, folder, typed):
    assert pip_of(python, Path(folder)) == typed


def test_the_line_runs_in_a_shell():
    assert (
        "from "
        in subprocess.run(f"{PIP} --version", shell=True, capture_output=True, text=True, check=True).stdout
    )


def test_clients_are_not_told_where_this_python_is():
    assert (
        for_clients(f"Local transcription is not installed: {install_extra('local')}")
        == "Local transcription is not installed."
    )
    assert for_clients(f"The voice is missing: run {install('x==1.0')}.") == "The voice is missing."


def test_no_advice_names_the_first_pip_of_the_shell():
    """Only the sandbox does: it shares no code, and what it says is sent to clients of the platform's kind."""
    root = Path(__file__).parents[1]
    for path in (*(root / "realtime").rglob("*.py"), *(root / "clients").rglob("*.py")):
        if path.name != "errors.py" and "sandbox" not in path.relative_to(root).parts:
            assert "pip install" not in path.read_text(), path
