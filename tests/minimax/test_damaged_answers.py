"""A damaged piece of an answer costs that piece at most; the rest arrives."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, TextDelta, ToolCallDelta
from realtime.errors import ProviderError
from realtime.minimax import sse
from realtime.minimax.anthropic_stream import AnthropicDecoder
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.damaged_text import ArgumentsText, PiecewiseText
from realtime.minimax.errors import error_from_response
from realtime.minimax.json_text import decode_json, decode_json_strictly
from realtime.minimax.sse import SseDecoder
from realtime.minimax.subtitle_lines import read_lines

HIGH, LOW = "\\ud83d", "\\ude00"  # the two halves of 😀, as JSON escapes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f'"a{HIGH}"', "a\ufffd"),
        (f'"{LOW}a"', "\ufffda"),
        (f'"{HIGH}{LOW}"', "😀"),
        (f'"{HIGH}{HIGH}{LOW}"', "\ufffd😀"),
        (f'"{LOW}{HIGH}"', "\ufffd\ufffd"),
        (f'{{"{HIGH}": ["{HIGH}"]}}', {"\ufffd": ["\ufffd"]}),
        ('"a\x01b\x00c\nd"', "a\x01b\x00c\nd"),
        (b'"a\xff\xf0\x9f"', "a\ufffd\ufffd"),
        ("[NaN, Infinity, -Infinity, 1e999]", [None, None, None, None]),
        ("9" * 5000, None),
        ('\ufeff{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
    ],
)
def test_damaged_json_loses_only_what_is_damaged(text: str | bytes, value: Any) -> None:
    assert decode_json(text) == value


@pytest.mark.parametrize(
    "text", ["", "{", "hello", '{"a": 1}x', "{'a': 1}", "[" * 100_000, b"\xff", '{"a": 1,}']
)
def test_what_is_no_json_is_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(text)


def test_what_goes_out_has_to_be_right() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json_strictly(f'"{HIGH}"')


def test_half_an_emoji_in_subtitles_is_replaced() -> None:
    (line,) = read_lines(
        b'[{"text":"Hi \\ud83d","time_begin":0,"time_end":1,"timestamped_words":[{"word":"\\ude00"}]}]'
    )
    assert (line.text, line.words[0].text) == ("Hi \ufffd", "\ufffd")


def test_half_an_emoji_in_an_error_is_replaced() -> None:
    error = error_from_response(400, b'{"error":{"message":"bad \\ud83d","type":"x"}}')
    assert error is not None
    assert "bad \ufffd" in error.message


# -- text in pieces


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields}]}


def content(text: str) -> str:
    """An event whose text may hold escapes, as they are."""
    return '{"choices":[{"index":0,"delta":{"content":"' + text + '"}}]}'


FINISH = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'


def run(*payloads: Any) -> list[ChatEvent]:
    decoder = ChatDecoder(new_id=lambda: "call_new")
    texts = [one if isinstance(one, str | bytes) else json.dumps(one) for one in payloads]
    return [event for text in texts for event in decoder.feed(text)] + decoder.end()


def text_of(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def calls_of(events: list[ChatEvent]) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each call, joined as a reader joins them: one call after the other."""
    calls: list[list[str]] = []
    for event in events:
        if isinstance(event, ToolCallDelta):
            if event.index == len(calls):
                calls.append([event.call_id, event.name, ""])
            assert event.index == len(calls) - 1, "calls do not mix"
            calls[-1][2] += event.arguments
    return [(call_id, name, arguments) for call_id, name, arguments in calls]


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["Hi " + HIGH, LOW + "!"], "Hi 😀!"),
        (["Hi " + HIGH, "!"], "Hi \ufffd!"),
        (["Hi " + HIGH], "Hi \ufffd"),
        ([LOW + " Hi"], "\ufffd Hi"),
        ([HIGH, HIGH, LOW], "\ufffd😀"),
        (["<think>" + HIGH, LOW + "</think>Hi"], "Hi"),
        (["a\\u0000b", "\\u0007c\\td\\n"], "abc\td\n"),
        (["a\x00b", "c\x1b[31m"], "abc[31m"),
        (["\\u007f", "x"], "x"),
        (["", "a"], "a"),
    ],
)
def test_text_with_damage(texts: list[str], whole: str) -> None:
    assert text_of(run(*map(content, texts), FINISH)) == whole


@given(st.text(max_size=30), st.lists(st.integers(0, 60), max_size=9))
def test_surrogates_are_joined_across_any_cut(text: str, cuts: list[int]) -> None:
    text = "".join(char for char in text if char >= " " and char != "\x7f")
    raw = text.encode("utf-16-le")
    halves = "".join(chr(int.from_bytes(raw[at : at + 2], "little")) for at in range(0, len(raw), 2))
    edges = [0, *sorted(at % (len(halves) + 1) for at in cuts), len(halves)]
    pieces = PiecewiseText()
    assert "".join(pieces.feed(halves[a:b]) for a, b in pairwise(edges)) + pieces.finish() == text


