"""What the model believes it said is what the listener heard: thousands of replies interrupted anywhere.

A listener with a player of its own (start delay, device latency, a network on both sides, dry spells when the voice
is slower than real time) is interrupted at random moments and reports what it heard in one of three ways: with
`conversation.item.truncate`, with playback acknowledgements, or not at all.
"""

from __future__ import annotations

import asyncio
import base64
import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field

import pytest

from realtime.core.conversation import Conversation, Message, OutputSpeech
from realtime.core.history import history
from realtime.core.messages import WordTime
from realtime.core.playback import Playback
from realtime.core.spoken import SpokenPart
from realtime.core.wordbreak import atoms
from realtime.errors import ProviderUnavailable
from realtime.providers.base import SpeechAudio, SpeechChunkDone, SpeechWords
from tests import virtual_time
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeUtterance, call

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


# -- the ledger alone ------------------------------------------------------------------------------------------------


@dataclass
class Reply:
    """What a reply really sounds like: chunks of text, and when each of their words sounds."""

    chunks: list[str]
    chunk_ms: list[float]
    words: list[list[WordTime]]

    def ends_and_midpoints(self) -> tuple[list[int], list[float]]:
        """For each word of the whole text: where it ends, and when its middle sounds."""
        ends, midpoints = [], []
        text_begin, start_ms = 0, 0.0
        for text, ms, words in zip(self.chunks, self.chunk_ms, self.words, strict=True):
            for word in words:
                ends.append(text_begin + word.end)
                midpoints.append(start_ms + (word.start_ms + word.end_ms) / 2)
            text_begin += len(text)
            start_ms += ms
        return ends, midpoints

    @property
    def text(self) -> str:
        return "".join(self.chunks)


def make_reply(dice: random.Random, *, chinese: bool) -> Reply:
    reply = Reply([], [], [])
    for _ in range(dice.randint(1, 4)):
        text, words, clock = "", [], dice.uniform(0, 120)
        for _ in range(dice.randint(1, 12)):
            word = dice.choice(HAN) if chinese else dice.choice(ENGLISH)
            ms = dice.uniform(120, 280) if chinese else 60 + len(word) * dice.uniform(40, 75)
            words.append(WordTime(len(text), len(text) + len(word), round(clock), round(clock + ms)))
            text += word
            clock += ms
            if dice.random() < 0.15:
                text += "，" if chinese else ","
                clock += dice.uniform(80, 300)
            if not chinese:
                text += " "
        text = text.rstrip(" ,，") + ("。" if chinese else ". ")
        reply.chunks.append(text)
        reply.words.append(words)
        reply.chunk_ms.append(clock + dice.uniform(0, 250))
    return reply


