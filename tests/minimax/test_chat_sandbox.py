"""The chat client against the sandbox: every model and every fault."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.core.messages import (
    ChatEvent,
    ChatFinish,
    ChatMessage,
    ChatUsage,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
)
from realtime.errors import ConfigError, ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax import Endpoint, MiniMax
from realtime.sandbox.faults import FORMS
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

QUESTION = (ChatMessage("user", "What is two plus three?"),)
WEATHER = Tool(
    "get_weather", "The weather in a city", {"type": "object", "properties": {"city": {"type": "string"}}}
)
PARIS = (ChatMessage("user", "What's the weather in Paris?"),)
FAST = ("http.error_ms=0", "chat.first_ms=5", "chat.chunk_ms=5", "chat.tps=2000", "chat.plain_tps=2000")


async def ask(*faults: str, key: str = "k", sets: tuple[str, ...] = (), **options: Any) -> list[ChatEvent]:
    options.setdefault("messages", QUESTION)
    sandbox_options = SandboxOptions.parse(sets=FAST + sets, faults=faults)
    async with Sandbox(sandbox_options) as sandbox, MiniMax(key, sandbox.url) as mm:
        return [event async for event in mm.chat.stream(**options)]


def text_of(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def finish_of(events: list[ChatEvent]) -> ChatFinish:
    (finish,) = [event for event in events if isinstance(event, ChatFinish)]
    return finish


async def test_a_client_from_the_environment_needs_no_key_for_the_sandbox() -> None:
    async with (
        Sandbox(SandboxOptions.parse(sets=FAST)) as sandbox,
        MiniMax.from_env({"MINIMAX_BASE_URL": sandbox.url}) as mm,
    ):
        events = [event async for event in mm.chat.stream(messages=QUESTION)]
    assert "five" in text_of(events)


@pytest.mark.parametrize("environ", [{}, {"MINIMAX_BASE_URL": "https://api.minimax.io"}])
def test_a_client_from_the_environment_needs_a_key_for_the_platform(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="set MINIMAX_API_KEY"):
        MiniMax.from_env(environ)


@pytest.mark.parametrize(
    "options",
    [
        {"model": "MiniMax-M3"}, {"model": "MiniMax-M3", "reasoning_effort": "high"},
        {"model": "MiniMax-M3.1-Flash-Preview"}, {"model": "MiniMax-M2.7"}, {"model": "MiniMax-M2.5-highspeed"},
        {"model": "M2-her"}, {"model": "MiniMax-M1"}, {"model": "MiniMax-M3", "endpoint": Endpoint.NATIVE},
    ],
    ids=lambda options: "-".join(str(value) for value in options.values()),
)  # fmt: skip
async def test_every_model_answers_without_visible_thinking(options: dict[str, Any]) -> None:
    events = await ask(**options)
    assert "five" in text_of(events)
    assert "user" not in text_of(events)
    assert finish_of(events).reason == "stop"
    assert any(isinstance(event, ChatUsage) and event.output_tokens > 0 for event in events)


@pytest.mark.parametrize("fault", ["mirror", "stray_marker", "split_tags", "cumulative", "no_done"])
@pytest.mark.parametrize("model", ["MiniMax-M3", "MiniMax-M2.7"])
@pytest.mark.parametrize("split", [True, False])
async def test_oddities_do_not_change_the_answer(fault: str, model: str, split: bool) -> None:
    extra = {"reasoning_split": split, "thinking": {"type": "adaptive"}}
    clean = text_of(await ask(model=model))
    assert text_of(await ask(f"chat.{fault}", model=model, extra=extra)) == clean


async def test_early_words_cannot_happen_without_thinking() -> None:
    assert text_of(await ask("chat.early_words")) == text_of(await ask())


async def test_thinking_that_never_ends_is_not_shown() -> None:
    events = await ask("chat.only_thinking", model="MiniMax-M2.7")
    assert text_of(events) == ""
    assert finish_of(events).reason == "length"


async def test_an_empty_answer_stays_empty() -> None:
    events = await ask("chat.empty")
    assert text_of(events) == ""
    assert finish_of(events).reason == "stop"


@pytest.mark.parametrize("faults", [(), ("chat.missing_index",)])
@pytest.mark.parametrize("model", ["MiniMax-M3", "MiniMax-M2.7"])
async def test_a_tool_loop_on_both_kinds_of_models(faults: tuple[str, ...], model: str) -> None:
    asked = await ask(*faults, model=model, messages=PARIS, tools=(WEATHER,))
    deltas = [event for event in asked if isinstance(event, ToolCallDelta)]
    call = ToolCall(deltas[0].call_id, deltas[0].name, "".join(delta.arguments for delta in deltas))
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Paris"}')
    assert finish_of(asked).reason == "tool_calls"
    history = (
        *PARIS,
        ChatMessage("assistant", text_of(asked), tool_calls=(call,), reasoning=finish_of(asked).reasoning),
        ChatMessage("tool", '{"weather":"sunny"}', tool_call_id=call.call_id),
    )
    answer = await ask(model=model, messages=history, tools=(WEATHER,))
    assert finish_of(answer).reason == "stop"
    assert text_of(answer)


@pytest.mark.parametrize("endpoint", list(Endpoint))
@pytest.mark.parametrize(
    ("code", "wire"),
    [
        (1004, "invalid_api_key"), (1008, "insufficient_quota"), (1026, "content_filter"), (2013, "upstream_rejected"),
        (2049, "invalid_api_key"), (2056, "rate_limit_exceeded"), (2061, "upstream_rejected"),
    ],
)  # fmt: skip
async def test_refusals_are_raised_at_once_in_both_envelopes(
    endpoint: Endpoint, code: int, wire: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(f"chat.error={code}", endpoint=endpoint)
    assert (caught.value.code, caught.value.upstream_code) == (wire, code)
    assert not caught.value.retryable


@pytest.mark.parametrize("endpoint", list(Endpoint))
@pytest.mark.parametrize("code", [1000, 1002, 2064])
async def test_a_retryable_error_that_stays_is_raised(endpoint: Endpoint, code: int) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(f"chat.error={code}", endpoint=endpoint, first_timeout_s=20)
    assert caught.value.upstream_code == code
    assert caught.value.retryable


async def test_a_bad_key_is_named() -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(key="sk-bad")
    assert caught.value.code == "invalid_api_key"
    assert "sk-bad" not in str(caught.value)


async def test_a_long_conversation_is_named() -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(messages=(ChatMessage("user", "word " * 200),), sets=("chat.context_tokens=20",))
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize("code", [1000, 1002, 2064])
async def test_an_error_in_mid_answer_is_raised(code: int) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(f"chat.error_mid={code}")
    assert caught.value.upstream_code == code


async def test_blocked_output_in_mid_answer_is_a_finish_reason() -> None:
    events = await ask("chat.error_mid=1027")
    assert finish_of(events).reason == "content_filter"
    assert text_of(events)


async def test_a_stall_times_out() -> None:
    with pytest.raises(ProviderTimeout):
        await ask("chat.stall", first_timeout_s=0.3)
    with pytest.raises(ProviderTimeout):
        await ask("chat.stall_mid", gap_timeout_s=0.3)


async def test_a_cut_answer_is_raised() -> None:
    with pytest.raises(ProviderUnavailable):
        await ask("chat.drop_mid")


async def test_the_strict_temperature_range_is_respected() -> None:
    for temperature in (0.0, 0.5, 2.0):
        events = await ask(temperature=temperature, sets=("chat.strict_temperature=1",))
        assert "five" in text_of(events)


async def test_turns_share_one_connection_and_its_spares() -> None:
    async with Sandbox(SandboxOptions.parse(sets=FAST)) as sandbox, MiniMax("k", sandbox.url) as mm:
        await mm.chat.prewarm()
        for _ in range(3):
            async for _ in mm.chat.stream(messages=QUESTION):
                pass
            await mm.chat.prewarm()
        assert sandbox.state.http_connections_opened == 5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "options", [{}, {"dialect": "anthropic"}, {"model": "MiniMax-M2.7"}, {"endpoint": Endpoint.NATIVE}]
)
async def test_a_call_written_as_text_is_a_call(form: str, options: dict[str, Any]) -> None:
    events = await ask(f"chat.written_call={form}", messages=PARIS, tools=(WEATHER,), **options)
    (call,) = [event for event in events if isinstance(event, ToolCallDelta)]
    assert (call.name, call.arguments) == ("get_weather", '{"city":"Paris"}')
    assert call.call_id
    assert text_of(events).strip() == "One moment."
    assert finish_of(events).reason == "tool_calls"


@pytest.mark.parametrize("options", [{}, {"dialect": "anthropic"}, {"endpoint": Endpoint.NATIVE}])
async def test_a_sentence_can_come_before_a_call(options: dict[str, Any]) -> None:
    events = await ask("chat.words_before_calls", messages=PARIS, tools=(WEATHER,), **options)
    (call,) = [event for event in events if isinstance(event, ToolCallDelta) and event.name]
    assert call.name == "get_weather"
    assert text_of(events).strip().endswith("one moment please.")
    assert finish_of(events).reason == "tool_calls"


@pytest.mark.parametrize("endpoint", list(Endpoint))
async def test_a_damaged_event_and_a_split_emoji_cost_nothing(endpoint: Endpoint) -> None:
    events = await ask("chat.damaged", endpoint=endpoint)
    assert "five" in text_of(events)
    assert "😀" in text_of(events)
