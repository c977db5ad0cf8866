"""A whole conversation of the server in the Anthropic dialect, against the sandbox over real sockets."""

from typing import Annotated

import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.settings import Settings
from tests.server.harness import QUICK, Harness


def get_weather(city: Annotated[str, "Name of the city"]) -> dict[str, object]:
    """Get the current weather for a city."""
    return {"city": city, "degrees": 4, "sky": "rain"}


@pytest.mark.parametrize("model", ["MiniMax-M3", "MiniMax-M2.7"])
async def test_a_conversation_with_a_tool_is_spoken(model: str) -> None:
    async with Sandbox(SandboxOptions.parse(sets=QUICK)) as sandbox:
        settings = Settings(
            api_key="sandbox",
            base_url=sandbox.url,
            port=0,
            transcriber="none",
            chat_api="anthropic",
            chat_model=model,
        )
        async with (
            running(settings, tools=[get_weather]) as server,
            Harness(server, sandbox).connect() as wire,
        ):
            first = await wire.ask("What is two plus three?")
            assert "five" in first["output"][0]["content"][0]["transcript"]
            await wire.say("What's the weather in Paris?")
            await wire.send("response.create")
            done = (await wire.until("response.done", 3))["response"]
            said = done["output"][0]["content"][0]["transcript"]
            assert wire.audio(done["id"]), "the answer is spoken"
            assert "rain" in said or "4" in said or "four" in said, said
            again = await wire.ask("What is two plus three?")
            assert "five" in again["output"][0]["content"][0]["transcript"]
