"""English text as the phonemes that Kokoro was trained on, from those of espeak-ng.

It knows how the two differ (`docs/engines.md` 5): Kokoro writes a diphthong as one capital letter, and no length.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..voice_engine import phonemes

_VOICE = "en-us"
# espeak's signs for a sound, the longer ones first.
_SOUNDS = (
    ("a^ɪ", "I"), ("a^ʊ", "W"), ("e^ɪ", "A"), ("o^ʊ", "O"), ("ɔ^ɪ", "Y"), ("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"), ("ə^l", "ᵊl"),
    ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("n̩", "ᵊn"), ("l̩", "ᵊl"), ("^", ""), ("ː", ""), ("ɚ", "əɹ"), ("ɐ", "ə"),
    ("r", "ɹ"), ("x", "k"), ("ɬ", "l"), ("e", "A"), ("o", "ɔ"), ("ɾ", "T"), ("ʔ", "t"),
)  # fmt: skip
_MARKS = ",;:!?—…"


def clauses(text: str) -> Iterator[tuple[int, int, str]]:
    """Begin and end of each clause in the text, and its phonemes with the mark behind it. Raises VoiceUnavailable."""
    parts = phonemes(text, _VOICE)
    begin = read = 0
    for index, (part, said) in enumerate(parts):
        read += len(part)
        last = index == len(parts) - 1
        end = len(text) if last else read - 1  # espeak has read the first character of the next clause
        yield begin, end, as_kokoro(said) + _mark(text[begin:end], last=last)
        begin = end


def as_kokoro(said: str) -> str:
    """espeak's phonemes, signs of one sound joined by ^, in the model's own."""
    for theirs, ours in _SOUNDS:
        said = said.replace(theirs, ours)
    return said


def _mark(clause: str, *, last: bool) -> str:
    """The mark at the end. A full stop inside a sentence belongs to an abbreviation: it is no pause."""
    mark = clause.rstrip(" \t\n\"'”’)")[-1:]
    if mark in _MARKS or (mark == "." and last):
        return mark if last else f"{mark} "
    return "" if last else " "
