"""Transcription on this machine: Whisper tiny.en for English, the multilingual base for everything else.

It chooses the model, decodes in threads, and returns an empty text if there was no speech. The decoding is in
`model.py`; `weights.py` finds the weights.

Without a language, base detects it while tiny.en decodes the sound as English in another thread. What is English is
known as soon as its language is, after a little more than half of the time that base takes to decode it as well. And
its text is the one that the same words get once their language is known, so that nothing begun with it is in vain. If
no second thread is free, base does both alone: about the same work in all (bench/README.md).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import TypeVar

import numpy as np

from realtime.core.audio import level_dbfs
from realtime.core.characters import pronounceable
from realtime.core.energy_gate import sounding_s
from realtime.core.han_variants import traditional_script
from realtime.core.invented import is_invented
from realtime.core.likely_murmurs import compared, likely_murmur
from realtime.core.short_answers import is_short_answer
from realtime.core.sound_pieces import pieces
from realtime.errors import ConfigError, ProviderRejected, ProviderUnavailable, without_trace
from realtime.providers import weights
from realtime.providers.base import VAD_RATE, Samples, Transcriber, Transcript
from realtime.providers.whisper.model import LONGEST_S, Decoded, Whisper
from realtime.providers.worker_pool import WorkerPool, cores
from realtime.settings import Settings

T = TypeVar("T")

log = logging.getLogger(__name__)

SILENCE_DBFS = -65.0  # of the loudest tenth of a second: audio below this is taken as silence
# A short answer in noise is doubted like noise: "two" at 5 dB over pink noise gets 0.51 and -1.05, "yes" in babble 0.53
# and -1.15. What noise itself gets within these limits is no short answer (docs/engines.md 2.3).
ANSWER_NO_SPEECH, ANSWER_LOG_PROBABILITY = 0.6, -1.4
LONGEST_COMPARED_S = 3.0  # of a sound of less than one, with the quiet around it
BLOCK_SAMPLES = VAD_RATE // 10
BEAM = 5  # only for the final text of the multilingual model, where it helps
ENGLISH, MULTILINGUAL = "tiny.en", "base"
# Log-probability of a text that tiny.en made of English; below it, base has a look. Clean English has -0.3 to -1.0.
ENGLISH_SURE = -1.15
SIMPLIFIED = "zh-CN"
DIALECTS = {"yue": "zh", "cmn": "zh"}


def create(settings: Settings) -> LocalTranscriber:
    """The transcriber; models are loaded on first use, or by `prewarm`.

    Raises ConfigError with the command to run if a part that is always needed is missing.
    """
    _, _, named = settings.transcriber.partition(":")
    if not weights.has_module("faster_whisper"):
        raise ConfigError(f"Local transcription is not installed: {weights.INSTALL_LOCAL}")
    language = _code(settings.language)
    if not named and not weights.has_multilingual():
        if language not in (None, "en"):
            raise ConfigError(_needs_multilingual(language))
        if not weights.has_english():
            raise ConfigError(f"The English transcriber's weights are not installed: {weights.INSTALL_LOCAL}")
    return LocalTranscriber(language=settings.language, model=named or None)


class LocalTranscriber(Transcriber):
    """A `Transcriber`. `model` is a path or a hub name; None takes the packaged weights by language.

    Chinese is written in simplified characters, or in traditional ones if a client or `language` tells so (`zh-TW`,
    `zh-HK`, `zh-Hant`). A client's tag without a script, `zh`, leaves that to `language`.
    """

    interim = True

    def __init__(self, *, language: str | None = None, model: str | None = None) -> None:
        self.name = f"local:{model}" if model else "local"
        self._language = _code(language)
        self._script = traditional_script(language)
        self._named = model
        self._pool = WorkerPool(cores(), "transcribe")
        self._models: dict[str, Whisper] = {}
        self._loading = threading.Lock()

    def spare(self, language: str | None) -> bool:
        """Whether one more decode leaves a thread of this process free. Without a language it takes two."""
        return self._pool.free > (2 if self._guesses(_code(language) or self._language) else 1)

    async def prewarm(self) -> None:
        """Load the models that the configured language needs and decode once, so that no turn waits for it.

        Raises ConfigError if the weights are missing or not the published ones.
        """
        models = [self._choose(self._language), *([ENGLISH] if self._guesses(self._language) else [])]
        for model in models:
            await self._pool.run(partial(self._prewarm, model), urgent=True, loads=True)

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        """The text of this utterance; empty if there was no speech. Long sound is read in pieces; where no language is
        told, each has its own.

        Raises ProviderRejected if the language needs weights that are not installed, ProviderUnavailable if the
        weights cannot be loaded or too many wait for a worker (interim requests: as many as there are workers).
        """
        script = self._script if _tells_no_script(language) else traditional_script(language)
        language = _code(language) or self._language
        parts = pieces(samples, LONGEST_S)
        texts = [await self._read(part, language, final, script) for part in parts]
        if len(parts) > 1:  # who asks could not tell what is invented in a part of a long text
            said = (text for part, text in zip(parts, texts, strict=True) if not _invented(part, text, final))
            return reduce(Transcript.followed_by, said, Transcript(""))
        return texts[0]

    async def _read(
        self, samples: Samples, language: str | None, final: bool, script: str | None
    ) -> Transcript:
        """The text of one piece."""
        if _inaudible(samples):
            return Transcript("")
        model = self._choose(language)
        try:
            if self._guesses(language) and self._pool.free > 1:
                return await self._untold(samples, final)
            decode = partial(self._decode, model, samples, language, final, script=script)
            return await self._run(decode, model, final)
        except ConfigError as error:
            raise ProviderUnavailable(str(error), retryable=False) from error
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ProviderUnavailable(f"local transcription failed: {error}") from error

    async def murmur(self, samples: Samples, transcript: Transcript) -> str | None:
        """The backchannel that this sound may as well be, if what was read of it is doubtful.

        Raises ProviderUnavailable if every worker is busy.
        """
        language, doubt = transcript.language, transcript.log_probability
        texts = () if doubt is None else compared(transcript.text, language, doubt)
        if language is None or not texts or len(samples) > LONGEST_COMPARED_S * VAD_RATE:
            return None
        whisper = self._models.get(self._choose(language))
        if whisper is None:
            return None  # it was another one that read it
        compare = partial(whisper.likelihoods, samples, language, texts)
        try:
            likelihoods = await self._pool.run(compare, urgent=True)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ProviderUnavailable(f"local transcription failed: {error}") from error
        return likely_murmur(language, likelihoods)

    async def _run(self, decode: Callable[[], T], model: str, final: bool) -> T:
        return await self._pool.run(decode, urgent=final, loads=model not in self._models)

    async def _untold(self, samples: Samples, final: bool) -> Transcript:
        """Without a language: base finds it out, and decodes what is not English; tiny.en has begun with that."""
        guess = asyncio.create_task(self._guess(samples, final), name="decode as English")
        guess.add_done_callback(_forget_cancellation)
        try:
            decode = partial(self._decode, MULTILINGUAL, samples, None, final, "en")
            known = await self._run(decode, MULTILINGUAL, final)
            if known.language != "en":
                return known
            guessed = await guess
        finally:
            guess.cancel()
        if guessed is not None and (not final or _sure(guessed)):
            return guessed
        return await self._run(partial(self._decode, MULTILINGUAL, samples, "en", final), MULTILINGUAL, final)

    async def _guess(self, samples: Samples, final: bool) -> Transcript | None:
        """The text if this is English; None if the English model does not work."""
        try:
            return await self._run(partial(self._decode, ENGLISH, samples, "en", final), ENGLISH, final)
        except (ProviderUnavailable, ConfigError, RuntimeError, ValueError, MemoryError) as error:
            log.info("transcription: English is decoded by the multilingual model, because: %s", error)
            return None

    async def aclose(self) -> None:
        await self._pool.aclose()
        self._models.clear()

    def _guesses(self, language: str | None) -> bool:
        """Whether the English model works beside the multilingual one."""
        both = weights.has_english() and weights.has_multilingual()
        return language is None and not self._named and both

    def _choose(self, language: str | None) -> str:
        if self._named:
            return self._named
        if language == "en" and weights.has_english():
            return ENGLISH
        if weights.has_multilingual():
            return MULTILINGUAL
        if language is None:
            return ENGLISH
        raise ProviderRejected(_needs_multilingual(language))

    def _prewarm(self, model: str) -> None:
        whisper = self._load(model)
        whisper.decode(np.zeros(VAD_RATE, np.int16), "zh" if whisper.knows("zh") else "en", beam=1)
        if whisper.multilingual:
            _written("開", self._script)

    def _decode(
        self,
        model: str,
        samples: Samples,
        language: str | None,
        final: bool,
        left: str | None = None,
        script: str | None = None,
    ) -> Transcript:
        whisper = self._load(model)
        if language and not whisper.knows(language):
            if not whisper.multilingual:
                raise ProviderRejected(
                    f"The transcriber {self.name} supports English only, not {language!r}."
                )
            language = None
        beam = BEAM if final and whisper.multilingual else 1
        decoded = whisper.decode(samples, language, beam=beam, left=left, draft=not final)
        if left and decoded.language == left:
            return Transcript("", left)  # the other model has its text
        if not _believed(decoded) or not pronounceable(decoded.text):
            return Transcript("")
        text = _written(decoded.text, script) if decoded.language == "zh" else decoded.text
        word, stop = (decoded.end.last_word, decoded.end.stop) if decoded.end else (None, None)
        return Transcript(text, decoded.language, decoded.log_probability, word, stop)

    def _load(self, model: str) -> Whisper:
        if (loaded := self._models.get(model)) is not None:
            return loaded  # without the lock: another model may be loading
        with self._loading:
            if model not in self._models:
                self._models[model] = self._open(model)
            return self._models[model]

    def _open(self, model: str) -> Whisper:
        if self._named:
            return _open_named(self._named, self._pool.size)
        if model == ENGLISH:
            return Whisper(str(weights.english()), workers=self._pool.size)
        try:
            return Whisper(str(weights.multilingual()), workers=self._pool.size)
        except weights.CacheNotWritable as error:
            log.info("transcription: the weights are used from memory, because: %s", error)
            return Whisper(MULTILINGUAL, workers=self._pool.size, files=weights.multilingual_in_memory())


def _believed(decoded: Decoded) -> bool:
    """Whether these words were said: it is speech, or a short answer that was hard to hear."""
    if decoded.speech:
        return True
    heard = decoded.no_speech < ANSWER_NO_SPEECH and decoded.log_probability > ANSWER_LOG_PROBABILITY
    return heard and is_short_answer(decoded.text)


def _invented(samples: Samples, transcript: Transcript, final: bool) -> bool:
    """Whether nobody can have said the text of this piece."""
    sound_s, doubts = sounding_s(samples), transcript.log_probability
    return is_invented(transcript.text, sound_s, log_probability=doubts, so_far=not final)


def _forget_cancellation(guess: asyncio.Task[Transcript | None]) -> None:
    """A task that was cancelled keeps its exception, with the sound in its trace: take it out."""
    if guess.cancelled():
        try:
            guess.exception()
        except asyncio.CancelledError as error:
            without_trace(error)


def _sure(transcript: Transcript) -> bool:
    """Whether a text made of English is worth more than a second opinion; an empty one is."""
    return transcript.log_probability is None or transcript.log_probability >= ENGLISH_SURE


def _open_named(name: str, workers: int) -> Whisper:
    """A model by path, or by hub name: a model in the hub's cache is used without a request to the hub."""
    if Path(name).is_dir():
        return Whisper(name, workers=workers)
    try:
        return Whisper(name, workers=workers)
    except ValueError as error:
        raise ConfigError(f"There is no transcription model {name!r}: {error}") from error
    except Exception as error:  # the hub's client has many exceptions for "not in the cache"
        log.info("downloading the transcription model %s (%s)", name, type(error).__name__)
    try:
        return Whisper(name, workers=workers, local_files_only=False)
    except Exception as error:
        raise ConfigError(
            f"The transcription model {name!r} is not on this machine and could not be downloaded "
            f"({type(error).__name__}). Connect to the internet once, name a folder (local:/path), "
            "or use the packaged weights (TRANSCRIBER=local)."
        ) from error


