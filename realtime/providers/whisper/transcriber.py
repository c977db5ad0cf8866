"""Transcription on this machine: Whisper tiny.en for English, the multilingual base for everything else.

It chooses the model, decodes in threads, and returns an empty text if there was no speech. The decoding is in
`model.py`; `weights.py` finds the weights.

Without a language, and with the multilingual weights installed, base detects the language and decodes the text from
the same encoding. The detection costs 15 ms of a core. Decoding English with tiny.en instead would cost a second
encoding and save nothing (3 s of speech: 140 ms either way, at equal accuracy). If the caller gives the language,
English takes 50 ms.
"""

from __future__ import annotations

import logging
import threading
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from realtime.core.audio import level_dbfs
from realtime.core.characters import pronounceable
from realtime.core.short_answers import is_short_answer
from realtime.errors import ConfigError, ProviderRejected, ProviderUnavailable
from realtime.providers import weights
from realtime.providers.base import VAD_RATE, Samples, Transcript
from realtime.providers.whisper.model import Decoded, Whisper
from realtime.providers.worker_pool import WorkerPool, cores
from realtime.settings import Settings

log = logging.getLogger(__name__)

SILENCE_DBFS = -65.0  # of the loudest tenth of a second: audio below this is taken as silence
# A short answer in noise is doubted like noise: "two" at 5 dB over pink noise gets 0.51 and -1.05, "yes" in babble 0.53
# and -1.15. What noise itself gets within these limits is no short answer (docs/engines.md 2.2).
ANSWER_NO_SPEECH, ANSWER_LOG_PROBABILITY = 0.6, -1.4
BLOCK_SAMPLES = VAD_RATE // 10
BEAM = 5  # only for the final text of the multilingual model, where it helps
ENGLISH, MULTILINGUAL = "tiny.en", "base"
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
    return LocalTranscriber(language=language, model=named or None)


class LocalTranscriber:
    """A `Transcriber`. `model` is a path or a hub name; None takes the packaged weights by language."""

    interim = True

    def __init__(self, *, language: str | None = None, model: str | None = None) -> None:
        self.name = f"local:{model}" if model else "local"
        self._language = language
        self._named = model
        self._pool = WorkerPool(cores(), "transcribe")
        self._models: dict[str, Whisper] = {}
        self._loading = threading.Lock()

    async def prewarm(self) -> None:
        """Load the model that the configured language needs and decode once, so that no turn waits for it.

        Raises ConfigError if the weights are missing or not the published ones.
        """
        model = self._choose(self._language)
        await self._pool.run(partial(self._prewarm, model), urgent=True, loads=True)

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        """The text of this utterance; empty if there was no speech.

        Raises ProviderRejected if the language needs weights that are not installed, ProviderUnavailable if the
        weights cannot be loaded or every worker is busy (interim requests do not queue).
        """
        if _inaudible(samples):
            return Transcript("")
        language = _code(language) or self._language
        model = self._choose(language)
        try:
            decode = partial(self._decode, model, samples, language, final)
            return await self._pool.run(decode, urgent=final, loads=model not in self._models)
        except ConfigError as error:
            raise ProviderUnavailable(str(error), retryable=False) from error
        except (RuntimeError, ValueError, MemoryError) as error:
            raise ProviderUnavailable(f"local transcription failed: {error}") from error

    async def aclose(self) -> None:
        await self._pool.aclose()
        self._models.clear()

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
            _simplified("開")

    def _decode(self, model: str, samples: Samples, language: str | None, final: bool) -> Transcript:
        whisper = self._load(model)
        if language and not whisper.knows(language):
            if not whisper.multilingual:
                raise ProviderRejected(
                    f"The transcriber {self.name} supports English only, not {language!r}."
                )
            language = None
        decoded = whisper.decode(samples, language, beam=BEAM if final and whisper.multilingual else 1)
        if not _believed(decoded) or not pronounceable(decoded.text):
            return Transcript("")
        text = _simplified(decoded.text) if decoded.language == "zh" else decoded.text
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


def _inaudible(samples: Samples) -> bool:
    """Whether the audio is shorter than a tenth of a second, or silent in every tenth."""
    blocks = len(samples) // BLOCK_SAMPLES
    return all(
        level_dbfs(samples[index * BLOCK_SAMPLES : (index + 1) * BLOCK_SAMPLES]) < SILENCE_DBFS
        for index in range(blocks)
    )


def _simplified(text: str) -> str:
    """The text in simplified characters, if the converter is installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports pkg_resources, which older setuptools deprecate
            from zhconv import zhconv
    except ModuleNotFoundError:
        return text
    # Without the path it would open the file itself and leave it open.
    zhconv.loaddict(Path(zhconv.__file__).with_name("zhcdict.json"))
    return str(zhconv.convert(text, "zh-cn"))
