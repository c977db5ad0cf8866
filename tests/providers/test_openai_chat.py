"""Any OpenAI-compatible service as the chat model."""

from __future__ import annotations

from contextlib import aclosing

import msgspec
import pytest

from realtime.core.messages import ChatEvent, ChatFinish, ChatMessage, ChatRequest, ChatUsage, TextDelta
from realtime.errors import ConfigError, ProviderRejected
from realtime.providers.openai_chat import create
from realtime.settings import Settings
from tests.minimax.scripted import Reply, scripted

STREAM = b"".join(
    b"data: " + msgspec.json.encode(event) + b"\n\n"
    for event in (
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"index": 0, "delta": {"reasoning": "hm"}}]},
        {"choices": [{"index": 0, "delta": {"content": "Hello"}}]},
        {"choices": [{"index": 0, "delta": {"content": "!"}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}},
    )
)
REQUEST = ChatRequest((ChatMessage("user", "Hi"),), max_output_tokens=40, temperature=1.5)


async def answer(settings: Settings) -> list[ChatEvent]:
    chat = create(settings)
    try:
        async with aclosing(chat.stream(REQUEST)) as stream:
            return [event async for event in stream]
    finally:
        await chat.aclose()


async def test_a_standard_stream_is_decoded_and_a_standard_body_is_sent() -> None:
    async with scripted(Reply(STREAM + b"data: [DONE]\n\n")) as server:
        events = await answer(Settings(chat_base_url=server.url, chat_api_key="other", chat_model="tiny"))
        assert events == [
            TextDelta("Hello"),
            TextDelta("!"),
            ChatFinish("stop", {"reasoning_content": "hm"}),
            ChatUsage(5, 2),
        ]
        path, body = server.requests[0]
        assert path == "/v1/chat/completions"
        assert server.headers[0]["Authorization"] == "Bearer other"
        assert msgspec.json.decode(body) == {
            "model": "tiny",
            "messages": [{"role": "user", "content": "Hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 40,
            "temperature": 1.5,
        }


async def test_a_base_url_with_a_path_is_kept_and_no_key_sends_none() -> None:
    async with scripted(Reply(STREAM)) as server:
        await answer(Settings(chat_base_url=server.url + "/api/v3/", chat_model="tiny"))
        assert server.requests[0][0] == "/api/v3/chat/completions"
        assert "Authorization" not in server.headers[0]


async def test_its_errors_name_the_service_and_not_the_platform() -> None:
    body = (
        b'{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}'
    )
    async with scripted(Reply(body, 401, "application/json")) as server:
        with pytest.raises(ProviderRejected) as caught:
            await answer(Settings(chat_base_url=server.url, chat_api_key="other", chat_model="tiny"))
        assert caught.value.code == "invalid_api_key"
        assert caught.value.message.startswith("127.0.0.1:")


def test_it_needs_an_address() -> None:
    with pytest.raises(ConfigError, match="CHAT_BASE_URL"):
        create(Settings())


async def test_the_whole_address_of_the_chat_is_taken_too() -> None:
    async with scripted(Reply(STREAM)) as server:
        await answer(Settings(chat_base_url=server.url + "/v1/chat/completions/", chat_model="tiny"))
        assert server.requests[0][0] == "/v1/chat/completions"


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate/"])
def test_the_own_address_of_ollama_is_refused_with_the_right_one(path: str) -> None:
    with pytest.raises(ConfigError, match=r"set its OpenAI address, http://box:11434/v1\.$"):
        create(Settings(chat_base_url=f"http://user:secret@box:11434{path}", chat_model="tiny"))
