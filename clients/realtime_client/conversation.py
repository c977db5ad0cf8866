"""One conversation with a server: methods send events, an iterator returns the events of the server.

Events are those of the protocol (docs/wire.md), as dicts. Audio is always `response.output_audio.delta` with the
samples in `pcm`, from binary frames and from base64. Nothing is played or recorded here; `talk.py` does that.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Self

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from realtime.core.audio import samples_to_ms
from realtime.protocol import framing

from .errors import ConnectionFailed, ConnectionLost
from .player import PartKey, Position
from .silence import WatchedSocket

if TYPE_CHECKING:
    from .line import Line

Event = dict[str, Any]

BINARY = Subprotocol(framing.SUBPROTOCOL)
RATE = 24_000  # Hertz
_FRAME_BYTES = 32 * 1024  # of audio in one frame; the server takes 64 KiB in all


class Conversation:
    """A connection to a server. The async iterator ends when the conversation ends.

    A wait for an event may be given up at any time, with `asyncio.wait_for(anext(events), 5)` too: the iterator goes on
    and no event is lost. Only one task may iterate or `receive`. Every method raises ConnectionLost after the socket
    has closed.
    """

    plays = False  # there is a speaker

    def __init__(self, socket: WatchedSocket) -> None:
        self.session: dict[str, Any] = {}  # as the server last told it
        self.binary = socket.subprotocol == BINARY
        self.on_heard: Callable[[Position], Any] | None = None  # called many times while a reply plays
        self.on_reconnecting: Callable[[], Any] | None = None  # called when the line breaks
        self._socket = socket
        self._arrived: deque[Event] = deque()  # not handed on yet
        self._line: Line | None = None  # how to come back
        self._returning: asyncio.Task[None] | None = None  # a way back that has begun
        self._closed = False  # by the program
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
    def away(self) -> bool:
        """The connection was lost, and the way back is still looked for."""
        return self._line is not None and self._line.away

    @property
    def playing(self) -> bool:
        """Whether a reply is playing, or waits to be played."""
        return False

    def __aiter__(self) -> AsyncIterator[Event]:
        return _Events(self)

    async def receive(self) -> Event | None:
        """The next event of the server; None when the conversation has ended. Raises ConnectionLost if it broke."""
        return await self._from_socket()

    async def ended(self) -> None:
        """Wait until the conversation ends. Raises ConnectionLost if the connection broke."""
        async for _ in self:
            pass

    async def drained(self) -> None:
        """Wait until all received audio has been played."""
        return

    async def _from_socket(self) -> Event | None:
        """The next event; None at the end. A cancellation at any of its waits costs nothing."""
        while True:
            if self._arrived:
                return self._arrived.popleft()
            if self._returning is not None:
                await self._returned(self._returning)
                continue
            try:
                message = await self._socket.recv()
            except ConnectionClosed as closed:
                if self._line is None or not self._line.can_return(closed):
                    self._end(closed)
                    return None
                way = self._line.come_back(closed)
                self._returning = asyncio.create_task(way, name="conversation: come back")
                continue
            event = self._receive(message)
            if event is not None:
                return event

    async def _returned(self, way: asyncio.Task[None]) -> None:
        """Wait for the way back. It takes several tries, so it goes on where this wait is given up."""
        await asyncio.wait([way])
        self._returning = None
        if not way.cancelled():  # or `_stay_away` did it: the socket tells how the conversation ended
            way.result()

    async def _stay_away(self) -> None:
        """The program is done: give up the way back, and begin no other."""
        self._closed = True
        if self._line is not None:
            self._line.give_up()
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
            self._returning = None

    # -- what a client says ---------------------------------------------------------------------------------

    async def send(self, type: str, **fields: Any) -> None:
        """Send any event of the wire."""
        event = {"type": type, **fields}
        if self._line is not None:
            event = self._line.keep(event)
        await self._send(msgspec.json.encode(event).decode())

    async def update(self, **session: Any) -> None:
        """Change the session; `session.updated` confirms."""
        await self.send("session.update", session={"type": "realtime", **session})

    async def append(self, pcm: bytes) -> None:
        """Send what the microphone heard: whole samples of 24 kHz 16-bit mono PCM."""
        for offset in range(0, len(pcm), _FRAME_BYTES):
            payload = pcm[offset : offset + _FRAME_BYTES]
            if self._line is not None:
                self._line.keep_audio(payload)
            await self._send(self._appended(payload))

    def _appended(self, pcm: bytes) -> str | bytes:
        """The message that appends this audio."""
        start_ms, number = samples_to_ms(self._samples_sent, RATE), self._frames_sent
        self._samples_sent += len(pcm) // 2
        self._frames_sent += 1
        if self.binary:
            return framing.encode_frame(pcm, stream=0, seq=number, start_ms=start_ms)
        audio = base64.b64encode(pcm).decode()
        return msgspec.json.encode({"type": "input_audio_buffer.append", "audio": audio}).decode()

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
                f"The server accepted the connection but said nothing for {deadline_s - began_s:.1g} s: "
                "check the address."
            ) from None
        except ConnectionClosed as closed:
            raise ConnectionFailed(self._closed_message(closed), _close_reason(closed)) from None
        if event is not None and event["type"] == "error":
            raise ConnectionFailed(event["error"]["message"], event["error"].get("code"))
        if event is not None:
            self._arrived.append(event)

    @property
    def position(self) -> Position | None:
        """What was last heard, if there is a speaker."""
        return None

    def _arrived_ms(self, part: PartKey) -> int | None:
        """How much of a part has arrived and will be played to its end, if there is a speaker."""
        return None

    async def close(self) -> None:
        """The client is done: the server forgets the session at once, and the iterator ends without an error, also
        while the connection is lost."""
        await self._stay_away()
        await self._socket.close()

    def _begin_line(self, line: Line) -> None:
        for event in self._arrived:
            line.is_new(event)
        self._line = line

    def _on_new_socket(self, socket: WatchedSocket, first: list[Event]) -> None:
        """Go on with this socket, and hand these events on before its others."""
        self._socket = socket
        if first[-1]["type"] == "session.created":
            self._streams.clear()
            self._frames_sent = self._samples_sent = 0
        self.session = first[-1]["session"]
        self._arrived.extend(first)

    async def _send(self, message: str | bytes) -> None:
        if self.away:
            return  # it is kept, and sent on the new socket
        try:
            await self._socket.send(message)
        except ConnectionClosed as closed:
            if self._line is not None and self._line.can_return(closed):
                return
            raise ConnectionLost(self._closed_message(closed), _close_reason(closed)) from None

    def _receive(self, message: str | bytes) -> Event | None:
        """One message as an event; None for what a client ignores: unknown versions, kinds and streams."""
        if isinstance(message, bytes):
            return self._receive_frame(message)
        event: Event = msgspec.json.decode(message)
        if self._line is not None and not self._line.is_new(event):
            return None
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
        if frame is None or (self._line is not None and not self._line.is_new_frame(frame.seq)):
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
        if self._closed:
            return  # also where the connection was lost before
        code = closed.rcvd.code if closed.rcvd else None
        if code not in (1000, 1001) and not (closed.sent and not closed.rcvd_then_sent):
            raise ConnectionLost(self._closed_message(closed), _close_reason(closed)) from None

    def _closed_message(self, closed: ConnectionClosed) -> str:
        if self._closed:
            return "The conversation was closed."
        if closed.rcvd is None:
            return self._socket.given_up or "The connection to the server was lost."
        reason = f" {closed.rcvd.reason}" if closed.rcvd.reason else ""
        return f"The server closed the conversation ({closed.rcvd.code}{reason})."


class _Events:
    """The events of a conversation, to iterate. No async generator: a wait that is given up would end that for good."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def __repr__(self) -> str:
        return f"<events of {self._conversation!r}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._conversation.receive()
        if event is None:
            raise StopAsyncIteration
        return event


def _close_reason(closed: ConnectionClosed) -> str | None:
    return closed.rcvd.reason or None if closed.rcvd else None
