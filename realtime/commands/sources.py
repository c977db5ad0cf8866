"""What a command was given, as its record names it: it is known again in another folder, and after a change it is new.

Knows no records.
"""

from __future__ import annotations

import hashlib
import os

from realtime.minimax.file_source import MOST_BYTES


def same_source(source: str | None) -> str | None:
    """A file by what is in it, for the record of an order; an address, and what is no file, as it is.

    What cannot be read twice (a pipe) or is too large to be sent is named by its path.
    """
    if not source or not os.path.exists(source):
        return source
    try:
        if os.path.isfile(source) and os.path.getsize(source) <= MOST_BYTES:
            with open(source, "rb") as file:
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        pass  # whoever sends it says what is wrong
    return os.path.abspath(source)
