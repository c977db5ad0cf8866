"""Bodies in another encoding as UTF-8, while they come: bytes in, bytes out. Knows no events and no JSON.

Both event streams and JSON are UTF-8 by their standards, but gateways send GBK, GB18030 or UTF-16, with the name in
`Content-Type`, with a byte order mark, or with neither (docs/minimax/chat.md 4, "Damage"). A mark counts more than a
name. A name of one byte a character is often only the default of a gateway, so UTF-8 counts more than it.
"""

from __future__ import annotations

import codecs
import re

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
MARKS = (  # the longer first: one begins like another
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_HEAD = 4  # bytes that tell the encoding
MOST_HELD = 64 * 1024 * 1024  # bytes of a line that does not end; the readers behind refuse longer ones
_OF_MANY_BYTES = ("gb", "big5", "euc", "shift_jis", "cp932", "cp936", "cp949", "cp950", "johab", "iso2022")
_PLAIN = ("utf-8", "ascii")
_OF_PYTHON_ALONE = ("unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "mbcs", "oem")


def to_utf8(body: bytes, content_type: str | None) -> bytes:
    """A whole body as UTF-8."""
    recoder = Recoder(content_type)
    return recoder.feed(body) + recoder.finish()


class Recoder:
    """One body. Lines come out when they have ended, unless the body is UTF-8 and goes through as it is."""

    def __init__(self, content_type: str | None) -> None:
        self._declared = _declared(content_type)
        self._begun = False
        # For an encoding whose line ends are no single bytes
        self._wide: codecs.IncrementalDecoder | None = None
        self._name = ""  # of an encoding that is read by lines
        self._head = b""  # until the encoding is known
        self._held: list[bytes] = []  # fragments of the line that has not ended yet
        self._held_bytes = 0

    def feed(self, fragment: bytes) -> bytes:
        """What is certain of the body, as UTF-8."""
        if not self._begun:
            self._head += fragment
            if len(self._head) < _HEAD:
                return b""
            fragment = self._begin(self._head)
        if self._wide is not None:
            return self._wide.decode(fragment).encode("utf-8", "replace")
        if not self._name:
            return fragment
        end = max(fragment.rfind(b"\n"), fragment.rfind(b"\r")) + 1  # no character ends in such a byte
        if end:
            self._held.append(fragment[:end])
            return self._take_held(fragment[end:])
        self._hold(fragment)
        return self._take_held() if self._held_bytes > MOST_HELD else b""

    def finish(self) -> bytes:
        """The rest."""
        rest = b"" if self._begun else self._begin(self._head)
        if self._wide is not None:
            return self._wide.decode(rest, final=True).encode("utf-8", "replace")
        if not self._name:
            return rest
        self._hold(rest)
        return self._take_held()

    def _hold(self, fragment: bytes) -> None:
        self._held.append(fragment)
        self._held_bytes += len(fragment)

    def _take_held(self, following: bytes = b"") -> bytes:
        """What is held, as UTF-8; from now on this is held."""
        lines = _line_as_utf8(b"".join(self._held), self._name)
        self._held.clear()
        self._held_bytes = 0
        self._hold(following)
        return lines

    def _begin(self, head: bytes) -> bytes:
        """Choose the encoding by the first bytes; these without their mark."""
        self._begun = True
        mark, name = next(((mark, name) for mark, name in MARKS if head.startswith(mark)), (b"", ""))
        name = name or _without_mark(head) or self._declared
        if name.startswith(("utf-16", "utf-32", "utf-7", "iso2022", "hz")):
            big_end = f"{name}-be" if name in ("utf-16", "utf-32") else name  # Python's own asks for a mark
            self._wide = codecs.getincrementaldecoder(big_end)("replace")
        elif name not in _PLAIN:
            self._name = name
        return head[len(mark) :]


def _declared(content_type: str | None) -> str:
    """The encoding in this header by Python's name; UTF-8 for none and for one that nobody knows."""
    found = _CHARSET.search(content_type or "")
    try:
        info = codecs.lookup(found[1]) if found else None
        known = info is not None and info.name not in _OF_PYTHON_ALONE and "a".encode(info.name)
        return info.name if info is not None and known else "utf-8"
    except (LookupError, UnicodeError):  # also those of Python that are no encodings of text
        return "utf-8"


def _without_mark(head: bytes) -> str:
    """UTF-16 or UTF-32 by the zeros between the letters of ASCII with which every body begins."""
    match [not byte for byte in head[:4]]:
        case [False, True, True, True]:
            return "utf-32-le"
        case [True, True, True, False]:
            return "utf-32-be"
        case [False, True, *_]:
            return "utf-16-le"
        case [True, False, *_]:
            return "utf-16-be"
    return ""


def _line_as_utf8(lines: bytes, name: str) -> bytes:
    parts = lines.split(b"\n")
    return b"\n".join(part if part.isascii() else _recoded(part, name) for part in parts)


def _recoded(line: bytes, name: str) -> bytes:
    tried = (name, "utf-8") if name.startswith(_OF_MANY_BYTES) else ("utf-8", name)
    for one in tried:
        try:
            return line.decode(one).encode()
        except UnicodeError:
            continue
    return line.decode(name, "replace").encode("utf-8", "replace")