class Stage:
    """A server's memory of one reply (ledger, playback, conversation) beside the listener who really hears it."""

    def __init__(self, dice: random.Random, reply: Reply, *, words: bool) -> None:
        self.dice, self.reply, self.with_words = dice, reply, words
        self.listener = Listener(
            start_s=dice.uniform(0, 0.1),
            device_s=dice.uniform(0, 0.12),
            down_s=dice.uniform(0.001, 0.1),
            up_s=dice.uniform(0.001, 0.1),
        )
        self.part, self.playback, self.conversation = SpokenPart(), Playback(), Conversation()
        self.conversation.add(Message("q", "user", (OutputSpeech("?"),)))
        self.conversation.add(Message("a", "assistant", (), "in_progress"))
        self.conversation.speaks("a", self.part)
        self.ended_s = math.inf
        self.timed_ms = 0.0  # up to here the voice's own word times were known at the interruption
        self.packets = self._upstream()

    def _upstream(self) -> list[tuple[float, int, float, bool]]:
        """(second, chunk, ms, last of its chunk): mostly faster than real time, sometimes slower."""
        dice, packets, now_s = self.dice, [], 0.3
        factor = dice.choice([0.6, 0.9, 1.1, 2.0, 5.0, 20.0])
        for index, total_ms in enumerate(self.reply.chunk_ms):
            now_s += dice.uniform(0.0, 0.4)
            sent_ms = 0.0
            while sent_ms < total_ms:
                ms = min(dice.choice([40.0, 100.0, 200.0]), total_ms - sent_ms)
                sent_ms += ms
                packets.append((now_s, index, ms, sent_ms >= total_ms))
                now_s += ms / 1000 / factor * dice.uniform(0.7, 1.3)
        return packets

    def play_until(self, stop_s: float, acks: bool = False) -> None:
        """Everything the server sends and learns before `stop_s`."""
        queue: list[tuple[float, int, object]] = [(packet[0], 0, packet) for packet in self.packets]
        if acks:
            heard_s = (
                self.packets[0][0] + self.listener.down_s + self.listener.start_s + self.listener.device_s
            )
            while heard_s + self.listener.up_s < stop_s:
                queue.append((heard_s + self.listener.up_s, 1, heard_s))
                heard_s += 0.25
        for at_s, kind, what in sorted(queue, key=lambda entry: entry[:2]):
            if at_s > stop_s:
                break
            if kind == 0:
                self._send(*what)
            else:
                self.playback.ack(int(self.listener.heard_ms(what)), at_s)

    def _send(self, at_s: float, index: int, ms: float, last: bool) -> None:
        if self.part.text == "".join(self.reply.chunks[:index]):
            self.part.begin_chunk(index, self.reply.chunks[index])
        self.part.add_audio(index, ms)
        self.playback.sent(ms, at_s)
        self.listener.receive(at_s, ms)
        if last:
            if self.with_words:
                self.part.set_words(index, self.reply.words[index])
                self.timed_ms += self.reply.chunk_ms[index]
            self.part.finish_chunk(index)
            if index == len(self.reply.chunks) - 1:
                self.ended_s = at_s
                self.conversation.update_speech("a", "completed")
                self.part.close()

    def cut(self, now_s: float) -> None:
        """The interruption, as the session does it."""
        self.conversation.cut("a", self.playback.heard_ms(now_s), self.playback.sent_ms)
        if not self.part.closed:
            self.part.close()
            self.conversation.update_speech("a", "incomplete")

    def kept(self) -> str:
        item = self.conversation.get("a")
        text = "".join(part.transcript for part in item.parts)
        told = [
            message.content for message in history(self.conversation.items) if message.role == "assistant"
        ]
        assert told == ([text] if text.strip() else []), "the chat model sees something else than the wire"
        return text


def words_in(reply: Reply, kept: str) -> int:
    """How many words the kept text holds; it must be a beginning of the reply."""
    assert reply.text.startswith(kept)
    ends, _ = reply.ends_and_midpoints()
    count = bisect_right(ends, len(kept))
    assert count == 0 or ends[count - 1] <= len(kept)
    return count


def words_heard(reply: Reply, heard_ms: float) -> int:
    _, midpoints = reply.ends_and_midpoints()
    return bisect_right(midpoints, heard_ms)


def chunk_bounds(reply: Reply, position_ms: float) -> tuple[int, int]:
    """The first word of the chunk that sounds at this position, and the first one after it."""
    start_ms, first = 0.0, 0
    for ms, words in zip(reply.chunk_ms, reply.words, strict=True):
        if position_ms < start_ms + ms:
            return first, first + len(words)
        start_ms += ms
        first += len(words)
    return first, first


def moment(dice: random.Random, stage: Stage) -> float:
    """When the interruption reaches the server: before the sound, in it, at its end, after generation."""
    total_s = sum(stage.reply.chunk_ms) / 1000
    first_s, last_s = stage.packets[0][0], stage.packets[-1][0]
    end_s = max(first_s + total_s, last_s)
    match dice.randrange(6):
        case 0:
            return dice.uniform(0, first_s + 0.15)
        case 1:
            return end_s - dice.uniform(0, 0.1)
        case 2:
            return dice.uniform(last_s, end_s + 0.3)
        case _:
            return dice.uniform(first_s, end_s)


