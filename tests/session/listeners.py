"""Listeners with a player of their own, a client that reports what was heard, and a voice of uneven speed."""

from __future__ import annotations

import asyncio
import base64
import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field, replace

from realtime.core.messages import WordTime
from realtime.core.wordbreak import atoms
from realtime.providers.base import SpeechAudio, SpeechChunkDone, SpeechWords
from tests.conversing import Talk
from tests.fakes import FakeSpeech, FakeUtterance

ENGLISH = (
    "the dog ran along a beach every morning and it was happy because nobody ever told it to stop "
    "wonderful extraordinary I we sea sun water remember yesterday"
).split()


HAN = "今天天气很好我们一起去海边走走吧小狗在沙滩上跑来跑去非常高兴因为没有人叫它停下"


@dataclass
class Listener:
    """A player: knows what has left its speaker at any moment. Times in seconds, positions in milliseconds."""

    start_s: float = 0.05  # buffered before it (again) begins to play
    device_s: float = 0.02
    down_s: float = 0.03  # of network, from the server
    up_s: float = 0.03
    after_s: float = -math.inf  # busy with an earlier reply until then
    received_ms: float = 0.0
    _runs: list[tuple[float, float, float]] = field(default_factory=list)  # (from second, from ms, to ms)

    def receive(self, sent_s: float, ms: float) -> None:
        arrived_s = sent_s + self.down_s
        if self._runs:
            from_s, from_ms, to_ms = self._runs[-1]
            if arrived_s <= from_s + (to_ms - from_ms) / 1000:
                self._runs[-1] = (from_s, from_ms, to_ms + ms)
                self.received_ms += ms
                return
        begin_s = max(arrived_s + self.start_s, self.after_s)
        self._runs.append((begin_s, self.received_ms, self.received_ms + ms))
        self.received_ms += ms

    def heard_ms(self, at_s: float) -> float:
        heard = 0.0
        for from_s, from_ms, to_ms in self._runs:
            if at_s - self.device_s > from_s:
                heard = min(to_ms, from_ms + (at_s - self.device_s - from_s) * 1000)
        return heard

    @property
    def delay_s(self) -> float:
        """How far an observer at the server can be off."""
        return self.start_s + self.device_s + self.down_s + self.up_s


class _UnevenUtterance(FakeUtterance):
    """Says each word as long as it likes."""

    async def events(self):
        voice, chunk = self._speech, 0
        while (text := await self._texts.get()) is not None:
            await asyncio.sleep(voice.first_s)
            words, total_ms = voice.pronounce(text)
            voice.spoken.append((words, total_ms))
            if voice.words == "early":
                yield SpeechWords(chunk, tuple(words))
                voice.timed_ms += total_ms
            sent_ms = 0.0
            while sent_ms < total_ms:
                ms = min(100.0, total_ms - sent_ms)
                yield SpeechAudio(chunk, b"\x01\x00" * int(ms * 24))
                sent_ms += ms
                if voice.words == "growing":
                    yield SpeechWords(chunk, _so_far(words, sent_ms))
                await asyncio.sleep(ms / 1000 / voice.factor)
            if voice.words == "late":
                yield SpeechWords(chunk, tuple(words))
                voice.timed_ms += total_ms
            yield SpeechChunkDone(chunk)
            chunk += 1


def _so_far(words: list[WordTime], sent_ms: float) -> tuple[WordTime, ...]:
    """The words begun by then; the last one has no end yet."""
    begun = [word for word in words if word.start_ms < sent_ms]
    return tuple(replace(word, end_ms=min(word.end_ms, sent_ms)) for word in begun)


