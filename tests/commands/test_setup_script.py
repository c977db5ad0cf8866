"""`tools/setup.sh run` and the end-of-turn model: it is fetched once, in a bounded time, and not needed to start."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/setup.sh"
TOOLS = "cat cksum dirname env grep mktemp rm tail tee touch tr".split()  # no apt-get: nothing is installed
PYTHON = 'case "$1" in -c) echo 3.12 ;; esac'
REALTIME = (
    'echo "$PIP_TIMEOUT $PIP_DEFAULT_TIMEOUT $PIP_RETRIES: $*" >>asked; echo a traceback >&2; exit "$STATUS"'
)
TIMEOUT = 'echo "$1 $2 $3 $4" >>limits; shift 4; "$@"'

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@pytest.fixture
def project(tmp_path):
    """The script, with an environment of scripts that note what they are asked for."""
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools/setup.sh")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/run-3.12.txt").write_text("one==1\n")
    (tmp_path / "pyproject.toml").touch()
    for path, body in (
        (".venv/bin/python", PYTHON),
        (".venv/bin/realtime", REALTIME),
        ("bin/timeout", TIMEOUT),
    ):
        script = tmp_path / path
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!{shutil.which('bash')}\n{body}\n")
        script.chmod(0o755)
    for name in TOOLS:
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def set_up(project: Path, *, status: int) -> str:
    """Run it; what it said. `status` is the exit status of `realtime setup turn`."""
    environ = {"PATH": str(project / "bin"), "PYTHON": sys.executable, "STATUS": str(status)}
    command = [str(shutil.which("bash")), "tools/setup.sh", "run"]
    return subprocess.run(
        command, cwd=project, env=environ, capture_output=True, text=True, check=True, timeout=60
    ).stderr


def test_the_model_is_fetched_once_and_quietly(project):
    assert "end-of-turn" not in set_up(project, status=0)
    assert set_up(project, status=0) == ""
    assert (project / "asked").read_text() == "10 10 1: setup turn\n"


def test_without_the_model_it_goes_on_and_says_how_to_get_it(project):
    said = set_up(project, status=1)
    assert "Later: .venv/bin/realtime setup turn" in said
    assert "traceback" not in said
    assert set_up(project, status=1) == ""  # it does not ask again at each start


def test_a_network_that_says_nothing_is_not_waited_for_without_end(project):
    set_up(project, status=124)
    assert (project / "limits").read_text() == "--foreground -s INT 60\n"


def test_it_works_where_there_is_no_timeout(project):
    (project / "bin/timeout").unlink()
    assert "end-of-turn" not in set_up(project, status=0)
    assert (project / "asked").exists()
