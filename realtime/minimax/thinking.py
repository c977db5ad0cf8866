"""Removes thinking from an answer while it streams, without I/O: fragments of `content` in, visible text out.

Two filters in a row: `Accumulator` turns increments or snapshots into increments; `ThinkingFilter` removes think
blocks and stray tags, also where a tag is split between two fragments (docs/minimax/chat.md 4 and 6).
"""

from __future__ import annotations

OPENING = ("<think>", "<thinking>", "<mm:think>")
CLOSING = ("</think>", "</thinking>", "</mm:think>")
_TAGS = OPENING + CLOSING
_SNAPSHOT_MIN = 8  # characters that do not repeat by chance at the start of the next fragment


class Accumulator:
    """Increments from a stream that sends either increments or snapshots (all text so far), never both."""

    def __init__(self) -> None:
        self._so_far = ""
        self._held: str | None = None  # a second fragment that could be either, until the third decides
        self._snapshots: bool | None = None  # None: not known yet

    def feed(self, fragment: str) -> str:
        """The new part of `fragment`. Holds one back only while it could be either kind."""
        if not fragment:
            return ""
        if self._snapshots is None and self._so_far:
            return self._decide(fragment)
        return self._from_snapshot(fragment) if self._snapshots else self._append(fragment)

    def finish(self) -> str:
        """What was still held back: it starts with all of the text before, so it is most likely a snapshot."""
        if self._held is None:
            return ""
        held, self._held = self._held, None
        return self._from_snapshot(held)

    def _decide(self, fragment: str) -> str:
        if self._held is not None:
            held, self._held = self._held, None
            self._snapshots = fragment.startswith(held)
            if self._snapshots:
                return self._from_snapshot(fragment)
            return self._append(held) + self._append(fragment)
        if len(fragment) > len(self._so_far) and fragment.startswith(self._so_far):
            if len(self._so_far) < _SNAPSHOT_MIN:
                self._held = fragment
                return ""
            self._snapshots = True
            return self._from_snapshot(fragment)
        self._snapshots = False
        return self._append(fragment)

    def _append(self, fragment: str) -> str:
        if self._snapshots is None:
            self._so_far += fragment
        return fragment

    def _from_snapshot(self, fragment: str) -> str:
        if fragment.startswith(self._so_far):
            new, self._so_far = fragment[len(self._so_far) :], fragment
            return new
        if self._so_far.startswith(fragment):
            return ""
        self._so_far += fragment
        return fragment


class ThinkingFilter:
    """Visible text from `content`. The text between think tags is kept in `thinking`."""

    def __init__(self) -> None:
        self._pending = ""
        self._inside = False
        self._skip_newlines = True  # at the start and after a block
        self._thinking: list[str] = []

    @property
    def thinking(self) -> str:
        return "".join(self._thinking)

    def feed(self, text: str) -> str:
        """The new visible text. Holds back only what could still become a tag."""
        self._pending += text
        visible: list[str] = []
        while self._pending:
            at = self._pending.find("<")
            if at != 0:
                self._emit(self._take(len(self._pending) if at < 0 else at), visible)
                continue
            tag = next((tag for tag in _TAGS if self._pending.startswith(tag)), None)
            if tag is not None:
                self._take(len(tag))
                self._inside = tag in OPENING
                self._skip_newlines = self._skip_newlines or not self._inside
            elif any(tag.startswith(self._pending) for tag in _TAGS):
                break
            else:
                self._emit(self._take(1), visible)
        return "".join(visible)

    def finish(self) -> str:
        """The answer has ended: a held back beginning of a tag was text."""
        visible: list[str] = []
        self._emit(self._take(len(self._pending)), visible)
        return "".join(visible)

    def _take(self, count: int) -> str:
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken

    def _emit(self, text: str, visible: list[str]) -> None:
        if self._inside:
            self._thinking.append(text)
            return
        if self._skip_newlines:
            text = text.lstrip("\r\n")
            self._skip_newlines = not text
        if text:
            visible.append(text)
