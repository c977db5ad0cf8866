"""Clients of `clients/` that talk, and what each of them hears, word by word (`word_voice.py`).

A third asks in writing, a third speaks, a third is silent between its first and its last question.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from realtime_client import Player, connect
from realtime_client.conversation import Conversation

from bench.common import RATE, now_s
from bench.talker import KINDS, Talker, many, spoken
from bench.word_voice import WORDS, Verdict, judge, spoken_ms, words_in

BLOCK_S = 0.04
ANSWER_TIMEOUT_S = 40.0
AFTER_S = 2.5  # so long after an answer that ended early, its rest may begin
POLL_S = 0.1
PAUSES_S = (0.5, 1.5)  # between an answer and the next question


class Ear:
    """A speaker without a device that keeps what sounds, and when. `take` gives it away."""

    def __init__(self) -> None:
        self.player = Player(RATE)
        self._blocks: list[tuple[float, bytes]] = []
        self._last_s = 0.0

    async def __aenter__(self) -> Ear:
        self._task = asyncio.create_task(self._play(), name="ear")
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def now(self) -> float:
        return now_s()

    async def _play(self) -> None:
        start_s, block, samples = now_s(), 0, round(BLOCK_S * RATE)
        while True:
            await asyncio.sleep(max(0.0, start_s + block * BLOCK_S - now_s()))
            at_s = start_s + block * BLOCK_S
            busy = self.player.active
            pcm = self.player.read(samples, at_s)
            if busy and pcm.strip(b"\0"):
                self._blocks.append((at_s, pcm))
                self._last_s = at_s + BLOCK_S
            block += 1

    @property
    def quiet_s(self) -> float:
        """For how long nothing has sounded."""
        return now_s() - self._last_s

    def take(self) -> list[Sounded]:
        """The words since the last call."""
        blocks, self._blocks = self._blocks, []
        words: list[Sounded] = []
        for run in _joined(blocks):
            sound = np.frombuffer(b"".join(pcm for _, pcm in run), "<i2")
            words += [
                Sounded(one.word, one.share, run[0][0] + one.start_ms / 1000, run[0][0] + one.end_ms / 1000)
                for one in words_in(sound)
            ]
        return words


@dataclass(frozen=True, slots=True)
class Sounded:
    """A word at the ear: its number, how much of it, and when (in seconds of the clock of all)."""

    word: int
    share: float
    start_s: float
    end_s: float


def _joined(blocks: Sequence[tuple[float, bytes]]) -> list[list[tuple[float, bytes]]]:
    """Blocks that follow each other at once."""
    runs: list[list[tuple[float, bytes]]] = []
    for block in blocks:
        if runs and block[0] - runs[-1][-1][0] < 1.5 * BLOCK_S:
            runs[-1].append(block)
        else:
            runs.append([block])
    return runs


@dataclass
class Turn:
    """One question and what was heard of its answer. `asked_s`: when it was asked, or its last word said."""

    kind: str
    began_s: float
    asked_s: float = math.inf
    words: list[Sounded] = field(default_factory=list)
    ended_s: float = math.inf
    spoken_ms: int = 0  # of the user, as the server heard it
    problem: str = ""

    @property
    def verdict(self) -> Verdict:
        return judge(self.words)

    @property
    def wait_s(self) -> float:
        """From the question to the first word."""
        return self.words[0].start_s - self.asked_s if self.words else math.inf

    def gap_after_s(self, at_s: float) -> float:
        """The longest silence between two words of which the second one came after this moment; 0 without one."""
        pairs = zip(self.words, self.words[1:], strict=False)
        return max((two.start_s - one.end_s for one, two in pairs if two.start_s > at_s), default=0.0)

    def in_progress(self, at_s: float) -> bool:
        return self.began_s <= at_s < self.ended_s


@dataclass
class Told:
    """What one client saw. `moves`: times of lost lines; `talking_again_s`: from each to the next session."""

    kind: str
    turns: list[Turn] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)
    talking_again_s: list[float] = field(default_factory=list)
    resumed: int = 0
    rebuilt: int = 0
    errors: list[str] = field(default_factory=list)
    history: str = ""  # "" or what is wrong with it


class Listener(Talker):
    """A client that hears every answer. `kind`: see `KINDS`; one that is silent asks at the begin and at the end."""

    def __init__(self, conversation: Conversation, ear: Ear, kind: str, number: int, sound: bytes) -> None:
        self.told = Told(kind)
        super().__init__(conversation, kind, sound, self.told.errors)
        self._ear, self._number = ear, number
        self._active: set[str] = set()  # responses
        self._status = ""  # of the last response
        self._responses = 0
        self._items: list[str] = []
        self._retrieved: dict[str, dict[str, Any]] = {}

    async def _talk(self) -> None:
        """At the end look whether history is whole."""
        first = True
        while not self._stop.is_set():
            if first or self.kind != "silent":
                await self._turn(self.kind)
            pause_s = PAUSES_S[0] + (self._number * 0.37 % 1.0) * (PAUSES_S[1] - PAUSES_S[0])
            await self._pause(pause_s if self.kind != "silent" else None)
            first = False
        if self.kind == "silent":
            await self._turn("asks")
        await self._look_at_history()

    async def _turn(self, kind: str) -> None:
        turn = Turn(kind, now_s())
        self._ear.take()
        self.told.turns.append(turn)
        before = self._responses
        if kind == "speaks":
            turn.asked_s = await self._speak() + sentence_ms(self._sound) / 1000
        else:
            await self._conversation.say(f"Question {len(self.told.turns)}, please.")
            turn.asked_s = now_s()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while not self._is_over(before):  # noqa: ASYNC110  ears tell nobody
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            turn.problem = "no end"
            self._active.clear()  # the end of a response was never told: the next turn has ends of its own
        turn.words, turn.ended_s = self._ear.take(), now_s()

    def _is_over(self, before: int) -> bool:
        if self._responses == before or self._active or self._conversation.playing:
            return False
        return self._ear.quiet_s > (2 * BLOCK_S if self._status == "completed" else AFTER_S)

    async def _look_at_history(self) -> None:
        """Ask for every item, and compare."""
        for item_id in self._items:
            await self._conversation.retrieve(item_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while not set(self._items) <= set(self._retrieved):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
        self.told.history = compare([self._retrieved.get(name) for name in self._items], len(self.told.turns))

    def _see(self, event: dict[str, Any]) -> None:
        told = self.told
        match event:
            case {"type": "session.created" | "session.resumed" as kind} if told.moves:
                told.resumed += kind == "session.resumed"
                if kind == "session.created":
                    told.rebuilt += 1
                    self._items.clear()
                    self._active.clear()
                if len(told.talking_again_s) < len(told.moves):
                    told.talking_again_s.append(now_s() - told.moves[-1])
            case {"type": "response.created", "response": {"id": str(name)}}:
                self._active.add(name)
                self._responses += 1
            case {"type": "response.done", "response": {"id": str(name), "status": str(status)}}:
                self._active.discard(name)
                self._status = status
            case {"type": "conversation.item.added", "item": {"id": str(name)}} if name not in self._items:
                self._items.append(name)
            case {"type": "conversation.item.deleted", "item_id": str(name)} if name in self._items:
                self._items.remove(name)
            case {"type": "conversation.item.retrieved", "item": {"id": str(name)} as item}:
                self._retrieved[name] = item
            case {"type": "conversation.item.input_audio_transcription.completed", "transcript": str(text)}:
                if told.turns:
                    told.turns[-1].spoken_ms += spoken_ms(text)
            case {"type": "error", "error": {"message": str(message)}}:
                told.errors.append(message)

    def _lost(self) -> None:
        self.told.moves.append(now_s())


def sentence_ms(sound: bytes) -> float:
    """Until the last loud sample of what a user says."""
    loud = np.flatnonzero(np.abs(np.frombuffer(sound, "<i2").astype(np.int32)) > 600)
    return float(loud[-1] + 1) * 1000 / RATE if len(loud) else 0.0


def compare(items: Sequence[dict[str, Any] | None], turns: int) -> str:
    """What is wrong with a history of so many turns; "" if each question has its whole answer."""
    if None in items:
        return "an item is gone"
    answers: list[str] = []
    for item in items:
        assert item is not None
        if item["role"] == "user":
            answers.append("")
        elif answers:
            answers[-1] += " " + " ".join(
                part.get("transcript") or part.get("text") or "" for part in item["content"]
            )
    if len(answers) != turns:
        return f"{len(answers)} questions of {turns}"
    for number, answer in enumerate(answers, 1):
        said = tuple(re.findall(r"[a-z]+", answer.lower()))
        if said != WORDS:
            return f"answer {number}: {answer.strip()!r}"
    return ""


@asynccontextmanager
async def listening(
    url: str, key: str, count: int, kinds: Sequence[str] = KINDS
) -> AsyncIterator[list[Told]]:
    """So many clients talk inside the block; at its end each ends its turn and looks at its history."""
    sound = spoken()

    @asynccontextmanager
    async def opened(number: int) -> AsyncIterator[Listener]:
        ear = Ear()
        async with connect(url, key, speaker=ear) as conversation:
            yield Listener(conversation, ear, kinds[number % len(kinds)], number, sound)

    async with many(count, opened, apart_s=0.05) as listeners:
        yield [one.told for one in listeners]
