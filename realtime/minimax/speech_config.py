"""The configuration of a speech session: voice, format and speed, and its JSON fields for each interface.

Knows the fields of `task_start` and of the HTTP request (docs/minimax/t2a-websocket.md 1.2, t2a-http.md 1); no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_TEXT = 10_000  # characters in one chunk, exclusive

LANGUAGE_BOOSTS = {
    "zh": "Chinese", "yue": "Chinese,Yue", "en": "English", "ar": "Arabic", "ru": "Russian", "es": "Spanish",
    "fr": "French", "pt": "Portuguese", "de": "German", "tr": "Turkish", "nl": "Dutch", "uk": "Ukrainian",
    "vi": "Vietnamese", "id": "Indonesian", "ja": "Japanese", "it": "Italian", "ko": "Korean", "th": "Thai",
    "pl": "Polish", "ro": "Romanian", "el": "Greek", "cs": "Czech", "fi": "Finnish", "hi": "Hindi",
    "bg": "Bulgarian", "da": "Danish", "he": "Hebrew", "ms": "Malay", "fa": "Persian", "sk": "Slovak",
    "sv": "Swedish", "hr": "Croatian", "fil": "Filipino", "hu": "Hungarian", "no": "Norwegian",
    "nb": "Norwegian", "sl": "Slovenian", "ca": "Catalan", "nn": "Nynorsk", "ta": "Tamil", "af": "Afrikaans",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SpeechConfig:
    """One voice in one format. `rate` in Hertz; `speed` is limited to the platform's range (0.5 to 2)."""

    voice_id: str
    model: str = "speech-2.8-turbo"
    rate: int = 24_000  # Hertz
    format: str = "pcm"
    speed: float = 1.0
    language: str | None = None  # ISO-639-1; None: detected
    emotion: str | None = None
    bitrate: int = 128_000  # mp3 only
    word_times: bool = True

    @property
    def raw_pcm(self) -> bool:
        return self.format == "pcm"

    def fields(self) -> dict[str, Any]:
        """The fields that sockets and HTTP share.

        `word_streaming` sends word times with every frame of audio, `word` only with the last frame of a segment. If
        the user interrupts before that last frame, only `word_streaming` tells which words were heard.
        """
        voice: dict[str, Any] = {
            "voice_id": self.voice_id,
            "speed": min(max(self.speed, 0.5), 2.0),
            "vol": 1,
            "pitch": 0,
        }
        if self.emotion is not None:
            voice["emotion"] = self.emotion
        audio: dict[str, Any] = {"sample_rate": self.rate, "format": self.format, "channel": 1}
        if self.format == "mp3":
            audio["bitrate"] = self.bitrate
        fields: dict[str, Any] = {
            "model": self.model,
            "language_boost": _boost(self.language),
            "voice_setting": voice,
            "audio_setting": audio,
        }
        if self.word_times:
            fields |= {"subtitle_enable": True, "subtitle_type": "word_streaming"}
        return fields

    def start_event(self) -> dict[str, Any]:
        return {"event": "task_start", **self.fields()}

    def http_body(self, text: str) -> dict[str, Any]:
        return {
            **self.fields(),
            "text": text,
            "stream": True,
            "stream_options": {"exclude_aggregated_audio": True},
        }


def boost_name(language: str) -> str | None:
    """The platform's name for a language code like "en" or "zh-HK"; None for one that it does not have."""
    lowered = language.lower()
    if lowered in ("zh-hk", "zh-yue"):
        return LANGUAGE_BOOSTS["yue"]
    return LANGUAGE_BOOSTS.get(lowered.split("-")[0])


def _boost(language: str | None) -> str:
    return (boost_name(language) if language else None) or "auto"
