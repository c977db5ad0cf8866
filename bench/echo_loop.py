"""A client without echo cancellation: does the server talk to itself, and does it still hear an interruption?

    python -m bench.echo_loop [--levels=-6,-24,-42] [--delays=50,150,300] [--short] [--off] [--json FILE]

A whole session in virtual time, with the real detector and the real local transcriber. Its voice is recorded speech. A
stock client plays it after a delay, in a room with reverberation, and its microphone hears that at some level below
what was sent. After 25 s somebody interrupts, 6 dB louder than the echo. `--short`: instead of one long reply there are
short ones with silence after them, in which nobody interrupts. `--off`: without the recognition of echo.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import soxr
from numpy.typing import NDArray

from bench.common import RATE, table
from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.protocol.codec import decode, encode
from realtime.providers.base import (
    Providers,
    Samples,
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    Transcript,
    Utterance,
    Voice,
    VoiceDetector,
)
from realtime.providers.catalog import find
from realtime.providers.testing import FakeChat, FakeSpeech
from realtime.providers.whisper.transcriber import LocalTranscriber
from realtime.session.defaults import new_session_config
from realtime.session.session import Session
from realtime.settings import Settings
from tests import virtual_time
from tests.clips import RATE as CLIP_RATE
from tests.clips import Clip, clips

Floats = NDArray[np.float64]

LEVELS = (-6, -12, -18, -24, -30, -36, -42)  # dB: of the echo, below what was sent
DELAYS = (50, 150, 300)  # ms
ROOMS_S = (0.2, 0.35, 0.5)  # reverberation times
ABOVE_DB = 6.0  # of the interruption, above the echo
SENT = 2_000.0  # root mean square of what is sent, while it speaks: -24 dBFS
NOISE = 6.0  # of the microphone: -75 dBFS
LOOP_S, AFTER_S = 25.0, 5.0  # of the echo alone, and from the interruption on
FRAME_MS = 20
FRAME = RATE * FRAME_MS // 1000
DECODE_S = 0.15  # that a decode takes
INTERRUPTIONS = ("en_sb_spk1_snt1", "en_arctic_a0024", "en_new_home", "en_sb_spk1_snt5", "en_jfk")
APART_S = 6.0  # from one short reply to the next
LEAST_S = 1.5  # of the recordings that the voice speaks


@dataclass(frozen=True)
class Outcome:
    """One loop. `interrupted_itself`: replies that were cancelled before anybody spoke; `answered_itself`: replies to
    an echo; `heard_ms`: from the interruption to its `speech_started`, None if there was none."""

    level_db: float
    delay_ms: float
    room_s: float
    interrupted_itself: int
    answered_itself: int
    heard_ms: float | None


def active_rms(samples: Floats) -> float:
    """The level of a voice while it speaks."""
    blocks = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    levels = np.sqrt((blocks**2).mean(axis=1))
    return float(np.sqrt((levels[levels > levels.max() * 10 ** (-30 / 20)] ** 2).mean()))


def at_level(clip: Clip, level: float) -> Floats:
    samples: Floats = soxr.resample(clip.samples.astype(np.float64), CLIP_RATE, RATE, quality="HQ")
    return samples * level / active_rms(samples)


def room(seconds: float, seed: int) -> Floats:
    """An impulse response: the direct sound, and as much energy in a tail that fades by 60 dB in so many seconds."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * RATE)) / RATE
    tail: Floats = rng.normal(0, 1, len(time_s)) * 10 ** (-3 * time_s / seconds)
    tail[: RATE // 300] = 0.0
    tail /= np.sqrt((tail**2).sum())
    tail[0] = 1.0
    tail /= np.sqrt(2)
    return tail


class RecordedVoice(FakeSpeech):
    """Speaks the recordings whose texts the chat model writes: of each chunk the share that its letters are."""

    def __init__(self, recordings: list[Clip]) -> None:
        super().__init__(factor=3.0)
        self.texts = [clip.transcript.strip() for clip in recordings]
        self.text = " ".join(self.texts)
        self.sound = np.concatenate([at_level(clip, SENT) for clip in recordings]).astype("<i2")
        self._given = 0  # letters

    def next_sound(self, text: str) -> Samples:
        begin, self._given = self._given, self._given + len(text) + 1
        scale = len(self.sound) / (len(self.text) + 1)
        return self.sound[int(begin * scale) : int(self._given * scale)]

    @asynccontextmanager
    async def open(self, voice: Voice) -> AsyncGenerator[Utterance, None]:
        yield _Utterance(self)


class _Utterance(Utterance):
    def __init__(self, voice: RecordedVoice) -> None:
        self._voice = voice
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._said = itertools.count()

    async def say(self, text: str) -> int:
        self._texts.put_nowait(text)
        return next(self._said)

    def finish(self) -> None:
        self._texts.put_nowait(None)

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        chunk = 0
        while (text := await self._texts.get()) is not None:
            await asyncio.sleep(self._voice.first_s)
            sound = self._voice.next_sound(text)
            for start in range(0, len(sound), RATE // 10):
                yield SpeechAudio(chunk, sound[start : start + RATE // 10].tobytes())
                await asyncio.sleep(0.1 / self._voice.factor)
            yield SpeechChunkDone(chunk)
            chunk += 1


class PatientTranscriber(LocalTranscriber):
    """The local transcriber, whose decodes take a fixed virtual time."""

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        transcript = self._decode(self._choose("en"), samples, "en", final)
        await asyncio.sleep(DECODE_S)
        return transcript

    def spare(self, language: str | None) -> bool:
        return False  # on any machine


class Client:
    """A stock client: plays what comes after a delay, and discards it when the user speaks."""

    def __init__(self, delay_ms: float, impulse: Floats, level_db: float) -> None:
        self._delay = int(delay_ms * RATE / 1000)
        self._impulse = impulse * 10 ** (level_db / 20)
        self._played = np.zeros(int((LOOP_S + AFTER_S + 20) * RATE))
        self._end = 0
        self._noise = np.random.default_rng(5)
        self.near = np.zeros(len(self._played))
        self.now = 0  # samples since the start

    def play(self, pcm: bytes) -> None:
        sound = np.frombuffer(pcm, "<i2")
        start = max(self._end, self.now + self._delay)
        self._end = start + len(sound)
        self._played[start : self._end] = sound[: max(0, len(self._played) - start)]

    def stop(self) -> None:
        self._played[self.now + FRAME :] = 0.0
        self._end = 0

    def microphone(self) -> bytes:
        """The next frame."""
        reach = len(self._impulse) - 1
        before = self._played[max(0, self.now - reach) : self.now + FRAME]
        before = np.concatenate((np.zeros(reach + FRAME - len(before)), before))
        sound = np.convolve(before, self._impulse, "valid")
        sound += self.near[self.now : self.now + FRAME] + self._noise.normal(0, NOISE, FRAME)
        self.now += FRAME
        return np.clip(np.round(sound), -32768, 32767).astype("<i2").tobytes()


@dataclass(frozen=True)
class Scene:
    """What is tried. `short`: short replies, and no interruption; `off`: without the recognition of echo."""

    speech: Clip
    level_db: float
    delay_ms: float
    room_s: float
    short: bool = False
    off: bool = False

    def replies(self) -> list[Clip]:
        spoken = [clip for clip in clips("en") if clip.seconds > LEAST_S and clip.id not in INTERRUPTIONS]
        if self.short:
            spoken.sort(key=lambda clip: clip.seconds)
            return spoken[: int(LOOP_S / APART_S)]
        return spoken


class Loop:
    """One session and its client."""

    def __init__(self, scene: Scene, vad: VoiceDetector) -> None:
        self.scene = scene
        self.client = Client(scene.delay_ms, room(scene.room_s, int(scene.delay_ms)), scene.level_db)
        self.events: list[tuple[float, dict[str, Any]]] = []
        voice = RecordedVoice(scene.replies())
        texts = voice.texts if scene.short else [voice.text]
        chat = FakeChat([[(0.3, text)] for text in texts])
        settings = Settings(instructions="Tell it.", voice_id="v1", speculate="off", language="en")
        providers = Providers(vad, PatientTranscriber(language="en"), chat, voice, None)
        self._outbox, names = Outbox(), itertools.count()
        self.session = Session(
            new_session_config(settings, providers, {}, ""),
            providers=providers,
            settings=settings,
            outbox=self._outbox,
            metrics=Metrics(),
            new_id=lambda kind: f"{kind}_{next(names)}",
        )
        if scene.off:
            self.session._context.sent.sent = lambda *_: None  # type: ignore[method-assign]
        if not scene.short:
            near = at_level(scene.speech, SENT * 10 ** ((scene.level_db + ABOVE_DB) / 20))
            self.client.near[int(LOOP_S * RATE) :][: len(near)] = near

    async def run(self) -> Outcome:
        tasks = [asyncio.create_task(self.session.run()), asyncio.create_task(self._read())]
        clock = asyncio.get_running_loop().time
        started_s = clock()
        for frame in range(int((LOOP_S + AFTER_S) * 1000 / FRAME_MS)):
            at_s = frame * FRAME_MS / 1000
            if at_s == 0 or (self.scene.short and at_s < LOOP_S and at_s % APART_S < FRAME_MS / 1000):
                await self._ask()
            audio = base64.b64encode(self.client.microphone()).decode()
            await asyncio.sleep(max(0.0, started_s + at_s + FRAME_MS / 1000 - clock()))
            await self._send(type="input_audio_buffer.append", audio=audio)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.session.aclose()
        return outcome(self.events, self.scene)

    async def _ask(self) -> None:
        content = [{"type": "input_text", "text": "Tell me."}]
        item = {"type": "message", "role": "user", "content": content}
        await self._send(type="conversation.item.create", item=item)
        with contextlib.suppress(ProtocolError):  # it answers itself
            await self._send(type="response.create", response={"metadata": {"asked": "yes"}})

    async def _send(self, **event: Any) -> None:
        await self.session.receive(decode(msgspec.json.encode(event)))

    async def _read(self) -> None:
        while (outgoing := await self._outbox.take()) is not None:
            event = msgspec.json.decode(encode(outgoing.event, "event"))
            self.events.append((self.client.now / RATE, event))
            match event["type"]:
                case "response.output_audio.delta":
                    self.client.play(base64.b64decode(event["delta"]))
                case "input_audio_buffer.speech_started":
                    self.client.stop()


def outcome(events: list[tuple[float, dict[str, Any]]], scene: Scene) -> Outcome:
    until_s = LOOP_S + AFTER_S if scene.short else LOOP_S
    started = [at_s for at_s, event in events if event["type"] == "input_audio_buffer.speech_started"]
    alone, heard = sum(at_s < until_s for at_s in started), [at_s for at_s in started if at_s >= until_s]
    answers = sum(
        at_s < until_s and not event["response"].get("metadata")
        for at_s, event in events
        if event["type"] == "response.created"
    )
    heard_ms = (heard[0] - LOOP_S) * 1000 if heard and not alone else None
    return Outcome(scene.level_db, scene.delay_ms, scene.room_s, alone, answers, heard_ms)


HEADS = ("echo", "delay", "room", "interrupted itself", "answered itself", "interruption heard after")


def markdown(outcomes: list[Outcome]) -> str:
    rows = []
    for one in outcomes:
        heard = "no" if one.heard_ms is None else f"{one.heard_ms:.0f} ms"
        names = (f"{one.level_db:.0f} dB", f"{one.delay_ms:.0f} ms", f"{one.room_s:g} s")
        rows.append((*names, one.interrupted_itself, one.answered_itself, heard))
    return table(HEADS, rows)


def numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(",")))


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.echo_loop", description="Let the server hear itself.")
    parser.add_argument("--levels", type=numbers, default=LEVELS)
    parser.add_argument("--delays", type=numbers, default=DELAYS)
    parser.add_argument("--short", action="store_true", help="short replies, and no interruption")
    parser.add_argument("--off", action="store_true", help="without the recognition of echo")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    spoken = {clip.id: clip for clip in clips("en")}
    named = itertools.cycle(
        [spoken[name] for name in INTERRUPTIONS if name in spoken] or list(spoken.values())
    )
    outcomes = []
    for number, (level_db, delay_ms) in enumerate(itertools.product(options.levels, options.delays)):
        scene = Scene(next(named), level_db, delay_ms, ROOMS_S[number % 3], options.short, options.off)
        outcomes.append(virtual_time.run(measure(scene)))
        print(" ", outcomes[-1], flush=True)
    print(markdown(outcomes))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1) + "\n")


async def measure(scene: Scene) -> Outcome:
    vad = find("vad", "silero").create(Settings())
    try:
        return await Loop(scene, vad).run()
    finally:
        await vad.aclose()


if __name__ == "__main__":
    main()
