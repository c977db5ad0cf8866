"""onnxruntime is loaded in two places, and in both without its telemetry: nothing is written beside what the docs name."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="comes with an extra", exc_type=ImportError)

REALTIME = Path(__file__).parents[2] / "realtime"
SERVER = "from realtime.providers.onnx import onnxruntime; onnxruntime()"
SANDBOX = """
from contextlib import suppress
from pathlib import Path
from realtime.sandbox.natural.kokoro import _session
with suppress(FileNotFoundError):
    _session(Path("no such file"))
import sys
assert "onnxruntime" in sys.modules
"""


def imports(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("load", [SERVER, SANDBOX], ids=["server", "sandbox"])
def test_nothing_is_written_and_nobody_is_told(tmp_path, load):
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    env |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", load], env=env, check=True, timeout=60)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_it_is_imported_nowhere_else():
    found = {
        path.relative_to(REALTIME).as_posix()
        for path in REALTIME.rglob("*.py")
        if any(name.split(".")[0] == "onnxruntime" for name in imports(path))
    }
    assert found == {"providers/onnx.py", "sandbox/natural/kokoro.py"}
