"""What the model believes it said is what the listener heard: thousands of replies interrupted anywhere.

A listener with a player of its own (start delay, device latency, a network on both sides, dry spells when the voice
is slower than real time) is interrupted at random moments and reports what it heard in one of three ways: with
`conversation.item.truncate`, with playback acknowledgements, or not at all. Here the playback record alone; whole
conversations and single scenes are beside it.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass

import pytest

from realtime.core.conversation import Conversation, Message, OutputSpeech
from realtime.core.history import history
from realtime.core.messages import WordTime
from realtime.core.playback import Playback
from realtime.core.spoken import SpokenPart
from tests.session.listeners import ENGLISH, HAN, Listener


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
    """600 interruptions for each way to report and each language. One word off is the worst, and it is rare."""
    off = []
    for seed in range(600):
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
