"""The rules between the fields of a speech request, and the arguments that are made of several. Pure.

Sources: docs/minimax/t2a-http.md 1, t2a-websocket.md 1.2 and 4, t2a-async.md 1. The range of a single field is in
`field_tables`. Every function raises InvalidArgument, which names the argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from realtime.minimax.field_tables import LANGUAGES, SPEECH_MODELS
from realtime.minimax.fields import refused, shown
from realtime.minimax.speech_config import LANGUAGE_BOOSTS, boost_name

Pronunciation = Mapping[str, str] | Sequence[str]
"""`{"重庆": "(chong2)(qing4)"}`, or the platform's own `["重庆/(chong2)(qing4)"]`."""

OPUS_RATES = (8000, 12000, 16000, 24000, 48000)  # Hertz
MOST_VOICES = 4
_MODIFY = ("modify_pitch", "modify_intensity", "modify_timbre", "sound_effect")
_MODIFIED_FORMATS = ("mp3", "wav", "flac")
_NEW_LANGUAGES = ("Persian", "Filipino", "Tamil")
_DEFAULT_FORMAT = "mp3"


def pronunciations(given: Pronunciation | None) -> list[str] | None:
    """The list of "text/reading" for the wire."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        given = [f"{text}/{reading}" for text, reading in given.items()]
    if (
        isinstance(given, str)
        or not isinstance(given, Sequence)
        or not all(isinstance(entry, str) for entry in given)
    ):
        raise refused(
            "pronunciation", shown(given), 'allowed is a list of texts like "asap/as soon as possible"'
        )
    for entry in given:
        text, slash, reading = entry.partition("/")
        if not (text.strip() and slash and reading.strip()):
            raise refused("pronunciation", shown(entry), 'allowed is "text/reading", both with a character')
    return list(given)


def weights(given: Mapping[str, int] | None) -> list[dict[str, Any]] | None:
    """The voices of a mixture with their weights for the wire."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or not 1 <= len(given) <= MOST_VOICES:
        count = f"{len(given)} voices" if isinstance(given, Mapping) else shown(given)
        raise refused("timbre_weights", count, f"allowed are 1 to {MOST_VOICES} voices with their weights")
    for voice_id, weight in given.items():
        if not isinstance(voice_id, str) or not voice_id.strip():
            raise refused("timbre_weights", repr(voice_id), "allowed is the id of a voice")
        if isinstance(weight, bool) or not isinstance(weight, int) or not 1 <= weight <= 100:
            raise refused(
                "timbre_weights", f"{weight!r} for {voice_id}", "allowed is a whole number from 1 to 100"
            )
    return [{"voice_id": voice_id, "weight": weight} for voice_id, weight in given.items()]


def language_name(language: str | None) -> str | None:
    """The platform's name of a language from a code ("en", "zh-HK") or its name; "auto" stays as it is."""
    if language is None or language in LANGUAGES:
        return language
    name = _known_name(language) if isinstance(language, str) else None
    if name is None:
        raise refused(
            "language",
            shown(language),
            'allowed is a code like "en" or "zh", or one of ' + "; ".join(LANGUAGES),
        )
    return name


def language_code(language: str) -> str:
    """The code of a language from its code or name."""
    name = language_name(language)
    for code, known in LANGUAGE_BOOSTS.items():
        if known == name:
            return code
    raise refused("language", repr(language), f"allowed is one of {', '.join(LANGUAGE_BOOSTS)}")


def check_voice(values: Mapping[str, Any]) -> None:
    """The rules that speech and narration share: model × emotion, model × language, format × rate, changed voices."""
    model, format = values.get("model"), values.get("format") or _DEFAULT_FORMAT
    if model in SPEECH_MODELS:
        _check_model(str(model), values)
    rate = values.get("rate")
    if format == "opus" and rate is not None and rate not in OPUS_RATES:
        raise refused("rate", rate, f"opus has {_listed(OPUS_RATES)} Hertz")
    if format != "opus" and rate in (12000, 48000):
        raise refused("rate", rate, "only opus has 12000 and 48000 Hertz")
    if (changed := _changed(values)) and format not in _MODIFIED_FORMATS:
        raise refused("format", repr(format), f"{changed} works with {_listed(_MODIFIED_FORMATS)}")


def check_speech(values: Mapping[str, Any], *, stream: bool) -> None:
    """What a plain request and a stream take."""
    check_voice(values)
    if not values.get("voice_id") and not values.get("timbre_weights"):
        raise refused("voice_id", "missing", "a voice or timbre_weights is needed")
    (_check_stream if stream else _check_whole)(values)


def _check_model(model: str, values: Mapping[str, Any]) -> None:
    emotion, language = values.get("emotion"), values.get("language")
    if emotion == "whisper" and not model.startswith("speech-2.6"):
        raise refused("emotion", "'whisper'", f"only the speech-2.6 models whisper, not {model}")
    if emotion == "fluent" and not model.startswith(("speech-2.6", "speech-2.8")):
        raise refused("emotion", "'fluent'", f"only the speech-2.6 and 2.8 models have it, not {model}")
    if language in _NEW_LANGUAGES and model.startswith(("speech-01", "speech-02")):
        raise refused("language", repr(language), f"{model} does not speak it; newer models do")


def _check_stream(values: Mapping[str, Any]) -> None:
    format = values.get("format") or _DEFAULT_FORMAT
    if (changed := _changed(values)) and format != "mp3":
        raise refused("format", repr(format), f"in a stream {changed} works with mp3 only")
    if values.get("force_cbr") and format != "mp3":
        raise refused("force_cbr", True, "only mp3 has a constant bit rate")
    if values.get("output") == "url":
        raise refused("output", "'url'", "a stream has no address; use synthesize")
    if values.get("watermark"):
        raise refused("watermark", True, "a stream takes none; use synthesize")


def _check_whole(values: Mapping[str, Any]) -> None:
    if values.get("subtitles") == "word_streaming":
        raise refused("subtitles", "'word_streaming'", "it belongs to a stream; allowed are sentence, word")
    if values.get("force_cbr"):
        raise refused("force_cbr", True, "it belongs to a stream of mp3; use synthesize_stream")


def _known_name(language: str) -> str | None:
    named = (name for name in LANGUAGES if name.lower() == language.lower())
    return boost_name(language) or next(named, None)


def _changed(values: Mapping[str, Any]) -> str | None:
    """The first argument that changes the voice, if there is one."""
    return next((name for name in _MODIFY if values.get(name) is not None), None)


def _listed(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values)
