"""One conversation with a server: methods send events, an iterator returns the events of the server.

Events are those of the protocol (docs/wire.md), as dicts. Audio is always `response.output_audio.delta` with the
samples in `pcm`, from binary frames and from base64. Nothing is played or recorded here; `talk.py` does that.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from realtime.core.audio import samples_to_ms
from realtime.protocol import framing

from .errors import ConnectionFailed, ConnectionLost
from .player import Position
from .silence import WatchedSocket

Event = dict[str, Any]

BINARY = Subprotocol(framing.SUBPROTOCOL)
RATE = 24_000  # Hertz
_FRAME_BYTES = 32 * 1024  # of audio in one frame; the server takes 64 KiB in all


class Conversation:
    """A connection to a server. The async iterator ends when the conversation ends.

    Only one task may iterate. Every method raises ConnectionLost after the socket has closed.
    """

    plays = False  # there is a speaker

    def __init__(self, socket: WatchedSocket) -> None:
        self.session: dict[str, Any] = {}  # as the server last told it
        self.binary = socket.subprotocol == BINARY
        self.on_heard: Callable[[Position], Any] | None = None  # called many times while a reply plays
        self._socket = socket
        self._first: Event | None = None
        self._streams: dict[int, Event] = {}  # open binary streams -> which part they carry
        self._frames_sent = 0
        self._samples_sent = 0

    def __repr__(self) -> str:
        return f"<Conversation {self.session.get('id', 'new')} {self._socket.state.name.lower()}>"

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that are on."""
        return tuple(self.session.get("extensions") or ())

    @property
    def sound_sent_s(self) -> float:
        """How much audio was sent so far, in seconds of it."""
        return self._samples_sent / RATE

    @property
    def playing(self) -> bool:
        """Whether a reply is playing, or waits to be played."""
        return False

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._from_socket()

    async def ended(self) -> None:
        """Wait until the conversation ends. Raises ConnectionLost if the connection broke."""
        async for _ in self:
            pass

    async def drained(self) -> None:
        """Wait until all received audio has been played."""
        return

    async def _from_socket(self) -> AsyncIterator[Event]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        while True:
            try:
                message = await self._socket.recv()
            except ConnectionClosed as closed:
                self._end(closed)
                return
            event = self._receive(message)
            if event is not None:
                yield event

    # -- what a client says ---------------------------------------------------------------------------------

    async def send(self, type: str, **fields: Any) -> None:
        """Send any event of the wire."""
        await self._send(msgspec.json.encode({"type": type, **fields}).decode())

    async def update(self, **session: Any) -> None:
        """Change the session; `session.updated` confirms."""
        await self.send("session.update", session={"type": "realtime", **session})

    async def append(self, pcm: bytes) -> None:
        """Send what the microphone heard: whole samples of 24 kHz 16-bit mono PCM."""
        if not self.binary:
            await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
            self._samples_sent += len(pcm) // 2
            return
        for offset in range(0, len(pcm), _FRAME_BYTES):
            payload = pcm[offset : offset + _FRAME_BYTES]
            start_ms = samples_to_ms(self._samples_sent, RATE)
            await self._send(
                framing.encode_frame(payload, stream=0, seq=self._frames_sent, start_ms=start_ms)
            )
            self._frames_sent += 1
            self._samples_sent += len(payload) // 2

    async def commit(self) -> None:
        """End the turn by hand (`turn_detection: null`); ask for the answer with `respond`."""
        await self.send("input_audio_buffer.commit")

    async def write(self, text: str) -> None:
        """Add a typed message of the user, without asking for an answer."""
        content = [{"type": "input_text", "text": text}]
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )

    async def say(self, text: str) -> None:
        """Type a message and ask for the answer."""
        await self.write(text)
        await self.respond()

    async def respond(self, **response: Any) -> None:
        """Ask for an answer to what was said so far; the fields override the session for this answer."""
        await self.send("response.create", **({"response": response} if response else {}))

    async def answer_call(self, call_id: str, output: str) -> None:
        """Hand in the result of a function call; ask for what follows with `respond`."""
        item = {"type": "function_call_output", "call_id": call_id, "output": output}
        await self.send("conversation.item.create", item=item)

    async def cancel(self) -> None:
        """Cancel the current answer. Audio that has been received is still played."""
        await self.send("response.cancel")

    async def interrupt(self) -> None:
        """Cancel the current answer and stop its playback."""
        await self.cancel()

    async def truncate(self, item_id: str, heard_ms: int, *, content_index: int = 0) -> None:
        """Tell that only this much of an item's audio was heard. The `playback` extension does it by itself."""
        await self.send(
            "conversation.item.truncate", item_id=item_id, content_index=content_index, audio_end_ms=heard_ms
        )

    async def retrieve(self, item_id: str) -> None:
        """Ask for an item as history has it; `conversation.item.retrieved` answers."""
        await self.send("conversation.item.retrieve", item_id=item_id)

    async def played(self, item_id: str, played_ms: int, state: str, *, content_index: int = 0) -> None:
        """Acknowledge playback (extension `playback`); state is playing, drained or flushed. Not needed with a
        speaker: then `connect` does it."""
        await self.send(
            "output_audio_buffer.played",
            item_id=item_id,
            content_index=content_index,
            played_ms=played_ms,
            state=state,
        )

    # -- inside ---------------------------------------------------------------------------------------------

    async def _begin(self, deadline_s: float) -> None:
        began_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(deadline_s):
                event = self._receive(await self._socket.recv())
        except TimeoutError:
            raise ConnectionFailed(
                f"The server accepted the connection but said nothing for {deadline_s - began_s:.1g} s."
            ) from None
        except ConnectionClosed as closed:
            raise ConnectionFailed(self._closed_message(closed), _close_reason(closed)) from None
        if event is not None and event["type"] == "error":
            raise ConnectionFailed(event["error"]["message"], event["error"].get("code"))
        self._first = event

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as closed:
            raise ConnectionLost(self._closed_message(closed), _close_reason(closed)) from None

    def _receive(self, message: str | bytes) -> Event | None:
        """One message as an event; None for what a client ignores: unknown versions, kinds and streams."""
        if isinstance(message, bytes):
            return self._receive_frame(message)
        event: Event = msgspec.json.decode(message)
        match event["type"]:
            case "session.created" | "session.updated" | "session.resumed":
                self.session = event["session"]
            case "response.content_part.added" if "stream" in event:
                names = ("response_id", "item_id", "output_index", "content_index")
                self._streams[event["stream"]] = {name: event[name] for name in names}
            case "response.output_audio.delta":
                event["pcm"] = base64.b64decode(event.pop("delta"))
        return event

    def _receive_frame(self, message: bytes) -> Event | None:
        try:
            frame = framing.decode_frame(message)
        except framing.FramingError:
            return None
        if frame is None:
            return None
        part = self._streams.get(frame.stream)
        if frame.end:
            self._streams.pop(frame.stream, None)
        if part is None or not frame.payload:
            return None
        return {
            "type": "response.output_audio.delta",
            **part,
            "start_ms": frame.start_ms,
            "pcm": frame.payload,
        }

    def _end(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else None
        if code not in (1000, 1001) and not (closed.sent and not closed.rcvd_then_sent):
            raise ConnectionLost(self._closed_message(closed), _close_reason(closed)) from None

    def _closed_message(self, closed: ConnectionClosed) -> str:
        if closed.rcvd is None:
            return self._socket.given_up or "The connection to the server was lost."
        return f"The server closed the conversation ({closed.rcvd.code} {closed.rcvd.reason})."


def _close_reason(closed: ConnectionClosed) -> str | None:
    return closed.rcvd.reason or None if closed.rcvd else None
