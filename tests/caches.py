"""The cache folder of the tests: what this machine's user has there, without the sandbox's natural voice.

Where that voice is installed (`realtime setup voice`), every command without a key would load its 90 MB and speak with it,
which takes many times the CPU time of the quick voice: the tests would take minutes longer there, and hear other sounds than
elsewhere. Its own test (`tests/sandbox/natural/test_real_voice.py`) looks where the user has it. A server of the tests also
writes its secret here, and nothing into the user's folder.
"""

import contextlib
import os
from pathlib import Path

OURS = Path(__file__).parents[1] / ".setup" / "cache"
NAME = "minimax-realtime"
LEFT_OUT = (NAME, "kokoro-", "server-secret", ".")  # beginnings of names


def use_ours() -> None:
    """From now on, this process and the programs that it starts have it as XDG_CACHE_HOME."""
    users = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if users != OURS:  # as in a worker, which another process of the tests has started
        _link(users, OURS)
        _link(users / NAME, OURS / NAME)
        os.environ["XDG_CACHE_HOME"] = str(OURS)


def _link(theirs: Path, ours: Path) -> None:
    ours.mkdir(parents=True, exist_ok=True)
    for old in ours.iterdir():
        if old.is_symlink() and not old.exists():
            old.unlink(missing_ok=True)
    for entry in theirs.glob("*"):
        if not entry.name.startswith(LEFT_OUT):
            with contextlib.suppress(FileExistsError):
                (ours / entry.name).symlink_to(entry)
