"""The settings of a synthesis: `task_start`, or the body of `/v1/t2a_v2`, checked field by field.

Values and ranges: docs/minimax/t2a-websocket.md 1.2 and 4. The sandbox applies voice, speed, volume, pitch, emotion,
language, readings and the pitch of `voice_modify`; the other fields are checked only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import voice_text
from .context import SandboxState
from .encode import FORMATS
from .fields import invalid
from .refusal import Refusal
from .voice import Style
from .voices import is_foreign, is_voice, traits_of

MODELS = frozenset(
    "speech-2.8-hd speech-2.8-turbo speech-2.6-hd speech-2.6-turbo speech-02-hd speech-02-turbo speech-01-hd "
    "speech-01-turbo speech-2.5-hd-preview speech-2.5-turbo-preview".split()
)
RATES = (8000, 16000, 22050, 24000, 32000, 44100)  # Hertz
BITRATES = (32000, 64000, 128000, 256000)
EMOTIONS = frozenset("happy sad angry fearful disgusted surprised calm fluent whisper neutral".split())
LANGUAGES = frozenset(
    "auto;Chinese;Chinese,Yue;English;Arabic;Russian;Spanish;French;Portuguese;German;Turkish;Dutch;Ukrainian;"
    "Vietnamese;Indonesian;Japanese;Italian;Korean;Thai;Polish;Romanian;Greek;Czech;Finnish;Hindi;Bulgarian;Danish;"
    "Hebrew;Malay;Persian;Slovak;Swedish;Croatian;Filipino;Hungarian;Norwegian;Slovenian;Catalan;Nynorsk;Tamil;"
    "Afrikaans".split(";")
)
NEW_LANGUAGES = frozenset(("Persian", "Filipino", "Tamil"))  # not on the 01 and 02 models
EFFECTS = frozenset("spacious_echo auditorium_echo lofi_telephone robotic".split())
# A text with one of these is answered like forbidden content (1026).
SENSITIVE_WORDS = ("sandbox-forbidden", "沙盒违禁词")
_MAX_INVISIBLE = 0.1
_MISSING = object()


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """The valid settings of a session."""

    model: str
    style: Style
    format: str
    bitrate: int
    channels: int
    subtitles: str | None  # sentence, word, word_streaming; None: off

    @property
    def first_wait(self) -> str:
        """The name of the option with this model's time to first audio."""
        return "speech.hd_first_ms" if "-hd" in self.model else "speech.first_ms"


def read_settings(
    body: Mapping[str, Any], state: SandboxState, *, streaming: bool, account: str
) -> SpeechSettings:
    """Check everything but the text. `account` is that of the request, as `account_of` gives it.

    Raises Refusal: 2013 with the field's name, 2054 for an unknown voice, 2042 for the voice of another account.
    """
    model = _one_of(body, "model", MODELS)
    voice = _mapping(body, "voice_setting")
    audio = _mapping(body, "audio_setting")
    format = _one_of(audio, "format", FORMATS, "mp3", "audio_setting")
    boost = None if body.get("language_boost") is None else _one_of(body, "language_boost", LANGUAGES)
    if boost in NEW_LANGUAGES and model.startswith(("speech-01", "speech-02")):
        raise invalid("language_boost")
    semitones = _modify(body, streaming=streaming, format=format)
    for name in ("english_normalization", "text_normalization", "latex_read"):
        _flag(voice, name, "voice_setting")
    _flag(body, "continuous_sound")
    _flag(audio, "force_cbr", "audio_setting")
    _one_of(body, "text_normalization_mode", ("basic", "quality"), "basic")
    voice_id = _voice_id(body, voice, state, account)
    style = Style(
        voice_id=voice_id,
        traits=traits_of(state, voice_id),
        natural=state.natural,
        rate=_one_of(audio, "sample_rate", RATES, 32000, "audio_setting"),
        speed=_number(voice, "speed", 0.5, 2.0, 1.0),
        vol=_number(voice, "vol", 0.0, 10.0, 1.0, above=True),
        pitch=_whole(voice, "pitch", -12, 12, "voice_setting") + semitones,
        emotion=_emotion(voice, model),
        language_boost="Chinese" if voice.get("latex_read") else boost,
        interjections=model.startswith("speech-2.8"),
        readings=_readings(body),
    )
    return SpeechSettings(
        model=model,
        style=style,
        format=format,
        bitrate=_one_of(audio, "bitrate", BITRATES, 128_000, "audio_setting"),
        channels=_one_of(audio, "channel", (1, 2), 1, "audio_setting"),
        subtitles=_subtitles(body),
    )


