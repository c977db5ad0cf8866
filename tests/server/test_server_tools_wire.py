"""Tools of the server, called by the sandbox's chat model over real sockets."""

import asyncio
from typing import Annotated

from realtime.replying.output_items import STOPPED
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.settings import Settings
from tests.fakes import FakeChat, FakeSpeech, call
from tests.server.harness import Harness

CITIES: list[str] = []


def get_weather(city: Annotated[str, "Name of the city"]) -> dict[str, object]:
    """Get the current weather for a city."""
    CITIES.append(city)
    return {"city": city, "degrees": 4, "sky": "rain"}


async def test_the_server_runs_a_tool_and_speaks_the_answer():
    CITIES.clear()
    async with Sandbox() as sandbox:
        settings = Settings(api_key="sandbox", base_url=sandbox.url, port=0, transcriber="none")
        async with (
            running(settings, tools=[get_weather]) as server,
            Harness(server, sandbox).connect() as wire,
        ):
            await wire.say("What's the weather in Paris?")
            await wire.send("response.create")
            done = (await wire.until("response.done", 2))["response"]
            assert CITIES == ["Paris"]
            assert done["status"] == "completed"
            assert wire.audio(done["id"]), "the answer is spoken"
            said = done["output"][0]["content"][0]["transcript"]
            assert "4" in said or "four" in said.lower() or "rain" in said.lower(), said
            kinds = [event["item"]["type"] for event in wire.of("conversation.item.done")]
            assert kinds == ["message", "function_call", "function_call_output", "message"]
            assert not wire.of("response.function_call_arguments.done")


async def test_settings_can_name_tools():
    async with Sandbox() as sandbox:
        named = (f"{__name__}:get_weather",)
        settings = Settings(api_key="sandbox", base_url=sandbox.url, port=0, transcriber="none", tools=named)
        async with running(settings) as server, Harness(server, sandbox).connect() as wire:
            await wire.say("What's the weather in Oslo?")
            await wire.send("response.create", response={"output_modalities": ["text"]})
            await wire.until("response.done", 2)
            outputs = [event["item"].get("output") for event in wire.of("conversation.item.done")]
            assert '{"city":"Oslo","degrees":4,"sky":"rain"}' in outputs


async def test_a_conversation_is_kept_with_the_output_of_a_tool_that_its_end_has_stopped():
    async def book() -> str:
        """Book a table."""
        await asyncio.sleep(60)
        return "booked"

    chat = FakeChat([[(0.0, call("book", "{}"))]])
    settings = Settings(api_key="sandbox", port=0, transcriber="none", store="memory")
    providers = {"chat": chat, "speech": FakeSpeech()}
    async with running(settings, tools=[book], providers=providers) as server:
        harness = Harness(server, None)
        async with harness.connect() as wire:
            await wire.say("Book a table.")
            await wire.send("response.create")
            await wire.until("conversation.item.done", 2)
            found = wire.of("conversation.created")[0]["conversation"]["id"]
        await harness.no_sessions()
        async with harness.connect(f"?conversation={found}") as wire:
            output = (await wire.until("conversation.item.done", 3))["item"]
            assert (output["type"], output["output"]) == ("function_call_output", STOPPED)
