"""The sandbox's speech synthesis: text and a MiniMax voice id in, speech with exact word times out.

Synthesis is blocking and fast (a thousandth of the audio's length, half of it with the natural voice); `speak` runs it
sentence by sentence in a thread. It knows voices by id only; it does not check whether an id exists.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from realtime.sandbox import voice_text
from realtime.sandbox.natural.speaker import Delivery, NaturalVoice
from realtime.sandbox.voice_engine import INSTALL, Prosody, Samples, VoiceUnavailable, say
from realtime.sandbox.voice_traits import Traits, system_traits

__all__ = ["Speech", "Style", "VoiceUnavailable", "Word", "speak", "synthesize", "synthesize_segment"]

_ENGINE_RATE = 22050  # Hertz, the rate of interjections and pauses before resampling
_LEAD_MS = 30  # silence before the first word of a task; the real platform has 20 to 60
_JOIN_MS = 25  # between runs of two languages
_AUDIBLE = 200  # of 32767: below it a sample counts as silence

_LATIN = {
    "English": "en-us", "Spanish": "es", "French": "fr", "Portuguese": "pt-br", "German": "de", "Turkish": "tr",
    "Dutch": "nl", "Vietnamese": "vi", "Indonesian": "id", "Italian": "it", "Polish": "pl", "Romanian": "ro",
    "Czech": "cs", "Finnish": "fi", "Danish": "da", "Malay": "ms", "Slovak": "sk", "Swedish": "sv", "Croatian": "hr",
    "Filipino": "en-us", "Hungarian": "hu", "Norwegian": "nb", "Slovenian": "sl", "Catalan": "ca", "Nynorsk": "nb",
    "Afrikaans": "af",
}  # fmt: skip
_CYRILLIC = {"Ukrainian": "uk", "Bulgarian": "bg"}
_NATURAL_LANGUAGES = frozenset(("cmn", "en-us"))
_HAN_WPM, _KANA_WPM, _LATIN_WPM = 190, 170, 142
# Emotion: semitones, share of the normal rate, liveliness.
_EMOTIONS = {
    "happy": (1.5, 1.06, 70), "sad": (-1.5, 0.88, 30), "angry": (0.5, 1.08, 75), "fearful": (1.5, 1.1, 60),
    "disgusted": (-1.0, 0.95, 55), "surprised": (2.0, 1.04, 80), "whisper": (-1.0, 0.95, 20),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word: character offsets into the text (end exclusive), milliseconds from the start of the audio."""

    begin: int
    end: int
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Speech:
    """The audio of `text`, which is at `begin` to `end` in the whole text."""

    text: str
    begin: int
    end: int
    pcm: Samples  # mono
    rate: int  # Hertz
    words: tuple[Word, ...]  # times from the start of `pcm`

    @property
    def duration_ms(self) -> float:
        return len(self.pcm) * 1000 / self.rate


@dataclass(frozen=True, slots=True)
class Style:
    """The style of the speech: from `voice_setting`, `language_boost` and `pronunciation_dict`."""

    voice_id: str
    rate: int = 32000  # Hertz
    speed: float = 1.0
    vol: float = 1.0
    pitch: int = 0  # semitones
    emotion: str | None = None
    language_boost: str | None = None
    interjections: bool = True
    readings: Mapping[str, str] = field(default_factory=dict)
    traits: Traits | None = None  # of a voice that an account created; None: those of the system voice
    natural: NaturalVoice | None = None  # for English and Chinese; None: espeak for every language


def _language(script: str, style: Style) -> tuple[str, int]:
    """espeak's language and words a minute for a script."""
    boost = style.language_boost or ""
    own = style.voice_id.partition("_")[0].capitalize()
    match script:
        case "han":
            yue = boost == "Chinese,Yue" or own == "Cantonese"
            return ("yue" if yue else "cmn"), _HAN_WPM
        case "ja":
            return "ja", _KANA_WPM
        case "latin":
            return _LATIN.get(boost) or _LATIN.get(own) or "en-us", _LATIN_WPM
        case "cyrillic":
            return _CYRILLIC.get(boost) or _CYRILLIC.get(own) or "ru", _LATIN_WPM
        case "arabic":
            return ("fa" if boost == "Persian" else "ar"), _LATIN_WPM
    return script, _LATIN_WPM


def _traits(style: Style) -> Traits:
    return style.traits or system_traits(style.voice_id)


def _prosody(script: str, style: Style) -> Prosody:
    language, wpm = _language(script, style)
    traits = _traits(style)
    semitones, speaking_rate, liveliness = _EMOTIONS.get(style.emotion or "", (0.0, 1.0, traits.liveliness))
    # espeak's pitch scale spans about two octaves around 50.
    pitch = traits.pitch + (style.pitch + semitones) * 50 / 12
    return Prosody(
        voice=f"{language}+{'whisper' if style.emotion == 'whisper' else traits.variant}",
        wpm=round(min(450, max(80, wpm * traits.speaking_rate * speaking_rate * style.speed))),
        pitch=round(min(99, max(0, pitch))),
        range=liveliness,
    )