@pytest.mark.parametrize("chinese", [False, True], ids=["english", "chinese"])
@pytest.mark.parametrize("report", ["truncate", "acks", "lost flush", "nothing"])
def test_history_keeps_the_words_that_were_heard(report, chinese):
    """1,200 interruptions for each way to report and each language. One word off is the worst, and it is rare."""
    off = []
    for seed in range(1200):
        dice = random.Random(f"{report} {chinese} {seed}")
        stage = Stage(dice, make_reply(dice, chinese=chinese), words=dice.random() < 0.75)
        interrupt(dice, stage, report)
        off.append(check(stage, report, f"seed {seed}"))
    known = [words for words in off if words is not None]
    assert len(known) > 200 or report in ("nothing", "lost flush")
    assert sum(words == 0 for words in known) >= 0.99 * len(known)


def interrupt(dice: random.Random, stage: Stage, report: str) -> None:
    """One interruption, sometimes a second one close behind; `stage.at_s` is when the listener's player stopped."""
    listener = stage.listener
    now_s = moment(dice, stage)
    stage.play_until(now_s, acks=report in ("acks", "lost flush"))
    if stage.ended_s < math.inf and stage.playback.remaining_s(now_s) <= 0 and report != "truncate":
        stage.at_s = None  # the server knows of nothing to interrupt
        return
    stage.cut(now_s)
    stage.cut_s, stage.at_s = now_s, now_s + listener.down_s
    flushed_ms = listener.heard_ms(stage.at_s)
    if report == "truncate":
        stage.conversation.truncate("a", int(flushed_ms))
    elif report == "acks":
        stage.playback.ack(int(flushed_ms), stage.at_s + listener.up_s, flushed=True)
        stage.conversation.cut("a", stage.playback.heard_ms(now_s), stage.playback.sent_ms)
    if dice.random() < 0.25:  # interrupted again: what is silent stays silent
        again_s = now_s + dice.uniform(0.02, 0.2)
        if report == "truncate":
            stage.conversation.cut("a", stage.playback.heard_ms(again_s), stage.playback.sent_ms)
            stage.conversation.truncate("a", int(flushed_ms) + dice.randint(0, 900))
        elif report == "acks":
            stage.conversation.cut("a", stage.playback.heard_ms(again_s), stage.playback.sent_ms)


def check(stage: Stage, report: str, name: str) -> int | None:
    """How many words history is off, where the position and the word times are known; None where they are not."""
    reply = stage.reply
    kept = words_in(reply, stage.kept())
    if stage.at_s is None:
        assert kept == words_heard(reply, math.inf), f"{name}: an undisturbed reply is kept whole"
        return None
    heard_ms = stage.listener.heard_ms(stage.at_s)
    least_ms = most_ms = heard_ms
    if report in ("nothing", "lost flush"):
        delay_ms = stage.listener.delay_s * 1000
        estimate_ms = stage.playback.heard_ms(stage.cut_s)
        assert -delay_ms - 1 <= estimate_ms - heard_ms <= delay_ms + 1, f"{name}: the estimate is off"
        if report == "lost flush" and stage.playback.acked_ms and len(stage.listener._runs) == 1:
            network_ms = (stage.listener.down_s + stage.listener.up_s) * 1000
            assert -network_ms - 2 <= estimate_ms - heard_ms <= 1, (
                f"{name}: the player's word is better than that"
            )
        least_ms, most_ms = min(heard_ms, estimate_ms), max(heard_ms, estimate_ms)
    least, most = words_heard(reply, least_ms), words_heard(reply, most_ms)
    if most_ms > stage.timed_ms:
        least, most = min(least, chunk_bounds(reply, least_ms)[0]), max(most, chunk_bounds(reply, most_ms)[1])
    assert least - 1 <= kept <= most + 1, f"{name}: {kept} words kept, {least} to {most} heard"
    return abs(kept - least) if report in ("truncate", "acks") and most_ms <= stage.timed_ms else None


def test_without_word_times_the_estimate_stays_close():
    """Proportion inside the chunk that sounds: at most a few words off, and mostly none."""
    off = []
    for seed in range(600):
        dice = random.Random(f"untimed {seed}")
        stage = Stage(dice, make_reply(dice, chinese=bool(seed % 2)), words=False)
        interrupt(dice, stage, "truncate")
        heard = words_heard(stage.reply, stage.listener.heard_ms(stage.at_s))
        off.append(abs(words_in(stage.reply, stage.kept()) - heard))
    assert max(off) <= 5
    assert sum(words <= 1 for words in off) / len(off) > 0.9


