"""`server/frames.py` in its place before aiohttp. An aiohttp that no longer fits makes these fail, not the sessions."""

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
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


def test_no_aiohttp_is_installed_that_lacks_what_is_used():
    """`web.RequestKey` and `decode_text` of a WebSocket came with 3.14."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    (needed,) = (each for each in project["project"]["dependencies"] if each.startswith("aiohttp"))
    assert tuple(map(int, needed.removeprefix("aiohttp>=").split("."))) >= (3, 14)


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
async def eager(
    harness: Harness, early: bytes
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client that sends these bytes with its handshake, in one segment."""
    host = harness.server.url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"), limit=2**20)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            writer.write(HANDSHAKE.format(host=host).encode() + early)
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            yield reader, writer
    finally:
        writer.close()


async def test_frames_that_come_with_the_handshake_are_read_as_all_others(harness: Harness):
    clear = frame(b'{"type":"input_audio_buffer.clear"}')
    large = b'{"type":"input_audio_buffer.append","audio":"' + b"A" * 200_000 + b'"}'
    for early in (clear, clear[:9], frame(large) + clear[:1], clear[:1] + clear[1:]):
        async with eager(harness, early) as (reader, writer):
            writer.write(clear[len(early) :] if clear.startswith(early) else clear[1:])
            told = await reader.readuntil(b"input_audio_buffer.cleared")
            assert told.index(b"session.created") < told.index(b"conversation.created")
            assert b'"error"' not in told


async def test_a_frame_without_a_mask_that_comes_with_the_handshake_ends_the_session(harness: Harness):
    async with eager(harness, b"\x81\x02{}") as (reader, _):
        assert (await reader.read()).endswith(b"\x88\x02" + (1002).to_bytes(2))


@asynccontextmanager
async def read_by_aiohttp(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A session that is read by aiohttp alone, because it does not fit."""
    monkeypatch.setattr(Frames, "before", lambda request: None)
    clear = frame(b'{"type":"input_audio_buffer.clear"}')
    async with open_harness() as harness, eager(harness, clear) as (reader, writer):
        await reader.readuntil(b"input_audio_buffer.cleared")
        yield reader, writer


async def test_without_our_reader_messages_of_every_size_are_read(monkeypatch: pytest.MonkeyPatch):
    manual = (
        b'{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":null}}}}'
    )
    append = b'{"type":"input_audio_buffer.append","audio":"' + b"A" * 2_000_000 + b'"}'
    async with read_by_aiohttp(monkeypatch) as (reader, writer):
        parts = [frame(append[:9], fin=False), frame(append[9:], 0)]
        writer.write(frame(manual) + frame(append) + b"".join(parts))
        writer.write(frame(b'{"type":"input_audio_buffer.commit"}'))
        assert b'"error"' not in await reader.readuntil(b"input_audio_buffer.committed")


async def test_without_our_reader_a_message_that_is_too_large_ends_the_connection_too(
    monkeypatch: pytest.MonkeyPatch,
):
    async with read_by_aiohttp(monkeypatch) as (reader, writer):
        writer.write(frame(b"x" * 70_000, fin=False) + b"\x80\xff" + (2**24).to_bytes(8) + b"abcd")
        assert (await reader.read()).endswith(CLOSE_TOO_BIG)


class OtherProtocol(asyncio.Protocol):
    """Not aiohttp's, and it has no part of aiohttp's."""


@pytest.mark.parametrize("why", ["another protocol stands before it", "no transport"])
async def test_what_is_not_as_expected_leaves_the_connection_to_aiohttp(why, caplog):
    inner, transport = OtherProtocol(), FakeTransport()
    transport.set_protocol(OtherProtocol() if "another" in why else inner)
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