class UnevenSpeech(FakeSpeech):
    """A voice whose words take their own time; `spoken` is the truth about every chunk. `words`: when their times come,
    None: never, "growing": with the sound, as the platform's do."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(first_s=dice.uniform(0.05, 0.4), factor=dice.choice([0.7, 1.2, 3.0, 8.0, 50.0]))
        self.dice = dice
        self.words: str | None = dice.choice(["early", "late", "late", None])
        self.spoken: list[tuple[list[WordTime], float]] = []
        self.timed_ms = 0.0

    def pronounce(self, text: str) -> tuple[list[WordTime], float]:
        words, clock, begin = [], self.dice.uniform(0, 80), 0
        for end in atoms(text):
            if any(char.isalnum() for char in text[begin:end]):
                ms = self.dice.uniform(100, 420)
                words.append(WordTime(begin, len(text[:end].rstrip()), round(clock), round(clock + ms)))
                clock += ms + self.dice.choice([0, 0, 0, 120])
            begin = end
        return words, round(clock + self.dice.uniform(0, 150))

    def open(self, voice):
        opened = super().open(voice)
        speech = self

        class _Opened:
            async def __aenter__(self):
                await opened.__aenter__()
                return _UnevenUtterance(speech)

            async def __aexit__(self, *error):
                return await opened.__aexit__(*error)

        return _Opened()

    def spans(self) -> list[tuple[float, float]]:
        """From where to where each word sounds, in the sound of the reply."""
        found, start_ms = [], 0.0
        for words, ms in self.spoken:
            found += [(start_ms + word.start_ms, start_ms + word.end_ms) for word in words]
            start_ms += ms
        return found

    def midpoints(self) -> list[float]:
        return [(start_ms + end_ms) / 2 for start_ms, end_ms in self.spans()]

    def heard_words(self, heard_ms: float) -> tuple[int, int]:
        """Least and most words that may count as heard: exact where word times were known, else within the chunk."""
        count = bisect_right(self.midpoints(), heard_ms)
        if heard_ms <= self.timed_ms:
            return count, count
        start_ms, first = 0.0, 0
        for words, ms in self.spoken:
            if heard_ms < start_ms + ms:
                return first, first + len(words)
            start_ms, first = start_ms + ms, first + len(words)
        return count, count


class Client:
    """The far end of a `Talk`: plays what it gets, and says or does not say what was heard."""

    def __init__(self, talk: Talk, dice: random.Random, report: str) -> None:
        self.talk, self.report = talk, report
        self.traits = {
            "start_s": dice.uniform(0, 0.08),
            "device_s": dice.uniform(0, 0.12),
            "down_s": dice.uniform(0.001, 0.08),
            "up_s": dice.uniform(0.001, 0.08),
        }
        self.stopped_s: float | None = None

    def players(self) -> dict[str, Listener]:
        """Everything received so far, by item, one played after the other."""
        found: dict[str, Listener] = {}
        busy_s = -math.inf
        for event in self.talk.of("response.output_audio.delta"):
            item_id = event["item_id"]
            if item_id not in found:
                for player in found.values():
                    from_s, from_ms, to_ms = player._runs[-1]
                    busy_s = max(busy_s, from_s + (to_ms - from_ms) / 1000)
                found[item_id] = Listener(**self.traits, after_s=busy_s)
            found[item_id].receive(event["at"], len(base64.b64decode(event["delta"])) / 48)
        return found

    def heard_ms(self, item_id: str, at_s: float | None = None) -> float:
        player = self.players().get(item_id)
        stop_s = min(now() if at_s is None else at_s, self.stopped_s or math.inf)
        return player.heard_ms(stop_s) if player else 0.0

    async def acknowledge(self) -> None:
        """Tell the position of what sounds, four times a second."""
        while self.stopped_s is None:
            for item_id, player in self.players().items():
                heard_ms = player.heard_ms(now())
                if heard_ms > 0:
                    await asyncio.sleep(self.traits["up_s"] / 4)
                    await self.talk.send(
                        "output_audio_buffer.played", item_id=item_id, played_ms=int(heard_ms)
                    )
            await asyncio.sleep(0.25)

    async def flush(self) -> None:
        """Stop playing now; tell about it after the network's delay."""
        self.stopped_s = now()
        heard = {item_id: self.heard_ms(item_id) for item_id in self.players()}
        await asyncio.sleep(self.traits["up_s"])
        for item_id, heard_ms in heard.items():
            if self.report == "truncate":
                await self.talk.send(
                    "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=int(heard_ms)
                )
            elif self.report == "acks":
                await self.talk.send(
                    "output_audio_buffer.played", item_id=item_id, played_ms=int(heard_ms), state="flushed"
                )

    async def barge_in(self) -> None:
        """The user speaks until the server says so; that news makes the player stop."""
        speaking = asyncio.create_task(self.talk.speak(0.8))
        await self.talk.until("input_audio_buffer.speech_started")
        await asyncio.sleep(self.traits["down_s"])
        await self.flush()
        await speaking

    async def cancel(self) -> None:
        """The user presses stop: the player stops at once, the server hears of it later."""
        stopping = asyncio.create_task(self.flush())
        await asyncio.sleep(self.traits["up_s"] * 0.9)
        await self.talk.send("response.cancel")
        await stopping

    @property
    def delay_ms(self) -> float:
        return sum(self.traits.values()) * 1000


def now() -> float:
    return asyncio.get_running_loop().time() - 1000.0


def spoken_words(text: str, *, chinese: bool) -> int:
    return sum(char.isalnum() for char in text) if chinese else len(text.split())


def make_story(dice: random.Random, *, chinese: bool) -> list[tuple[float, str]]:
    story = []
    for _ in range(dice.randint(1, 4)):
        if chinese:
            sentence = "".join(dice.choice(HAN) for _ in range(dice.randint(4, 16))) + "。"
        else:
            sentence = " ".join(dice.choice(ENGLISH) for _ in range(dice.randint(3, 12))).capitalize() + ". "
        story.append((dice.uniform(0.02, 0.4), sentence))
    return story


async def kept_of(talk: Talk, item_id: str) -> str:
    count = len(talk.of("conversation.item.retrieved"))
    await talk.send("conversation.item.retrieve", item_id=item_id)
    item = (await talk.until("conversation.item.retrieved", count + 1))["item"]
    return item["content"][0]["transcript"]


def items_said(talk: Talk) -> list[str]:
    """The ids of the spoken items, in their order."""
    return list(dict.fromkeys(event["item_id"] for event in talk.of("response.output_audio.delta")))