# -- whole conversations ---------------------------------------------------------------------------------------------


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
                await asyncio.sleep(ms / 1000 / voice.factor)
            if voice.words == "late":
                yield SpeechWords(chunk, tuple(words))
                voice.timed_ms += total_ms
            yield SpeechChunkDone(chunk)
            chunk += 1


class UnevenSpeech(FakeSpeech):
    """A voice whose words take their own time; `spoken` is the truth about every chunk."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(first_s=dice.uniform(0.05, 0.4), factor=dice.choice([0.7, 1.2, 3.0, 8.0, 50.0]))
        self.dice = dice
        self.words = dice.choice(["early", "late", "late", None])
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

    def midpoints(self) -> list[float]:
        found, start_ms = [], 0.0
        for words, ms in self.spoken:
            found += [start_ms + (word.start_ms + word.end_ms) / 2 for word in words]
            start_ms += ms
        return found

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


async def one_conversation(seed: str, report: str) -> None:
    """A story, an interruption, a question; then what the model is told it said."""
    dice = random.Random(seed)
    chinese = dice.random() < 0.5
    chat = FakeChat([make_story(dice, chinese=chinese), [(0.1, "Yes?")], [(0.1, "Yes?")]])
    speech = UnevenSpeech(dice)
    extensions = "playback" if report == "acks" else ""
    async with Talk(
        chat=chat, speech=speech, transcriber=FakeTranscriber(["Stop it now."] * 9), extensions=extensions
    ) as talk:
        client = Client(talk, dice, report)
        await talk.ask("Tell me a story.")
        acks = asyncio.create_task(client.acknowledge()) if report == "acks" else None
        await asyncio.sleep(dice.choice([dice.uniform(0, 0.6), dice.uniform(0, 4), dice.uniform(0, 12)]))
        story_id = (talk.of("response.output_audio_transcript.delta") or [{}])[0].get("item_id")
        by_voice = dice.random() < 0.5 or not talk.session.replying
        cut_s = now()
        await (client.barge_in() if by_voice else client.cancel())
        if acks is not None:
            await acks
        if by_voice:
            cut_s = talk.of("input_audio_buffer.speech_started")[0]["at"]
        if dice.random() < 0.3:
            await talk.send("response.cancel")
        spoken = speech.spoken[:]
        await talk.silence(2.0) if by_voice else await talk.ask("And?")
        await asyncio.sleep(1.0)
        if story_id is None:
            return  # interrupted before its first word: nothing of it may be left
        speech.spoken = spoken
        await check_item(client, chat, speech, story_id, report, cut_s, f"seed {seed}", chinese=chinese)


async def check_item(client, chat, speech, item_id, report, cut_s, name, *, chinese) -> None:
    talk = client.talk
    await talk.send("conversation.item.retrieve", item_id=item_id)
    item = (await talk.until("conversation.item.retrieved"))["item"]
    kept = item["content"][0]["transcript"]
    told = [message.content for message in chat.requests[1].messages if message.role == "assistant"]
    assert told[:1] == ([kept] if kept.strip() else []), f"{name}: the model was told something else"
    whole = "".join(
        event["delta"]
        for event in talk.of("response.output_audio_transcript.delta")
        if event["item_id"] == item_id
    )
    assert whole.startswith(kept), name
    heard_ms = client.heard_ms(item_id, math.inf)
    bounds = [speech.heard_words(heard_ms)]
    if report == "nothing":
        bounds.append(speech.heard_words(heard_ms - client.delay_ms))
        bounds.append(speech.heard_words(heard_ms + client.delay_ms))
    least, most = min(low for low, _ in bounds), max(high for _, high in bounds)
    count = spoken_words(kept, chinese=chinese)
    assert least - 1 <= count <= most + 1, f"{name}: {count} words kept, {least} to {most} heard: {kept!r}"


@pytest.mark.parametrize("report", ["truncate", "acks", "nothing"])
def test_whole_conversations(report):
    """100 conversations for each way to report: barge-in and cancel, English and Chinese."""
    for number in range(100):
        virtual_time.run(one_conversation(f"{report} {number}", report))


# -- single scenes ---------------------------------------------------------------------------------------------------

LOOKUP = [(0.1, "Let me look that up for you, it will only take a moment. "), (0.1, call("weather", "{}"))]
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "4"}


async def kept_of(talk: Talk, item_id: str) -> str:
    count = len(talk.of("conversation.item.retrieved"))
    await talk.send("conversation.item.retrieve", item_id=item_id)
    item = (await talk.until("conversation.item.retrieved", count + 1))["item"]
    return item["content"][0]["transcript"]


def items_said(talk: Talk) -> list[str]:
    """The ids of the spoken items, in their order."""
    return list(dict.fromkeys(event["item_id"] for event in talk.of("response.output_audio.delta")))


@scripted
async def test_a_reply_queued_behind_another_is_not_heard_before_its_turn():
    """A tool's answer is spoken while the words before the call still sound: an interruption cuts both."""
    chat = FakeChat([LOOKUP, [(0.1, "It is four degrees in Oslo.")], [(0.1, "Yes?")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Stop, please."] * 3)) as talk:
        await talk.ask("Weather in Oslo?")
        await talk.until("response.done")
        await talk.send("conversation.item.create", item=RESULT)
        await talk.send("response.create")
        await talk.until("response.done", 2)
        await talk.speak(1.0)
        first, second = items_said(talk)
        before, after = await kept_of(talk, first), await kept_of(talk, second)
        assert before.startswith("Let me look")
        assert not before.endswith("moment."), "the first reply was interrupted in its middle"
        assert after == "", "nothing of the second one had sounded"


@scripted
async def test_a_silent_tool_call_does_not_hide_the_reply_that_still_sounds():
    chat = FakeChat([LOOKUP[:1], [(0.1, call("weather", "{}"))], [(0.1, "Yes?")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Stop, please."] * 3)) as talk:
        await talk.ask("Weather in Oslo?")
        await talk.until("response.done")
        await talk.ask("And in Rome?")
        await talk.until("response.done", 2)
        await talk.speak(1.0)
        assert not (await kept_of(talk, items_said(talk)[0])).endswith("moment.")


@scripted
async def test_acknowledgements_of_an_earlier_reply_count_while_a_later_one_waits():
    chat = FakeChat([LOOKUP, [(0.1, "It is four degrees in Oslo.")], [(0.1, "Yes?")]])
    transcriber = FakeTranscriber(["Stop, please."] * 3)
    async with Talk(chat=chat, transcriber=transcriber, extensions="playback") as talk:
        await talk.ask("Weather in Oslo?")
        await talk.until("response.done")
        await talk.send("conversation.item.create", item=RESULT)
        await talk.send("response.create")
        await talk.until("response.done", 2)
        first, second = items_said(talk)
        await talk.send("output_audio_buffer.played", item_id=first, played_ms=300)
        await talk.speak(0.4)
        assert len(talk.of("output_audio_buffer.cleared")) == 2
        await talk.send("output_audio_buffer.played", item_id=first, played_ms=400, state="flushed")
        truncated = await talk.until("conversation.item.truncated")
        assert (truncated["item_id"], truncated["transcript"]) == (first, "Let me")
        await talk.silence(0.4)
        assert await kept_of(talk, second) == ""


@scripted
async def test_audio_thrown_away_before_it_was_sent_was_not_heard():
    """The reader has stalled, everything sent has been played, the rest waits here: a barge-in throws it away."""
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    speech = FakeSpeech(factor=50)
    async with Talk(chat=chat, speech=speech, transcriber=FakeTranscriber(["Wait."] * 3)) as talk:
        await talk.ask("Count.")
        await talk.until("response.output_audio.delta")
        talk.reads.clear()
        await asyncio.sleep(1.5)
        await talk.speak(0.8)
        talk.reads.set()
        await talk.until("input_audio_buffer.speech_started")
        kept = await kept_of(talk, items_said(talk)[0])
        assert len(kept) < len("One two three")


@scripted
async def test_a_player_that_empties_itself_unasked_is_believed():
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    async with Talk(chat=chat, speech=FakeSpeech(factor=50), extensions="playback") as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        item_id = items_said(talk)[0]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=420, state="flushed")
        assert (await talk.until("conversation.item.truncated"))["transcript"] == "One two"
        await talk.ask("And?")
        await talk.until("response.done", 2)
        assert "One two" in [message.content for message in chat.requests[1].messages]


@scripted
async def test_a_flush_that_is_late_corrects_the_estimate_and_a_lost_one_does_not_count_the_silence():
    for flush_s in (None, 0.6):
        chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
        async with Talk(
            chat=chat,
            speech=FakeSpeech(factor=50),
            transcriber=FakeTranscriber(["Stop, please."] * 3),
            extensions="playback",
        ) as talk:
            await talk.ask("Count.")
            first = await talk.until("response.output_audio.delta")
            item_id = first["item_id"]
            await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
            await talk.speak(1.0)
            started = await talk.until("input_audio_buffer.speech_started")
            truncated = await talk.until("conversation.item.truncated")
            assert truncated["audio_end_ms"] == pytest.approx((started["at"] - first["at"]) * 1000, abs=2)
            if flush_s is not None:
                await asyncio.sleep(flush_s - 0.3)
                await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=430, state="flushed")
                assert (await talk.until("conversation.item.truncated", 2))["audio_end_ms"] == 430
                assert await kept_of(talk, item_id) == "One two"


@scripted
async def test_a_truncate_of_the_client_outweighs_its_acknowledgements():
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    transcriber = FakeTranscriber(["Stop, please."] * 3)
    async with Talk(chat=chat, transcriber=transcriber, extensions="playback") as talk:
        await talk.ask("Count.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.silence(0.6)
        await talk.speak(0.4)
        await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=430)
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=1000, state="flushed")
        await talk.silence(0.5)
        assert [event["audio_end_ms"] for event in talk.of("conversation.item.truncated")] == [430]
        assert await kept_of(talk, item_id) == "One two"


@scripted
async def test_late_truncates_reach_no_further_than_what_was_sent():
    """A rounding error beyond the sent audio is clamped, more is refused; unsent audio counts for nothing."""
    chat = FakeChat([make_story(random.Random(4), chinese=False) * 3, [(0.1, "Yes?")]])
    async with Talk(
        chat=chat, speech=FakeSpeech(factor=50), transcriber=FakeTranscriber(["Stop."] * 9)
    ) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta", 5)
        talk.reads.clear()
        await asyncio.sleep(0.2)
        await talk.send("response.cancel")
        talk.reads.set()
        await talk.until("response.done")
        sent_ms, item_id = talk.audio_ms(), items_said(talk)[0]
        await talk.ask("And?")
        await talk.until("response.done", 2)
        await talk.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=int(sent_ms) + 1500
        )
        error = (await talk.until("error"))["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "audio_end_ms")
        assert "is already shorter than" in error["message"]
        await talk.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=int(sent_ms) + 900
        )
        assert (await talk.until("conversation.item.truncated"))["audio_end_ms"] == int(sent_ms)


@scripted
async def test_a_voice_that_breaks_off_leaves_the_words_that_sounded():
    """No sound, no words: text handed to the voice that it never spoke is not history."""

    class _BreaksOff(FakeUtterance):
        async def events(self):
            text = await self._texts.get()
            yield SpeechAudio(0, b"\x01\x00" * 24 * 420)
            await asyncio.sleep(0.2)
            assert len(text) * 60 > 2000
            raise ProviderUnavailable("The voice is gone.")

    class _Speech(FakeSpeech):
        def open(self, voice):
            opened, speech = super().open(voice), self

            class _Opened:
                async def __aenter__(self):
                    await opened.__aenter__()
                    return _BreaksOff(speech)

                async def __aexit__(self, *error):
                    return await opened.__aexit__(*error)

            return _Opened()

    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")]])
    async with Talk(chat=chat, speech=_Speech()) as talk:
        await talk.ask("Count.")
        assert (await talk.until("response.done"))["response"]["status"] == "failed"
        assert await kept_of(talk, items_said(talk)[0]) == "One two"
