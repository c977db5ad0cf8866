"""A short sound that was hardly read may be a murmur: "As high." was "Uh-huh.", "C." was "I see.".

Over an answer a murmur is much likelier than any other word. So a transcriber that doubts what it read of a short sound
is asked how likely the usual murmurs are, and the words that take the turn: if a murmur is nearly as likely as what was
read, and likelier than every objection, it is one (docs/turn-taking.md, "Interruptions"). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realtime.core.punctuation import SENTENCE_MARKS
from realtime.core.short_answers import is_short_answer
from realtime.core.short_words import has_several_words, is_hum

# As a transcriber writes them. Few: each costs a pass of its decoder.
MURMURS: Mapping[str, tuple[str, ...]] = {
    "en": ("Yeah.", "Okay.", "Right.", "I see.", "Got it.", "Hmm.", "Sure.", "Yep.", "Oh."),
    "zh": ("嗯。", "对。", "好。", "明白。", "好的。", "是的。", "真的吗?"),
}
OBJECTIONS: Mapping[str, tuple[str, ...]] = {
    "en": ("No.", "Stop.", "Wait.", "What?", "Why?"),
    "zh": ("停。", "不。", "不对。", "等等。", "谁?", "什么?", "为什么?"),
}
DOUBTED = -0.85  # mean log-probability of the words
NEARLY = 3.7  # of log-probability in all; docs/turn-taking.md has what that takes for murmurs
LIKELIER: Mapping[str, float] = {"en": 0.0, "zh": 3.0}  # than an objection: short Chinese is read worse


def compared(text: str, language: str | None, log_probability: float) -> tuple[str, ...]:
    """What a short sound, read as this, may be: that as a sentence of its own, murmurs, objections.

    Nothing if it is clear what it is.
    """
    if language is None or language not in MURMURS or log_probability >= DOUBTED:
        return ()
    if is_short_answer(text) or is_hum(text) or has_several_words(text):
        return ()
    return (_sentence(text, language), *MURMURS[language], *OBJECTIONS[language])


def likely_murmur(language: str, likelihoods: Sequence[float]) -> str | None:
    """The murmur that the sound may as well be, by the log-probability of each text that is `compared`."""
    murmurs = MURMURS[language]
    read, of_murmurs = likelihoods[0], likelihoods[1 : 1 + len(murmurs)]
    best = max(range(len(murmurs)), key=of_murmurs.__getitem__)
    least = max(read - NEARLY, max(likelihoods[1 + len(murmurs) :]) + LIKELIER[language])
    return murmurs[best] if of_murmurs[best] >= least else None


def _sentence(text: str, language: str) -> str:
    """With a capital and a mark, as the others have: a text without them is likelier by what they cost."""
    text = text.strip()
    if text[-1:] not in SENTENCE_MARKS:
        text += "。" if language == "zh" else "."
    return text[:1].upper() + text[1:]