GOOD = [content("One "), content("two "), content("three.")]
DAMAGE = [
    "", "{", "not json", '{"choices":', "null", "[]", "5", '"x"', "{}", '{"choices":[]}', '{"choices":null}', '{"choices":[null]}',
    '{"choices":[{"delta":null}]}', '{"choices":[{"delta":{"content":null}}]}', '{"choices":[{"delta":{"content":7}}]}',
    '{"choices":[{"delta":{"tool_calls":null}}]}', '{"choices":[{"delta":{"tool_calls":[null]}}]}', '{"choices":"x"}',
    '{"choices":[{"delta":"x"}]}', '{"usage":"x"}', '{"usage":{"prompt_tokens":NaN}}', '{"choices":[{"finish_reason":""}]}',
    '{"choices":[{"delta":{"reasoning_content":5,"reasoning_details":"x"}}]}', '{"base_resp":null}', '{"error":null}',
    "\x00", "\ufffd", '{"a":"\x01"}', "{" * 2000, '{"choices":[{"delta":{"content":""}}]}',
]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(DAMAGE)), max_size=6))
def test_a_damaged_event_at_any_place_costs_nothing_else(places: list[tuple[int, str]]) -> None:
    events: list[str] = []
    for place in range(4):
        events += [damage for at, damage in places if at == place]
        events += GOOD[place : place + 1]
    answer = run(*events, FINISH)
    assert text_of(answer) == "One two three."
    assert answer[-1] == ChatFinish("stop")


@given(
    st.binary(max_size=40).filter(lambda raw: b"\n\n" not in raw and not raw.startswith((b"{", b"[", b"<")))
)
def test_any_bytes_between_two_events_cost_nothing_else(raw: bytes) -> None:
    decoder, chat = SseDecoder(skip_long=True), ChatDecoder()
    body = (
        b"data: "
        + content("One ").encode()
        + b"\n\ndata: "
        + raw
        + b"\n\ndata: "
        + content("two.").encode()
        + b"\n\n"
    )
    payloads = decoder.feed(body) + decoder.finish()
    assert text_of([event for payload in payloads for event in chat.feed(payload)] + chat.end()) == "One two."


@pytest.mark.parametrize(
    "body",
    [
        "data: A\n\n: comment\n\ndata: B\n\n",
        "event: message\nid: 3\nretry: 5\ndata: A\n\nevent: delta\ndata: B\n\n",
        "data:A\r\n\r\ndata:B\r\n\r\n",
        "data: A\ndata: B\n\n",  # the blank line is missing
        "data: A\n\n\n\n\ndata: B",
        "garbage\ndata: A\n\n: \nhello: 1\n\ndata: B\n\n",
        "data: A\n\ndata: " + "x" * 400 + "\n\ndata: B\n\n",
        "data: A\n\ndata: " + "x" * 100 + "\ndata: x" * 60 + "\n\ndata: B\n\n",
    ],
)
def test_event_streams_of_all_kinds(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 300)
    decoder, chat = SseDecoder(skip_long=True), ChatDecoder()
    raw = body.replace("A", content("One ")).replace("B", content("two.")).encode()
    payloads = [payload for byte in raw for payload in decoder.feed(bytes([byte]))] + decoder.finish()
    assert text_of([event for payload in payloads for event in chat.feed(payload)] + chat.end()) == "One two."


def test_one_event_over_several_data_lines() -> None:
    decoder = SseDecoder()
    pretty = json.dumps(delta(content="Hi"), indent=1)
    (payload,) = decoder.feed("".join(f"data: {line}\n" for line in pretty.split("\n")).encode() + b"\n")
    assert text_of(run(payload)) == "Hi"


