"""The input of a batch: what is written for each request, and which files are refused, with their line."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import ChatMessage, Tool
from realtime.errors import InvalidArgument
from realtime.minimax.batch_lines import CHAT_PATH, MOST_LINES, BatchRequest, check_lines, write_lines
from tests.minimax.batch_fake import jsonl, line

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)  # no halves of characters


def written(requests: Any, options: Any = None) -> list[dict[str, Any]]:
    stream = io.BytesIO()
    write_lines(requests, stream, model="MiniMax-M3", options=options, endpoint=CHAT_PATH)
    return [json.loads(each) for each in stream.getvalue().splitlines()]


def refused(content: bytes) -> str:
    with pytest.raises(InvalidArgument) as caught:
        check_lines(io.BytesIO(content), "questions.jsonl")
    assert caught.value.param == "file"
    return str(caught.value)


def test_messages_by_their_id_become_whole_lines():
    first, second = written(
        {"a": "Hello", "b": [ChatMessage("system", "Be kind."), {"role": "user", "content": "你好"}]},
        {"temperature": 0.5},
    )
    assert {key: first[key] for key in ("custom_id", "method", "url")} == {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/text/chatcompletion_v2",
    }
    assert first["body"]["messages"] == [{"role": "user", "content": "Hello"}]
    assert (first["body"]["model"], first["body"]["temperature"]) == ("MiniMax-M3", 0.5)
    assert "stream" not in first["body"]
    assert [message["role"] for message in second["body"]["messages"]] == ["system", "user"]


def test_a_request_has_options_of_its_own():
    tool = Tool("look", "Looks.", {"type": "object", "properties": {}})
    request = BatchRequest("a", "Hi", {"model": "MiniMax-Text-01", "tools": [tool], "extra": {"seed": 7}})
    (found,) = written([request], {"model": "MiniMax-M2", "max_output_tokens": 9})
    body = found["body"]
    assert (body["model"], body["seed"], body["max_completion_tokens"]) == ("MiniMax-Text-01", 7, 9)
    assert body["tools"][0]["function"]["name"] == "look"


def test_a_whole_line_is_passed_on():
    given = line("a", url="/v1/chat/completions")
    assert written([given]) == [given]
    assert written([{"custom_id": "a", "body": {"x": 1}}])[0]["url"] == CHAT_PATH


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (BatchRequest("a", "Hi", {"temperature": 3}), "temperature is 3"),
        (BatchRequest("a", "Hi", {"dialect": "anthropic"}), "native chat path"),
        (BatchRequest("a", "Hi", {"colour": 3}), "colour"),  # type: ignore[typeddict-unknown-key]
        (BatchRequest("a", []), "messages is"),
        ("a", "BatchRequest or a mapping"),
        ({"custom_id": "a", "body": {"x": object()}}, "JSON"),
        (BatchRequest("a", "half of a character: \ud800"), "JSON"),
    ],
)
def test_a_request_that_is_wrong_is_named_by_its_number(request_, said):
    with pytest.raises(InvalidArgument, match=f"number 2.*{said}") as caught:
        written([BatchRequest("good", "Hi"), request_])
    assert caught.value.param == "requests"


def test_a_text_is_no_requests():
    with pytest.raises(InvalidArgument, match="a path is `file`"):
        written("questions.jsonl")


def test_more_requests_than_a_batch_takes_are_refused():
    with pytest.raises(InvalidArgument, match="50,000"):
        written({"custom_id": f"q{number}", "body": {}} for number in range(MOST_LINES + 1))


def test_the_ids_of_a_good_file_keep_their_order():
    checked = check_lines(io.BytesIO(jsonl([line("b"), line("a"), b"\n", b"  \n"])))
    assert (checked.endpoint, checked.ids) == (CHAT_PATH, ("b", "a"))


def test_a_last_line_without_an_end_counts():
    assert check_lines(io.BytesIO(jsonl([line("b"), line("a")]).rstrip())).ids == ("b", "a")


def test_what_is_off_is_named_with_its_line():
    without = line("a")
    del without["body"]
    body = line("a")["body"]
    stories = {
        "line 2: it is not JSON": [line("a"), b'{"custom_id": \n'],
        "line 1: it is not a JSON object": [[1]],
        "line 1: custom_id is missing": [{"method": "POST"}],
        "line 1: custom_id is 7": [line("a") | {"custom_id": 7}],
        "line 1: custom_id is ' '": [line(" ")],
        "line 3: custom_id 'a' stands in line 1 already": [line("a"), line("b"), line("a")],
        "line 1: method is 'GET'": [line("a", method="GET")],
        "line 1: url is 'https://": [line("a", url="https://api.minimaxi.com/v1/x")],
        "line 2: url is '/v1/chat/completions', and the lines before": [
            line("a"),
            line("b", url="/v1/chat/completions"),
        ],
        "line 1: body is missing": [without],
        "line 1: body.stream is set": [line("a", body={**body, "stream": True})],
        "line 1: body.model is missing": [line("a", body={"messages": body["messages"]})],
        "line 1: body.messages is []": [line("a", body={**body, "messages": []})],
        "line 2 is empty": [line("a"), b"\n", line("b")],
        "byte order mark": [b"\xef\xbb\xbf" + jsonl([line("a")])],
        "has no requests": [b"\n\n"],
        "line 1: it is not JSON (": [b"\xff\xfe{\n"],
    }
    for said, lines in stories.items():
        assert said in refused(jsonl(lines)), said
    assert "questions.jsonl, line 1" in refused(jsonl([[1]]))


def test_a_body_that_says_it_is_no_stream_is_good():
    body = line("a")["body"] | {"stream": False}
    assert check_lines(io.BytesIO(jsonl([line("a", body=body)]))).ids == ("a",)


def test_bodies_of_another_path_are_not_looked_at():
    assert (
        check_lines(io.BytesIO(jsonl([line("a", url="/v1/embeddings", body={})]))).endpoint
        == "/v1/embeddings"
    )


def test_one_line_too_many_is_refused():
    lines = [{**line(f"q{number}"), "url": "/v1/x", "body": {}} for number in range(MOST_LINES + 1)]
    assert "50,000" in refused(jsonl(lines))
    assert len(check_lines(io.BytesIO(jsonl(lines[:-1]))).ids) == MOST_LINES


@given(st.dictionaries(_TEXT.filter(str.strip), _TEXT, min_size=1, max_size=8))
def test_what_is_written_is_good_for_any_ids_and_texts(messages):
    stream = io.BytesIO()
    write_lines(messages, stream, model="MiniMax-M3", options=None, endpoint=CHAT_PATH)
    stream.seek(0)
    assert check_lines(stream).ids == tuple(messages)


@given(st.binary(max_size=200))
def test_any_bytes_are_good_or_refused(content):
    with contextlib.suppress(InvalidArgument):
        assert check_lines(io.BytesIO(content)).ids
