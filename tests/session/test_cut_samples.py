"""Audio that is cut at odd places, in virtual time: whatever came before, the next sentence is heard as it was said.

A client's audio is one stream of bytes, cut anywhere. It begins anew after a clear, a commit, another format and a new
socket; it goes on through everything that was refused.
"""

import asyncio
import random

import numpy as np
import pytest

from realtime.core.audio import AudioFormat, Resampler
from realtime.core.conversation import MAX_ITEMS, Message
from realtime.providers.base import VAD_RATE
from tests import virtual_time
from tests.conversing import Talk, scripted
from tests.fakes import FakeTranscriber

FORMATS = {
    "pcm": ({"type": "audio/pcm", "rate": 24_000}, AudioFormat("audio/pcm", 24_000)),
    "pcmu": ({"type": "audio/pcmu"}, AudioFormat("audio/pcmu", 8_000)),
    "pcma": ({"type": "audio/pcma"}, AudioFormat("audio/pcma", 8_000)),
}
SENTENCE_S = 0.8


class Listener(FakeTranscriber):
    """Keeps the sound of everything that it was asked to read at last."""

    def __init__(self) -> None:
        super().__init__()
        self.sounds: list[np.ndarray] = []

    async def transcribe(self, samples, *, language, final):
        if final:
            self.sounds.append(samples)
        return await super().transcribe(samples, language=language, final=final)


def sentence(rate: int) -> np.ndarray:
    """A loud sweep that fits nowhere but in its place."""
    at = np.arange(int(SENTENCE_S * rate)) / rate
    return (np.sin(2 * np.pi * (200 + 900 * at) * at) * 12_000).astype(np.int16)


def likeness(sound: np.ndarray, said: np.ndarray) -> float:
    """How much of the sound is what was said, wherever it stands: 1 is all of it."""
    if len(sound) < len(said):
        return 0.0
    said, sound = said / 32768, sound / 32768
    size = 1 << (len(sound) + len(said)).bit_length()
    products = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(said, size)), size)
    at = int(np.argmax(products[: len(sound) - len(said) + 1]))
    there = sound[at : at + len(said)]
    return float(there @ said / max(np.linalg.norm(there) * np.linalg.norm(said), 1e-9))


