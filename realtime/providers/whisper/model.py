"""Fast Whisper on this machine's processor: the context is as long as the utterance instead of always 30 s.

It knows how to stop repetition loops of a short context, how to detect the language, how confident the model is that
there was speech (`docs/engines.md` 2.2), and when a prompt does harm (2.4). It blocks: call it in a thread. It does not
choose a model.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.core.characters import joined, pronounceable
from realtime.core.energy_gate import sounding_s
from realtime.core.essence import essence
from realtime.core.folding import fold, units
from realtime.core.invented import is_invented
from realtime.core.punctuation import MARKS
from realtime.core.short_answers import is_mostly_digits
from realtime.providers.base import VAD_RATE, Samples
from realtime.providers.whisper.ends import EndOfText, end_of_aligned, end_of_text, probability
from realtime.providers.whisper.loops import is_surely_once, loops, said_once
from realtime.providers.whisper.unread import may_go_on, unread_from_s

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

LONGEST_S = 27.0  # above this the window of 30 s has no room for the padding
PAD_S = 3.0  # with less silence after the end, the model repeats the sentence
STEP_FRAMES = 50  # of 10 ms: contexts are rounded up to this
LOOPED_FRAMES = 300  # so much more silence ends three of four loops (docs/engines.md 2.2)
MIN_FRAMES, MAX_FRAMES = 500, 3000
COMPARED_PAD_S = 1.2  # where texts are compared nothing can be repeated, so less silence will do
LEAST_LIKELY = 1e-9
FRAME_SAMPLES = VAD_RATE // 100
END_MARGIN_S = 0.35  # a segment that ends this close to the end was the last one
TOKENS_PER_S, TOKENS_SPARE, MAX_TOKENS = 9, 10, 224
TIMESTAMP_S = 0.02
MANDARIN_PROMPT = " 以下是普通话的句子。"  # for better words, marks and simplified characters
# The length, silence included, from which on the prompt is used: of shorter sounds it leaves nothing but itself.
PROMPTED_FROM_S = 1.8
DEFAULT_LANGUAGES = ("en", "zh")  # the more probable one is used if the model is not sure
SURE = 0.5  # probability of a language
FRAMES_EACH = 2  # of 10 ms, of each of the encoder
SURELY_SPEECH = 0.45  # below this probability of no speech
# Digits are taken for no speech, however clear they are; noise is never read as two of them (docs/engines.md 2.3)
DIGITS_LOG_PROBABILITY = -1.2


class Sound(NamedTuple):
    """What is decoded, at `VAD_RATE`."""

    audio: Floats
    sounding_s: float  # from its first to its last sound


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of the audio, and the model's confidence in it."""

    text: str
    language: str | None
    no_speech: float  # probability
    log_probability: float  # mean per token
    end: EndOfText | None = None
    looped: bool = False  # and was cut where it began to repeat itself, although that may have been said, too
    reached_s: float | None = None  # the end of its last word, where the model tells

    @property
    def speech(self) -> bool:
        """Whether this is speech and not a text that the model invented for noise.

        Measured: 23 recordings, also under noise of 20 to 5 dB, stay at or below 0.40 (clean: 0.24); silence,
        noise, hum and tones of 0.5 to 8 s get 0.76 or more from tiny.en, and from base 0.49 or more with a
        log probability under -1.1 (below 0.7: under -1.5). Digits are believed by their log probability alone.
        """
        if self.no_speech < SURELY_SPEECH or (self.no_speech < 0.75 and self.log_probability > -1.0):
            return True
        return self.log_probability > DIGITS_LOG_PROBABILITY and is_mostly_digits(self.text)


def echoes_prompt(text: str) -> bool:
    """Whether the text has three characters in a row of the prompt: perhaps it is only its echo."""
    said, prompt = fold(text).replace(" ", ""), fold(MANDARIN_PROMPT).replace(" ", "")
    return any(prompt[start : start + 3] in said for start in range(len(prompt) - 2))


