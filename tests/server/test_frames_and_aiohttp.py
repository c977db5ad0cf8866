"""`server/frames.py` in its place before aiohttp. An aiohttp that no longer fits makes these fail, not the sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from realtime.server.frames import Frames
from tests.server.harness import TIMEOUT_S, Harness, WireClient, open_harness
from tests.server.test_frames import FakeTransport, frame

CLOSE_TOO_BIG = b"\x88\x02" + (1009).to_bytes(2)

HANDSHAKE = (
    "GET /v1/realtime HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def test_a_frame_without_a_mask_ends_the_session(wire: WireClient):
    wire.socket.transport.write(b"\x81\x02{}")
    assert (await wire.closed())[0] == 1002


async def test_a_large_append_that_is_not_utf8_ends_the_session(wire: WireClient):
    large = b'{"type":"input_audio_buffer.append","audio":"' + b"A" * 2_000_000 + b'\xff"}'
    await wire.socket.send(large, text=True)
    assert (await wire.closed())[0] == 1007


async def test_a_minute_of_sound_in_one_append_or_in_fragments(harness: Harness):
    async with harness.connect("?extensions=resume") as wire:
        await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        text = '{"type":"input_audio_buffer.append","audio":"' + "A" * 3_600_000 + '"}'
        await wire.socket.send(text)
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        await wire.socket.send([text[start : start + 999_999] for start in range(0, len(text), 999_999)])
        await wire.send("input_audio_buffer.commit")
        await wire.until("input_audio_buffer.committed")
        assert not wire.of("error")


async def test_thousands_of_tiny_fragments_in_one_read_are_one_event(wire: WireClient):
    text = b'{"type":"input_audio_buffer.clear"}'
    pieces = [frame(text[:1], fin=False), *([frame(b"", 0, fin=False)] * 5_000), frame(text[1:], 0)]
    wire.socket.transport.write(b"".join(pieces))
    await wire.until("input_audio_buffer.cleared")


@asynccontextmanager
async def read_by_aiohttp() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A session whose first frame came with the handshake: no client may do that; that it is served is aiohttp's
    custom, and all that follows is read by aiohttp alone."""
    async with open_harness() as harness, asyncio.timeout(TIMEOUT_S):
        host = harness.server.url.removeprefix("http://")
        reader, writer = await asyncio.open_connection(*host.split(":"), limit=2**20)
        try:
            early = frame(b'{"type":"input_audio_buffer.clear"}')
            writer.write(HANDSHAKE.format(host=host).encode() + early[:9])
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(early[9:])
            await reader.readuntil(b"input_audio_buffer.cleared")
            yield reader, writer
        finally:
            writer.close()


async def test_without_our_reader_messages_of_every_size_are_read():
    manual = (
        b'{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":null}}}}'
    )
    append = b'{"type":"input_audio_buffer.append","audio":"' + b"A" * 2_000_000 + b'"}'
    async with read_by_aiohttp() as (reader, writer):
        parts = [frame(append[:9], fin=False), frame(append[9:], 0)]
        writer.write(frame(manual) + frame(append) + b"".join(parts))
        writer.write(frame(b'{"type":"input_audio_buffer.commit"}'))
        assert b'"error"' not in await reader.readuntil(b"input_audio_buffer.committed")


async def test_without_our_reader_a_message_that_is_too_large_ends_the_connection_too():
    async with read_by_aiohttp() as (reader, writer):
        writer.write(frame(b"x" * 70_000, fin=False) + b"\x80\xff" + (2**24).to_bytes(8) + b"abcd")
        assert (await reader.read()).endswith(CLOSE_TOO_BIG)


class OtherProtocol(asyncio.Protocol):
    """Not aiohttp's, and it has no part of aiohttp's."""


@pytest.mark.parametrize(
    "why", ["another protocol stands before it", "no transport", "frames are there already"]
)
async def test_what_is_not_as_expected_leaves_the_connection_to_aiohttp(why, caplog):
    inner, transport = OtherProtocol(), FakeTransport()
    transport.set_protocol(OtherProtocol() if "another" in why else inner)
    if "already" in why:
        inner._message_tail = b"frames"
    before = transport.get_protocol()
    request = SimpleNamespace(transport=None if "no" in why[:2] else transport, protocol=inner)
    assert Frames.before(request) is None
    assert transport.get_protocol() is before
    assert ("large messages are read at once" in caplog.text) == ("another" in why)


async def test_an_aiohttp_without_the_private_name_that_we_ask_for_changes_nothing():
    inner, transport = OtherProtocol(), FakeTransport()
    transport.set_protocol(inner)
    frames = Frames.before(SimpleNamespace(transport=transport, protocol=inner))
    assert frames is not None
    assert transport.get_protocol() is frames
