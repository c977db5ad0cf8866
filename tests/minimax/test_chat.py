"""The chat client against a scripted server: retries, timeouts, bodies that are no stream, prewarmed connections."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from realtime.core.messages import ChatEvent, ChatFinish, TextDelta
from realtime.errors import ConfigError, ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax import Endpoint, MiniMax
from tests.minimax.scripted import Reply, scripted, until

ASK: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


def content_event(text: str, finish: str | None = None) -> bytes:
    choice: dict[str, Any] = {"index": 0, "delta": {"content": text}}
    if finish:
        choice["finish_reason"] = finish
    return b"data: " + msgspec.json.encode({"choices": [choice]}) + b"\n\n"


GOOD = Reply(content_event("Hello") + content_event("!", "stop") + b"data: [DONE]\n\n")
ANSWER = [TextDelta("Hello"), TextDelta("!"), ChatFinish("stop")]
BUSY = Reply(
    b'{"type":"error","error":{"type":"overloaded_error","message":"busy (2064) (529)"},"request_id":"r1"}',
    529,
    "application/json",
)
LIMITED = Reply(b'{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}', 200, "application/json")


async def ask(url: str, **options: Any) -> list[ChatEvent]:
    async with MiniMax("key-1", url) as mm:
        return [event async for event in mm.chat.stream(messages=ASK, **options)]


@pytest.mark.parametrize(
    "failure",
    [
        BUSY,
        LIMITED,
        Reply(b"<html>Bad Gateway</html>", 502, "text/html"),
        Reply(b"", cut=True),
        Reply(b'data: {"type":"error","error":{"message":"busy (2064) (529)"}}\n\n'),
        Reply(b""),
    ],
    ids=["529", "1002 as json", "502 html", "cut", "error event", "empty"],
)
async def test_a_failure_before_the_first_event_is_retried(failure: Reply) -> None:
    async with scripted(failure, GOOD) as server:
        assert await ask(server.url) == ANSWER
        assert len(server.requests) == 2


async def test_a_request_is_given_up_after_two_retries() -> None:
    async with scripted(BUSY) as server:
        with pytest.raises(ProviderUnavailable) as caught:
            await ask(server.url)
        assert caught.value.trace_id == "r1"
        assert len(server.requests) == 3


@pytest.mark.parametrize("refusal", [BUSY, LIMITED], ids=["529", "1002"])
async def test_what_may_be_in_vain_is_not_asked_again_when_it_is_refused(refusal: Reply) -> None:
    async with scripted(refusal, GOOD) as server:
        with pytest.raises(ProviderError):
            await ask(server.url, retry_refused=False)
        assert len(server.requests) == 1
    lost = Reply(b"", cut=True)
    async with scripted(lost, GOOD) as server:
        assert await ask(server.url, retry_refused=False) == ANSWER
    async with scripted(lost, lost, GOOD) as server:
        with pytest.raises(ProviderError):
            await ask(server.url, retry_refused=False)
        assert len(server.requests) == 2


async def test_retries_stay_within_the_timeout_of_the_first_event() -> None:
    async with scripted(LIMITED) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(server.url, first_timeout_s=0.3)
        assert caught.value.code == "rate_limit_exceeded"
        assert len(server.requests) == 1


async def test_a_refusal_is_not_retried() -> None:
    body = b'{"type":"error","error":{"message":"invalid params, unknown model (2013)"}}'
    async with scripted(Reply(body, 400, "application/json")) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(server.url)
        assert caught.value.code == "upstream_rejected"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        Reply(content_event("Hello"), cut=True),
        Reply(content_event("Hello")),
        Reply(content_event("Hello") + b'data: {"base_resp":{"status_code":1000}}\n\n'),
    ],
    ids=["cut", "no end", "error event"],
)
async def test_a_failure_after_the_first_event_is_not_retried(failure: Reply) -> None:
    async with scripted(failure, GOOD) as server, MiniMax("k", server.url) as mm:
        events = mm.chat.stream(messages=ASK)
        assert await anext(events) == TextDelta("Hello")
        with pytest.raises(ProviderUnavailable):
            await anext(events)
        assert len([path for path, _ in server.requests if path.endswith("completions")]) == 1


async def test_a_server_that_never_answers_times_out() -> None:
    async with scripted(Reply(b": keep-alive\n\n", hold=True)) as server:
        with pytest.raises(ProviderTimeout, match="did not begin"):
            await ask(server.url, first_timeout_s=0.2)


async def test_a_silent_gap_times_out() -> None:
    async with scripted(Reply(content_event("Hello"), hold=True)) as server:
        with pytest.raises(ProviderTimeout, match="mid-answer"):
            await ask(server.url, gap_timeout_s=0.2)


async def test_a_slow_consumer_causes_no_timeout() -> None:
    async with scripted(GOOD) as server, MiniMax("k", server.url) as mm:
        received = []
        async for event in mm.chat.stream(messages=ASK, first_timeout_s=5, gap_timeout_s=0.2):
            received.append(event)
            await asyncio.sleep(0.25)
        assert received == ANSWER


async def test_a_json_body_instead_of_a_stream_is_an_answer() -> None:
    body = (
        b'{"choices":[{"finish_reason":"stop","message":{"content":"Hello!"}}],"base_resp":{"status_code":0}}'
    )
    async with scripted(Reply(body, 200, "application/json")) as server:
        assert await ask(server.url) == [TextDelta("Hello!"), ChatFinish("stop")]


async def test_a_missing_done_is_no_error_after_a_finish_reason() -> None:
    async with scripted(Reply(content_event("Hello") + content_event("!", "stop"))) as server:
        assert await ask(server.url) == ANSWER


async def test_blocked_output_before_any_text_is_a_finish_reason() -> None:
    body = b'{"type":"error","error":{"message":"output sensitive (1027)"}}'
    async with scripted(Reply(body, 422, "application/json")) as server:
        assert await ask(server.url) == [ChatFinish("content_filter")]


async def test_an_unreachable_host_is_named() -> None:
    with pytest.raises(ProviderUnavailable, match=r"http://127\.0\.0\.1:9"):
        await ask("http://127.0.0.1:9")


async def test_the_address_follows_the_model_or_the_argument() -> None:
    async with scripted(GOOD) as server:
        for options in ({}, {"model": "M2-her"}, {"endpoint": Endpoint.NATIVE}):
            await ask(server.url + "/v1", **options)
        assert [path for path, _ in server.requests] == [
            "/v1/chat/completions", "/v1/text/chatcompletion_v2", "/v1/text/chatcompletion_v2",
        ]  # fmt: skip
        assert all(headers["Authorization"] == "Bearer key-1" for headers in server.headers)


async def test_the_group_is_sent_only_when_given() -> None:
    async with scripted(GOOD) as server, MiniMax("k", server.url, group_id="g7") as mm:
        async for _ in mm.chat.stream(messages=ASK):
            pass
        assert server.requests[0][0] == "/v1/chat/completions?GroupId=g7"


async def test_a_prewarmed_chat_serves_dropped_requests_in_a_row_without_a_handshake() -> None:
    """A dropped request closes its connection; the next request must not wait for a new one."""
    models, endless = Reply(b"{}", 200, "application/json"), Reply(content_event("Hello"), hold=True)
    async with scripted(endless, gets=models) as server, MiniMax("k", server.url) as mm:
        await mm.chat.prewarm()
        assert len(set(server.peers)) == 5
        for _ in range(4):
            events = mm.chat.stream(messages=ASK)
            assert await anext(events) == TextDelta("Hello")
            await events.aclose()
        asked = [at for at, (path, _) in enumerate(server.requests) if path == "/v1/chat/completions"]
        assert len({server.peers[at] for at in asked}) == len(asked) == 4
        assert all(server.peers[at] in server.peers[:at] for at in asked), "one waited for a handshake"
        await until(lambda: len(set(server.peers)) >= 8)  # now all of them have been replaced
        await until(lambda: mm.chat._http.idle_connections() >= 4)


async def test_a_chat_without_prewarm_opens_no_spares() -> None:
    endless = Reply(content_event("Hello"), hold=True)
    async with scripted(endless) as server, MiniMax("k", server.url) as mm:
        events = mm.chat.stream(messages=ASK)
        assert await anext(events) == TextDelta("Hello")
        await events.aclose()
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1


async def test_prewarm_opens_its_connections_once_and_never_raises() -> None:
    models = Reply(b"{}", 200, "application/json")
    async with scripted(models) as server, MiniMax("k", server.url) as mm:
        await asyncio.gather(mm.chat.prewarm(), mm.chat.prewarm())
        await mm.chat.prewarm()
        assert len(server.requests) == 5
    async with MiniMax("k", "http://127.0.0.1:9") as unreachable:
        await unreachable.chat.prewarm()


def test_the_key_is_never_shown() -> None:
    with pytest.raises(ConfigError, match="MINIMAX_API_KEY"):
        MiniMax("")
    mm = MiniMax.from_env({"MINIMAX_API_KEY": "sk-secret", "MINIMAX_BASE_URL": "https://api.minimax.io/v1"})
    shown = f"{mm!r} {mm.chat!r} {mm.speech!r} {mm.chat._http!r}"
    assert "sk-secret" not in shown
    assert mm.speech.hosts == ("https://api-uw.minimax.io", "https://api.minimax.io")


@pytest.mark.parametrize(
    ("base", "hosts"),
    [
        ("https://api.minimaxi.com", ("https://api-bj.minimaxi.com", "https://api.minimaxi.com")),
        ("https://api.minimax.cn/", ("https://api-bj.minimaxi.com", "https://api.minimax.cn")),
        ("https://api.minimax.io", ("https://api-uw.minimax.io", "https://api.minimax.io")),
        ("http://127.0.0.1:8100", ("http://127.0.0.1:8100",)),
    ],
)
def test_speech_hosts_never_cross_the_region(base: str, hosts: tuple[str, ...]) -> None:
    assert MiniMax("k", base).speech.hosts == hosts


def test_given_speech_hosts_win() -> None:
    assert MiniMax("k", speech_urls=("http://a/", "http://b/v1")).speech.hosts == ("http://a", "http://b")
