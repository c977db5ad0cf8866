"""Every way to stop a server: no traceback, status 0, and the log tells how long it took. Real processes and sockets."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3

import aiohttp
import pytest
import websockets

from realtime.server.draining import BALANCER_DELAY_S
from tests import programs
from tests.server.test_process import START_S, STOP_S, Server, ask, environment, serving, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


async def everything_said(server) -> str:
    """Standard error, to the end of the process."""
    async with asyncio.timeout(STOP_S):
        return (await server.process.stderr.read()).decode()


async def said_until(server, words: str) -> str:
    """Standard error, to the line with these words."""
    said = ""
    async with asyncio.timeout(STOP_S):
        while words not in said:
            line = (await server.process.stderr.readline()).decode()
            assert line, f"it ended without {words!r}: {said}"
            said += line
    return said


def assert_clean(said: str) -> None:
    assert "Traceback" not in said
    assert "ERROR" not in said
    assert "CRITICAL" not in said
    assert said.count(" stopping ") == said.count(" stopped ") == 1
    assert "drained_s=" in said


@pytest.mark.parametrize(
    ("client", "number"),
    [  # all signals lead to the same stop: each client meets one, and those with a reply two
        ("none", signal.SIGINT), ("page", signal.SIGTERM), ("page just closed", signal.SIGINT),
        ("idle", signal.SIGHUP), ("aborted", signal.SIGINT), ("answer", signal.SIGINT), ("answer", signal.SIGTERM),
        ("deaf", signal.SIGTERM),
    ],
)  # fmt: skip
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
        said = await said_until(server, " stopping ")
        await socket.send(json.dumps({"type": "response.cancel"}))
        assert (await until(socket, "response.done"))["response"]["status"] == "cancelled"
        async with asyncio.timeout(STOP_S):
            await socket.wait_closed()
        assert socket.close_code == 1012
        assert await server.ended() == 0
        assert_clean(said + await everything_said(server))


async def test_a_second_signal_waits_for_no_reply(tmp_path):
    async with serving(tmp_path, REALTIME_DRAIN_S="60") as server, server.connect() as socket:
        await until(socket, "session.created")
        await ask(socket, "Tell me a very long story.", "audio")
        await until(socket, "response.output_audio.delta")
        server.process.send_signal(signal.SIGINT)
        said = await said_until(server, " stopping ")
        server.process.send_signal(signal.SIGINT)
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 0
        said += await everything_said(server)
        assert_clean(said)
        assert float(said.rpartition("drained_s=")[2].split()[0]) < 55, "less than the whole time to drain"


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
async def test_a_terminal_that_closes_cuts_no_reply(tmp_path, workers):
    """Every process gets its SIGHUP, often twice."""
    async with serving(tmp_path, *workers, REALTIME_DRAIN_S="60") as server, server.connect() as socket:
        await until(socket, "session.created")
        await ask(socket, "Tell me a very long story.")
        await until(socket, "response.output_text.delta")
        for _ in range(2):
            os.killpg(server.process.pid, signal.SIGHUP)
            await asyncio.sleep(0.2)
        assert (await until(socket, "response.done"))["response"]["status"] == "completed"
        async with asyncio.timeout(STOP_S):
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (1012, "server_draining")
        assert await server.ended() == 0


async def test_the_port_is_open_and_says_no_until_the_delay_is_over_or_a_second_signal_comes(tmp_path):
    chosen = {"REALTIME_DRAIN_DELAY_S": "600", "REALTIME_STORE": f"sqlite:{tmp_path}/c.db"}
    async with (
        serving(tmp_path, **chosen) as server,
        server.connect() as socket,
        aiohttp.ClientSession() as http,
    ):
        await until(socket, "session.created")
        server.stop()
        said = await said_until(server, " stopping ")
        for path, status in (("/readyz", 503), ("/lb", 404), ("/healthz", 200)):
            async with http.get(server.url + path) as answer:
                assert answer.status == status
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with server.connect():
                pass
        assert json.loads(refused.value.response.body)["error"]["code"] == "server_draining"
        await ask(socket, "My name is Ada.")
        assert (await until(socket, "response.done"))["response"]["status"] == "completed"
        server.stop()
        async with asyncio.timeout(STOP_S):
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (1012, "server_draining")
        assert await server.ended() == 0
        assert_clean(said + await everything_said(server))
    with contextlib.closing(sqlite3.connect(tmp_path / "c.db")) as store:
        assert store.execute("SELECT count(*) FROM item").fetchone() == (2,)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
async def test_a_standard_output_that_takes_nothing_costs_the_ready_line_alone(tmp_path):
    with contextlib.ExitStack() as stack:
        full = os.open("/dev/full", os.O_WRONLY)
        stack.callback(os.close, full)
        process = await programs.start(
            "serve",
            "--port",
            "0",
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=asyncio.subprocess.PIPE,
        )
        server = Server(process, "")
        try:
            said = await said_until(server, " started ")
            server.stop()
            assert await server.ended() == 0
            said += await everything_said(server)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
    assert_clean(said)
    assert "the ready line could not be written" in said
    assert "Exception ignored" not in said


@pytest.fixture
def full_pipe():
    """The end to write to of a pipe that is full, and that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"." * 4096)
    os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