@dataclass(slots=True)
class _Track:
    """Joined samples, and the start of each word in them."""

    parts: list[Samples] = field(default_factory=list)
    length: int = 0  # samples
    starts: dict[int, int] = field(default_factory=dict)  # word index -> sample
    stops: list[int] = field(default_factory=list)  # the end of each run's speech

    def add(self, pcm: Samples) -> None:
        self.parts.append(pcm)
        self.length += len(pcm)

    def silence(self, ms: float) -> None:
        self.add(np.zeros(round(ms * _ENGINE_RATE / 1000), dtype=np.int16))


def synthesize_segment(segment: voice_text.Segment, style: Style, *, first: bool = True) -> Speech:
    """Synthesize one segment, blocking for a few milliseconds. `first` adds the lead-in. Raises VoiceUnavailable."""
    spans = voice_text.words(segment.text)
    track = _Track()
    if first:
        track.silence(_LEAD_MS)
    spoken = False
    parts = voice_text.plan(segment.text, interjections=style.interjections, readings=style.readings)
    for part in _with_natural(parts, style):
        match part:
            case voice_text.Say() | _Natural():
                if spoken:
                    track.silence(_JOIN_MS)
                _say(track, part, segment.text, spans, style)
            case voice_text.Pause(seconds):
                track.silence(seconds * 1000)
            case voice_text.Interjection(name):
                track.add(_interjection(name))
        spoken = isinstance(part, voice_text.Say | _Natural)
    track.silence(segment.pause_ms / style.speed)
    engine_pcm = np.concatenate(track.parts)
    words = tuple(
        Word(segment.begin + b, segment.begin + e, start * 1000 / _ENGINE_RATE, stop * 1000 / _ENGINE_RATE)
        for (b, e), start, stop in _timed(track, spans, engine_pcm)
    )
    pcm = _with_volume(
        _resampled(engine_pcm, _ENGINE_RATE, style.rate),
        style.vol,
    )
    return Speech(segment.text, segment.begin, segment.end, pcm, style.rate, words)


def _resampled(pcm: Samples, rate: int, wanted_rate: int) -> Samples:
    """Raises VoiceUnavailable where the package is not installed."""
    if rate == wanted_rate:
        return pcm
    try:
        import soxr
    except ModuleNotFoundError as error:
        raise VoiceUnavailable(INSTALL) from error
    resampled: Samples = soxr.resample(pcm, rate, wanted_rate)
    return resampled


@dataclass(frozen=True, slots=True)
class _Natural:
    """Runs that the natural voice says in one go."""

    runs: tuple[voice_text.Say, ...]
    voice: NaturalVoice


def _with_natural(parts: list[voice_text.Part], style: Style) -> list[voice_text.Part | _Natural]:
    """The parts, with neighbouring runs of Chinese and English as one for the natural voice, if there is one."""
    runs = [part for part in parts if isinstance(part, voice_text.Say)]
    if style.natural is None or any(run.script == "ja" for run in runs):  # Han characters are Japanese then
        return list(parts)
    joined: list[voice_text.Part | _Natural] = []
    for natural, group in groupby(parts, lambda part: _is_natural(part, style)):
        same = list(group)
        runs = [part for part in same if isinstance(part, voice_text.Say)]
        joined += [_Natural(tuple(runs), style.natural)] if natural else same
    return joined


def _is_natural(part: voice_text.Part, style: Style) -> bool:
    return isinstance(part, voice_text.Say) and _language(part.script, style)[0] in _NATURAL_LANGUAGES


def _natural_delivery(style: Style) -> Delivery:
    traits = _traits(style)
    semitones, speaking_rate, _ = _EMOTIONS.get(style.emotion or "", (0.0, 1.0, 0))
    speed = style.speed * speaking_rate * traits.speaking_rate
    return Delivery(style.voice_id, traits.variant, speed, style.pitch + semitones)


def _spoken(run: voice_text.Say | _Natural, style: Style) -> tuple[Samples, list[tuple[int, int]], int]:
    """Samples, the (offset in the segment's text, sample) of each word's start, and the rate in Hertz."""
    if isinstance(run, _Natural):
        return run.voice.say(run.runs, _natural_delivery(style))
    pcm, events, rate = say(run.text, _prosody(run.script, style))
    last = len(run.origin) - 1
    return pcm, [(run.origin[min(max(position, 0), last)], sample) for position, sample in events], rate


