"""`server/frames.py` in its place before aiohttp. An aiohttp that no longer fits makes these fail, not the sessions."""

import asyncio

from tests.server.harness import TIMEOUT_S, Harness, WireClient, open_harness
from tests.server.test_frames import frame

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


async def test_frames_that_come_with_the_handshake_are_left_to_aiohttp():
    """No client may send them so early; that they are served is aiohttp's custom."""
    async with open_harness() as harness, asyncio.timeout(TIMEOUT_S):
        host = harness.server.url.removeprefix("http://")
        reader, writer = await asyncio.open_connection(*host.split(":"))
        try:
            early = frame(b'{"type":"input_audio_buffer.clear"}')
            writer.write(HANDSHAKE.format(host=host).encode() + early[:9])
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(early[9:])
            await reader.readuntil(b"input_audio_buffer.cleared")
        finally:
            writer.close()
