"""A model that writes its calls as text, over real sockets: the tool runs, and nobody hears or sees the tags."""

from __future__ import annotations

import json

import pytest

from realtime.sandbox.faults import FORMS
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.settings import Settings
from tests.server.harness import QUICK, Harness

TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
SIGNS = ("<", "invoke", "tool_call", "functions", "minimax", "```")


async def conversation(fault: str, **settings: str) -> None:
    options = SandboxOptions.parse(sets=QUICK, faults=[fault])
    async with Sandbox(options) as sandbox:
        chosen = Settings(api_key="sandbox", base_url=sandbox.url, port=0, transcriber="none", **settings)
        async with running(chosen) as server, Harness(server, sandbox).connect() as wire:
            await wire.send("session.update", session={"type": "realtime", "tools": [TOOL]})
            first = await wire.ask("What's the weather in Paris?")
            assert first["status"] == "completed"
            call = await wire.until("response.function_call_arguments.done")
            assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Paris"})
            kinds = [item["type"] for item in first["output"]]
            assert kinds == ["message", "function_call"]
            assert first["output"][0]["content"][0]["transcript"].strip() == "One moment."
            assert wire.audio(first["id"]), "the words before the call are spoken"

            output = {
                "type": "function_call_output",
                "call_id": call["call_id"],
                "output": '{"degrees":4,"sky":"rain"}',
            }
            await wire.send("conversation.item.create", item=output)
            await wire.send("response.create")
            second = (await wire.until("response.done", 2))["response"]
            said = second["output"][0]["content"][0]["transcript"]
            assert "4" in said or "four" in said or "rain" in said, said
            shown = "".join(event["delta"] for event in wire.of("response.output_audio_transcript.delta"))
            assert not any(sign in shown for sign in SIGNS), shown
            assert not wire.of("error")


@pytest.mark.parametrize("form", FORMS)
async def test_a_written_call_is_run_and_not_heard(form: str) -> None:
    await conversation(f"chat.written_call={form}")


async def test_a_written_call_in_the_anthropic_dialect() -> None:
    await conversation("chat.written_call=m2", chat_api="anthropic", chat_model="MiniMax-M2.7")


async def test_a_written_call_of_another_service() -> None:
    options = SandboxOptions.parse(sets=QUICK, faults=["chat.written_call=m3"])
    async with Sandbox(options) as other:
        own = {"chat_base_url": other.url, "chat_api_key": "other", "chat_model": "MiniMax-M3"}
        await conversation("chat.stray_marker", **own)


async def test_damaged_events_cost_nothing_else() -> None:
    async with Sandbox(SandboxOptions.parse(sets=QUICK, faults=["chat.damaged"])) as sandbox:
        settings = Settings(api_key="sandbox", base_url=sandbox.url, port=0, transcriber="none")
        async with running(settings) as server, Harness(server, sandbox).connect() as wire:
            done = await wire.ask("What is two plus three?")
            assert done["status"] == "completed"
            said = done["output"][0]["content"][0]["transcript"]
            assert "five" in said
            assert "😀" in said
            assert wire.audio(done["id"])
