"""A small server of the wire that says what a test tells it to."""

import asyncio
import base64
import json
import struct
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve

from tests.eventually import WITHIN_S

SESSION = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "audio": {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": True}}},
}


class Line:
    """The server's end of one connection: `said` collects what the client sent."""

    def __init__(self, socket, extensions):
        self.socket = socket
        self.extensions = extensions
        self.binary = socket.subprotocol == "realtime.bin.v1"
        self.said = []
        self._news = asyncio.Event()
        self._seq = 0

    async def send(self, type, **fields):
        self._seq += 1
        await self.socket.send(json.dumps({"type": type, "event_id": f"event_{self._seq}", **fields}))

    async def greet(self):
        session = {**SESSION, **({"extensions": self.extensions} if self.extensions else {})}
        await self.send("session.created", session=session)
        await self.send(
            "conversation.created", conversation={"id": "conv_1", "object": "realtime.conversation"}
        )

    async def expect(self, type, count=1, timeout=WITHIN_S, **fields):
        """The `count`-th event of this type, and with these fields, that the client sent."""
        async with asyncio.timeout(timeout):
            while True:
                found = [e for e in self.of_type(type) if all(e.get(k) == v for k, v in fields.items())]
                if len(found) >= count:
                    return found[count - 1]
                self._news.clear()
                await self._news.wait()

    def of_type(self, type):
        return [event for event in self.said if event["type"] == type]

    async def listen(self):
        async for message in self.socket:
            if isinstance(message, bytes):
                version, kind, flags, stream, seq, start_ms = struct.unpack_from("<BBBBII", message)
                assert (version, kind, flags, stream) == (1, 1, 0, 0)
                self.said.append({"type": "frame", "seq": seq, "start_ms": start_ms, "pcm": message[12:]})
            else:
                self.said.append(json.loads(message))
            self._news.set()

    # one reply, in the order of the wire

    async def open_reply(self, name="1", stream=1):
        self.part = {
            "response_id": f"resp_{name}", "item_id": f"item_{name}", "output_index": 0, "content_index": 0,
        }  # fmt: skip
        self.stream = stream
        await self.send("response.created", response={"id": f"resp_{name}", "status": "in_progress"})
        extra = {"stream": stream} if self.binary else {}
        part = {"type": "audio", "transcript": ""}
        await self.send("response.content_part.added", part=part, **self.part, **extra)

    async def text(self, delta):
        await self.send("response.output_audio_transcript.delta", delta=delta, **self.part)

    async def words(self, *words):
        listed = [{"text": text, "start_ms": start, "end_ms": end} for text, start, end in words]
        await self.send("response.output_audio_words.delta", words=listed, source="aligned", **self.part)

    async def audio(self, pcm, start_ms=0, end=False):
        if not self.binary:
            await self.send("response.output_audio.delta", delta=base64.b64encode(pcm).decode(), **self.part)
            return
        self._seq += 1
        header = struct.pack("<BBBBII", 1, 1, int(end), self.stream, self._seq, start_ms)
        await self.socket.send(header + pcm)

    async def close_reply(self, status="completed", reason=None, error=None):
        if self.binary:
            await self.audio(b"", end=True)
        await self.send("response.output_audio.done", **self.part)
        details = None
        if reason:
            details = {"type": status, "reason": reason}
        if error:
            details = {"type": status, "error": error}
        response = {"id": self.part["response_id"], "status": status, "status_details": details}
        await self.send("response.done", response=response)


@asynccontextmanager
async def scripted_server(script, *, extensions=("playback", "words"), binary=True, **options):
    """A server whose every connection is greeted and then follows `script(line)`; yields its URL and the lines."""
    lines = []

    async def handle(socket):
        query = socket.request.path.partition("?")[2]
        wanted = dict(pair.split("=") for pair in query.split("&") if pair).get("extensions", "")
        line = Line(socket, [name for name in wanted.split(",") if name in extensions])
        lines.append(line)
        listening = asyncio.create_task(line.listen())
        try:
            await script(line)
            await listening
        finally:
            listening.cancel()

    known = ["realtime.bin.v1", "realtime"] if binary else ["realtime"]

    def select(connection, offered):
        return next((name for name in known if name in offered), None)

    options = {"select_subprotocol": select, "compression": None} | options
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}", lines
