"""A scripted speech platform behind real `SpeechSocket`s, in virtual time: it loses ends, or stops in the middle.

The audio of every word has its own level (`Lexicon`), so the audio alone tells which words were spoken, and how often.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from websockets.protocol import State

from realtime.minimax.speech import Transport
from realtime.minimax.speech_bidi import BidiSpeechSocket
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_session import SpeechTimeouts
from realtime.minimax.speech_socket import SpeechSocket
from tests.providers.minimax.scripted_speech import Lexicon

GOOD = {"base_resp": {"status_code": 0, "status_msg": "success"}}


@dataclass(frozen=True)
class Script:
    """What the first connection does; the others are honest. Texts (bidi: flushes) are counted from 1."""

    lost: int = 0  # the text whose end never comes
    stop_at: tuple[int, int] = (0, 0)  # nothing more comes after so many milliseconds of this text
    frame_ms: int = 40
    told: bool = True  # final frames say how long the sound was
    billed: bool = True  # ... and how many characters are paid for
    marks: bool = True  # bidi: sentence_start and sentence_end
    silent: str = ""  # a text that has no sound ...
    silent_on: int = 1  # ... on so many of the first connections
    claims: bool = False  # ... although its final frame says how long it was
    format: dict[str, Any] = field(default_factory=dict)  # what final frames say of it


@dataclass
class FakeSocket:
    """In place of the WebSocket library's connection."""

    script: Script
    pronounce: Callable[[str], bytes]
    bidi: bool
    texts: list[str] = field(default_factory=list)
    closed: bool = False
    state: State = State.OPEN

    def __post_init__(self) -> None:
        self._frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._silent = False
        self.transport = SimpleNamespace(abort=self._abort)
        self._put(event="connected_success")

    async def recv(self) -> str:
        frame = await self._frames.get()
        await asyncio.sleep(0.005)
        return json.dumps(frame | GOOD)

    async def send(self, message: str) -> None:
        frame = json.loads(message)
        match frame["event"]:
            case "task_start":
                self._put(event="task_started")
            case "task_continue":
                self.texts.append(frame["text"])
                self._speak(frame["text"])
            case "task_flush" if self.script.lost != len(self.texts):
                self._put(event="task_flushed")

    async def close(self) -> None:
        self._abort()

    def _abort(self) -> None:
        self.closed, self.state = True, State.CLOSED

    def _put(self, **frame: Any) -> None:
        if not self._silent:
            self._frames.put_nowait(frame)

    def _speak(self, text: str) -> None:
        number, said = len(self.texts), self.pronounce(text)
        pcm = b"" if text == self.script.silent else said
        if self.bidi and self.script.marks:
            self._put(event="sentence_start")
        step = self.script.frame_ms * 48
        stop = self.script.stop_at[1] * 48 if self.script.stop_at[0] == number else len(pcm)
        for at in range(0, min(stop, len(pcm)), step):
            self._put(data={"audio": pcm[at : min(at + step, stop)].hex()}, is_final=False)
        self._silent = self._silent or stop < len(pcm)
        if self.bidi or self.script.lost != number:
            self._put(
                data={"audio": ""},
                is_final=True,
                extra_info=self._info(text, said if self.script.claims else pcm),
            )
        if self.bidi and self.script.marks:
            self._put(event="sentence_end")

    def _info(self, text: str, pcm: bytes) -> dict[str, Any]:
        told = {"audio_length": len(pcm) // 48} if self.script.told else {}
        told |= self.script.format
        return told | ({"usage_characters": len(text)} if self.script.billed else {})


class SocketClient:
    """A `SpeechClient` of one host whose first connection follows the script."""

    hosts = ("one",)

    def __init__(self, script: Script, pronounce: Callable[[str], bytes]) -> None:
        self.sockets: list[FakeSocket] = []
        self.over_http = 0
        self._script, self._pronounce = script, pronounce

    def config(self, voice_id: str | None = None, model: str | None = None, **fields: Any) -> SpeechConfig:
        return SpeechConfig(voice_id=voice_id or "v", model=model or "m", word_times=False, **fields)

    async def connect(
        self, config: SpeechConfig, host: str, transport: Transport = Transport.ORDINARY
    ) -> SpeechSocket:
        # Speech over HTTP is not scripted: what would go there goes to an honest socket, and is counted.
        self.over_http += transport is Transport.HTTP
        bidi = transport is Transport.BIDI
        script = self._script if not self.sockets else replace(self._script, lost=0, stop_at=(0, 0))
        if len(self.sockets) >= script.silent_on:
            script = replace(script, silent="")
        fake = FakeSocket(script, self._pronounce, bidi)
        self.sockets.append(fake)
        kind = BidiSpeechSocket if bidi else SpeechSocket
        protocol = kind.make_protocol(config)
        session = kind(fake, host, protocol, SpeechTimeouts())  # type: ignore[arg-type]
        await session._next(1.0, "")
        await session._send([protocol.start()])
        await session._next(1.0, "")
        return session

    async def aclose(self) -> None:
        return


def speaker(lexicon: Lexicon, ms_of: Callable[[str], float], rate: int = 24_000) -> Callable[[str], bytes]:
    """A voice: every word, with the blank and the marks after it, takes `ms_of` it."""

    def pronounce(text: str) -> bytes:
        sound = bytearray()
        for piece in text.split():
            level = lexicon.level("".join(filter(str.isalnum, piece)).lower())
            samples = int(ms_of(piece) * rate / 1000)
            gap = min(samples // 4, 200)
            sound += level.to_bytes(2, "little", signed=True) * (samples - gap) + b"\0\0" * gap
        return bytes(sound)

    return pronounce
