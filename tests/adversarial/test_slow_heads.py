"""Connections that never finish what they begin: heads, TLS handshakes, idle ones, and more than there are files."""

import asyncio
import contextlib
import itertools
import logging
import resource

import pytest

from realtime.server import descriptors, listener
from tests.server.harness import Harness, open_harness

HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(autouse=True)
def short_times(monkeypatch):
    monkeypatch.setattr(listener, "HEAD_TIMEOUT_S", 0.5)


async def dial(harness: Harness) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = harness.server.url.split("//")[1].split(":")
    return await asyncio.open_connection(host, int(port))


async def closed_after_s(reader: asyncio.StreamReader) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass
    return loop.time() - began_s


@pytest.mark.parametrize(
    "sent", [b"", b"G", HEAD[:-2], b"GET / HTTP/1.1\r\n", HEAD + b"GET /", HEAD + HEAD + HEAD[:20]]
)
async def test_a_head_that_does_not_end(sent):
    async with open_harness() as harness:
        reader, writer = await dial(harness)
        for at in range(0, len(sent), 30):
            writer.write(sent[at : at + 30])
            await asyncio.sleep(0.01)
        if sent.startswith(HEAD):
            assert b"200 OK" in await reader.readuntil(b"\r\n")
            await asyncio.sleep(0.1)
            writer.write(b"X")  # aiohttp is between two requests now
        assert await closed_after_s(reader) < 10
        writer.close()


async def test_a_byte_now_and_then_does_not_help():
    async with open_harness() as harness:
        reader, writer = await dial(harness)
        closed = asyncio.create_task(closed_after_s(reader))
        for byte in itertools.chain(HEAD[:-4], itertools.repeat(ord("x"))):  # it would go on for ever
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
            if closed.done():
                break
        await closed
        writer.close()


async def test_an_idle_connection_ends_later(monkeypatch):
    monkeypatch.setattr("realtime.server.run.IDLE_TIMEOUT_S", 4.0)
    async with open_harness() as harness:
        reader, writer = await dial(harness)
        for _ in range(3):  # three requests on one connection, further apart than a head may last
            writer.write(HEAD)
            assert b"200 OK" in await reader.readuntil(b"}")
            await asyncio.sleep(0.7)
        await closed_after_s(reader)
        writer.close()


async def test_a_body_that_does_not_end(monkeypatch):
    monkeypatch.setattr(listener, "REQUEST_TIMEOUT_S", 0.5)
    async with open_harness() as harness:
        reader, writer = await dial(harness)
        writer.write(
            b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{"
        )
        assert await closed_after_s(reader) < 10
        writer.close()


async def test_a_websocket_is_no_head_and_no_request(monkeypatch):
    monkeypatch.setattr(listener, "REQUEST_TIMEOUT_S", 0.3)
    async with open_harness() as harness, harness.connect() as wire:
        await asyncio.sleep(1.0)
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"


async def test_when_files_run_out_those_inside_go_on(monkeypatch, caplog):
    async with open_harness() as harness, harness.connect() as wire:
        used = descriptors._open()
        _, hard = before = resource.getrlimit(resource.RLIMIT_NOFILE)
        monkeypatch.setattr(descriptors, "RESERVE", 20)
        caplog.set_level(logging.WARNING)
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 80, hard))
        writers = []
        try:
            refused = 0
            while refused < 5:
                assert len(writers) < 60
                reader, writer = await dial(harness)
                writers.append(writer)
                writer.write(HEAD)
                if b" 503 " in await reader.readuntil(b"\r\n"):
                    refused += 1
                    assert await closed_after_s(reader) < 5
            assert (await wire.ask("What is two plus three?"))["status"] == "completed"
        finally:
            for writer in writers:
                writer.close()
            await asyncio.sleep(0.1)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert sum("files run out" in record.getMessage() for record in caplog.records) == 1
        async with harness.connect():
            pass
