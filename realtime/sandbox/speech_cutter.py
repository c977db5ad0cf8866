"""Where the bidi socket cuts a stream of text pieces into sentences.

Pure: pieces in, sentences out; the time after which a rest is spoken anyway is an answer, not a clock. Rules and
figures: shared/minimax/t2a-websocket.md 2, "Sentence cutting".
"""

from __future__ import annotations

COMMA_AT = 20  # characters in the buffer from which a comma cuts
CAP = 200  # characters: cut here at the latest
LONG_PATIENCE_MS = 300  # silence after which a long rest is spoken
SHORT_PATIENCE_MS = 1000  # the same for a short rest
_STOPS = "。！？…；!?;\n"
_COMMAS = "，、：,:"
_CLOSERS = "\"'”’」』）)"


class SentenceCutter:
    """Text that waits for its sentence to be complete."""

    def __init__(self) -> None:
        self._buffer = ""

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, text: str) -> list[str]:
        """Add a piece; the sentences that are complete now."""
        self._buffer += text
        sentences: list[str] = []
        while (cut := self._cut()) is not None:
            sentences.append(self._buffer[:cut])
            self._buffer = self._buffer[cut:]
        return [sentence for sentence in sentences if sentence.strip()]

    def flush(self) -> list[str]:
        """The rest, complete or not."""
        rest, self._buffer = self._buffer, ""
        return [rest] if rest.strip() else []

    @property
    def patience_ms(self) -> int | None:
        """Silence after which the rest is to be flushed; None if nothing waits."""
        if not self._buffer.strip():
            return None
        return LONG_PATIENCE_MS if len(self._buffer) >= COMMA_AT else SHORT_PATIENCE_MS

    def _cut(self) -> int | None:
        for index, char in enumerate(self._buffer[:CAP]):
            after = self._buffer[index + 1 : index + 2]
            # A dot or comma inside a number or a name is not an end.
            inside = after != "" and not after.isspace() and after not in _CLOSERS + "."
            stop = char in _STOPS or (char == "." and not inside)
            comma = char in _COMMAS and index + 1 >= COMMA_AT and not (char in ",:" and inside)
            if stop or comma:
                return self._past(index + 1)
        return CAP if len(self._buffer) >= CAP else None

    def _past(self, index: int) -> int:
        while index < len(self._buffer) and self._buffer[index] in _STOPS + _CLOSERS + ".":
            index += 1
        return index
