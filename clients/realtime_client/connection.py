"""One conversation over the wire: open it, send events, iterate over what the server says.

Events are the wire's own, as dicts (`shared/realtime-wire.md` 3); audio is the same event whether it came as binary
frames or as base64: `response.output_audio.delta` with its sound in `pcm`. It plays nothing and records nothing.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from realtime.core.audio import samples_to_ms
from realtime.protocol import framing

from .errors import ConnectionFailed, ConnectionLost

Event = dict[str, Any]

BINARY = Subprotocol(framing.SUBPROTOCOL)
JSON_ONLY = Subprotocol("realtime")
EXTENSIONS = ("playback", "words")
RATE = 24_000  # Hertz
_MAX_MESSAGE = 1 << 20
_FRAME_BYTES = 32 * 1024  # of audio in one frame; the server takes 64 KiB in all
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@asynccontextmanager
async def connect(
    url: str,
    api_key: str | None = None,
    *,
    extensions: Iterable[str] = EXTENSIONS,
    binary: bool = True,
    session: Mapping[str, Any] | None = None,
    ssl_context: ssl.SSLContext | None = None,
    open_timeout_s: float = 10.0,
) -> AsyncIterator[Conversation]:
    """A conversation with the server at `url` (`ws://host:port/v1/realtime`; http and a bare host do as well).

    `session` is sent as the first `session.update`. Raises ConnectionFailed if we are not let in.
    """
    target = _target(url, extensions)
    socket = await _open(target, api_key, binary, ssl_context, open_timeout_s)
    try:
        conversation = Conversation(socket)
        await conversation._begin(open_timeout_s)
        if session is not None:
            await conversation.update(**session)
        yield conversation
    finally:
        await socket.close()


class Conversation:
    """Sends as methods, receives as an async iterator that ends when the conversation ends.

    Only one task may iterate. Every method raises ConnectionLost once the socket is gone.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.session: dict[str, Any] = {}  # as the server last told it
        self.binary = socket.subprotocol == BINARY
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

    async def __aiter__(self) -> AsyncIterator[Event]:
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
        """Stop the current answer."""
        await self.send("response.cancel")

    async def truncate(self, item_id: str, heard_ms: int, *, content_index: int = 0) -> None:
        """Tell that only this much of an item's audio was heard. The `playback` extension does it by itself."""
        await self.send(
            "conversation.item.truncate", item_id=item_id, content_index=content_index, audio_end_ms=heard_ms
        )

    async def retrieve(self, item_id: str) -> None:
        """Ask for an item as history has it; `conversation.item.retrieved` answers."""
        await self.send("conversation.item.retrieve", item_id=item_id)

    async def played(self, item_id: str, played_ms: int, state: str, *, content_index: int = 0) -> None:
        """Acknowledge playback (extension `playback`): state is playing, drained or flushed."""
        await self.send(
            "output_audio_buffer.played",
            item_id=item_id,
            content_index=content_index,
            played_ms=played_ms,
            state=state,
        )

    # -- inside ---------------------------------------------------------------------------------------------

    async def _begin(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                event = self._receive(await self._socket.recv())
        except TimeoutError:
            raise ConnectionFailed(
                f"The server accepted the connection but said nothing for {timeout_s:g} s."
            ) from None
        except ConnectionClosed as closed:
            raise ConnectionFailed(_closed_message(closed), _close_reason(closed)) from None
        if event is not None and event["type"] == "error":
            raise ConnectionFailed(event["error"]["message"], event["error"].get("code"))
        self._first = event

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as closed:
            raise ConnectionLost(_closed_message(closed), _close_reason(closed)) from None

    def _receive(self, message: str | bytes) -> Event | None:
        """One message as an event; None for what a client ignores (6.2: unknown versions, kinds and streams)."""
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
            raise ConnectionLost(_closed_message(closed), _close_reason(closed)) from None


async def _open(
    url: str, api_key: str | None, binary: bool, context: ssl.SSLContext | None, timeout_s: float
) -> ClientConnection:
    try:
        return await open_socket(
            url,
            subprotocols=[BINARY, JSON_ONLY] if binary else None,
            additional_headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            compression=None,
            open_timeout=timeout_s,
            max_size=_MAX_MESSAGE,
            ssl=context,
            # a proxy of the environment is for the world, never for this machine
            proxy=None if urlsplit(url).hostname in _LOOPBACK else True,
        )
    except InvalidURI:
        raise ConnectionFailed(f"{url} is not an address like ws://127.0.0.1:8000/v1/realtime.") from None
    except InvalidStatus as refused:
        raise ConnectionFailed(*_refusal(refused)) from None
    except TimeoutError:
        raise ConnectionFailed(f"{_shown(url)} did not answer within {timeout_s:g} s.") from None
    except OSError as error:
        raise ConnectionFailed(
            f"Nothing answers at {_shown(url)} ({error.strerror or error}). Is the server running? `realtime serve`"
        ) from None
    except InvalidHandshake as error:
        raise ConnectionFailed(f"{_shown(url)} is not a realtime server ({error}).") from None


def _refusal(refused: InvalidStatus) -> tuple[str, str | None]:
    try:
        error = msgspec.json.decode(refused.response.body or b"")["error"]
        return error["message"], error.get("code")
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"The server refused the connection with HTTP status {refused.response.status_code}.", None


def _target(url: str, extensions: Iterable[str]) -> str:
    if "://" not in url:
        url = f"ws://{url}"
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise ConnectionFailed(f"{url} is not an address like ws://127.0.0.1:8000/v1/realtime.") from None
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path if parts.path.strip("/") else "/v1/realtime"
    query = parse_qsl(parts.query, keep_blank_values=True)
    wanted = ",".join(extensions)
    if wanted and not any(name == "extensions" for name, _ in query):
        query.append(("extensions", wanted))
    return urlunsplit((scheme, parts.netloc, path, urlencode(query, safe=","), ""))


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _close_reason(closed: ConnectionClosed) -> str | None:
    return closed.rcvd.reason or None if closed.rcvd else None


def _closed_message(closed: ConnectionClosed) -> str:
    if closed.rcvd is None:
        return "The connection to the server was lost."
    return f"The server closed the conversation ({closed.rcvd.code} {closed.rcvd.reason})."
