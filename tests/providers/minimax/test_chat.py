"""The chat providers and the transcriber."""

from __future__ import annotations

from contextlib import aclosing

import numpy as np
import pytest

from realtime.core.messages import ChatFinish, ChatMessage, ChatRequest, TextDelta
from realtime.errors import ConfigError, ProviderError, ProviderTimeout
from realtime.providers.catalog import find
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings

QUESTION = ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", "What is two plus three?")))


async def answer(settings: Settings, name: str = "minimax") -> str:
    chat = find("chat", name).create(settings)
    try:
        await chat.prewarm()
        async with aclosing(chat.stream(QUESTION)) as events:
            received = [event async for event in events]
    finally:
        await chat.aclose()
    assert any(isinstance(event, ChatFinish) for event in received)
    return "".join(event.text for event in received if isinstance(event, TextDelta))


@pytest.mark.parametrize("model", ["MiniMax-M3", "MiniMax-M2.7"])
async def test_the_platforms_model_answers(model: str) -> None:
    async with Sandbox() as sandbox:
        assert "five" in await answer(Settings(api_key="k", base_url=sandbox.url, chat_model=model))


async def test_timeouts_come_from_the_settings() -> None:
    async with Sandbox(SandboxOptions.parse(faults=("chat.stall",))) as sandbox:
        with pytest.raises(ProviderTimeout):
            await answer(Settings(api_key="k", base_url=sandbox.url, chat_first_timeout_s=0.3))


@pytest.mark.parametrize(("model", "sees"), [("MiniMax-M3", True), ("MiniMax-M2.7", False)])
def test_the_provider_describes_its_model(model: str, sees: bool) -> None:
    chat = find("chat", "minimax").create(Settings(api_key="sk-secret", chat_model=model))
    assert (chat.name, chat.sees_images) == (model, sees)
    assert "sk-secret" not in repr(chat)


def test_a_missing_key_is_named() -> None:
    for role in ("chat", "transcriber"):
        with pytest.raises(ConfigError, match="MINIMAX_API_KEY"):
            find(role, "minimax").create(Settings())


async def test_the_transcriber_times_out_and_raises_errors() -> None:
    samples = np.zeros(16_000, np.int16)
    for fault, kind in (("asr.stall", ProviderTimeout), ("asr.error=1008", ProviderError)):
        async with Sandbox(SandboxOptions.parse(faults=(fault,))) as sandbox:
            settings = Settings(api_key="k", base_url=sandbox.url, transcribe_timeout_s=0.3)
            transcriber = find("transcriber", "minimax").create(settings)
            assert not transcriber.interim
            with pytest.raises(kind):
                await transcriber.transcribe(samples, language="en", final=True)
            recorded = [request for request in sandbox.state.requests if request.path == "/v1/speech_to_text"]
            assert all(request.headers.get("language") == "en" for request in recorded)
            await transcriber.aclose()
