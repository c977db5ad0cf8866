"""The home of the tests: what this machine's user has in theirs, without the sandbox's natural voice.

Where that voice is installed (`realtime setup voice`), every server and command without a key would load its 90 MB and speak
with it, which takes many times the CPU time of the quick voice: the tests would take minutes longer there, and hear other
sounds than elsewhere. A server of the tests also writes its secret here, and not into the user's folder.
"""

import contextlib
import os
from pathlib import Path

OURS = Path(__file__).parents[1] / ".setup" / "home"
CACHE = "minimax-realtime"
USERS_CACHE = OURS / ".cache" / f"{CACHE}-of-the-user"  # with the natural voice, for its own test
LEFT_OUT = "kokoro-", "server-secret"  # beginnings of names


def use_ours() -> None:
    """From now on, it is the home of this process and of the programs that it starts."""
    users = Path(os.path.expanduser("~"))
    if users == OURS:
        return  # a worker: the process that has started it did the rest
    cache = Path(os.environ.pop("XDG_CACHE_HOME", "") or users / ".cache")
    _link(users, OURS, but=(".cache",))
    _link(cache, OURS / ".cache", but=(CACHE,))
    _link(cache / CACHE, OURS / ".cache" / CACHE, but=LEFT_OUT)
    _link(cache / CACHE, USERS_CACHE)
    os.environ["HOME"] = str(OURS)


def _link(theirs: Path, ours: Path, but: tuple[str, ...] = ()) -> None:
    """Link everything that is there; names that begin so are left out."""
    ours.mkdir(parents=True, exist_ok=True)
    for old in ours.iterdir():
        if old.is_symlink() and not old.exists():
            old.unlink(missing_ok=True)
    for entry in theirs.iterdir() if theirs.is_dir() else ():
        if not entry.name.startswith(but):
            with contextlib.suppress(FileExistsError):
                (ours / entry.name).symlink_to(entry)
