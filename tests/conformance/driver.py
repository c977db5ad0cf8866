"""Runs a scripted conversation against a server and reports what was wrong.

Knows sockets and timeouts. Does not know what to expect: that is in the script (`script.py`) and the rules (`rules.py`).
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.conformance import rules, sounds
from tests.conformance.script import (
    SHORT_TIMEOUT_S,
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
    mismatch,
    resolve,
)

Event = dict[str, Any]
CONNECT_S = 10.0


class Failed(AssertionError):
    """A step of the script failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one case: without failures it passed."""

    case: Case
    failures: tuple[str, ...]
    seconds: float
    events: tuple[Event, ...] = ()


class Connection:
    """One connection: the events received so far, and the position of the script in them."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Event] = []
        self.problems: list[str] = []
        self.kept: dict[str, Any] = {}
        self.position = 0  # events before this one were read
        self.mark = 0
        self.expected_errors: set[int] = set()
        self._formats: dict[str, str] = {}  # response id -> type of its audio format
        self._received = asyncio.Event()
        self._reader = asyncio.create_task(self._receive(), name="conformance reader")

    async def _receive(self) -> None:
        try:
            async for message in self.socket:
                self._take(message)
                self._received.set()
        except websockets.ConnectionClosedError:
            pass
        finally:
            self._received.set()

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.problems.append("a binary message without the subprotocol for it")
            return
        if len(message) > rules.MAX_MESSAGE_BYTES:
            self.problems.append(f"a message of {len(message)} bytes")
        event = json.loads(message)
        self.events.append(event)
        if event["type"] == "response.created" and "audio" in event["response"]:
            self._formats[event["response"]["id"]] = event["response"]["audio"]["output"]["format"]["type"]
        if event["type"] == "response.output_audio.delta":
            law = self._formats.get(event["response_id"], "audio/pcm")
            width = 2 if law == "audio/pcm" else 1
            self.problems += rules.audio_problems(event, sounds.BYTES_PER_MS[law], width)

    async def aclose(self) -> None:
        await self.socket.close()
        await self._reader

    # -- sending

    async def send(self, type: str, fields: dict[str, Any]) -> None:
        await self.socket.send(json.dumps({"type": type, **resolve(fields, self.kept)}))

    async def speak(self, step: Speak) -> None:
        for block in sounds.blocks(step.sound, step.law, step.then_silence_s):
            await self.send("input_audio_buffer.append", {"audio": base64.b64encode(block).decode()})
            if step.real_time:
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
                    self._received.clear()
                    await self._received.wait()
        except TimeoutError:
            received = [event["type"] for event in self.events[start:]][-6:]
            raise Failed(f"not within {within_s:g} s; received: {received}") from None

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
            index = await self.find(wanted, step.within_s, self.position)
        except Failed as failed:
            raise Failed(f"{step.type}: {failed}") from None
        self.position = index + 1
        if step.type == "error":
            self.expected_errors.add(index)
        if problem := mismatch(step.pattern, self.events[index], self.kept):
            raise Failed(f"{step.type}: {problem}")

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
            self.expected_errors.add(index)

    @property
    def since(self) -> list[Event]:
        return self.events[self.mark :]

    async def settle(self) -> None:
        """Wait until the server has processed all earlier messages: it has then answered this update."""
        await self.send("session.update", {"session": {"type": "realtime"}})
        start = len(self.events)
        await self.find(lambda index: self.events[index]["type"] == "session.updated", SHORT_TIMEOUT_S, start)


async def run_step(connection: Connection, step: Step) -> None:
    """Run one step of a script. Raises Failed."""
    match step:
        case Send(type, fields):
            await connection.send(type, fields)
        case Raw(message):
            await connection.socket.send(message)
        case Speak():
            await connection.speak(step)
        case Expect():
            await connection.expect(step)
        case Among():
            await connection.among(step)
        case Mark():
            connection.mark = connection.position = len(connection.events)
        case Settled():
            await connection.settle()
        case Never(types):
            found = [event["type"] for event in connection.since if event["type"] in types]
            if found:
                raise Failed(f"{found[0]} should not be sent")
        case Count(type, times):
            count = len([event for event in connection.since if event["type"] == type])
            if count != times:
                raise Failed(f"{count} of {type}, not {times}")
        case Sound(at_least_ms, law):
            _check_audio(connection, at_least_ms, law)
        case Closed(code):
            async with asyncio.timeout(SHORT_TIMEOUT_S):
                await connection.socket.wait_closed()
            if connection.socket.close_code != code:
                raise Failed(f"closed with {connection.socket.close_code}, not {code}")


def _check_audio(connection: Connection, at_least_ms: int, law: str) -> None:
    deltas = [event["delta"] for event in connection.since if event["type"] == "response.output_audio.delta"]
    ms = sum(len(base64.b64decode(delta)) for delta in deltas) / sounds.BYTES_PER_MS[law]
    if ms < at_least_ms:
        raise Failed(f"{ms:.0f} ms of audio, expected {at_least_ms} at least")


async def run(case: Case, url: str, key: str | None = None) -> Outcome:
    """Connect, run the script, and check all received events."""
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
    connection = Connection(socket)
    try:
        failures += await _run_steps(connection, case)
    finally:
        await connection.aclose()
    return Outcome(case, tuple(failures), loop.time() - began_s, tuple(connection.events))


async def _run_steps(connection: Connection, case: Case) -> list[str]:
    failures: list[str] = []
    for number, step in enumerate(case.steps, 1):
        try:
            await run_step(connection, step)
        except (Failed, TimeoutError, websockets.ConnectionClosed) as failed:
            failures.append(f"step {number}: {failed!r}" if not str(failed) else f"step {number}: {failed}")
            break
    unexpected = [
        event["error"]
        for index, event in enumerate(connection.events)
        if event["type"] == "error" and index not in connection.expected_errors
    ]
    failures += [f"an unexpected error: {error}" for error in unexpected]
    return failures + connection.problems + rules.check(connection.events)