async def test_a_log_that_nobody_reads_holds_up_neither_the_server_nor_its_stop(tmp_path, workers, full_pipe):
    async with (
        serving(tmp_path, *workers, stderr=full_pipe) as server,
        aiohttp.ClientSession() as http,
        server.connect() as socket,
    ):
        await until(socket, "session.created")
        async with http.get(server.url + "/healthz") as answer:
            assert answer.status == 200
        server.stop()
        assert await server.ended() == 0


HANGING = """
import sys, time
import realtime.server.run as run
from realtime.providers.whisper.transcriber import LocalTranscriber
from realtime.__main__ import main

def load(self, model):
    print("loading", file=sys.stderr, flush=True)
    time.sleep(3600)

async def hang(self):
    time.sleep(3600)

if "loading" in sys.argv[1]:
    LocalTranscriber._open = load
if "closing" in sys.argv[1]:
    LocalTranscriber.aclose = hang
    run.CLOSE_S = 0.5
sys.argv[1:] = ["serve", "--port", "0"]
sys.exit(main())
"""


@pytest.mark.parametrize(("hangs", "status"), [("loading", 0), ("loading, closing", 1)])
async def test_nothing_that_hangs_holds_the_process(tmp_path, hangs, status):
    """A model that loads for an hour, a provider that does not close."""
    pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")
    process = await programs.start(
        hangs, code=HANGING, cwd=tmp_path,
        env=environment(TRANSCRIBER="local", REALTIME_LANGUAGE="en", REALTIME_DRAIN_S="0.5"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_S):
            while b"http" not in await process.stdout.readline():
                pass
            while "loading" in hangs and b"loading" not in await process.stderr.readline():
                pass
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S):
            said = (await process.stderr.read()).decode()
            assert await process.wait() == status
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    assert "Traceback" not in said
    assert (" stopped " in said) == (status == 0)
    assert ("not ended in time" in said) == (status == 1)


BLOCKED = """
import sys, time
import realtime.server.run as run
from realtime import Settings, serve
from realtime.providers import FakeChat, FakeSpeech

class Chat(FakeChat):
    async def stream(self, *given, **named):
        print("blocked", flush=True)
        time.sleep(3600)
        yield

run.CLOSE_S = 0.5
settings = Settings(port=0, drain_s=0.2, transcriber="none")
sys.exit(serve(settings, providers={"chat": Chat([]), "speech": FakeSpeech()}))
"""


async def test_a_loop_that_somebody_else_blocks_does_not_hold_the_process(tmp_path):
    process = await programs.start(
        code=BLOCKED, cwd=tmp_path, env=environment(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_S):
            url = (await process.stdout.readline()).decode().split()[-1]
            async with aiohttp.ClientSession() as http:
                socket = await http.ws_connect(url + "/v1/realtime")
                part = {"type": "input_text", "text": "Hello."}
                item = {"type": "message", "role": "user", "content": [part]}
                await socket.send_json({"type": "conversation.item.create", "item": item})
                await socket.send_json({"type": "response.create"})
                while b"blocked" not in await process.stdout.readline():
                    pass
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(BALANCER_DELAY_S):  # nobody asks, so it has none
                    said = (await process.stderr.read()).decode()
                    assert await process.wait() == 1
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    assert " the main thread is in " not in said.partition("not ended in time")[0]
    assert "(the main thread is in Chat.stream, <string>:" in said
