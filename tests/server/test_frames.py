"""Frames of a client, cut and fragmented anyhow: every message arrives whole and in order, and wrong ones end it."""

import asyncio
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.blocks import BLOCK_BYTES, Blocks, LongBytes
from realtime.server import frames
from realtime.server.frames import FRAMES_AT_ONCE, MAX_UNREAD_BYTES, SMALL_BYTES, Frames, Wrong
from realtime.server.long_message import unmasked

LIMIT_BYTES = 400_000
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(
    payload: bytes, opcode: int = TEXT, *, fin: bool = True, mask: bytes | None = b"\x01\xfe\x37\x80"
) -> bytes:
    bit = 0x80 if mask is not None else 0
    size = len(payload)
    if size < 126:
        head = bytes((fin << 7 | opcode, bit | size))
    elif size < 65536:
        head = bytes((fin << 7 | opcode, bit | 126)) + size.to_bytes(2)
    else:
        head = bytes((fin << 7 | opcode, bit | 127)) + size.to_bytes(8)
    if mask is None:
        return head + payload
    repeated = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(size)


def fragmented(payload: bytes, cuts: list[int], opcode: int = TEXT) -> list[bytes]:
    edges = [0, *sorted(cut % (len(payload) + 1) for cut in cuts), len(payload)]
    parts = [payload[start:end] for start, end in pairwise(edges)]
    return [frame(part, 0 if at else opcode, fin=at == len(parts) - 1) for at, part in enumerate(parts)]


class FakeTransport(asyncio.Transport):
    """Counts who reads: the reader of frames pauses it."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self.open = asyncio.Event()

    def pause_reading(self) -> None:
        self.paused = True
        self.open.clear()

    def resume_reading(self) -> None:
        self.paused = False
        self.open.set()

    def is_reading(self) -> bool:
        return not self.paused

    def is_closing(self) -> bool:
        return False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol


class FakeAiohttp(asyncio.Protocol):
    """The frames that go on to aiohttp, and how much came at once."""

    def __init__(self) -> None:
        self.data = b""
        self.calls = self.most_bytes = 0
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.calls += 1
        self.most_bytes = max(self.most_bytes, len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def frames(self) -> list[tuple[int, bytes]]:
        """All whole ones, unmasked."""
        found, place = [], 0
        while place < len(self.data):
            first, length, head = self.data[place], self.data[place + 1] & 127, place + 2
            assert self.data[place + 1] & 128
            if length >= 126:
                extra = 2 if length == 126 else 8
                length, head = int.from_bytes(self.data[head : head + extra], "big"), head + extra
            mask, begin = self.data[head : head + 4], head + 4
            found.append((first & 15, bytes(unmasked(mask, self.data[begin : begin + length]))))
            place = begin + length
        self.data = b""
        return found


class Peer:
    """A client's bytes on one side, the messages on the other one."""

    def __init__(self) -> None:
        self.transport, self.inner = FakeTransport(), FakeAiohttp()
        self.frames = Frames(self.inner, self.transport, LIMIT_BYTES)

    async def send(self, data: bytes, reads: int = 4096) -> list[tuple[int, LongBytes | Wrong]]:
        """All messages; the socket is read as long as nobody pauses it."""
        for start in range(0, len(data), reads):
            if self.transport.paused:
                await self.transport.open.wait()
            self.frames.data_received(data[start : start + reads])
        if self.transport.paused:
            await self.transport.open.wait()
        return self.read()

    def read(self) -> list[tuple[int, LongBytes | Wrong]]:
        return [(kind, self.frames.taken(payload)) for kind, payload in self.inner.frames()]


TEXT_BYTES = random.Random(4).randbytes(200_000).hex().encode()
SIZES = st.sampled_from([0, 1, 5, 125, 126, 4000, SMALL_BYTES, SMALL_BYTES + 1, 2 * BLOCK_BYTES, 300_000])
MESSAGE = st.tuples(
    SIZES, st.sampled_from([TEXT, BINARY]), st.lists(st.integers(0, 400_000), max_size=4), st.booleans()
)


