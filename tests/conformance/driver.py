"""Plays a scripted conversation against any server of the wire and tells what was wrong.

Knows sockets and patience. The script says what to expect (`script.py`), the judge what holds always (`rules.py`).
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from dataclasses import dataclass
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.conformance import rules, sounds
from tests.conformance.script import (
    AT_ONCE_S,
    Among,
    Case,
    Closed,
    Count,
    Expect,
    Mark,
    Never,
    Raw,
    Send,
    Settled,
    Sound,
    Speak,
    Step,
    filled,
    mismatch,
)

Event = dict[str, Any]
CONNECT_S = 10.0


class Failed(AssertionError):
    """A step did not go as the script says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case: no failures means it passed."""

    case: Case
    failures: tuple[str, ...]
    seconds: float
    events: tuple[Event, ...] = ()


class Line:
    """One connection: what came so far, and where the script has read to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Event] = []
        self.faults: list[str] = []
        self.kept: dict[str, Any] = {}
        self.read = 0  # events before this one are the past
        self.mark = 0
        self.awaited_errors: set[int] = set()
        self._formats: dict[str, str] = {}  # response id -> type of its audio format
        self._news = asyncio.Event()
        self._own_updates = itertools.count(1)
        self._reader = asyncio.create_task(self._receive(), name="conformance reader")

    async def _receive(self) -> None:
        try:
            async for message in self.socket:
                self._take(message)
                self._news.set()
        except websockets.ConnectionClosedError:
            pass
        finally:
            self._news.set()

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.faults.append("a binary message that nobody asked for")
            return
        if len(message) > rules.MOST_BYTES:
            self.faults.append(f"a message of {len(message)} bytes")
        event = json.loads(message)
        self.events.append(event)
        if event["type"] == "response.created" and "audio" in event["response"]:
            self._formats[event["response"]["id"]] = event["response"]["audio"]["output"]["format"]["type"]
        if event["type"] == "response.output_audio.delta":
            law = self._formats.get(event["response_id"], "audio/pcm")
            width = 2 if law == "audio/pcm" else 1
            self.faults += rules.audio_faults(event, sounds.BYTES_PER_MS[law], width)

    async def aclose(self) -> None:
        await self.socket.close()
        await self._reader

    # -- sending

    async def send(self, type: str, fields: dict[str, Any]) -> None:
        await self.socket.send(json.dumps({"type": type, **filled(fields, self.kept)}))

    async def speak(self, step: Speak) -> None:
        for block in sounds.blocks(step.sound, step.law, step.then_silence_s):
            await self.send("input_audio_buffer.append", {"audio": base64.b64encode(block).decode()})
            if step.paced:
                await asyncio.sleep(sounds.BLOCK_MS / 1000)

    # -- reading

    async def find(self, wanted: Any, within_s: float, start: int) -> int:
        """The index of the first event from `start` on for which `wanted` is true."""
        index = start
        try:
            async with asyncio.timeout(within_s):
                while True:
                    while index < len(self.events):
                        if wanted(index):
                            return index
                        index += 1
                    if self._reader.done():
                        raise Failed(
                            f"the server closed: {self.socket.close_code} {self.socket.close_reason!r}"
                        )
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            came = [event["type"] for event in self.events[start:]][-6:]
            raise Failed(f"not within {within_s:g} s; came: {came}") from None

    async def expect(self, step: Expect) -> None:
        def wanted(index: int) -> bool:
            event = self.events[index]
            if event["type"] == step.type:
                return True
            if event["type"] == "error":
                raise Failed(f"error instead of {step.type}: {event['error']}")
            if step.next:
                raise Failed(f"{event['type']} instead of {step.type}")
            return False

        try:
            index = await self.find(wanted, step.within_s, self.read)
        except Failed as failed:
            raise Failed(f"{step.type}: {failed}") from None
        self.read = index + 1
        if step.type == "error":
            self.awaited_errors.add(index)
        if why := mismatch(step.pattern, self.events[index], self.kept):
            raise Failed(f"{step.type}: {why}")

    async def among(self, step: Among) -> None:
        def wanted(index: int) -> bool:
            event = self.events[index]
            return event["type"] == step.type and mismatch(step.pattern, event, dict(self.kept)) is None

        try:
            index = await self.find(wanted, step.within_s, self.mark)
        except Failed as failed:
            raise Failed(f"{step.type} like {step.pattern}: {failed}") from None
        mismatch(step.pattern, self.events[index], self.kept)
        if step.type == "error":
            self.awaited_errors.add(index)

    @property
    def since(self) -> list[Event]:
        return self.events[self.mark :]

    async def settle(self) -> None:
        """Every message before this one has been processed once its answer is here."""
        await self.send("session.update", {"session": {"type": "realtime"}})
        start = len(self.events)
        await self.find(lambda index: self.events[index]["type"] == "session.updated", AT_ONCE_S, start)


async def play(line: Line, step: Step) -> None:
    """One step of a script; raises Failed."""
    match step:
        case Send(type, fields):
            await line.send(type, fields)
        case Raw(message):
            await line.socket.send(message)
        case Speak():
            await line.speak(step)
        case Expect():
            await line.expect(step)
        case Among():
            await line.among(step)
        case Mark():
            line.mark = line.read = len(line.events)
        case Settled():
            await line.settle()
        case Never(types):
            came = [event["type"] for event in line.since if event["type"] in types]
            if came:
                raise Failed(f"{came[0]} came and should not")
        case Count(type, times):
            came = [event for event in line.since if event["type"] == type]
            if len(came) != times:
                raise Failed(f"{len(came)} of {type}, not {times}")
        case Sound(at_least_ms, law):
            _hear(line, at_least_ms, law)
        case Closed(code):
            async with asyncio.timeout(AT_ONCE_S):
                await line.socket.wait_closed()
            if line.socket.close_code != code:
                raise Failed(f"closed with {line.socket.close_code}, not {code}")


def _hear(line: Line, at_least_ms: int, law: str) -> None:
    deltas = [event["delta"] for event in line.since if event["type"] == "response.output_audio.delta"]
    ms = sum(len(base64.b64decode(delta)) for delta in deltas) / sounds.BYTES_PER_MS[law]
    if ms < at_least_ms:
        raise Failed(f"{ms:.0f} ms of audio, expected {at_least_ms} at least")


async def run(case: Case, url: str, key: str | None = None) -> Outcome:
    """Connect, play the script, judge all that came."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    failures: list[str] = []
    try:
        socket = await connect(
            url,
            additional_headers={"Authorization": f"Bearer {key}"} if key else None,
            compression=None,
            max_size=None,
            open_timeout=CONNECT_S,
            proxy=None,
        )
    except (OSError, TimeoutError, websockets.InvalidHandshake) as error:
        return Outcome(case, (f"no connection: {error!r}",), loop.time() - began_s)
    line = Line(socket)
    try:
        failures += await _play_all(line, case)
    finally:
        await line.aclose()
    return Outcome(case, tuple(failures), loop.time() - began_s, tuple(line.events))


async def _play_all(line: Line, case: Case) -> list[str]:
    failures: list[str] = []
    for number, step in enumerate(case.steps, 1):
        try:
            await play(line, step)
        except (Failed, TimeoutError, websockets.ConnectionClosed) as failed:
            failures.append(f"step {number}: {failed!r}" if not str(failed) else f"step {number}: {failed}")
            break
    unawaited = [
        event["error"]
        for index, event in enumerate(line.events)
        if event["type"] == "error" and index not in line.awaited_errors
    ]
    failures += [f"an error that nobody expected: {error}" for error in unawaited]
    return failures + line.faults + rules.judge(line.events)