def test_an_error_with_half_an_emoji_is_still_an_error() -> None:
    with pytest.raises(ProviderError) as caught:
        run('{"error":{"message":"too fast \\ud83d","code":"rate_limit"}}')
    caught.value.message.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([{"type": "text", "text": "Hi"}], "Hi"),
        ([{"type": "text", "text": "H"}, "i", {"type": "image"}, None, 5], "Hi"),
        ({"type": "text", "text": "Hi"}, "Hi"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hi"}], "Hi"),
        ([], ""), (None, ""), (5, ""), (True, ""), ({}, ""), ([[]], ""),
    ],
)  # fmt: skip
def test_content_in_parts(value: Any, text: str) -> None:
    assert text_of(run(delta(content=value))) == text


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": "5", "completion_tokens": "2"}, ChatUsage(5, 2)),
        ({"prompt_tokens": 5.0, "completion_tokens": 2.7, "total_tokens": None}, ChatUsage(5, 2)),
        ({"prompt_tokens": 5, "completion_tokens": -2}, ChatUsage(5, 0)),
        ({"prompt_tokens": 5, "completion_tokens": None, "prompt_tokens_details": "x"}, ChatUsage(5, 0)),
        ({"prompt_tokens": 5, "completion_tokens": [2]}, ChatUsage(5, 0)),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": "3"}}, ChatUsage(5, 0, cached_tokens=3)),
        ({"prompt_tokens": 5, "completion_tokens": float("nan")}, ChatUsage(5, 0)),
        ({"prompt_tokens": 5, "completion_tokens": True}, ChatUsage(5, 0)),
        ({}, None), ("x", None), ([], None), ({"total_tokens": 5}, None),
    ],
)  # fmt: skip
def test_usage_of_odd_types(usage: Any, expected: ChatUsage | None) -> None:
    events = run(content("Hi"), FINISH, {"choices": [], "usage": usage})
    assert [event for event in events if isinstance(event, ChatUsage)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("STOP", "stop"), ("length", "length"), ("max_tokens", "length"), (7, "stop"), ("eos", "stop")],
)
def test_reasons_of_other_services(reason: Any, finish: str) -> None:
    events = run(content("Hi"), {"choices": [{"delta": {}, "finish_reason": reason}]})
    assert events[-1] == ChatFinish(finish)  # type: ignore[arg-type]


def test_a_stream_with_one_whole_message_is_read() -> None:
    events = run({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]})
    assert events == [TextDelta("Hi"), ChatFinish("stop")]


def test_the_anthropic_dialect_loses_only_what_is_damaged() -> None:
    decoder = AnthropicDecoder()
    texts = ['"One \\ud83d"', '"\\ude00 two"', '"\\u0000."']
    head = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":'
    events = [
        one for text in texts for payload in (head + text + "}}", "{broken") for one in decoder.feed(payload)
    ]
    assert text_of(events + decoder.end()) == "One 😀 two."


# -- the arguments of a call


def arguments(*fragments: str) -> str:
    text = ArgumentsText()
    return "".join(map(text.feed, fragments)) + text.finish()


@pytest.mark.parametrize(
    ("fragments", "whole"),
    [
        (['{"a": "', HIGH, LOW, '"}'], '{"a": "\\ud83d\\ude00"}'),
        (['{"a": "' + HIGH + '"}'], '{"a": "\\ufffd"}'),
        (['{"a": "\ud83d', '\ude00"}'], '{"a": "😀"}'),
        (['{"a": "\ud83d"}'], '{"a": "\ufffd"}'),
        (['{"a": "', "\\", "\\", 'ud83d"}'], '{"a": "\\\\ud83d"}'),
        (['{"a": "C:\\data"}'], '{"a": "C:\\\\data"}'),
        (['{"a": "one\ntwo\t"}'], '{"a": "one\\ntwo\\t"}'),
        (['{"a":', ' {"b": "}"}}', " trailing"], '{"a": {"b": "}"}}'),
        (["{", '{"a"', '{"a": 1', '{"a": 1}'], '{"a": 1}'),
        (['{"a": 1}', '{"a": 1}'], '{"a": 1}'),
        (['{"a": "', "\\u", "00e9", '"}'], '{"a": "\\u00e9"}'),
        (['{"a": "\x00"}'], '{"a": ""}'),
        (['{"a": "x'], '{"a": "x'),
    ],
)
def test_arguments_are_json_in_the_end(fragments: list[str], whole: str) -> None:
    assert arguments(*fragments) == whole


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.text(), JSON_VALUES, max_size=4),
    st.lists(st.integers(0, 200), max_size=9),
    st.booleans(),
)
def test_good_arguments_are_not_changed_by_any_cut(value: Any, cuts: list[int], escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped)
    edges = [0, *sorted(at % (len(text) + 1) for at in cuts), len(text)]
    fragments = [text[a:b] for a, b in pairwise(edges)]
    joined = arguments(*fragments)
    if not any("\x7f" in fragment for fragment in fragments):
        assert json.loads(joined) == value


@pytest.mark.parametrize("reason", ["null", "None", " ", True, 1, -1.5, [None], [1], {"a": 1}])
def test_only_a_word_is_a_finish_reason(reason: Any) -> None:
    decoder = ChatDecoder()
    events: list[ChatEvent] = []
    for text, why in (("Hello ", reason), ("world.", None), ("", " Length\n")):
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": why}
        events += decoder.feed(json.dumps({"choices": [choice], "base_resp": {"status_code": True}}))
    assert events[-1] == ChatFinish("length")
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello world."


@pytest.mark.parametrize("reason", ["null", True, 1, [1], {"a": 1}])
def test_only_a_word_is_a_stop_reason(reason: Any) -> None:
    decoder = AnthropicDecoder()
    events: list[ChatEvent] = []
    for event in (
        {"type": "message_delta", "delta": {"stop_reason": reason}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}},
    ):
        events += decoder.feed(json.dumps(event))
    assert events == [TextDelta("Hello."), ChatFinish("length")]
