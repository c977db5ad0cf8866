"""A form of fields and one file, as bytes around the file's own bytes: the only place with a boundary.

Knows the encoding of names (WHATWG's "multipart/form-data encoding algorithm", as browsers send it, and a little
stricter) and the true length of the whole. Reads no file and opens no connection.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_NAME_CHARACTERS = 150


def _new_boundary() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Multipart:
    """A form: `fields`, then one file. The file's bytes go between `head` and `tail`."""

    fields: Mapping[str, str]
    file_field: str
    file_name: str
    file_type: str
    boundary: str = field(default_factory=_new_boundary)

    @property
    def content_type(self) -> str:
        """The value of the header Content-Type."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def head(self) -> bytes:
        """Everything before the file's bytes."""
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_escaped(self.file_field)}"; '
            f'filename="{safe_name(self.file_name)}"\r\nContent-Type: {_one_line(self.file_type)}\r\n\r\n'
        )
        return "".join(parts).encode("utf-8", "replace")

    @property
    def tail(self) -> bytes:
        """Everything after the file's bytes."""
        return f"\r\n--{self.boundary}--\r\n".encode()

    def length(self, file_bytes: int) -> int:
        """The length of the whole form in bytes, with a file of `file_bytes`."""
        return len(self.head) + file_bytes + len(self.tail)

    def wrap(self, content: bytes) -> bytes:
        """The whole form with a file that is in memory."""
        return self.head + content + self.tail


def safe_name(name: str) -> str:
    """The file name as it is sent: without folders, not too long, with its ending, and escaped."""
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2] or "file"
    if len(base) > MAX_NAME_CHARACTERS:
        stem, dot, ending = base.rpartition(".")
        ending = dot + ending if dot and stem and len(ending) <= 10 else ""
        base = base[: MAX_NAME_CHARACTERS - len(ending)] + ending
    return _escaped(base)


def _escaped(name: str) -> str:
    """Quotes, backslashes and control characters as %XX; other characters stay, as UTF-8. Not reversible: `%` stays.

    A semicolon as well: some servers cut the header at each one before they look for quotes, and miss the name."""
    return "".join(f"%{ord(c):02X}" if c in '"\\;' or ord(c) < 32 or c == "\x7f" else c for c in name)


def _one_line(value: str) -> str:
    """A content type as a header can hold it."""
    return "".join(c for c in value if " " <= c <= "~").strip() or "application/octet-stream"
