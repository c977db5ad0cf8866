"""The rules of cloning and designing a voice: what is refused, and with which code (docs/minimax/voices.md 2, 3).

Pure functions over a request and the measurements of its recordings. Knows no HTTP, no files and no transcriber.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from .voice_samples import Sample

__all__ = [
    "DESIGN_TEXT",
    "CloneRequest",
    "Problem",
    "agreement",
    "check_recordings",
    "check_request",
    "check_said",
    "check_voice_id",
    "expected_agreement",
]

SHORTEST_S, LONGEST_S = 10.0, 300.0  # of the sample
PROMPT_BELOW_S = 8.0
TOLERANCE_S = 0.1  # codecs add some silence at both ends
DEMO_TEXT, VALIDATION_TEXT, DESIGN_TEXT = 1000, 200, 500  # characters
DEFAULT_ACCURACY = 0.7
PROMPT_AGREEMENT = 0.5  # of prompt_text and prompt audio; the document names no threshold
_VOICE_ID = re.compile("[A-Za-z][A-Za-z0-9_-]{6,254}[A-Za-z0-9]")
_CHARACTERS_S = 13.0  # letters that are spoken in a second
_HAN_S = 4.5  # Han characters that are spoken in a second


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused."""

    code: int
    message: str | None = None  # None: the code's own


@dataclass(frozen=True, slots=True)
class CloneRequest:
    """The fields of `/v1/voice_clone`, with the right types; `check_request` judges their values."""

    file_id: int
    voice_id: str
    prompt_audio: int | None = None
    prompt_text: str = ""
    text: str = ""
    model: str | None = None
    language_boost: str | None = None
    text_validation: str = ""
    accuracy: float = 0.0  # 0 means DEFAULT_ACCURACY

    @property
    def threshold(self) -> float:
        return self.accuracy or DEFAULT_ACCURACY


def check_voice_id(voice_id: str, is_taken: Callable[[str], bool]) -> Problem | None:
    """2013 for a wrong form, 2039 for an id that exists or existed."""
    if not _VOICE_ID.fullmatch(voice_id):
        return _invalid("voice_id")
    return Problem(2039) if is_taken(voice_id) else None


def check_request(request: CloneRequest, is_taken: Callable[[str], bool]) -> Problem | None:
    """What can be refused without the recordings: 2013 with the field's name, 2039."""
    if (request.prompt_audio is None) != (not request.prompt_text):
        return _invalid("clone_prompt, prompt_audio and prompt_text go together")
    if request.prompt_text and not _ends_in_punctuation(request.prompt_text):
        return _invalid("clone_prompt prompt_text, must end with a punctuation mark")
    if len(request.text) > DEMO_TEXT:
        return _invalid(f"text, longer than {DEMO_TEXT} characters")
    if request.text and not request.model:
        return _invalid("model, required with text")
    if len(request.text_validation) > VALIDATION_TEXT:
        return _invalid(f"text_validation, longer than {VALIDATION_TEXT} characters")
    if not 0 <= request.accuracy <= 1:
        return _invalid("accuracy, must be from 0 to 1")
    return check_voice_id(request.voice_id, is_taken)


def check_recordings(sample: Sample, prompt: Sample | None) -> Problem | None:
    """2037 for a sample that is not 10 s to 5 min long, 2048 for a prompt that is not shorter than 8 s."""
    if not SHORTEST_S - TOLERANCE_S <= sample.duration_s <= LONGEST_S + TOLERANCE_S:
        return Problem(2037)
    if prompt is not None and prompt.duration_s >= PROMPT_BELOW_S + TOLERANCE_S:
        return Problem(2048)
    return None


def check_said(request: CloneRequest, sample: float | None, prompt: float | None) -> Problem | None:
    """1043 and 1044, from the agreement of each recording with its text, 0 to 1; None: nothing to compare."""
    if sample is not None and request.text_validation and sample < request.threshold:
        return Problem(1043)
    if prompt is not None and request.prompt_text and prompt < PROMPT_AGREEMENT:
        return Problem(1044)
    return None


def agreement(expected: str, said: str) -> float:
    """How far a transcript agrees with a text, 0 to 1. Case, marks and blanks do not count.

    The text may be a part of what the recording says: a sample has up to five minutes and the text 200 characters.
    """
    wanted, heard = _plain(expected), _plain(said)
    if not wanted or not heard:
        return 0.0
    matcher = SequenceMatcher(None, wanted, heard, autojunk=False)
    # Only pieces of three characters count: single ones are found in every long text.
    same = sum(block.size for block in matcher.get_matching_blocks() if block.size >= min(3, len(wanted)))
    return same / len(wanted)


def expected_agreement(expected: str, sample: Sample) -> float:
    """A guess at `agreement` where no transcriber is installed, from the time that the text takes to say.

    It is 1 for a recording with at least half of that time of speech: the text may be a part of it.
    """
    han = sum("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in expected)
    needed_s = han / _HAN_S + (len(_plain(expected)) - han) / _CHARACTERS_S
    return min(1.0, sample.speech_s / (0.5 * needed_s)) if needed_s else 0.0


def _invalid(path: str) -> Problem:
    return Problem(2013, f"invalid params, invalid params: {path}")


def _ends_in_punctuation(text: str) -> bool:
    return unicodedata.category(text.rstrip()[-1:] or " ").startswith("P")


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