class Whisper:
    """One loaded model; any number of threads may use it, `workers` of them at the same time."""

    def __init__(
        self,
        path: str,
        *,
        workers: int,
        local_files_only: bool = True,
        files: dict[str, bytes] | None = None,
    ) -> None:
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            path,
            device="cpu",
            compute_type="int8",
            cpu_threads=1,  # a second thread gains nothing, a second worker doubles the throughput
            num_workers=workers,
            local_files_only=local_files_only,
            files=files,  # by name, instead of those at the path
        )
        self.multilingual: bool = self._model.model.is_multilingual
        self._tokenizers: dict[str, Any] = {}
        self._lock = threading.Lock()

    def knows(self, language: str) -> bool:
        """Whether this model supports this language (ISO-639-1)."""
        if not self.multilingual:
            return language == "en"
        return self._model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None

    def decode(
        self,
        samples: Samples,
        language: str | None,
        *,
        beam: int,
        left: str | None = None,
        draft: bool = False,
    ) -> Decoded:
        """The text of at most `LONGEST_S`; the model detects the language if `language` is None. English always has a
        `beam` of 1: it gains nothing from more (docs/engines.md 2.1). A language that is detected and `left` to another
        model has no text. Where the decoder loops, a `draft` is what it says before that, and no more silence is tried.
        """
        audio: Floats = samples.astype(np.float32) * np.float32(1 / 32768)
        frames, sound = _frames(audio), Sound(audio, sounding_s(samples))
        decoded = self._decode_in(sound, language, beam, frames, left, draft=draft)
        for more in sorted({min(MAX_FRAMES, frames + LOOPED_FRAMES), MAX_FRAMES} - {frames}):
            if draft or not (decoded.speech and loops(decoded.text)):
                break
            decoded = self._decode_in(sound, decoded.language, beam, more)
        return decoded if draft else self._with_rest(samples, decoded, beam)

    def _with_rest(self, samples: Samples, decoded: Decoded, beam: int) -> Decoded:
        """The text, with what was said after a pause where the decoder took the end of a segment for the end of all
        (docs/engines.md 2.2)."""
        language = decoded.language
        if language is None or not (decoded.speech and decoded.text):
            return decoded
        reached_s = decoded.reached_s
        if reached_s is None:
            if not may_go_on(samples, decoded.text):
                return decoded
            reached_s = self._reached_s(samples, language, decoded.text)
        from_s = unread_from_s(samples, reached_s)
        if from_s is None:
            return decoded
        after = samples[int(from_s * VAD_RATE) :]
        return _joined(decoded, self.decode(after, language, beam=beam), sounding_s(after))

    def _reached_s(self, samples: Samples, language: str, text: str) -> float:
        """Where the last token of this text begins in the sound. A word of one token may take the pause before it."""
        from ctranslate2 import StorageView

        audio: Floats = samples.astype(np.float32) * np.float32(1 / 32768)
        frames = _frames(audio)
        tokenizer = self._tokenizer(language)
        ids = tokenizer.encode(text.rstrip(MARKS))  # marks take all the silence that follows
        encoded = StorageView.from_array(np.asarray(self._encode(audio, frames)))
        (found,) = self._model.model.align(encoded, self._tokens(tokenizer, None), [ids], [frames])
        return min((at for token, at in found.alignments if token == len(ids) - 1), default=0) * TIMESTAMP_S

    def likelihoods(self, samples: Samples, language: str, texts: Sequence[str]) -> list[float]:
        """The log-probability of each of these texts for one short sound, as if nothing else could be said."""
        from ctranslate2 import StorageView

        audio: Floats = samples.astype(np.float32) * np.float32(1 / 32768)
        frames = math.ceil((len(audio) / VAD_RATE + COMPARED_PAD_S) * 100 / STEP_FRAMES) * STEP_FRAMES
        encoded = np.repeat(np.asarray(self._encode(audio, frames)), len(texts), axis=0)
        tokenizer = self._tokenizer(language)
        blank = " " if language == "en" else ""
        found = self._model.model.align(
            StorageView.from_array(np.ascontiguousarray(encoded)),
            self._tokens(tokenizer, None),
            [tokenizer.encode(blank + text) for text in texts],
            [frames] * len(texts),
        )
        return [float(np.log(np.maximum(text.text_token_probs, LEAST_LIKELY)).sum()) for text in found]

    def _decode_in(
        self,
        sound: Sound,
        language: str | None,
        beam: int,
        frames: int,
        left: str | None = None,
        *,
        draft: bool = False,
    ) -> Decoded:
        encoded = self._encode(sound.audio, frames)
        if not self.multilingual:
            language = "en"
        elif language is None:
            language = self._language(encoded)
            if language == left:
                return Decoded("", language, 1.0, 0.0)
        beam = 1 if language == "en" else beam
        if language != "zh" or len(sound.audio) < PROMPTED_FROM_S * VAD_RATE:
            return self._generate(encoded, language, beam, sound, draft=draft)
        prompted = self._generate(encoded, language, beam, sound, prompt=MANDARIN_PROMPT, draft=draft)
        if _unharmed(prompted):
            return prompted
        decoded = self._generate(encoded, language, beam, sound, draft=draft)
        return decoded if prompted.speech or decoded.no_speech < SURELY_SPEECH else prompted

    def _generate(
        self,
        encoded: Any,
        language: str,
        beam: int,
        sound: Sound,
        *,
        prompt: str | None = None,
        draft: bool = False,
    ) -> Decoded:
        tokenizer = self._tokenizer(language)
        tokens, seconds = self._tokens(tokenizer, prompt), len(sound.audio) / VAD_RATE
        most = min(MAX_TOKENS, TOKENS_SPARE + int(seconds * TOKENS_PER_S))
        result = self._model.model.generate(
            encoded,
            [tokens],
            beam_size=beam,
            max_length=2 * most,  # the library takes half of it, or what the prompt leaves, if that is less
            return_no_speech_prob=True,
            return_scores=True,
            return_logits_vocab=True,
        )[0]
        ids = result.sequences_ids[0]
        places = _spoken(ids, tokenizer, seconds)
        text, mean = tokenizer.decode([ids[place] for place in places]), result.scores[0]
        once = language == "zh" and result.no_speech_prob < SURELY_SPEECH
        once = once and is_surely_once(text, sound.sounding_s)
        looped = draft and loops(text) and not once
        if looped or once:
            text, every = said_once(text), len(places)
            places = _up_to(text, ids, places, tokenizer)
            # The model is certain of what it repeats: all doubt is of the first round
            mean *= every / max(1, len(places))
        reached_s = None if once else _reached(ids, places, tokenizer)
        spoken = [ids[place] for place in places]
        end: EndOfText | None
        if beam == 1:
            logits = result.logits[0]
            end = end_of_text(
                spoken, lambda at: probability(logits[places[at]], spoken[at]), tokenizer.decode
            )
        else:  # there are no logits of the beam that was chosen
            end = self._end_of_beam(encoded, tokens, spoken, tokenizer)
        return Decoded(text.strip(), language, result.no_speech_prob, mean, end, looped, reached_s)

    def _end_of_beam(
        self, encoded: Any, before: list[int], text: list[int], tokenizer: Any
    ) -> EndOfText | None:
        """How sure the model is of the end of this text; None where it cannot be aligned with its sound."""

        def align(tokens: list[int]) -> list[float]:
            (found,) = self._model.model.align(encoded, before, [tokens], [FRAMES_EACH * encoded.shape[1]])
            return [float(one) for one in found.text_token_probs]

        def token_of(mark: str) -> int | None:
            tokens = tokenizer.encode(mark)
            return tokens[0] if len(tokens) == 1 else None

        try:
            return end_of_aligned(text, align, tokenizer.decode, token_of)
        except RuntimeError as error:  # of a model without alignment heads; the text is right all the same
            log.debug("a text is not aligned with its sound: %s", error)
            return None

    def _encode(self, audio: Floats, frames: int) -> Any:
        padded = np.zeros(frames * FRAME_SAMPLES, np.float32)
        padded[: len(audio)] = audio
        features = self._model.feature_extractor(padded, padding=0)[:, :frames]
        return self._model.encode(np.ascontiguousarray(features))

    def _language(self, encoded: Any) -> str:
        probabilities: dict[str, float] = {
            token[2:-2]: probability for token, probability in self._model.model.detect_language(encoded)[0]
        }
        best = max(probabilities, key=lambda language: probabilities[language])
        if probabilities[best] >= SURE:
            return best
        return max(DEFAULT_LANGUAGES, key=lambda language: probabilities.get(language, 0.0))

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        with self._lock:
            if language not in self._tokenizers:
                self._tokenizers[language] = Tokenizer(
                    self._model.hf_tokenizer, self.multilingual, task="transcribe", language=language
                )
            return self._tokenizers[language]

    def _tokens(self, tokenizer: Any, prompt: str | None) -> list[int]:
        """What the decoder begins with."""
        before = [tokenizer.sot_prev, *tokenizer.encode(prompt)] if prompt else []
        task = [tokenizer.language, tokenizer.transcribe] if self.multilingual else []
        return [*before, tokenizer.sot, *task]


