"""Any sequence of frames, legal or not, cut anyhow: the same messages and the same close code as aiohttp's own reader.

Where RFC 6455 asks for more than aiohttp checks (a mask, UTF-8), `test_frames.py` has the rows.
"""

import asyncio
from itertools import cycle

import pytest
from aiohttp import WebSocketError
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.base_protocol import BaseProtocol
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.server.frames import SMALL_BYTES, Frames, Wrong
from tests.server.test_frames import BINARY, CLOSE, PING, PONG, TEXT, FakeTransport, frame

LIMIT_BYTES = 250_000
OUR_PONG = (PONG, b"")  # aiohttp hears of a client that sends a long message
STEPS = 5  # of the loop in which nobody pauses: all is read


class OneReader(BaseProtocol):
    """aiohttp's protocol of one connection, as far as its reader of frames needs it."""

    def __init__(self, transport: FakeTransport) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop)
        self.transport = transport
        self.queue = WebSocketDataQueue(self, 2**16, loop=loop)
        self.reader = WebSocketReader(self.queue, LIMIT_BYTES, compress=False, decode_text=False)

    def data_received(self, data: bytes) -> None:
        self.reader.feed_data(data)


class Side:
    """One of the two ways to read: all that came, at the end with the code for what was wrong."""

    def __init__(self, *, ours: bool) -> None:
        self.transport = FakeTransport()
        self.inner = OneReader(self.transport)
        self.frames = Frames(self.inner, self.transport, LIMIT_BYTES) if ours else None
        self.got: list[tuple[int, object]] = []

    async def read(self, pieces: list[bytes]) -> list[tuple[int, object]]:
        reading = asyncio.create_task(self._read())
        for piece in pieces:
            await self._settled(reading)
            (self.frames or self.inner).data_received(piece)
            await asyncio.sleep(0)
        for _ in range(STEPS):
            await asyncio.sleep(0)
            await self._settled(reading)
        reading.cancel()
        return [each for each in self.got if each != OUR_PONG]

    async def _settled(self, reading: asyncio.Task[None]) -> None:
        """Until the socket is read again, or nobody will read it any more."""
        opening = asyncio.create_task(self.transport.open.wait())
        if self.transport.paused:
            await asyncio.wait({opening, reading}, return_when=asyncio.FIRST_COMPLETED)
        opening.cancel()

    async def _read(self) -> None:
        while True:
            try:
                message = await self.inner.queue.read()
            except WebSocketError as error:
                self.got.append((0, int(error.code)))
                return
            data = message.data
            if self.frames is not None and isinstance(data, bytes):
                data = self.frames.taken(data)
            if isinstance(data, Wrong):
                self.got.append((0, data.close_code))
                return
            self.got.append((int(message.type), data if isinstance(data, int) else bytes(data[:])))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, place, size = [], 0, cycle(sizes)
    while place < len(data):
        pieces.append(data[place : place + next(size)])
        place += len(pieces[-1])
    return pieces


async def both(data: bytes, sizes: list[int]) -> tuple[list[tuple[int, object]], list[tuple[int, object]]]:
    ours, theirs = Side(ours=True), Side(ours=False)
    return await ours.read(cut(data, sizes)), await theirs.read(cut(data, sizes))


def one(opcode: int, size: int, fin: bool, reserved: int) -> bytes:
    whole = frame(b"x" * size, opcode, fin=fin)
    return bytes((whole[0] | reserved,)) + whole[1:]


# A message that begins with an empty fragment is not known to aiohttp as one that has begun
ODD = st.builds(
    one,
    st.integers(0, 15),
    st.sampled_from([1, 5, 125, 126, 4_000, SMALL_BYTES, SMALL_BYTES + 1]),
    st.booleans(),
    st.sampled_from([0] * 9 + [0x10, 0x20, 0x40, 0x70]),
)
USUAL = st.builds(
    one,
    st.sampled_from([TEXT, BINARY, 0, 0, PING, PONG]),
    st.sampled_from([1, 5, 100, 126, 70_000]),
    st.booleans(),
    st.just(0),
)
CLOSES = st.sampled_from([frame(b"", CLOSE), frame((1000).to_bytes(2) + b"bye", CLOSE), frame(b"x", CLOSE)])
SIZES = st.lists(st.sampled_from([1, 2, 3, 9, 1_000, 65_536, 262_144]), min_size=1, max_size=4).filter(
    lambda sizes: sum(sizes) > 999
)


@settings(max_examples=150)
@given(st.lists(USUAL | USUAL | ODD | CLOSES, max_size=7), SIZES)
def test_any_frames_are_read_as_aiohttp_reads_them(frames, sizes):
    ours, theirs = asyncio.run(both(b"".join(frames), sizes))
    assert ours == theirs


@pytest.mark.parametrize("opcode", [3, 7, 11, 15])
@pytest.mark.parametrize(
    "before",
    [b"", frame(b"a", fin=False), frame(b"x" * 70_000, fin=False)],
    ids=["alone", "in", "in a long one"],
)
@pytest.mark.parametrize(("fin", "size"), [(True, 1), (False, 1), (True, 70_000)])
async def test_an_unknown_kind_of_frame_ends_the_connection_at_its_head(opcode, before, fin, size):
    """Also in the middle of a message: it is no part of it. Nobody waits for the rest of a long one."""
    head = frame(b"x" * size, opcode, fin=fin)[:14]
    ours, theirs = await both(before + head, [4_096])
    assert ours == theirs == [(0, 1002)]
