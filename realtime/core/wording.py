"""A stretch of the model's text beside what is said for it, character by character.

The text is what is shown and remembered, exactly as the model wrote it; `said` has no markup. Knows neither markup nor
places to cut.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """`offsets[i]` is the position in `text` that `said[i]` stands for: rising, one for each character of `said`."""

    text: str
    said: str
    offsets: tuple[int, ...]

    @classmethod
    def plain(cls, text: str) -> Wording:
        """Text without markup: it is said as it is written."""
        return cls(text, text, tuple(range(len(text))))

    def origin(self, index: int) -> int:
        """The position in `text` of `said[index]`; of its end, the end of the text."""
        return self.offsets[index] if index < len(self.offsets) else len(self.text)


class WordingBuffer:
    """Wordings one after the other, taken from the front in pieces of other sizes."""

    def __init__(self) -> None:
        self.text = ""
        self.said = ""
        self._offsets: list[int] = []  # since the first text of all
        self._taken = 0  # characters of text that were taken

    def append(self, wording: Wording) -> None:
        """More text and what is said for it."""
        base = self._taken + len(self.text)
        self._offsets.extend(map(base.__add__, wording.offsets))
        # A string that nothing else refers to grows in place: else each delta would copy all that waits.
        text, self.text = self.text, ""
        text += wording.text
        said, self.said = self.said, ""
        said += wording.said
        self.text, self.said = text, said

    def say_instead(self, said: str) -> None:
        """Say this for all the text there is, at its end."""
        self.said = said
        self._offsets = [self._taken + len(self.text)] * len(said)

    def take(self, end: int) -> Wording:
        """The first `end` characters that are said, with their text; all the text if they are all there are."""
        cut = self._text_end(end)
        offsets = tuple(max(0, offset - self._taken) for offset in self._offsets[:end])
        taken = Wording(self.text[:cut], self.said[:end], offsets)
        self.text, self.said = self.text[cut:], self.said[end:]
        self._taken += cut
        del self._offsets[:end]
        return taken

    def _text_end(self, end: int) -> int:
        """Where the text may be cut: marks that close stay with what is before them, marks that open go on."""
        if end >= len(self.said):
            return len(self.text)
        following = max(0, self._offsets[end] - self._taken)
        after = max(0, min(self._offsets[end - 1] + 1 - self._taken, following)) if end else 0
        unsaid = self.text[after:following]
        last_blank = max(unsaid.rfind(blank) for blank in " \t\n")
        if last_blank >= 0:
            return after + last_blank + 1
        return after if self.said[end - 1 : end].isspace() else following
