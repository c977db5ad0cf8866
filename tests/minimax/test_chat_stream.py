"""From stream events to typed deltas, with every oddity of the platform."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, TextDelta, ToolCallDelta
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.chat_stream import ChatDecoder


def delta_event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> str:
    choice: dict[str, Any] = {
        "index": 0,
        "delta": {"role": "assistant", "audio_content": "", **(delta or {})},
    }
    if finish:
        choice["finish_reason"] = finish
    return msgspec.json.encode({"choices": [choice], "usage": None, **more}).decode()


def usage(**counts: Any) -> str:
    return msgspec.json.encode({"choices": [], "usage": counts}).decode()


def run(*payloads: str, **options: Any) -> list[ChatEvent]:
    decoder = ChatDecoder(new_id=lambda: "call_new", **options)
    return [event for payload in payloads for event in decoder.feed(payload)]


def text_of(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def finish_of(events: list[ChatEvent]) -> ChatFinish:
    (finish,) = [event for event in events if isinstance(event, ChatFinish)]
    return finish


def test_the_delta_with_the_finish_reason_carries_text() -> None:
    events = run(delta_event({"content": "Hello"}), delta_event({"content": "! Bye."}, "stop"))
    assert events == [TextDelta("Hello"), TextDelta("! Bye."), ChatFinish("stop")]


def test_usage_comes_last_and_is_clamped() -> None:
    counts = usage(
        total_tokens=70, prompt_tokens=40, completion_tokens=28,
        completion_tokens_details={"reasoning_tokens": 30}, prompt_tokens_details={"cached_tokens": 8},
    )  # fmt: skip
    events = run(delta_event({"content": "Hi"}, "stop"), counts)
    assert events[-1] == ChatUsage(40, 28, cached_tokens=8, reasoning_tokens=28)


def test_empty_usage_of_old_models_is_ignored() -> None:
    events = run(delta_event({"content": "Hi"}, usage={"total_tokens": 0, "total_characters": 0}))
    assert events == [TextDelta("Hi")]


def test_the_repeated_whole_answer_is_ignored_but_its_usage_counts() -> None:
    whole = {
        "object": "chat.completion",
        "choices": [{"finish_reason": "stop", "message": {"content": "Hello!"}}],
        "usage": {"total_tokens": 7, "prompt_tokens": 4, "completion_tokens": 3},
        "base_resp": {"status_code": 0},
    }
    events = run(
        delta_event({"content": "Hello!"}), delta_event({}, "stop"), msgspec.json.encode(whole).decode()
    )
    assert events == [TextDelta("Hello!"), ChatFinish("stop"), ChatUsage(4, 3)]


def detail(text: str) -> dict[str, Any]:
    item = {"type": "reasoning.text", "id": "reasoning-text-1", "format": "MiniMax-response-v1", "index": 0}
    return {"reasoning_content": text, "reasoning_details": [{**item, "text": text}]}


def test_split_thinking_is_kept_for_the_tool_loop_and_never_visible() -> None:
    events = run(
        delta_event(detail("The")),
        delta_event(detail(" user greets\n</th")),
        delta_event(detail("ink>")),
        delta_event({"content": "Hi"}, "stop"),
    )
    assert text_of(events) == "Hi"
    reasoning = finish_of(events).reasoning
    assert reasoning["reasoning_content"] == "The user greets"
    assert reasoning["reasoning_details"] == [detail("The user greets")["reasoning_details"][0]]


def test_mirrored_thinking_is_not_visible_and_not_doubled() -> None:
    events = run(
        delta_event({"content": "<think>\nThe us", **detail("\nThe us")}),
        delta_event({"content": "er asks.", **detail("er asks.")}),
        delta_event({"content": "</think>\n\nFive"}),
        delta_event({"content": "."}, "stop"),
    )
    assert text_of(events) == "Five."
    assert finish_of(events).reasoning["reasoning_content"] == "\nThe user asks."


def test_mirrored_thinking_without_tags_is_not_visible() -> None:
    events = run(
        delta_event({"content": "I wonder", **detail("I wonder")}), delta_event({"content": "Five."}, "stop")
    )
    assert text_of(events) == "Five."


def test_cumulative_reasoning_is_collapsed() -> None:
    events = run(
        delta_event(detail("The user")),
        delta_event(detail("The user greets")),
        delta_event(detail("The user greets me.")),
        delta_event({}, "stop"),
    )
    assert finish_of(events).reasoning["reasoning_content"] == "The user greets me."


def test_cumulative_content_is_collapsed() -> None:
    events = run(
        delta_event({"content": "Hello there"}),
        delta_event({"content": "Hello there, friend."}),
        delta_event({}, "stop"),
    )
    assert text_of(events) == "Hello there, friend."


def test_thinking_in_content_is_returned_in_the_same_form() -> None:
    events = run(delta_event({"content": "<think>hm</think>\n\nFive"}, "stop"))
    assert text_of(events) == "Five"
    assert finish_of(events).reasoning == {"think": "hm"}


def test_unclosed_thinking_is_an_empty_answer() -> None:
    events = run(delta_event({"content": "<think>\nLet me"}, "length"))
    assert text_of(events) == ""
    assert finish_of(events).reason == "length"


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": more.pop("name")} if "name" in more else {})
    return {"content": "", "tool_calls": [{"type": "function", "function": function, **more}]}


def test_a_call_in_several_deltas() -> None:
    events = run(
        delta_event(call('{"city": "', id="c1", name="get_weather", index=0)),
        delta_event(call('Paris"}', index=0)),
        delta_event({}, "tool_calls"),
    )
    assert events == [
        ToolCallDelta(0, "c1", "get_weather", '{"city": "'),
        ToolCallDelta(0, "", "", 'Paris"}'),
        ChatFinish("tool_calls"),
    ]


def test_deltas_without_index_and_with_an_empty_id_belong_to_the_last_call() -> None:
    events = run(
        delta_event(call("{", id="c1", name="a")), delta_event(call("}", id="")),
        delta_event(call("{", id="c2", name="b")), delta_event(call("}")), delta_event({}, "tool_calls"),
    )  # fmt: skip
    assert [(e.index, e.call_id, e.arguments) for e in events if isinstance(e, ToolCallDelta)] == [
        (0, "c1", "{"), (0, "", "}"), (1, "c2", "{"), (1, "", "}"),
    ]  # fmt: skip


def test_a_new_id_under_an_old_index_is_a_new_call() -> None:
    events = run(
        delta_event(call("{}", id="c1", name="a", index=0)),
        delta_event(call("{}", id="c2", name="b", index=0)),
    )
    assert [(e.index, e.call_id) for e in events if isinstance(e, ToolCallDelta)] == [(0, "c1"), (1, "c2")]


def test_a_call_without_arguments_or_id_becomes_a_whole_one() -> None:
    events = run(delta_event(call("", name="now", index=0)), delta_event({}, "stop"))
    assert events == [
        ToolCallDelta(0, "call_new", "now", ""),
        ToolCallDelta(0, "", "", "{}"),
        ChatFinish("tool_calls"),
    ]


def test_arguments_as_an_object_become_text() -> None:
    (event,) = run(delta_event(call({"a": 1}, id="c", name="n", index=0)))
    assert event == ToolCallDelta(0, "c", "n", '{"a":1}')


def test_without_parallel_calls_only_the_first_one_counts() -> None:
    events = run(
        delta_event(call("{}", id="c1", name="a", index=0)),
        delta_event(call("{}", id="c2", name="b", index=1)),
        max_calls=1,
    )
    assert [e.call_id for e in events if isinstance(e, ToolCallDelta)] == ["c1"]


def test_an_error_event_raises_with_its_code() -> None:
    with pytest.raises(ProviderError) as caught:
        run(delta_event({"content": "Hi"}), '{"base_resp":{"status_code":1002,"status_msg":"slow down"}}')
    assert caught.value.upstream_code == 1002
    with pytest.raises(ProviderUnavailable):
        run('{"type":"error","error":{"type":"overloaded_error","message":"busy (2064) (529)"}}')


def test_blocked_output_is_a_finish_reason() -> None:
    events = run(
        delta_event({"content": "Hi"}), '{"base_resp":{"status_code":1027,"status_msg":"output sensitive"}}'
    )
    assert finish_of(events).reason == "content_filter"


def test_an_answer_of_broken_json_alone_is_an_upstream_error() -> None:
    decoder = ChatDecoder()
    assert decoder.feed('{"choices":') == []
    with pytest.raises(ProviderUnavailable):
        decoder.end()


@pytest.mark.parametrize(
    "payload", ["{}", "[]", "1", '{"choices":null}', '{"choices":[null]}', '{"choices":[{"delta":null}]}']
)
def test_empty_payloads_give_no_events(payload: str) -> None:
    assert run(payload) == []


def test_a_whole_answer_instead_of_a_stream() -> None:
    body = {
        "choices": [{"finish_reason": "stop", "message": {"content": "<think>x</think>\n\nHello!"}}],
        "usage": {"total_tokens": 7, "prompt_tokens": 4, "completion_tokens": 3},
    }
    events = ChatDecoder().feed_whole(msgspec.json.encode(body))
    assert events == [TextDelta("Hello!"), ChatFinish("stop", {"think": "x"}), ChatUsage(4, 3)]


def test_a_body_without_an_answer_is_an_error() -> None:
    with pytest.raises(ProviderUnavailable):
        ChatDecoder().feed_whole(b'{"base_resp":{"status_code":0}}')