class Microphone:
    """A client that cuts its stream of bytes anywhere and knows where the stream begins anew."""

    def __init__(self, talk: Talk, dice: random.Random, format: str) -> None:
        self.talk, self.dice, self.format = talk, dice, format
        self._unsent = b""

    @property
    def audio(self) -> AudioFormat:
        return FORMATS[self.format][1]

    async def send(self, samples: np.ndarray, *, all: bool) -> None:
        """In pieces of any length; with `all`, to the end of the last sample."""
        waiting = self._unsent + self.audio.encode(samples)
        last = len(waiting) if all else max(0, len(waiting) - self.dice.randrange(4))
        at = 0
        while at < last:
            size = min(last - at, self.dice.choice([1, 1, 2, 3, 7, 961, 4_801]))
            await self.talk.append(waiting[at : at + size])
            at += size
        self._unsent = waiting[at:]

    async def ask(self, type: str, success: str, **fields) -> bool:
        """Whether the server has done it; the stream begins anew then."""
        before = len(self.talk.of(success))
        await self.talk.send(type, **fields)
        await asyncio.sleep(0)
        return len(self.talk.of(success)) > before

    async def disturb(self) -> None:
        match self.dice.randrange(8):
            case 0:
                await self.talk.send("input_audio_buffer.clear")
                self._unsent = b""
            case 1:
                if await self.ask("input_audio_buffer.commit", "input_audio_buffer.committed"):
                    self._unsent = b""
            case 2 | 3:
                other = self.dice.choice(list(FORMATS))
                audio = {"input": {"format": FORMATS[other][0]}}
                if await self._updated(audio) and other != self.format:
                    self.format, self._unsent = other, b""
            case 4:
                detection = self.dice.choice([None, {"type": "server_vad"}, {"type": "semantic_vad"}])
                await self._updated({"input": {"turn_detection": detection}})
            case 5:
                self.talk.session.suspend()
                self.talk.session.resume()
                self._unsent = b""
            case _:
                loud = self.dice.random() < 0.3
                ms = self.dice.choice([0, 1, 5, 40, 150])
                sound = sentence(self.audio.rate)[: ms * self.audio.rate // 1000]
                await self.send(sound if loud else sound * 0, all=False)

    async def _updated(self, audio: dict) -> bool:
        return await self.ask(
            "session.update", "session.updated", session={"type": "realtime", "audio": audio}
        )


@pytest.mark.parametrize("manual", [False, True], ids=["detected", "manual"])
def test_after_anything_the_next_sentence_is_heard_as_it_was_said(manual: bool):
    for seed in range(25):
        virtual_time.run(one_conversation(random.Random(f"{manual} {seed}"), manual, seed))


async def one_conversation(dice: random.Random, manual: bool, seed: int) -> None:
    listener = Listener()
    async with Talk(transcriber=listener) as talk:
        if dice.random() < 0.2:
            for number in range(MAX_ITEMS):
                talk.session.conversation.add(Message(f"old_{number}", "user"))
            await talk.send("session.update", session={"type": "realtime", "truncation": "disabled"})
        microphone = Microphone(talk, dice, "pcm")
        for _ in range(dice.randrange(1, 12)):
            await microphone.disturb()
        for number in range(3):
            if f"old_{number}" in talk.session.conversation:
                await talk.send("conversation.item.delete", item_id=f"old_{number}")
        await say_the_sentence(talk, microphone, manual)
        heard = Resampler(microphone.audio.rate, VAD_RATE).feed(sentence(microphone.audio.rate), last=True)
        alike = [likeness(sound, heard) for sound in listener.sounds]
        assert max(alike, default=0.0) > 0.98, f"seed {seed}: {alike} of {talk.types}"


async def say_the_sentence(talk: Talk, microphone: Microphone, manual: bool) -> None:
    detection = None if manual else {"type": "server_vad"}
    quiet = np.zeros(microphone.audio.rate, np.int16)
    await microphone.send(quiet, all=True)  # whatever was being said has ended
    await asyncio.sleep(0)
    patch = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    await talk.send("session.update", session=patch)
    await microphone.send(sentence(microphone.audio.rate), all=True)
    await microphone.send(quiet, all=True)
    if manual:
        await talk.send("input_audio_buffer.commit")
    await asyncio.sleep(2)


# -- the cases, one by one --------------------------------------------------------------------------------------------


async def heard_after(talk: Talk, listener: Listener, data: bytes) -> float:
    await talk.append(data)
    await talk.append(bytes(48_000))
    await asyncio.sleep(1)
    heard = Resampler(24_000, VAD_RATE).feed(sentence(24_000), last=True)
    return max((likeness(sound, heard) for sound in listener.sounds), default=0.0)


@scripted
async def test_half_a_sample_and_a_clear():
    listener = Listener()
    async with Talk(transcriber=listener) as talk:
        await talk.append(b"\x01")
        await talk.send("input_audio_buffer.clear")
        assert await heard_after(talk, listener, sentence(24_000).tobytes()) > 0.99


@scripted
async def test_half_a_sample_and_a_lost_socket():
    """The client sends again from `input_audio_ms` on, which counts whole samples."""
    listener = Listener()
    async with Talk(transcriber=listener) as talk:
        await talk.append(b"\x01")
        talk.session.suspend()
        talk.session.resume()
        assert await heard_after(talk, listener, sentence(24_000).tobytes()) > 0.99


@scripted
async def test_a_commit_that_is_refused_changes_nothing():
    """Half a sample before it, the other half after it."""
    listener, said = Listener(), sentence(24_000).tobytes()
    async with Talk(transcriber=listener) as talk:
        await talk.append(said[:1])
        await talk.send("input_audio_buffer.commit")
        assert talk.events[-1]["error"]["code"] == "input_audio_buffer_commit_empty"
        assert await heard_after(talk, listener, said[1:]) > 0.99


@scripted
async def test_an_update_that_keeps_the_format_keeps_half_a_sample():
    listener, said = Listener(), sentence(24_000).tobytes()
    async with Talk(transcriber=listener) as talk:
        await talk.append(said[:1])
        same = {"input": {"format": FORMATS["pcm"][0]}}
        await talk.send("session.update", session={"type": "realtime", "audio": same})
        assert await heard_after(talk, listener, said[1:]) > 0.99


@scripted
async def test_positions_stay_exact_over_many_clears_and_formats():
    """What the resampler holds back at a clear was received too: `audio_start_ms` is a position in all audio."""
    listener = Listener()
    async with Talk(transcriber=listener) as talk:
        for turn in range(300):
            await talk.append(b"\xff" * 333 if turn % 2 else bytes(2 * 24 * 41 + 1))
            await talk.send("input_audio_buffer.clear")
            audio = {"input": {"format": FORMATS["pcm" if turn % 2 else "pcmu"][0]}}
            await talk.send("session.update", session={"type": "realtime", "audio": audio})
        given_ms = 150 * (333 / 8 + 41)
        assert talk.session.input_audio_ms == pytest.approx(given_ms, abs=10)
        await talk.append(bytes(48_000) + sentence(24_000).tobytes())
        (started,) = talk.of("input_audio_buffer.speech_started")
        assert started["audio_start_ms"] == pytest.approx(given_ms + 1000 - 300, abs=40)
