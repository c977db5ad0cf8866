"""Every way to stop a server: no traceback, status 0, and the log tells how long it took. Real processes and sockets."""

import asyncio
import contextlib
import json
import os
import signal

import aiohttp
import pytest

from tests.server.test_process import ask, serving, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

SIGNALS = [signal.SIGINT, signal.SIGTERM]


async def everything_said(server) -> str:
    """Standard error, to the end of the process."""
    async with asyncio.timeout(30):
        return (await server.process.stderr.read()).decode()


def assert_clean(said: str) -> None:
    assert "Traceback" not in said
    assert "ERROR" not in said
    assert "CRITICAL" not in said
    assert said.count(" stopping ") == said.count(" stopped ") == 1
    assert "drained_s=" in said


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("client", ["none", "page", "page just closed", "idle", "aborted", "answer", "deaf"])
async def test_no_stop_prints_a_traceback(tmp_path, client, number):
    async with serving(tmp_path, REALTIME_DRAIN_S="0.5") as server, contextlib.AsyncExitStack() as stack:
        if client.startswith("page"):
            http = await stack.enter_async_context(aiohttp.ClientSession())
            for path in ("/", "/readyz"):
                async with http.get(server.url + path) as answer:
                    await answer.read()
            if client == "page just closed":
                await http.close()
        elif client != "none":
            socket = await stack.enter_async_context(server.connect())
            await until(socket, "session.created")
            if client in ("answer", "deaf"):
                await ask(socket, "Tell me a very long story.")
                await until(socket, "response.output_text.delta")
            if client == "deaf":
                socket.transport.pause_reading()
            elif client == "aborted":
                socket.transport.abort()
        server.process.send_signal(number)
        assert await server.ended() == 0
        assert_clean(await everything_said(server))


async def test_a_client_is_heard_while_the_server_drains(tmp_path):
    async with serving(tmp_path, REALTIME_DRAIN_S="20") as server, server.connect() as socket:
        await until(socket, "session.created")
        await ask(socket, "Tell me a very long story.", "audio")
        await until(socket, "response.output_audio.delta")
        server.stop()
        await asyncio.sleep(0.2)
        await socket.send(json.dumps({"type": "response.cancel"}))
        assert (await until(socket, "response.done"))["response"]["status"] == "cancelled"
        async with asyncio.timeout(10):
            await socket.wait_closed()
        assert socket.close_code == 1001
        assert await server.ended() == 0
        assert_clean(await everything_said(server))


async def test_a_second_signal_waits_for_no_reply(tmp_path):
    async with serving(tmp_path, REALTIME_DRAIN_S="25") as server, server.connect() as socket:
        await until(socket, "session.created")
        await ask(socket, "Tell me a very long story.", "audio")
        await until(socket, "response.output_audio.delta")
        server.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        server.process.send_signal(signal.SIGINT)
        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await server.ended() == 0
        said = await everything_said(server)
        assert_clean(said)
        assert float(said.rpartition("drained_s=")[2].split()[0]) < 20