def _needs_multilingual(language: str | None) -> str:
    return f"Transcribing {language!r} needs the multilingual weights: {weights.INSTALL_MULTILINGUAL}"


def _code(language: str | None) -> str | None:
    """The ISO-639-1 code of a language tag such as `en-US`, `zh_Hans` or `yue`."""
    if not language:
        return None
    code = language.replace("_", "-").split("-")[0].lower()
    return DIALECTS.get(code, code)


def _tells_no_script(language: str | None) -> bool:
    """Whether this is no more than a language, or not even that."""
    return not language or len(language.replace("_", "-").split("-")) == 1


def _inaudible(samples: Samples) -> bool:
    """Whether the audio is shorter than a tenth of a second, or silent in every tenth."""
    blocks = len(samples) // BLOCK_SAMPLES
    return all(
        level_dbfs(samples[index * BLOCK_SAMPLES : (index + 1) * BLOCK_SAMPLES]) < SILENCE_DBFS
        for index in range(blocks)
    )


def _written(text: str, script: str | None) -> str:
    """The text in the characters of this tag of Chinese, or in simplified ones, if the converter is installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports pkg_resources, which older setuptools deprecate
            from zhconv import zhconv
    except ModuleNotFoundError:
        return text
    # Without the path it would open the file itself and leave it open.
    zhconv.loaddict(Path(zhconv.__file__).with_name("zhcdict.json"))
    return str(zhconv.convert(text, (script or SIMPLIFIED).lower()))
