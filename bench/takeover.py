"""A session that goes on at a server which never saw it, JSON and binary, and what each server tells of it: row 3.

Plain sockets, without a balancer: opened at one server, lost, and resumed at another one. Half of them are lost in the
middle of an answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.typing import Subprotocol

from bench.cluster import HEADERS, Node
from realtime.protocol.framing import decode_frame

BINARY = Subprotocol("realtime.bin.v1")
EXTENSIONS = "extensions=resume,playback"
JOURNAL_S = 0.5  # until what happened is in the journal
PLAYED_MS = 100  # of the answer in whose middle the server is lost
TIMEOUT_S = 30.0
QUESTION = "What shall we do next?"


@dataclass
class Wire:
    """One socket. `seq`: the number of the last message."""

    socket: ClientConnection
    seq: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    sounds: int = 0  # messages with audio

    async def send(self, type: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def next(self) -> dict[str, Any] | None:
        """The next event; None for binary audio."""
        message = await self.socket.recv()
        if isinstance(message, bytes):
            frame = decode_frame(message)
            self.seq = self.seq if frame is None else frame.seq
            self.sounds += 1
            return None
        event: dict[str, Any] = json.loads(message)
        self.seq = event.get("seq", self.seq)
        self.sounds += event["type"] == "response.output_audio.delta"
        self.events.append(event)
        return event

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                event = await self.next()
                if event is not None and event["type"] == kind:
                    return event

    async def until_sound(self, messages: int) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while self.sounds < messages:
                await self.next()

    async def ask(self, **response: Any) -> None:
        content = [{"type": "input_text", "text": QUESTION}]
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await self.send("response.create", response=response)

    async def retrieved(self, item_id: str) -> str:
        """The text of an item, as history has it."""
        await self.send("conversation.item.retrieve", item_id=item_id)
        item = (await self.until("conversation.item.retrieved"))["item"]
        return "".join(part.get("text") or part.get("transcript") or "" for part in item["content"])

    async def whole_answer(self) -> str:
        """Wait for one; "" or what became of it."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                response = event.get("response") or {}
                error = (response.get("status_details") or {}).get("error") or {}
                if event["type"] != "response.done" or error.get("code") == "server_restarting":
                    continue  # another server says the rest
                return "" if response["status"] == "completed" else f"an answer {response['status']}: {error}"
            seen = len(self.events)
            async with asyncio.timeout(TIMEOUT_S):
                await self.next()

    def sounding(self) -> str:
        """The id of the item that sounds."""
        parts = [event for event in self.events if event["type"] == "response.content_part.added"]
        return str(parts[-1]["item_id"])

    def items(self) -> list[str]:
        return [event["item"]["id"] for event in self.events if event["type"] == "conversation.item.done"]


@asynccontextmanager
async def opened(node: Node, query: str, *, binary: bool) -> AsyncIterator[Wire]:
    address = node.url.replace("http", "ws", 1) + f"/v1/realtime?{query}"
    protocols = [BINARY] if binary else None
    async with open_socket(
        address,
        compression=None,
        max_size=None,
        additional_headers=HEADERS,
        subprotocols=protocols,
        close_timeout=0.1,
    ) as socket:
        yield Wire(socket)


async def takes_over(one: Node, other: Node, *, binary: bool, in_mid_answer: bool) -> str:
    """Open, lose and resume one session; "" or what went wrong."""
    played = ""
    async with opened(one, EXTENSIONS, binary=binary) as old:
        session = (await old.until("session.created"))["session"]["id"]
        await old.ask(output_modalities=["text"])
        await old.until("response.done")
        kept = {item_id: await old.retrieved(item_id) for item_id in old.items()}
        if in_mid_answer:
            await old.ask()
            await old.until_sound(4)
            played = f"&item_id={old.sounding()}&played_ms={PLAYED_MS}"
        await asyncio.sleep(JOURNAL_S)
        old.socket.transport.abort()
    query = f"{EXTENSIONS}&resume={session}&last_seq={old.seq}{played}"
    async with opened(other, query, binary=binary) as new:
        first = await new.next()
        if first is None or first["type"] != "session.resumed" or not first.get("restored"):
            return f"not resumed: {first and first['type']}"
        for item_id, text in kept.items():
            if (found := await new.retrieved(item_id)) != text:
                return f"history: {found!r} for {text!r}"
        if not in_mid_answer:
            await new.ask(output_modalities=["text"])
        return await new.whole_answer()


async def resumes(one: Node, other: Node, count: int) -> dict[str, list[str]]:
    """So many of each kind; what went wrong with each of them."""
    found: dict[str, list[str]] = {}
    for name, binary in (("JSON", False), ("binary", True)):
        found[name] = [
            await takes_over(one, other, binary=binary, in_mid_answer=bool(number % 2))
            for number in range(count)
        ]
    return found
