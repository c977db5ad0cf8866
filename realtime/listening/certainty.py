"""How far the transcriber believes its own text, by the mean log-probability that it tells."""

from __future__ import annotations

from realtime.providers.base import Transcript

# Log-probability; the English model writes Chinese with -1.3 to -2.0, English mostly above -1.1
DOUBTFUL = -1.15
# Below this nearly all texts of the beginning of a murmur are wrong, and few of a sentence (docs/turn-taking.md)
GUESSED = -1.3
# What is read of the beginning of a Chinese murmur has less doubt. That this limit equals DOUBTFUL is chance
GUESSED_CHINESE = -1.15
# The language of little sound is doubted below this: short Chinese has mostly more, laughter read as Chinese has less
LANGUAGE_DOUBTED = -1.0


def is_sure(transcript: Transcript) -> bool:
    """Whether the transcriber believes its own text; one that does not say so does."""
    return transcript.log_probability is None or transcript.log_probability >= DOUBTFUL


def is_guess(transcript: Transcript) -> bool:
    """Whether the transcriber hardly believes its own text."""
    limit = GUESSED_CHINESE if transcript.language == "zh" else GUESSED
    return transcript.log_probability is not None and transcript.log_probability < limit


def is_sure_of_language(transcript: Transcript) -> bool:
    """Whether the transcriber believes the text of little sound so far that its language is likely the right one."""
    return transcript.log_probability is None or transcript.log_probability >= LANGUAGE_DOUBTED
