"""Text that can be written: as UTF-8, and so as JSON, into a file or a database. Knows no format."""

from __future__ import annotations

import re
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")


def writable(text: str) -> str:
    """The text with adjacent halves of surrogate pairs joined into their character, and U+FFFD for one that is alone.

    Python allows a half in a text (what was cut inside an emoji), and nobody can write it.
    """
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def without_halves(value: Any) -> Any:
    """The value, as JSON has it, with `writable` applied to every text in it."""
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, list | tuple):
        found = [without_halves(item) for item in value]
        return tuple(found) if isinstance(value, tuple) else found
    if isinstance(value, dict):
        return {without_halves(key): without_halves(item) for key, item in value.items()}
    return value
