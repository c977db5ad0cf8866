"""The server as a process: its ready line, SIGTERM, several workers, wrong options."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import websockets

from tests import programs
from tests.commands.running import run_here
from tests.server.harness import PATIENT

ROOT = Path(__file__).parents[2]
START_S, STOP_S = 60.0, 60.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@dataclass
class Server:
    process: asyncio.subprocess.Process
    url: str

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop_every_process(self) -> None:
        """As a service manager does it, and a terminal with another signal."""
        os.killpg(self.process.pid, signal.SIGTERM)

    async def ended(self) -> int:
        async with asyncio.timeout(STOP_S):
            return await self.process.wait()

    def connect(self, key: str | None = None):
        headers = {"Authorization": f"Bearer {key}"} if key else None
        return websockets.connect(
            self.url.replace("http", "ws", 1) + "/v1/realtime",
            proxy=None,
            open_timeout=START_S,
            max_size=None,
            additional_headers=headers,
        )


def environment(**more: str) -> dict[str, str]:
    """The environment without this machine's settings: sandbox, no transcriber."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MINIMAX_", "REALTIME_", "CHAT_"))}
    path = os.pathsep.join([str(ROOT), str(ROOT / "clients")])
    return {
        **inherited,
        "PYTHONPATH": path,
        "TRANSCRIBER": "none",
        "PYTHONWARNINGS": "error::ResourceWarning",
        **{f"REALTIME_{name.upper()}": str(value) for name, value in PATIENT.items()},
        **more,
    }


@asynccontextmanager
async def serving(
    folder: Path, *arguments: str, stderr: int = asyncio.subprocess.PIPE, **more: str
) -> AsyncIterator[Server]:
    process = await programs.start(
        *("serve", "--port", "0", *arguments),
        cwd=folder,
        env=environment(**more),
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            ready = (await process.stdout.readline()).decode()
        if "http" not in ready:
            said = (await process.stderr.read()).decode() if process.stderr is not None else ""
            raise AssertionError(f"no ready line but {ready!r}: {said}")
        yield Server(process, "http" + ready.split("http", 1)[1].split()[0])
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.communicate()


async def ask(socket, text: str, modality: str = "text") -> None:
    part = {"type": "input_text", "text": text}
    item = {"type": "message", "role": "user", "content": [part]}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send(json.dumps({"type": "response.create", "response": {"output_modalities": [modality]}}))


async def until(socket, type: str) -> dict:
    async with asyncio.timeout(STOP_S):
        while True:
            event = json.loads(await socket.recv())
            if event["type"] == type:
                return event


async def test_sigterm_lets_the_running_reply_finish_and_closes_with_1012(tmp_path):
    async with (
        serving(tmp_path, REALTIME_DRAIN_S="60") as server,
        server.connect() as busy,
        server.connect() as idle,
    ):
        await until(idle, "session.created")
        await ask(busy, "Tell me a very long story.")
        await until(busy, "response.output_text.delta")
        server.stop()
        assert (await until(busy, "response.done"))["response"]["status"] == "completed"
        for socket in (busy, idle):
            async with asyncio.timeout(STOP_S):
                await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (1012, "server_draining")
        with pytest.raises((OSError, websockets.InvalidStatus, websockets.InvalidMessage)):  # 503, or gone
            async with server.connect():
                pass
        assert await server.ended() == 0


async def test_a_reply_longer_than_the_drain_time_has_failed(tmp_path):
    async with serving(tmp_path, REALTIME_DRAIN_S="0.2") as server, server.connect() as socket:
        part = {"type": "input_text", "text": "Tell me a very long story."}
        item = {"type": "message", "role": "user", "content": [part]}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await socket.send(json.dumps({"type": "response.create"}))
        await until(socket, "response.output_audio.delta")
        server.stop()
        done = await until(socket, "response.done")
        assert done["response"]["status"] == "failed"
        assert done["response"]["status_details"]["error"]["code"] == "server_draining"
        async with asyncio.timeout(STOP_S):
            await socket.wait_closed()
        assert socket.close_code == 1012
        assert await server.ended() == 0


async def test_two_workers_share_one_port_and_a_client_secret_also_after_a_restart(tmp_path):
    chosen = {
        "REALTIME_API_KEYS": "sk-one", "XDG_CACHE_HOME": str(tmp_path / "cache"), "REALTIME_DRAIN_S": "60",
    }  # fmt: skip
    async with serving(tmp_path, "--workers", "2", **chosen) as server, aiohttp.ClientSession() as http:
        headers = {"Authorization": "Bearer sk-one"}
        async with http.post(server.url + "/v1/realtime/client_secrets", headers=headers) as answer:
            secret = (await answer.json())["value"]
        for _ in range(6):
            async with server.connect(secret) as socket:
                await ask(socket, "What is two plus three?")
                assert (await until(socket, "response.done"))["response"]["status"] == "completed"
        async with server.connect(secret) as socket:
            await ask(socket, "Tell me a very long story.")
            await until(socket, "response.output_text.delta")
            server.stop_every_process()
            assert (await until(socket, "response.done"))["response"]["status"] == "completed"
        assert await server.ended() == 0
    async with serving(tmp_path, **chosen) as server, server.connect(secret) as socket:
        await until(socket, "session.created")


@pytest.mark.parametrize(
    ("arguments", "environ", "named"),
    [
        (("--host", "0.0.0.0"), {}, "REALTIME_API_KEYS"),
        (("--tls-cert", "nothing.pem"), {}, "--tls-key"),
        (("--workers", "0"), {}, "--workers"),
        ((), {"MINIMAX_BASE_URL": "https://api.minimax.io"}, "MINIMAX_API_KEY"),
        ((), {"REALTIME_VOCIE": "x"}, "REALTIME_VOCIE"),
        ((), {"REALTIME_API_KEYS": " , "}, "REALTIME_API_KEYS"),
        ((), {"REALTIME_API_KEYS": "ek_one"}, "REALTIME_API_KEYS"),
    ],
)
def test_a_wrong_setting_prints_one_line_and_exits_with_status_2(tmp_path, arguments, environ, named):
    """In this process; that the status is also that of a program is in `tests/commands/test_cli.py` (a busy port)."""
    words = ("serve", "--port", "0", *arguments)
    status, out, err = run_here(words, environment(**environ), tmp_path)
    assert status == 2
    assert not out
    lines = err.strip().splitlines()
    assert len(lines) == 1
    assert named in lines[0]
