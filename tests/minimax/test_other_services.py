"""Streams and refusals of services that are not the platform: what is right is spoken, what is wrong says what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.core.messages import TextDelta, ToolCallDelta
from realtime.errors import ProviderError
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.errors import error_for_status, error_from_response, plain_text
from realtime.minimax.retry_after import asked_wait_s, with_wait
from realtime.minimax.sse import SseDecoder, is_done

SCHEMAS = {
    "get_weather": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "now": {"type": "object", "properties": {}},
}
FINISH = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def content(text: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def call(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": [fields]}}]}


def read(*payloads: Any, whole: bool = False) -> tuple[str, list[tuple[str, Any]]]:
    """The text and the calls of these events, or of one body."""
    decoder = ChatDecoder(schemas=SCHEMAS)
    texts = [one if isinstance(one, str) else json.dumps(one) for one in payloads]
    if whole:
        events = decoder.feed_whole(texts[0].encode())
    else:
        events = [event for text in texts for event in decoder.feed(text)] + decoder.end()
    calls: list[list[str]] = []
    for event in events:
        if isinstance(event, ToolCallDelta):
            if event.index == len(calls):
                calls.append([event.name, ""])
            calls[-1][1] += event.arguments
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    return said, [(name, json.loads(arguments)) for name, arguments in calls]


# -- lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(cuts=st.lists(st.integers(0, 120), max_size=20))
def test_every_line_end_counts_wherever_the_stream_is_cut(end: str, cuts: list[int]) -> None:
    body = end.join(
        ["data: eins", "", ": ping", "event: x", "data:zwei", "data: drei", "", "data: vier", "", ""]
    ).encode()
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    decoder = SseDecoder()
    found = [one for begin, stop in pairwise(places) for one in decoder.feed(body[begin:stop])]
    assert found + decoder.finish() == ["eins", "zwei\ndrei", "vier"]


@pytest.mark.parametrize("line", ["data: data: x", " data: x", "\tdata:x", "data:data:data: x"])
def test_a_field_name_that_a_gateway_doubled_or_indented(line: str) -> None:
    assert SseDecoder().feed(f"data: first\n\n{line}\n\n".encode()) == ["first", "x"]


@pytest.mark.parametrize("payload", ["[DONE]", " [done] ", '"[DONE]"', "DONE", '{"a":1}\n[DONE]'])
def test_the_end_is_known_in_every_writing(payload: str) -> None:
    assert is_done(payload)


@pytest.mark.parametrize("payload", ['{"content":"[DONE]"}', "[DONE] {}", "it is done", "UNDONE", ""])
def test_what_only_speaks_of_the_end_is_none(payload: str) -> None:
    assert not is_done(payload)


@pytest.mark.parametrize(
    "lines",
    [
        'event: error\ndata: {"message":"bad"}',
        "event: error\ndata: bad",
        'error: {"message":"bad","code":500}',
    ],
)
def test_an_event_that_is_an_error_by_its_name(lines: str) -> None:
    (payload,) = SseDecoder().feed(f": x\n{lines}\n\n".encode())
    with pytest.raises(ProviderError, match="bad"):
        read(payload)


# -- shapes


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([{"choices": [{"text": "Good"}]}, {"choices": [{"text": " day."}]}], "Good day."),
        ([{"choices": {"index": 0, "delta": {"content": "Good day."}}}], "Good day."),
        ([content([{"type": "text", "text": {"value": "Good day."}}])], "Good day."),
        ([{"choices": [{"delta": {"refusal": "I can not."}}]}], "I can not."),
        (['{"choices":[{"delta":{"content":"Good"}}]}{"choices":[{"delta":{"content":" day."}}]}'], "Good day."),
        (
            [
                content("Good"),
                {"choices": [{"index": 1, "delta": {"content": "Other"}}, {"index": 0, "delta": {"content": " day."}}]},
                {"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]},
                content(" Bye."),
            ],
            "Good day. Bye.",
        ),
    ],
)  # fmt: skip
def test_a_text_in_another_place_is_read(events: list[Any], said: str) -> None:
    assert read(*events, FINISH) == (said, [])


@pytest.mark.parametrize("join", ["\n", "\r\n", ""])
def test_all_events_in_one_body(join: str) -> None:
    events = [json.dumps(one) for one in (content("Good"), content(" day."), FINISH)]
    assert read(join.join(events), whole=True) == ("Good day.", [])
    assert read(f"[{','.join(events)}]", whole=True) == ("Good day.", [])


@pytest.mark.parametrize(
    "events",
    [
        [call(index=0, id="a", function={"name": "get_"}), call(index=0, function={"name": "weather", "arguments": '{"city":"Rom"}'})],
        [call(index=0, id="a", name="get_weather", arguments='{"city":"Rom"}')],
        [call(index=0, id="a", function={"name": "get_weather", "arguments": json.dumps('{"city":"Rom"}')})],
        [content([{"type": "tool_use", "id": "a", "name": "get_weather", "input": {"city": "Rom"}}])],
    ],
)  # fmt: skip
def test_a_call_in_another_shape_is_read(events: list[Any]) -> None:
    assert read(*events, FINISH) == ("", [("get_weather", {"city": "Rom"})])


@pytest.mark.parametrize(("opening", "closing"), [
    ("<thought>", "</thought>"), ("<reasoning>", "</reasoning>\n"), ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"), ("<|channel>thought\n", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
])  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_thinking_of_other_models_is_not_said(opening: str, closing: str, size: int) -> None:
    text = f"{opening}He greets <b>.{closing}Good day."
    pieces = [content(text[at : at + size]) for at in range(0, len(text), size)]
    assert read(*pieces, FINISH) == ("Good day.", [])


@pytest.mark.parametrize(
    "token", ["<|im_end|>", "</s>", "<|eot_id|>", "[e~[", "<end_of_turn>\n", "</s></s>", " <|end|>"]
)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_the_token_at_the_end_is_not_said(token: str, size: int) -> None:
    text = "Good day. 2 < 3" + token
    assert (
        read(*(content(text[at : at + size]) for at in range(0, len(text), size)), FINISH)[0].strip()
        == "Good day. 2 < 3"
    )


@pytest.mark.parametrize(
    "text", ["It is </s> here.", "<s>old</s>", "`<|im_end|>`", "a <", "x [e", "<|im_end|> ends it."]
)
def test_a_text_about_such_a_token_stays(text: str) -> None:
    assert read(*(content(letter) for letter in text), FINISH)[0] == text


@example([" ", "</s>"], 1)
@given(
    st.lists(st.sampled_from(["a", " ", "<", "</s>", "<|im_", "end|>", "[", "e~[", "."]), max_size=12),
    st.integers(1, 9),
)
def test_the_cuts_of_an_ending_do_not_matter(pieces: list[str], size: int) -> None:
    text = "x" + "".join(pieces)
    assert read(*(content(text[at : at + size]) for at in range(0, len(text), size)), FINISH) == read(
        content(text), FINISH
    )


# -- errors


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"object": "error", "message": "CUDA is full", "code": 500}, "CUDA is full"),
        ({"detail": "no such lane"}, "no such lane"),
        ({"detail": [{"loc": ["body", "n"], "msg": "field required"}]}, "body.n: field required"),
        ({"errors": [{"message": "quota gone"}]}, "quota gone"),
        ({"error_code": 336003, "error_msg": "prompt bad"}, "prompt bad"),
        ({"code": "Throttling", "message": "too fast"}, "too fast"),
        (
            {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "gone"}}]},
            "gone",
        ),
        ({"choices": [{"delta": {}, "finish_reason": "error"}]}, "with an error"),
    ],
)
def test_an_error_without_an_envelope_is_told(event: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        read(content("Good"), event)
    if "choices" not in event:
        refused = error_from_response(400, json.dumps(event).encode())
        assert refused is not None
        assert says in refused.message


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "37"}, 37.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "Thu, 01 Jan 2026 12:01:35 GMT"}, 95.0),
        ({"Retry-After": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "99999999"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert asked_wait_s(headers, NOON) == wait_s


@given(st.text(max_size=40))
def test_any_header_is_a_time_or_none(text: str) -> None:
    wait_s = asked_wait_s({"Retry-After": text}, NOON)
    assert wait_s is None or 0 <= wait_s <= 86_400


def test_the_message_says_the_time_that_was_asked_for() -> None:
    error = with_wait(error_for_status(429, "slow down"), 36.2)
    assert str(error) == (
        "MiniMax: too many requests a minute (HTTP 429). Try again in about 37 s. It said: slow down"
    )
    assert (error.retry_after_s, error.wait_is_asked) == (36.2, True)


def test_a_page_is_told_as_it_is_seen() -> None:
    page = "<style>b{}</style><script>var a = '<p>';</script><!-- x --><p>It&#39;s down &amp; out</p>"
    assert plain_text(page) == "It's down & out"
