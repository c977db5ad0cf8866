"""The event stream decoder: any fragments, any line ending, any body."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax import sse
from realtime.minimax.sse import EventTooLong, SseDecoder

STREAM = 'data: {"a":1}\n\n: keep-alive\n\ndata:{"b":"你好"}\r\n\r\nid: 7\ndata: [DONE]\n\n'.encode()
PAYLOADS = ['{"a":1}', '{"b":"你好"}', "[DONE]"]


def fragments_of(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(st.integers(0, 1000), max_size=12))
def test_any_fragments_give_the_same_payloads(cuts: list[int]) -> None:
    decoder = SseDecoder()
    found = [payload for fragment in fragments_of(STREAM, cuts) for payload in decoder.feed(fragment)]
    assert found + decoder.finish() == PAYLOADS
    assert not decoder.plain


@given(st.lists(st.integers(0, 1000), max_size=6))
def test_a_json_body_is_detected_and_kept(cuts: list[int]) -> None:
    body = b' \n {"base_resp":\n\n{"status_code":1002}}'
    decoder = SseDecoder()
    assert [p for fragment in fragments_of(body, cuts) for p in decoder.feed(fragment)] == []
    assert decoder.plain
    assert decoder.body() == body.lstrip()


def test_the_last_event_needs_no_blank_line() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: one\n") == []
    assert decoder.finish() == ["one"]
    assert SseDecoder().finish() == []


def test_an_event_of_two_megabytes_is_decoded() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: " + b"0" * 2_000_000) == []
    (payload,) = decoder.feed(b"\n\n")
    assert len(payload) == 2_000_000


def test_an_endless_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    decoder = SseDecoder()
    decoder.feed(b"data: " + b"x" * 90)
    with pytest.raises(EventTooLong):
        decoder.feed(b"x" * 10)
