"""A scripted speech platform in virtual time: hosts that refuse, sockets that fail, late word times.

A fake `SpeechClient` for the pool. The audio of every word has its own level and length, so the audio alone tells
which words were spoken, how much of each, and how often.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np

from realtime.core.g711 import mulaw_decode
from realtime.core.messages import WordTime
from realtime.core.wordbreak import atoms
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_for_code
from realtime.minimax.speech import Transport
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import ChunkEnd, ReceivedAudio, SpeechResult, WordTimes
from realtime.minimax.speech_session import SpeechSession

FIRST_AUDIO_S = 5.0  # the timeout of a session
PAUSE = re.compile(r"<#([\d.]+)#>")
LEVELS = sorted({int(value) for value in mulaw_decode(bytes(range(256))) if value > 0})  # G.711 keeps them


@dataclass
class Lexicon:
    """The audio of every word: its level, and its length in milliseconds."""

    ms_of: Callable[[str], int] = lambda word: 100 + 37 * len(word)
    levels: dict[str, int] = field(default_factory=dict)

    def level(self, word: str) -> int:
        return self.levels.setdefault(word, LEVELS[len(self.levels)])

    def word(self, level: int) -> str:
        return next(word for word, known in self.levels.items() if known == level)

    def pronounce(self, text: str, rate: int) -> tuple[bytes, list[WordTime]]:
        """The audio of a text, and its word times."""
        sound, words, begin, clock_ms = [], [], 0, 0
        pauses = {match.start(): float(match[1]) * 1000 for match in PAUSE.finditer(text)}
        text = PAUSE.sub(lambda match: " " * len(match[0]), text)
        for end in atoms(text):
            word = "".join(filter(str.isalnum, text[begin:end])).lower()
            if word:
                ms = self.ms_of(word)
                words.append(WordTime(begin, len(text[:end].rstrip()), clock_ms, clock_ms + ms))
                sound.append(np.full(ms * rate // 1000, self.level(word), "<i2"))
                clock_ms += ms
            pause_ms = (40 if word else 0) + int(sum(ms for at, ms in pauses.items() if begin <= at < end))
            sound.append(np.zeros(pause_ms * rate // 1000, "<i2"))
            clock_ms += pause_ms
            begin = end
        return np.concatenate(sound).tobytes() if sound else b"", words

    def runs(self, pcm: bytes, rate: int) -> list[tuple[str, float]]:
        """The words in this PCM, in order, with the milliseconds of each."""
        samples = np.frombuffer(pcm, "<i2")
        edges = np.flatnonzero(np.diff(samples)) + 1
        bounds = [0, *edges.tolist(), len(samples)]
        return [
            (self.word(int(samples[start])), (end - start) * 1000 / rate)
            for start, end in itertools.pairwise(bounds)
            if end > start and samples[start]
        ]


@dataclass
class Fate:
    """What happens to one connection. `frames` counts the audio frames of all its texts."""

    connect: ProviderError | None = None  # it cannot be opened
    connect_s: float = 0.1
    frames: float = float("inf")  # it fails after so many audio frames
    before_end: bool = False  # it fails instead of the first end of a text
    error: ProviderError | None = None  # how it fails
    stalls: bool = False  # it fails by sending nothing more
    words: str = "early"  # with each frame, "late": with the last one of a text, or "none"


class ScriptedSession(SpeechSession):
    """One scripted connection."""

    def __init__(self, client: ScriptedClient, host: str, config: SpeechConfig, fate: Fate) -> None:
        super().__init__()
        self.host = host
        self.last_sent_s = asyncio.get_running_loop().time()
        self.texts: list[str] = []
        self.closed = False
        self._client, self._config, self._fate = client, config, fate
        self._open: deque[str] = deque()
        self._frames: deque[list[SpeechResult]] = deque()
        self._sent_frames = 0
        self._failed = False
        self._chunk = 0

    @property
    def pending(self) -> int:
        return len(self._open)

    @property
    def usable(self) -> bool:
        return not self._failed and not self.closed

    async def say(self, text: str, leaving: Callable[[], Awaitable[None]] | None = None) -> int:
        if not self.usable:
            raise ProviderUnavailable("This connection has failed.")
        if leaving is not None:
            await leaving()
        self.texts.append(text)
        self._client.texts.append(text)
        self._client.sent_at_s.append(asyncio.get_running_loop().time())
        self._open.append(text)
        self._mark_sent()
        return len(self.texts) - 1

    async def receive(self) -> list[SpeechResult]:
        if not self._frames:
            await asyncio.sleep(self._client.first_s)
            self._speak(self._open[0])
        frame = self._frames.popleft()
        has_audio = any(isinstance(result, ReceivedAudio) for result in frame)
        ends = any(isinstance(result, ChunkEnd) for result in frame)
        if (has_audio and self._sent_frames >= self._fate.frames) or (ends and self._fate.before_end):
            await self._fail()
        if has_audio:
            await asyncio.sleep(self._client.frame_ms / 1000 / self._client.factor)
            self._sent_frames += 1
        if ends:
            self._open.popleft()
        return frame

    async def _fail(self) -> None:
        self._failed = True
        if self._fate.stalls:
            await asyncio.sleep(FIRST_AUDIO_S)
            raise ProviderTimeout("This connection sends nothing more.")
        raise self._fate.error or ProviderUnavailable("This connection was lost.")

    def _speak(self, text: str) -> None:
        rate = self._config.rate
        pcm, words = self._client.lexicon.pronounce(text, rate)
        step = self._client.frame_ms * rate // 1000 * 2
        for start in range(0, len(pcm), step):
            frame: list[SpeechResult] = []
            end_ms, last = (start + step) / 2 * 1000 / rate, start + step >= len(pcm)
            if self._fate.words == "early":
                known = tuple(word for word in words if word.start_ms < end_ms)
                frame.append(WordTimes(self._chunk, known))
            elif self._fate.words == "late" and last:
                frame.append(WordTimes(self._chunk, tuple(words)))
            frame.append(ReceivedAudio(self._chunk, pcm[start : start + step]))
            self._frames.append(frame)
        self._frames.append([ChunkEnd(self._chunk)])
        self._chunk += 1

    async def cancel(self) -> bool:
        self._open.clear()
        self._frames.clear()
        return self.usable

    async def aclose(self) -> None:
        if not self.closed:
            self.closed = True
            await asyncio.sleep(self._client.close_s)
            self._client.open_now -= 1


class ScriptedClient:
    """Opens connections with the given fates, then good ones."""

    def __init__(self, *fates: Fate, hosts: tuple[str, ...] = ("one",), words: str = "early") -> None:
        self.hosts = hosts
        self.lexicon = Lexicon()
        self.first_s, self.frame_ms, self.factor = 0.2, 40, 10.0
        self.texts: list[str] = []
        self.sent_at_s: list[float] = []  # the times of all texts
        self.opened: list[tuple[Transport, str, SpeechConfig]] = []
        self.sessions: list[ScriptedSession] = []
        self.open_now = 0
        self.close_s = 0.0  # a closing handshake can take time
        self.most_sockets = float("inf")  # the platform refuses more of them
        self.words = words
        self._fates = deque(fates)

    def config(self, voice_id: str | None = None, model: str | None = None, **fields) -> SpeechConfig:
        return SpeechConfig(voice_id=voice_id or "v", model=model or "m", **fields)

    async def connect(
        self, config: SpeechConfig, host: str, transport: Transport = Transport.ORDINARY
    ) -> ScriptedSession:
        fate = self._fates.popleft() if self._fates else Fate(words=self.words)
        self.opened.append((transport, host, config))
        if transport is not Transport.HTTP:
            await asyncio.sleep(fate.connect_s)
            if self.open_now >= self.most_sockets:
                raise error_for_code(1041)
        if fate.connect is not None:
            raise fate.connect
        session = ScriptedSession(self, host, config, fate)
        self.sessions.append(session)
        self.open_now += 1
        return session

    @property
    def sockets(self) -> int:
        return sum(transport is not Transport.HTTP for transport, _, _ in self.opened)

    async def aclose(self) -> None:
        return