def _say(
    track: _Track,
    run: voice_text.Say | _Natural,
    text: str,
    spans: list[tuple[int, int]],
    style: Style,
) -> None:
    pcm, events, rate = _spoken(run, style)
    pcm = _roughened(_resampled(pcm, rate, _ENGINE_RATE), _traits(style).roughness)
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _AUDIBLE)
    if not len(loud):
        return
    begin, end = max(0, int(loud[0]) - 60), min(len(pcm), int(loud[-1]) + 120)
    for position, sample in events:
        word = _word_at(position, spans, text)
        at = track.length + max(0, round(sample * _ENGINE_RATE / rate) - begin)
        if word is not None and at < track.starts.get(word, at + 1):
            track.starts[word] = min(at, track.length + end - begin)
    track.add(pcm[begin:end])
    track.stops.append(track.length)


def _word_at(offset: int, spans: list[tuple[int, int]], text: str) -> int | None:
    """Index of the word at a text position: the word around it, else the one it touches or precedes."""
    for index, (begin, end) in enumerate(spans):
        if offset < end:
            apart = offset < begin and any(c.isspace() for c in text[offset:begin])
            return index - 1 if apart and index else index
    return len(spans) - 1 if spans else None


def _timed(
    track: _Track, spans: list[tuple[int, int]], pcm: Samples
) -> list[tuple[tuple[int, int], int, int]]:
    """Start and stop sample of every word. Words that the engine joined share their time by length."""
    known = sorted(track.starts)
    timed: list[tuple[tuple[int, int], int, int]] = []
    floor = 0
    for at, index in enumerate(known):
        upto = known[at + 1] if at + 1 < len(known) else len(spans)
        group = spans[0 if at == 0 else index : upto]
        start = max(floor, track.starts[index])
        stop = max(start, track.starts.get(upto, track.length))
        # A word ends with its run at the latest: marks and words of another language are not part of it.
        stop = min(stop, min((s for s in track.stops if s > start), default=track.length))
        loud = np.flatnonzero(np.abs(pcm[start:stop].astype(np.int32)) > _AUDIBLE)
        if len(loud):
            start, stop = start + int(loud[0]), start + int(loud[-1]) + 1
        weight = sum(e - b for b, e in group)
        for begin, end in group:
            share = start + round((stop - start) * (end - begin) / weight)
            timed.append(((begin, end), start, share))
            weight -= end - begin
            start = share
        floor = stop
    return timed


def _interjection(name: str) -> Samples:
    """A short breath-like noise for an interjection: one burst, or several for laughter and coughs."""
    bursts = {"laughs": 4, "chuckle": 3, "coughs": 2, "pant": 3, "sniffs": 2, "applause": 6, "crying": 3}.get(
        name, 1
    )
    length = _ENGINE_RATE * (130 if bursts > 1 else 350) // 1000
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(length * bursts)
    soft = np.convolve(noise, np.hanning(24) / 12, mode="same")
    envelope = np.tile(np.hanning(length) ** 1.5, bursts)
    return np.asarray(np.clip(soft * envelope * 2500, -9000, 9000), dtype=np.int16)


def _roughened(pcm: Samples, roughness: float) -> Samples:
    """A hoarse voice: its loudness flutters irregularly some 50 times a second. `roughness` is 0 to 1."""
    if not roughness or not len(pcm):
        return pcm
    step = _ENGINE_RATE // 100
    points = np.random.default_rng(len(pcm)).random(len(pcm) // step + 2)
    flutter = np.interp(np.arange(len(pcm)) / step, np.arange(len(points)), points)
    return np.asarray(np.rint(pcm * (1.0 - 0.9 * roughness * flutter)), dtype=np.int16)


def _with_volume(pcm: Samples, vol: float) -> Samples:
    """Scale the samples: exactly up to a volume of 1, above it with soft limiting instead of clipping."""
    if vol == 1.0:
        return pcm
    scaled = pcm.astype(np.float32) * vol
    if vol > 1.0:
        scaled = 32000 * np.tanh(scaled / 32000)
    return np.asarray(np.rint(scaled), dtype=np.int16)


def synthesize(
    text: str, *, voice_id: str, speed: float = 1, vol: float = 1, pitch: int = 0, rate: int = 32000
) -> Speech:
    """Synthesize a whole text at once, blocking. `rate` in Hertz. Raises VoiceUnavailable."""
    style = Style(voice_id, rate, speed, vol, pitch)
    pcm: list[Samples] = []
    words: list[Word] = []
    at_ms = 0.0
    for index, segment in enumerate(voice_text.segments(text)):
        speech = synthesize_segment(segment, style, first=index == 0)
        words += (Word(w.begin, w.end, w.start_ms + at_ms, w.end_ms + at_ms) for w in speech.words)
        pcm.append(speech.pcm)
        at_ms += speech.duration_ms
    return Speech(text, 0, len(text), np.concatenate([*pcm, np.zeros(0, np.int16)]), rate, tuple(words))


async def speak(text: str, style: Style) -> AsyncGenerator[Speech, None]:
    """Synthesize a text sentence by sentence, each only when it is requested. Raises VoiceUnavailable."""
    for index, segment in enumerate(voice_text.segments(text)):
        yield await asyncio.to_thread(synthesize_segment, segment, style, first=index == 0)
