"""The line to install what is missing is one that a person can type: with the Python that misses it."""

import subprocess
import sys
from pathlib import Path

import pytest

from realtime import cli
from realtime.commands.outcome import outcome_of
from realtime.errors import (
    PIP,
    ConfigError,
    NotFinished,
    as_typed,
    command_of,
    for_clients,
    install,
    install_extra,
    pip_of,
)

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


@pytest.fixture
def there(tmp_path):
    """A Python with the script of this package beside it."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / ("realtime.exe" if sys.platform == "win32" else "realtime")).touch()
    return folder / "python"


def test_the_program_is_named_so_that_the_shell_finds_it(there, tmp_path):
    ours, other = there.with_name("realtime"), tmp_path / "realtime"
    other.touch()
    assert command_of(str(there), tmp_path, None) == ".venv/bin/realtime"
    assert command_of(str(there), tmp_path, str(other)) == ".venv/bin/realtime"
    assert command_of(str(there), tmp_path, str(ours)) == "realtime"
    assert command_of(str(there), Path("/home/bob"), None) == str(ours)
    ours.unlink()
    assert command_of(str(there), tmp_path, None) == ".venv/bin/python -m realtime"
    assert command_of("", tmp_path, None) == "realtime"


@pytest.fixture
def not_activated(monkeypatch):
    monkeypatch.setattr("realtime.errors.own_command", lambda: ".venv/bin/realtime")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_advice_with_any_command_can_be_typed(not_activated, name):
    assert as_typed(f"Type `realtime {name}`.") == f"Type `.venv/bin/realtime {name}`."
    said = f"realtime {name}: cannot listen. realtimes {name}, bin/realtime {name}, realtime-{name}, a realtime server"
    assert as_typed(said) == said


def test_what_a_command_prints_at_its_end_can_be_typed(not_activated, capsys):
    outcome_of(ConfigError("It is not installed: realtime setup turn")).show(as_json=False)
    outcome_of(NotFinished("Wait.", task_id="7")).show(as_json=True)
    printed = capsys.readouterr()
    assert printed.err == "realtime: It is not installed: .venv/bin/realtime setup turn\n"
    assert '"next": ".venv/bin/realtime tasks wait 7"' in printed.out
    assert "  .venv/bin/realtime serve  " in cli.help_page()
    assert "Type `.venv/bin/realtime serve`" in cli.help_page()
