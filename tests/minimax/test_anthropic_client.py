"""The chat client in the Anthropic dialect against scripted servers: streams, whole answers, counts and models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, TextDelta
from realtime.errors import ConfigError, InvalidArgument, ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax import ChatAnswer, MiniMax
from realtime.providers import openai_chat
from realtime.providers.minimax import chat as minimax_chat
from realtime.settings import Settings
from tests.minimax.scripted import Reply, Scripted, scripted
from tests.minimax.test_anthropic_stream import BLOCK, START, STOP, WHOLE, delta, end, sse, start, stop

HELLO = (start(0, type="text", text=""), delta(0, "text_delta", text="Hello!"), stop(0))
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
GOOD = Reply(sse(START) + PING + sse(*HELLO, end(), STOP))
ANSWER = [TextDelta("Hello!"), ChatFinish("stop"), ChatUsage(48, 30, cached_tokens=8)]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "r1"}
KEY = {
    "type": "error",
    "error": {"type": "authentication_error", "message": "login fail: carry the key (1004)"},
    "request_id": "r2",
}


def json(body: Any, status: int = 200) -> Reply:
    return Reply(msgspec.json.encode(body), status, "application/json")


async def ask(server: Scripted, **options: Any) -> list[ChatEvent]:
    options.setdefault("dialect", "anthropic")
    async with MiniMax("key-1", server.url) as mm:
        mm.chat._jitter = lambda: -0.5  # no pause between tries
        return [event async for event in mm.chat.stream("Hi", **options)]


async def test_a_stream_has_the_events_of_every_dialect() -> None:
    async with scripted(GOOD) as server:
        assert await ask(server) == ANSWER
    path, body = server.requests[0]
    assert path == "/anthropic/v1/messages"
    assert msgspec.json.decode(body)["stream"] is True
    headers = server.headers[0]
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["Authorization"] == "Bearer key-1"


async def test_the_other_dialect_sends_no_anthropic_header() -> None:
    async with scripted(GOOD) as server:
        with pytest.raises(ProviderError):
            await ask(server, dialect="openai")
        assert server.requests[0][0] == "/v1/chat/completions"
        assert "anthropic-version" not in server.headers[0]


async def test_the_dialect_can_be_that_of_the_client() -> None:
    async with scripted(GOOD) as server:
        async with MiniMax("k", server.url, chat_dialect="anthropic") as mm:
            assert [event async for event in mm.chat.stream("Hi")] == ANSWER
        environ = {"MINIMAX_BASE_URL": server.url, "MINIMAX_CHAT_API": "Anthropic"}
        async with MiniMax.from_env(environ) as mm:
            assert [event async for event in mm.chat.stream("Hi")] == ANSWER


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(ConfigError, match=r"MINIMAX_CHAT_API.*'latin'.*openai or anthropic"):
        MiniMax.from_env({"MINIMAX_API_KEY": "k", "MINIMAX_CHAT_API": "latin"})


async def test_the_setting_makes_a_server_talk_to_the_anthropic_side() -> None:
    async with scripted(GOOD) as server:
        chat = minimax_chat.create(Settings(api_key="k", base_url=server.url, chat_api="anthropic"))
        events = chat._chat.stream("Hi")
        assert [event async for event in events] == ANSWER
        await chat.aclose()
        assert server.requests[0][0] == "/anthropic/v1/messages"


async def test_other_services_have_no_anthropic_side() -> None:
    provider = openai_chat.create(Settings(chat_base_url="http://127.0.0.1:9", chat_model="m"))
    with pytest.raises(InvalidArgument) as caught:
        await anext(provider._chat.stream("Hi", dialect="anthropic"))
    assert caught.value.param == "dialect"
    await provider.aclose()


@pytest.mark.parametrize(
    "failure",
    [
        json(OVERLOADED, 529),
        Reply(sse(OVERLOADED)),
        Reply(sse(START, OVERLOADED)),
        Reply(sse(START), cut=True),
    ],
    ids=["529", "at once", "after the start", "cut"],
)
async def test_a_failure_before_content_is_asked_again(failure: Reply) -> None:
    async with scripted(failure, GOOD) as server:
        assert await ask(server) == ANSWER
        assert len(server.requests) == 2


async def test_a_failure_after_content_is_not() -> None:
    async with scripted(Reply(sse(START, *HELLO, OVERLOADED)), GOOD) as server:
        with pytest.raises(ProviderUnavailable):
            await ask(server)
        assert len(server.requests) == 1


async def test_a_wrong_key_is_named() -> None:
    async with scripted(json(KEY, 401)) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(server)
    assert (caught.value.code, caught.value.upstream_code, caught.value.trace_id) == (
        "invalid_api_key", 1004, "r2",
    )  # fmt: skip


async def test_the_start_of_the_message_is_no_content_yet() -> None:
    """What bounds the wait for content is the longer of the two timeouts."""
    async with scripted(Reply(sse(START), hold=True)) as server:
        with pytest.raises(ProviderTimeout, match="did not begin"):
            await ask(server, first_timeout_s=0.4, gap_timeout_s=0.05)


async def test_the_end_of_the_message_is_enough() -> None:
    async with scripted(Reply(GOOD.body, hold=True)) as server:
        assert await ask(server, gap_timeout_s=5.0) == ANSWER


async def test_a_whole_answer() -> None:
    async with scripted(json(WHOLE)) as server, MiniMax("k", server.url) as mm:
        answer = await mm.chat.complete("Hi", dialect="anthropic", model="MiniMax-M2.7")
    assert answer == ChatAnswer(
        text="Hello!",
        thinking="A greeting.",
        tool_calls=(),
        finish="stop",
        usage=ChatUsage(40, 30),
        model="MiniMax-M2.7",
        reasoning={"blocks": [BLOCK]},
        raw=WHOLE,
        trace_id="0f1a",
    )
    assert msgspec.json.decode(server.requests[0][1])["stream"] is False


async def test_the_whole_answer_goes_back_with_its_signature() -> None:
    async with scripted(json(WHOLE)) as server, MiniMax("k", server.url, chat_dialect="anthropic") as mm:
        answer = await mm.chat.complete("Hi")
        await mm.chat.complete(
            [{"role": "user", "content": "Hi"}, answer.message, {"role": "user", "content": "?"}]
        )
    sent = msgspec.json.decode(server.requests[1][1])["messages"]
    assert sent[1] == {"role": "assistant", "content": WHOLE["content"]}


async def test_tokens_are_counted_in_every_dialect() -> None:
    async with scripted(json({"input_tokens": 12})) as server, MiniMax("k", server.url) as mm:
        assert await mm.chat.count_tokens("Hi", max_output_tokens=5) == 12
    path, body = server.requests[0]
    assert path == "/anthropic/v1/messages/count_tokens"
    assert sorted(msgspec.json.decode(body)) == ["messages", "model", "thinking"]


async def test_a_count_that_is_none_is_an_error() -> None:
    async with scripted(json({"tokens": 12})) as server, MiniMax("k", server.url) as mm:
        with pytest.raises(ProviderUnavailable, match="count"):
            await mm.chat.count_tokens("Hi")


def model(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "type": "model",
        "display_name": name.lower(),
        "created_at": "2026-03-18T02:00:00Z",
        **more,
    }


async def test_models_come_page_by_page() -> None:
    first = {"data": [model("A"), model("B")], "first_id": "A", "last_id": "B", "has_more": True}
    second = {
        "data": [model("C/d", display_name=None, created_at="soon")],
        "last_id": "C/d",
        "has_more": False,
    }
    async with scripted(json(first), json(second)) as server, MiniMax("k", server.url, group_id="7") as mm:
        models = [one async for one in mm.chat.models()]
    assert [(one.id, one.display_name) for one in models] == [("A", "a"), ("B", "b"), ("C/d", "C/d")]
    assert models[0].created_at == datetime(2026, 3, 18, 2, tzinfo=UTC)
    assert models[2].created_at is None
    assert models[0].raw == model("A")
    assert [path for path, _ in server.requests] == [
        "/anthropic/v1/models?limit=100&GroupId=7",
        "/anthropic/v1/models?limit=100&after_id=B&GroupId=7",
    ]


@pytest.mark.parametrize("page", [{}, {"data": [], "has_more": True}, {"data": [model("A")]}])
async def test_a_list_always_ends(page: dict[str, Any]) -> None:
    async with scripted(json(page)) as server, MiniMax("k", server.url) as mm:
        assert len([one async for one in mm.chat.models()]) == len(page.get("data", []))
        assert len(server.requests) == 1


async def test_a_page_that_repeats_itself_ends_the_list() -> None:
    page = {"data": [model("A")], "last_id": "A", "has_more": True}
    async with scripted(json(page)) as server, MiniMax("k", server.url) as mm:
        assert len([one async for one in mm.chat.models()]) == 2
        assert len(server.requests) == 2


async def test_one_model_by_its_id() -> None:
    async with scripted(json(model("MiniMax-M3"))) as server, MiniMax("k", server.url) as mm:
        assert (await mm.chat.get_model("MiniMax-M3")).display_name == "minimax-m3"
    assert server.requests[0][0] == "/anthropic/v1/models/MiniMax-M3"


async def test_an_unknown_model_is_named() -> None:
    missing = {"type": "error", "error": {"type": "not_found_error", "message": "no"}, "request_id": "r"}
    async with scripted(json(missing, 404)) as server, MiniMax("k", server.url) as mm:
        with pytest.raises(InvalidArgument, match="'M9'") as caught:
            await mm.chat.get_model("M9")
    assert caught.value.param == "model"