@settings(max_examples=40)
@given(st.lists(MESSAGE, max_size=5), st.integers(0, 99), st.sampled_from([7_001, 65_536, 262_144]))
def test_messages_arrive_whole_and_in_order(messages, seed, reads):
    data, sent = b"", []
    for size, opcode, cuts, pings in messages:
        payload = TEXT_BYTES[seed : seed + size]
        sent.append((opcode, payload))
        for piece in fragmented(payload, cuts, opcode):
            data += piece + (frame(b"?", PONG) if pings else b"")
    got = asyncio.run(Peer().send(data, reads))
    assert [(kind, whole) for kind, whole in got if kind != PONG] == sent


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_frames_may_be_cut_anywhere(cuts):
    async def run() -> None:
        data = b"".join(
            (frame(b"one"), frame(b"x" * 200), *fragmented(b"two" * 30, [9, 50]), frame(b"", BINARY))
        )
        peer, place = Peer(), 0
        for cut in [*cuts, len(data)]:
            peer.frames.data_received(data[place : place + cut])
            place += cut
        expected = [(TEXT, b"one"), (TEXT, b"x" * 200), (TEXT, b"two" * 30), (BINARY, b"")]
        assert [got for got in peer.read() if got[0] != PONG] == expected

    asyncio.run(run())


