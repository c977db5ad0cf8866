"""The system's clock jumps by 30 days while a session talks: nothing that runs is judged by it."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.server.harness import open_harness

DAYS_S = 30 * 86_400


@pytest.mark.parametrize("jump_s", [DAYS_S, -DAYS_S], ids=["forward", "back"])
async def test_a_session_talks_on(tmp_path, monkeypatch, jump_s: float) -> None:
    ahead_s, real = 0.0, time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead_s)
    store = f"sqlite:{tmp_path / 'conversations.db'}"
    async with open_harness("speech.factor=8", store=store, session_minutes=5) as harness:
        async with harness.connect() as wire:
            before = await wire.ask("What is two plus three?")
            conversation = wire.of("conversation.created")[0]["conversation"]["id"]
            await wire.say("Count from one to nine.")
            await wire.send("response.create")
            await wire.until("response.output_audio.delta", len(wire.of("response.output_audio.delta")) + 1)
            ahead_s = jump_s
            during = (await wire.until("response.done", 2))["response"]
            after = await wire.ask("What is one plus one?")
            assert [each["status"] for each in (before, during, after)] == ["completed"] * 3
            assert all(wire.audio(each["id"]) for each in (before, during, after))
            await asyncio.sleep(0.2)  # what would end a session by such a clock has had its turn
            assert wire.close_code is None
            assert not wire.of("error")
        await harness.no_sessions()
        async with harness.connect(f"?conversation={conversation}") as again:
            assert again.of("conversation.created")[0]["conversation"]["id"] == conversation
            item = await again.retrieve(after["output"][-1]["id"])
            assert item["content"], "what was said is not stored any more"