def _unharmed(decoded: Decoded) -> bool:
    """Whether a prompt has left this text as it was said: it was speech, neither an echo nor a loop."""
    text = decoded.text
    looped = decoded.looped or loops(text)
    return decoded.speech and pronounceable(text) and not echoes_prompt(text) and not looped


def _frames(audio: Floats) -> int:
    """The length of the context for this sound."""
    frames = math.ceil((len(audio) / VAD_RATE + PAD_S) * 100 / STEP_FRAMES) * STEP_FRAMES
    return max(MIN_FRAMES, min(MAX_FRAMES, frames))


def _joined(decoded: Decoded, rest: Decoded, rest_s: float) -> Decoded:
    """One text of two parts of the sound, if the second one, which sounds so long, is speech and is not in it yet."""
    invented = is_invented(rest.text, rest_s, log_probability=rest.log_probability)
    if invented or not (rest.speech and pronounceable(rest.text)) or _ends_with(decoded.text, rest.text):
        return decoded
    share = len(rest.text) / (len(decoded.text) + len(rest.text))
    log_probability = (1 - share) * decoded.log_probability + share * rest.log_probability
    text = joined(decoded.text, rest.text)
    return replace(decoded, text=text, log_probability=log_probability, end=rest.end)


def _ends_with(text: str, rest: str) -> bool:
    """Whether the text ends with the words of the rest, or with what sounds like them."""
    again = units(fold(rest))
    return essence(" ".join(units(fold(text))[-len(again) :])) == essence(" ".join(again))