WRONG = {
    "no mask": (frame(b"{}", mask=None), 1002),
    "no mask, after a good one": (frame(b"{}") + frame(b"{}", mask=None), 1002),
    "no mask on a large one": (frame(b"x" * 70_000, mask=None), 1002),
    "a ping without a mask": (frame(b"", PING, mask=None), 1002),
    "a message inside another one": (frame(b"a", fin=False) + frame(b"b"), 1002),
    "text that is not UTF-8": (frame(b"x" * 200_000 + b"\xff" + b"x" * 70_000), 1007),
    "half a character at the end": (frame(b"x" * 70_000 + b"\xc3"), 1007),
    "fragments that are not UTF-8": (b"".join(fragmented(b"\xc3\x28abc", [1])), 1007),
    "too large": (frame(b"x" * (LIMIT_BYTES + 1)), 1009),
    "fragments that are too large": (b"".join(fragmented(b"x" * (LIMIT_BYTES + 1), [9, 350_000])), 1009),
    "a length of 2^63": (b"\x81\xff" + b"\xff" * 8 + b"abcd", 1009),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_frame_ends_the_connection_with_its_code(name):
    data, code = WRONG[name]
    peer = Peer()
    got = await peer.send(data + frame(b"no more"))
    assert got[-2:] == [(BINARY, Wrong(code)), (CLOSE, code.to_bytes(2))]
    assert all(whole == b"{}" for kind, whole in got[:-2] if kind != PONG)
    assert await peer.send(frame(b"no more")) == []


FOR_AIOHTTP = {
    "the rest of nothing": frame(b"a", 0),
    "reserved bits": b"\xc1" + frame(b"a")[1:],
    "reserved bits of a long one": b"\xc1" + frame(b"a" * 70_000)[1:],
    "an unknown kind": frame(b"a", 3),
    "a ping in pieces": frame(b"a", PING, fin=False),
    "a long ping": frame(b"a" * 126, PING),
}


@pytest.mark.parametrize("name", FOR_AIOHTTP)
async def test_what_aiohttp_refuses_reaches_it(name):
    peer = Peer()
    peer.frames.data_received(FOR_AIOHTTP[name])
    assert peer.inner.data == FOR_AIOHTTP[name]


async def test_characters_may_be_cut_by_fragments_and_reads():
    text = "é世🎉".encode() * 30_000
    got = await Peer().send(b"".join(fragmented(text, [1, 70_001, 140_003])), 9_999)
    assert [whole for kind, whole in got if kind != PONG] == [text]


async def test_a_long_message_is_never_copied_as_a_whole():
    """What comes out are blocks; aiohttp gets a mark that is as heavy as what it counts, no more."""
    peer = Peer()
    got = await peer.send(frame(b"a") + frame(b"x" * 390_000) + frame(b"b"), 65_536)
    assert [type(whole) for kind, whole in got if kind != PONG] == [bytes, Blocks, bytes]
    assert 130_000 < peer.inner.most_bytes < 200_000


async def test_while_a_long_message_comes_aiohttp_knows_that_the_client_is_there():
    peer = Peer()
    peer.frames.data_received(frame(b"x" * 390_000)[:50_000])
    assert peer.read() == [(PONG, b"")]


async def test_many_tiny_frames_are_read_in_steps():
    peer, count = Peer(), 3 * FRAMES_AT_ONCE
    peer.frames.data_received(frame(b"", fin=False) + frame(b"", 0, fin=False) * count + frame(b"end", 0))
    assert peer.transport.paused
    peer.frames.data_received(frame(b"next"))
    peer.frames.connection_lost(None)
    assert not peer.inner.lost.is_set()
    await peer.inner.lost.wait()
    assert [got for got in peer.read() if got[0] != PONG] == [(TEXT, b"end"), (TEXT, b"next")]


async def test_too_many_fragments_are_read_later_and_none_is_lost(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames, "FRAGMENTS_PER_S", 1_000.0)
    monkeypatch.setattr(frames, "FRAGMENTS_BURST", 20.0)
    peer, loop = Peer(), asyncio.get_running_loop()
    begin_s = loop.time()
    peer.frames.data_received(frame(b"x", fin=False) + frame(b"", 0, fin=False) * 100)
    assert peer.transport.paused
    peer.frames.data_received(frame(b"y", 0, fin=False))  # a transport may have had it in hand
    await peer.transport.open.wait()
    assert loop.time() - begin_s > 0.05
    peer.frames.data_received(frame(b"z", 0))
    got: list[tuple[int, LongBytes | Wrong]] = []
    async with asyncio.timeout(10):
        while not got:
            await asyncio.sleep(0.005)
            got += [each for each in peer.read() if each[0] != PONG]
    assert got == [(TEXT, b"xyz")]


async def test_where_aiohttp_has_too_much_the_socket_is_not_read():
    """aiohttp says so once: it must hold until aiohttp reads on, also over the steps of many tiny frames."""
    peer = Peer()
    peer.transport.pause_reading()
    peer.frames.data_received(frame(b"", PONG) * 2 * FRAMES_AT_ONCE)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(peer.read()) == 2 * FRAMES_AT_ONCE
    assert peer.transport.paused


async def test_tiny_frames_that_come_faster_than_they_are_read_end_the_connection():
    peer, read = Peer(), frame(b"", PONG) * (256 * 1024 // 6)
    for _ in range(MAX_UNREAD_BYTES // len(read) + 2):
        peer.frames.data_received(read)
        assert peer.transport.paused
    assert peer.read()[-2:] == [(BINARY, Wrong(1008)), (CLOSE, (1008).to_bytes(2))]


@given(st.binary(max_size=40), st.binary(min_size=4, max_size=4))
def test_a_mask_is_taken_off_byte_by_byte(data, mask):
    assert unmasked(mask, data) == bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 3 * BLOCK_BYTES), max_size=5), st.integers(-9, 600_000), st.integers(-9, 600_000)
)
def test_blocks_are_like_bytes(sizes, start, stop):
    blocks, plain = Blocks(), b""
    for size in sizes:
        piece = bytes([65 + size % 26]) * size
        blocks.add(piece)
        plain += piece
    assert len(blocks) == len(plain)
    assert blocks[start:stop] == plain[start:stop]
    assert blocks[start:] == plain[start:]
    assert blocks.find(b"C", max(0, start)) == plain.find(b"C", max(0, start))
