"""A server that is really stopped (SIGSTOP) for longer than every timeout goes on where it was: what came meanwhile waits
in its sockets. The same in virtual time, for one deadline: tests/test_deadlines.py."""

import asyncio
import json
import os
import signal

import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.eventually import eventually
from tests.server.test_process import serving

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

STOPPED_S = 7.0
# Long enough for a sandbox and a server that share a busy machine: what they need themselves must not count
TIMEOUTS = {
    "REALTIME_CHAT_FIRST_TIMEOUT_S": "6",
    "REALTIME_CHAT_GAP_TIMEOUT_S": "6",
    "REALTIME_SPEECH_TIMEOUT_S": "6",
    "REALTIME_SILENT_TURN_TIMEOUT_S": "6",
    "REALTIME_SEND_TIMEOUT_S": "6",
}
SPEED = ("chat.first_ms=300", "chat.tps=15", "chat.plain_tps=15", "speech.factor=3", "speech.first_ms=300")


@pytest.mark.parametrize("when", ["response.created", "response.output_audio.delta"])
async def test_a_stopped_server_goes_on(tmp_path, when):
    options = SandboxOptions.parse("local", list(SPEED), ())
    async with (
        Sandbox(options) as sandbox,
        serving(tmp_path, MINIMAX_API_KEY="sandbox", MINIMAX_BASE_URL=sandbox.url, **TIMEOUTS) as server,
        server.connect() as socket,
    ):
        part = {
            "type": "input_text",
            "text": "Please repeat: the small dog ran along the beach every morning until the sun was high over the sea.",
        }
        item = {"type": "message", "role": "user", "content": [part]}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await socket.send(json.dumps({"type": "response.create"}))
        stopped = False
        async with asyncio.timeout(60):
            while (event := json.loads(await socket.recv()))["type"] != "response.done":
                assert event["type"] != "error", event
                if event["type"] == when and not stopped:
                    stopped = True
                    await eventually(lambda: any("chat" in each.path for each in sandbox.state.requests))
                    server.process.send_signal(signal.SIGSTOP)
                    await asyncio.sleep(STOPPED_S)
                    server.process.send_signal(signal.SIGCONT)
        assert stopped
        assert event["response"]["status"] == "completed", event["response"]["status_details"]
        server.stop()
        assert await server.ended() == 0
