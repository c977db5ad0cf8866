"""Server-sent events as the platform sends them, without I/O: bytes in, `data` payloads out.

Knows lines, not JSON. Leaves out pings: they must not keep a silent answer alive. Tolerates `data:` without a space,
line ends of all three kinds, comments, a missing last blank line, a field name that a gateway doubled or indented,
lines of many megabytes, and detects a body that is not an event stream
(docs/minimax/chat.md 4 and 7, anthropic.md 3, t2a-http.md 3).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from realtime.minimax.errors import cut

MAX_EVENT_BYTES = 64 * 1024 * 1024  # one aggregated speech event can be tens of megabytes of hex
_FIELD = re.compile(rb"(?::|id|retry|data\\s*$|event\\s*$)")
_DONE = re.compile(r"(?:^|\n)\s*\"?(?:\[DONE\]|DONE)\"?\s*$", re.IGNORECASE)


class EventTooLong(ValueError):
    """One event is longer than any regular answer."""


class SseDecoder:
    """Feed it the body as it is received; `plain` is true if the body is JSON or HTML instead of a stream.

    With `skip_long` a line that is longer than any regular one is left out, and the stream goes on behind it. With
    `lines` each line is a payload, without any field name: so some services stream JSON.
    """

    def __init__(self, *, skip_long: bool = False, lines: bool = False) -> None:
        self._skip_long = skip_long
        self._lines = lines
        self._skipping = False  # up to the end of the line
        self.plain = False
        self.done = False  # set by the caller when the stream has said that it is complete
        self._started = False
        self._held: list[bytes] = []  # fragments of the line that has not ended yet
        self._held_bytes = 0
        self._stray: list[str] = []
        self._after_cr = False  # the next fragment may begin with the other half of a CRLF
        self._data: list[str] = []
        self._data_length = 0  # characters
        self._ping = False  # the event that has begun only says that the connection lives
        self._error = False  # the event that has begun is an error by its name

    def feed(self, fragment: bytes) -> list[str]:
        """The payloads of the events that this fragment completes, in order. Raises EventTooLong."""
        if not self._started:
            fragment = self._look_at_start(fragment)
        if self.plain:
            self._hold(fragment)
            return []
        return self._feed_lines(fragment)

    def finish(self) -> list[str]:
        """The stream has ended: the payload of a last event without its blank line."""
        if self.plain:
            return []
        payloads = self._line(self._take_held()) if self._held else []
        return payloads + self._end_event()

    @property
    def any(self) -> bool:
        """Whether anything but blanks was received."""
        return self._started

    def stray_text(self) -> str:
        """The lines that were no field of an event: the body of a service that is none of ours."""
        return " ".join(self._stray)

    def hold_plain(self, body: bytes) -> None:
        """Keep a body as it is: an HTTP error is never a stream."""
        self.plain = self._started = True
        self._hold(body)

    def body(self) -> bytes:
        """Everything received, if `plain` is true."""
        return b"".join(self._held) if self.plain else b""

    def _look_at_start(self, fragment: bytes) -> bytes:
        head = fragment.lstrip(b"\xef\xbb\xbf \t\r\n")
        if head:
            self._started = True
            self.plain = head[:1] in ((b"<",) if self._lines else (b"{", b"[", b"<"))
        return head

    def _feed_lines(self, fragment: bytes) -> list[str]:
        payloads: list[str] = []
        if self._after_cr and fragment:
            fragment = fragment.removeprefix(b"\n")
            self._after_cr = False
        if not fragment:
            return payloads
        self._after_cr = fragment.endswith(b"\r")
        lines = (
            fragment.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in fragment else fragment
        ).split(b"\n")
        for line in lines[:-1]:
            self._hold(line)
            payloads += self._line(self._take_held())
        if lines[-1]:
            self._hold(lines[-1])
        return payloads

    def _hold(self, fragment: bytes) -> None:
        self._held_bytes += len(fragment)
        if self._held_bytes > MAX_EVENT_BYTES:
            if not self._skip_long or self.plain:
                raise EventTooLong(f"one event is longer than {MAX_EVENT_BYTES} bytes")
            self._skipping = True
            self._held.clear()
        if not self._skipping:
            self._held.append(fragment)

    def _take_held(self) -> bytes:
        # A comment instead of the line that is left out
        line = b":" if self._skipping else b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        self._skipping = False
        return line

    def _line(self, line: bytes) -> list[str]:
        if not line:
            return self._end_event()
        line = line.lstrip(b" \t")
        if self._lines and line.startswith((b"{", b"[")):
            return [line.decode("utf-8", "replace")]
        if line.startswith(b"data:"):
            data = line[5:]
            while data[:16].lstrip(b" ").startswith(b"data:"):  # no payload begins so
                data = data.lstrip(b" ")[5:]
            self._keep(data.decode("utf-8", "replace").removeprefix(" "))
        elif line.startswith(b"event:"):
            self._ping = line[6:].strip() == b"ping"
            self._error = line[6:].strip() == b"error"
        elif line.startswith(b"error:"):  # llama.cpp's own field
            self._error = True
            self._keep(line[6:].decode("utf-8", "replace").removeprefix(" "))
        elif not _FIELD.match(line) and len(self._stray) < 5:
            self._stray.append(cut(line[:1000].decode("utf-8", "replace"), 200))
        return []

    def _keep(self, data: str) -> None:
        """One line of the event's data; all of them together are bounded too."""
        self._data_length += len(data)
        if self._data_length <= MAX_EVENT_BYTES:
            self._data.append(data)
        elif not self._skip_long:
            raise EventTooLong(f"one event is longer than {MAX_EVENT_BYTES} bytes")
        else:
            self._data.clear()

    def _end_event(self) -> list[str]:
        self._data_length = 0
        if self._ping:
            self._ping = False
            self._data.clear()
        if not self._data:
            return []
        payload = "\n".join(self._data)
        self._data.clear()
        error, self._error = self._error, False
        return [as_error(payload) if error else payload]


def as_error(payload: str) -> str:
    """The payload of an event that is an error by its name, as an object that says so: it may be a text only."""
    try:
        value: Any = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        value = payload
    if isinstance(value, dict) and ({"error", "base_resp"} & value.keys()):
        return payload
    return msgspec.json.encode({**(value if isinstance(value, dict) else {}), "error": value}).decode()


def is_done(payload: str) -> bool:
    """Whether the stream says in this payload that it is complete. Some write `[done]`, or quotes around it."""
    # Nearly all payloads are long and end otherwise
    return "DONE" in payload.rstrip()[-6:].upper() and _DONE.search(payload) is not None
