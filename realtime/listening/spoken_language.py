"""The language of one speaker, as far as the sound has told it: what a decode need not find out again.

It knows no transcriber. What the client says is spoken goes before all of this.
"""

from __future__ import annotations

from collections import deque

from realtime.core.audio_buffer import Samples
from realtime.core.energy_gate import sounding_s
from realtime.core.short_language import is_written_in
from realtime.listening.certainty import is_sure, is_sure_of_language
from realtime.providers.base import Transcript

LANGUAGE_AFTER = 2  # utterances in a row in one language: the next word need not tell it
SHORT_S = 0.8  # a word, and hardly more: it does not tell its language
# From here on the language that a decode finds is that of the whole utterance (bench/README.md)
TELLS_S = 1.2


class SpokenLanguage:
    """Of one session, utterance by utterance."""

    def __init__(self) -> None:
        self._last: deque[str | None] = deque(maxlen=LANGUAGE_AFTER)  # of the last utterances
        self._spoken: dict[str, None] = {}  # languages that more than a word was said in, the newest last
        self._utterance = 0  # counts them
        self.found: str | None = None  # that of the open utterance, once its sound has told it

    def __repr__(self) -> str:
        return f"<SpokenLanguage {self.found or self._usual or 'unknown'}>"

    @property
    def utterance(self) -> int:
        """The number of the open utterance."""
        return self._utterance

    @property
    def spoken(self) -> tuple[str, ...]:
        """The languages in which more than a word was said, the newest last."""
        return tuple(self._spoken)

    @property
    def _usual(self) -> str | None:
        """What this speaker speaks, as far as it has been the same."""
        settled = len(self._last) == LANGUAGE_AFTER and len(set(self._last)) == 1
        return self._last[-1] if settled else None

    def began(self) -> None:
        """Somebody speaks: perhaps in another language than before."""
        self._utterance += 1
        self.found = None

    def assumed(self, samples: Samples) -> str | None:
        """The language that a decode of this sound need not find out: more than a word tells its own, and only once."""
        return self.found or (self._usual if is_short(samples) else None)

    def read(self, transcript: Transcript, samples: Samples, utterance: int) -> None:
        """A decode without a language has this text. It may be late: of an utterance that is not open any more."""
        tells = _tells(transcript) and is_sure(transcript) and sounding_s(samples) >= TELLS_S
        if utterance == self._utterance and tells:
            self.found = transcript.language

    def doubted(self) -> None:
        """A text in the language that was assumed is hardly believed: perhaps it is another one this time."""
        self._last.clear()
        self.found = None

    def ended(self, transcript: Transcript, samples: Samples) -> None:
        """This is the text of the whole utterance."""
        self.found = None
        language = transcript.language
        if not _tells(transcript):
            return
        self._last.append(language)
        sound_s = sounding_s(samples)
        tells = is_sure(transcript) if sound_s >= TELLS_S else is_sure_of_language(transcript)
        if language and tells and sound_s >= SHORT_S:
            self._spoken.pop(language, None)
            self._spoken[language] = None


def _tells(transcript: Transcript) -> bool:
    """Whether it says anything about the language: "OK" that was taken for Chinese does not."""
    language, text = transcript.language, transcript.text
    return bool(text) and (language is None or is_written_in(language, text))


def is_short(samples: Samples) -> bool:
    """Whether somebody said a word, and hardly more."""
    return 0.0 < sounding_s(samples) < SHORT_S


def tells_no_language(samples: Samples) -> bool:
    """Whether this is so little speech that the language found in it may be wrong."""
    return 0.0 < sounding_s(samples) < TELLS_S
