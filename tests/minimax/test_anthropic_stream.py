"""Events and whole answers of the Anthropic dialect become the chat events of every dialect."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, TextDelta, ToolCallDelta
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.anthropic_stream import AnthropicDecoder
from realtime.minimax.sse import SseDecoder

SIGNATURE = "ab" * 32
START = {
    "type": "message_start",
    "message": {
        "id": "0f1a", "type": "message", "role": "assistant", "model": "MiniMax-M2.7", "content": [],
        "stop_reason": None, "usage": {"input_tokens": 40, "output_tokens": 0, "cache_read_input_tokens": 8},
    },
}  # fmt: skip
STOP = {"type": "message_stop"}


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **fields: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str = "end_turn", **usage: int) -> dict[str, Any]:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": usage or {"output_tokens": 30},
    }


THOUGHT = [
    start(0, type="thinking", thinking="", signature=""),
    delta(0, "thinking_delta", thinking="A greet"),
    delta(0, "thinking_delta", thinking="ing."),
    delta(0, "signature_delta", signature=SIGNATURE),
    stop(0),
]
BLOCK = {"type": "thinking", "thinking": "A greeting.", "signature": SIGNATURE}


def run(*events: dict[str, Any], **options: Any) -> list[ChatEvent]:
    decoder = AnthropicDecoder(**options)
    return [one for event in events for one in decoder.feed(msgspec.json.encode(event))]


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
        for event in events
    )


def test_a_whole_stream_of_thinking_and_text() -> None:
    events = run(
        START, *THOUGHT, start(1, type="text", text=""), delta(1, "text_delta", text="\n\n"),
        delta(1, "text_delta", text="Hel"), delta(1, "text_delta", text="lo!"), stop(1), end(), STOP,
    )  # fmt: skip
    assert events == [
        TextDelta("Hel"),
        TextDelta("lo!"),
        ChatFinish("stop", {"blocks": [BLOCK]}),
        ChatUsage(48, 30, cached_tokens=8),
    ]


def test_tool_calls_are_announced_and_streamed() -> None:
    events = run(
        START, start(0, type="text", text="Wait."), stop(0),
        start(1, type="tool_use", id="c_1", name="a", input={}), delta(1, "input_json_delta", partial_json='{"x":'),
        delta(1, "input_json_delta", partial_json=" 1}"), stop(1),
        start(2, type="tool_use", id="c_2", name="b", input={}), stop(2), end("tool_use"), STOP,
    )  # fmt: skip
    assert events == [
        TextDelta("Wait."),
        ToolCallDelta(0, "c_1", "a", ""),
        ToolCallDelta(0, "", "", '{"x":'),
        ToolCallDelta(0, "", "", " 1}"),
        ToolCallDelta(1, "c_2", "b", ""),
        ToolCallDelta(1, "", "", "{}"),
        ChatFinish("tool_calls"),
        ChatUsage(48, 30, cached_tokens=8),
    ]


def test_a_call_may_have_its_arguments_at_its_start() -> None:
    events = run(start(0, type="tool_use", id="c", name="a", input={"x": 1}), stop(0), end("tool_use"))
    assert events[1] == ToolCallDelta(0, "", "", '{"x":1}')


def test_only_one_call_where_only_one_is_wanted() -> None:
    events = run(
        start(0, type="tool_use", id="c_1", name="a", input={}), stop(0),
        start(1, type="tool_use", id="c_2", name="b", input={}), delta(1, "input_json_delta", partial_json="{}"),
        stop(1), end("tool_use"), max_calls=1,
    )  # fmt: skip
    assert [event for event in events if isinstance(event, ToolCallDelta)] == [
        ToolCallDelta(0, "c_1", "a", ""),
        ToolCallDelta(0, "", "", "{}"),
    ]


def test_a_think_tag_in_a_text_block_is_not_visible() -> None:
    events = run(
        start(0, type="text", text=""), delta(0, "text_delta", text="<thi"),
        delta(0, "text_delta", text="nk>secret</think>\n\nHi <"), stop(0), end(), STOP,
    )  # fmt: skip
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hi <"
    assert ChatFinish("stop", {"think": "secret"}) in events


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("refusal", "content_filter"),
        ("a_new_word", "stop"),
    ],
)  # fmt: skip
def test_stop_reasons(reason: str, finish: str) -> None:
    assert ChatFinish(finish) in run(end(reason))  # type: ignore[arg-type]


def test_the_last_usage_counts() -> None:
    counts = {
        "input_tokens": 7,
        "output_tokens": 3,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 0,
    }
    assert run(START, end(**counts))[-1] == ChatUsage(20, 3, cached_tokens=8)


def test_unknown_events_blocks_and_deltas_do_no_harm() -> None:
    events = run(
        {"type": "new_event"}, start(0, type="new_block"), delta(0, "new_delta", text="x"), stop(0),
        {"type": "content_block_delta"}, {"no": "type"}, end(),
    )  # fmt: skip
    assert events[0] == ChatFinish("stop")


def test_started_finished_and_complete_are_told_apart() -> None:
    decoder = AnthropicDecoder()
    seen = []
    for event in (START, THOUGHT[0], end(), STOP):
        decoder.feed(msgspec.json.encode(event))
        seen.append((decoder.started, decoder.finished, decoder.complete))
    assert seen == [
        (False, False, False), (True, False, False), (True, True, False), (True, True, True),
    ]  # fmt: skip


def test_a_missing_stop_reason_is_added_once() -> None:
    assert run(STOP) == [ChatFinish("stop")]
    decoder = AnthropicDecoder()
    decoder.feed(msgspec.json.encode(end()))
    assert decoder.end() == []


@pytest.mark.parametrize("enveloped", [True, False])
def test_an_error_event_is_raised(enveloped: bool) -> None:
    inner = {"type": "overloaded_error", "message": "busy (2064) (529)"}
    with pytest.raises(ProviderUnavailable) as caught:
        run(START, {"type": "error", "error": inner, "request_id": "r1"} if enveloped else inner)
    assert caught.value.upstream_code == 2064


def test_blocked_output_ends_the_answer() -> None:
    inner = {"type": "invalid_request_error", "message": "output sensitive (1027)"}
    events = run(start(0, type="text", text="Well"), {"type": "error", "error": inner})
    assert events == [TextDelta("Well"), ChatFinish("content_filter")]


def test_an_answer_of_broken_json_alone_is_an_error() -> None:
    decoder = AnthropicDecoder()
    assert decoder.feed(b"{") == []
    with pytest.raises(ProviderUnavailable):
        decoder.end()


# docs/minimax/anthropic.md 2
WHOLE = {
    "id": "0f1a", "type": "message", "role": "assistant", "model": "MiniMax-M2.7",
    "content": [BLOCK, {"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn", "stop_sequence": None,
    "usage": {
        "input_tokens": 40, "output_tokens": 30, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "service_tier": "standard",
    },
    "base_resp": {"status_code": 0, "status_msg": ""},
}  # fmt: skip


def test_the_documented_answer_is_decoded() -> None:
    assert AnthropicDecoder().feed_whole(msgspec.json.encode(WHOLE)) == [
        TextDelta("Hello!"),
        ChatFinish("stop", {"blocks": [BLOCK]}),
        ChatUsage(40, 30),
    ]


def test_a_whole_answer_without_content_is_an_error() -> None:
    with pytest.raises(ProviderError):
        AnthropicDecoder().feed_whole(b'{"type":"message","id":"x"}')


def test_pings_are_no_events() -> None:
    decoder = SseDecoder()
    stream = b'event: ping\ndata: {"type": "ping"}\n\n' + sse(STOP) + b"event: ping\ndata: {}\n\n"
    assert decoder.feed(stream) == [msgspec.json.encode(STOP).decode()]


@given(st.lists(st.sampled_from(["<think>", "</think>", "a", "\n", "<", "b c"])), st.data())
def test_cuts_do_not_change_the_text(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cut = data.draw(st.integers(0, len(text)))

    def spoken(*pieces: str) -> str:
        events = run(*(delta(0, "text_delta", text=piece) for piece in pieces), end())
        return "".join(event.text for event in events if isinstance(event, TextDelta))

    assert spoken(text[:cut], text[cut:]) == spoken(text)
