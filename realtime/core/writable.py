"""Text that can be written: as UTF-8, and so as JSON, into a file or a database. Knows no format."""

from __future__ import annotations

import re

_HALF = re.compile("[\ud800-\udfff]")


def writable(text: str) -> str:
    """The text with adjacent halves of surrogate pairs joined into their character, and U+FFFD for one that is alone.

    Python allows a half in a text (what was cut inside an emoji), and nobody can write it.
    """
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
