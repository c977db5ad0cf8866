"""How far the transcriber believes its own text, by the mean log-probability that it tells."""

from __future__ import annotations

from realtime.providers.base import Transcript

# Log-probability; the English model writes Chinese with -1.3 to -2.0, English mostly above -1.1
DOUBTFUL = -1.15
GUESSED = -1.3  # below this nearly all texts of the first 300 ms of a murmur are wrong, and few of a sentence


def is_sure(transcript: Transcript) -> bool:
    """Whether the transcriber believes its own text; one that does not say so does."""
    return transcript.log_probability is None or transcript.log_probability >= DOUBTFUL


def is_guess(transcript: Transcript) -> bool:
    """Whether the transcriber hardly believes its own text."""
    return transcript.log_probability is not None and transcript.log_probability < GUESSED
