"""Splits the text of the bidi socket into sentences.

Pure: text fragments in, sentences out. It says how long to wait for the rest of a sentence, but has no clock. Rules
and values: docs/minimax/t2a-websocket.md 2, "Sentence cutting".
"""

from __future__ import annotations

COMMA_AT = 20  # from this many characters on, a comma ends a sentence
CAP = 200  # the longest sentence, characters
LONG_REST_MS = 300  # time without text after which a long rest is spoken
SHORT_REST_MS = 1000  # the same for a short rest
_STOPS = "。！？…；!?;\n"
_COMMAS = "，、：,:"
_CLOSERS = "\"'”’」』）)"


class SentenceCutter:
    """A buffer for text whose sentence is not complete."""

    def __init__(self) -> None:
        self._buffer = ""

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, text: str) -> list[str]:
        """Add text. Returns the sentences that are complete now."""
        self._buffer += text
        sentences: list[str] = []
        while (cut := self._cut()) is not None:
            sentences.append(self._buffer[:cut])
            self._buffer = self._buffer[cut:]
        return [sentence for sentence in sentences if sentence.strip()]

    def flush(self) -> list[str]:
        """Return the rest, complete or not."""
        rest, self._buffer = self._buffer, ""
        return [rest] if rest.strip() else []

    @property
    def flush_after_ms(self) -> int | None:
        """Time without text after which to flush the rest; None if there is no rest."""
        if not self._buffer.strip():
            return None
        return LONG_REST_MS if len(self._buffer) >= COMMA_AT else SHORT_REST_MS

    def _cut(self) -> int | None:
        for index, char in enumerate(self._buffer[:CAP]):
            after = self._buffer[index + 1 : index + 2]
            # A dot or comma inside a number or a name does not end a sentence.
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
