"""Two servers share one account at its rate limit: both keep answering, later, and every failure has its reason."""

import asyncio
import dataclasses

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.settings import Settings
from tests.server.harness import QUICK, WireClient, websockets

QUESTIONS = 5
WINDOW_S = 1.5


async def hold_conversation(url):
    """Ask several short questions; returns the responses and their numbers of audio deltas."""
    outcomes = []
    async with websockets.connect(url.replace("http", "ws") + "/v1/realtime", compression=None) as socket:
        wire = WireClient(socket)
        for number in range(QUESTIONS):
            before = wire.count("response.output_audio.delta")
            response = await wire.ask(f"What is {number} plus {number}?")
            outcomes.append((response, wire.count("response.output_audio.delta") - before))
        await wire.aclose()
    return outcomes


async def test_two_clients_with_the_same_key_at_the_limit():
    options = SandboxOptions.parse("local", [*QUICK, "limit.speech_rpm=4", f"limit.window_s={WINDOW_S}"])
    async with Sandbox(options) as sandbox:
        settings = Settings(api_key="sandbox", base_url=sandbox.url, port=0, transcriber="none")
        other = dataclasses.replace(settings, voice_id="English_Trustworthy_Man")
        async with running(settings) as one, running(other) as two:
            first, second = await asyncio.gather(hold_conversation(one.url), hold_conversation(two.url))
    for outcomes in (first, second):
        for response, audio in outcomes:
            if response["status"] == "completed":
                assert audio, "a completed response without audio"
            else:
                assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
        assert sum(response["status"] == "completed" for response, _ in outcomes) >= QUESTIONS - 1