def check_text(text: str) -> None:
    """Raises Refusal 1026 for a forbidden word, 1042 for more than 10 % invisible characters."""
    if any(word in text for word in SENSITIVE_WORDS):
        raise Refusal(1026)
    if voice_text.invisible_ratio(text) > _MAX_INVISIBLE:
        raise Refusal(1042)


def _path(name: str, where: str) -> str:
    return f"{where} {name}".strip()


def _mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(name)
    return value


def _one_of(
    body: Mapping[str, Any], name: str, allowed: Any, default: Any = _MISSING, where: str = ""
) -> Any:
    value = body.get(name)
    if value is None and default is not _MISSING:
        return default
    if isinstance(value, bool) or not isinstance(value, str | int) or value not in allowed:
        raise invalid(_path(name, where))
    return value


def _number(
    body: Mapping[str, Any], name: str, low: float, high: float, default: float, *, above: bool = False
) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid(f"voice_setting {name}")
    if above and value == low:
        raise invalid(f"voice_setting {name}")
    return float(value)


def _whole(body: Mapping[str, Any], name: str, low: int, high: int, where: str) -> int:
    value = body.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(_path(name, where))
    return value


def _flag(body: Mapping[str, Any], name: str, where: str = "") -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(_path(name, where))
    return bool(value)


def _emotion(voice: Mapping[str, Any], model: str) -> str | None:
    emotion = voice.get("emotion")
    if emotion is None:
        return None
    if not isinstance(emotion, str) or emotion not in EMOTIONS:
        raise invalid("voice_setting emotion")
    if emotion == "whisper" and not model.startswith("speech-2.6"):
        raise invalid("voice_setting emotion")
    if emotion == "fluent" and not model.startswith(("speech-2.6", "speech-2.8")):
        raise invalid("voice_setting emotion")
    return emotion


def _voice_id(body: Mapping[str, Any], voice: Mapping[str, Any], state: SandboxState, account: str) -> str:
    """The voice; for a mixture the one with the greatest weight."""
    weights = body.get("timbre_weights") or body.get("timber_weights")
    voice_id = voice.get("voice_id")
    if weights:
        if not isinstance(weights, list) or len(weights) > 4 or not all(isinstance(w, dict) for w in weights):
            raise invalid("timbre_weights")
        for entry in weights:
            if (
                not isinstance(entry.get("voice_id"), str)
                or _whole(entry, "weight", 1, 100, "timbre_weights") == 0
            ):
                raise invalid("timbre_weights")
            _check_usable(state, entry["voice_id"], account)
        voice_id = voice_id or max(weights, key=lambda entry: int(entry["weight"]))["voice_id"]
    if not isinstance(voice_id, str) or not voice_id:
        raise invalid("voice_setting voice_id")
    _check_usable(state, voice_id, account)
    return voice_id


def _check_usable(state: SandboxState, voice_id: str, account: str) -> None:
    if not is_voice(state, voice_id):
        raise Refusal(2054)
    if is_foreign(state, voice_id, account):
        raise Refusal(2042)


def _readings(body: Mapping[str, Any]) -> dict[str, str]:
    tone = _mapping(body, "pronunciation_dict").get("tone") or []
    if not isinstance(tone, list) or not all(isinstance(entry, str) and "/" in entry for entry in tone):
        raise invalid("pronunciation_dict tone")
    return voice_text.readings(tone)


def _modify(body: Mapping[str, Any], *, streaming: bool, format: str) -> int:
    """The semitones of `voice_modify`."""
    modify = _mapping(body, "voice_modify")
    if not modify:
        return 0
    if format not in (("mp3",) if streaming else ("mp3", "wav", "flac")):  # docs/minimax/t2a-http.md 1
        raise invalid("voice_modify")
    for name in ("intensity", "timbre"):
        _whole(modify, name, -100, 100, "voice_modify")
    if modify.get("sound_effects") is not None:
        _one_of(modify, "sound_effects", EFFECTS, where="voice_modify")
    return round(_whole(modify, "pitch", -100, 100, "voice_modify") / 10)


def _subtitles(body: Mapping[str, Any]) -> str | None:
    kind = _one_of(body, "subtitle_type", ("sentence", "word", "word_streaming"), "sentence")
    return str(kind) if _flag(body, "subtitle_enable") else None