def _reached(ids: Sequence[int], places: Sequence[int], tokenizer: Any) -> float | None:
    """The time of the first timestamp after the text."""
    after = ids[places[-1] + 1 :] if places else ()
    times = [token for token in after if token >= tokenizer.timestamp_begin]
    return (times[0] - tokenizer.timestamp_begin) * TIMESTAMP_S if times else None


def _spoken(ids: Sequence[int], tokenizer: Any, seconds: float) -> list[int]:
    """The places of the text tokens up to the first timestamp that is at the end of the audio or goes back in time."""
    out: list[int] = []
    last_s = 0.0
    for place, token in enumerate(ids):
        if token >= tokenizer.timestamp_begin:
            at_s = (token - tokenizer.timestamp_begin) * TIMESTAMP_S
            if out and (at_s >= seconds - END_MARGIN_S or at_s < last_s):
                break
            last_s = at_s
        elif token < tokenizer.eot:
            out.append(place)
    return out


def _up_to(text: str, ids: Sequence[int], places: Sequence[int], tokenizer: Any) -> list[int]:
    """The first of the places, as many as say this text."""
    said = text.strip()
    for count in range(len(places)):
        if tokenizer.decode([ids[place] for place in places[:count]]).strip().startswith(said):
            return list(places[:count])
    return list(places)
