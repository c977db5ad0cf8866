"""One file for one result, also when a process ended between saving it and noting that it did.

The next process saves the result again, under the next free name; `without_copy` takes that one away again. Knows no
records.
"""

from __future__ import annotations

import filecmp
from pathlib import Path


def without_copy(path: Path, wanted: Path) -> Path:
    """`wanted` if it has the same bytes as the new file `path`, which is removed then; else `path`. Raises OSError."""
    if path == wanted or not wanted.is_file() or not filecmp.cmp(path, wanted, shallow=False):
        return path
    path.unlink()
    return wanted
