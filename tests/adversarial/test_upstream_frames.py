"""Mutated frames of the platform, by seed: each reader gives good values or a ProviderError, whatever it is given."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import msgspec
import pytest

from realtime.core.messages import ChatFinish, ChatUsage, TextDelta, ToolCallDelta, WordTime
from realtime.errors import ProviderError
from realtime.minimax.anthropic_stream import AnthropicDecoder
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.errors import error_from_response
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_http import ChunkStream
from realtime.minimax.speech_protocol import (
    BidiProtocol,
    ChunkEnd,
    Phase,
    ReceivedAudio,
    SpeechProtocol,
    WordTimes,
)
from tests.adversarial.mutations import BIG, DEEP, mutated
from tests.each import each

FRAMES = 10_000  # in all
SAID = "Hello there, how are you?"
SCHEMAS = {"look_up": {"type": "object", "properties": {"city": {"type": "string"}}}}

CALL = {
    "index": 0,
    "id": "c1",
    "type": "function",
    "function": {"name": "look_up", "arguments": '{"city": "Ulm"}'},
}
CHAT = [
    {"id": "1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello "}}]},
    {"choices": [{"index": 0, "delta": {"reasoning_content": "Hm.", "reasoning_details": [{"type": "reasoning.text", "id": "r1", "text": "Hm."}]}}]},
    {"choices": [{"index": 0, "delta": {"content": [{"type": "text", "text": "there"}], "tool_calls": [CALL]}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 1}}},
    {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Hello", "tool_calls": [CALL]}}], "base_resp": {"status_code": 0, "status_msg": ""}, "usage": {"total_tokens": 9}},
    {"error": {"type": "server_error", "message": "busy (1000)", "http_code": "500"}, "request_id": "t"},
    {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "trace_id": "t"},
]  # fmt: skip
ANTHROPIC = [
    {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 4, "cache_read_input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": "s"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "Hello "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "there"}},
    {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "c1", "name": "look_up", "input": {"city": "Ulm"}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"city": '}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
    {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
    {"content": [{"type": "text", "text": "Hello"}, {"type": "tool_use", "id": "c", "name": "look_up", "input": {}}], "stop_reason": "end_turn", "usage": {"input_tokens": 1}},
]  # fmt: skip
WORDS = {
    "text": SAID, "text_begin": 0, "text_end": 25, "time_begin": 0.0, "time_end": 900.0,
    "timestamped_words": [{"word": "Hello", "word_begin": 0, "word_end": 5, "time_begin": 0.0, "time_end": 300.0},
                          {"word": "there", "word_begin": 6, "word_end": 11, "time_begin": 300.0, "time_end": 600.0}],
}  # fmt: skip
SOCKET = [
    {"event": "connected_success", "session_id": "s", "trace_id": "t", "base_resp": {"status_code": 0}},
    {"event": "task_started", "base_resp": {"status_code": 0, "status_msg": "success"}},
    {"event": "task_continued", "data": {"audio": "00010203", "status": 1, "subtitle": WORDS}, "is_final": False},
    {"event": "task_continued", "data": {"audio": "0405", "subtitle": [WORDS]}, "is_final": True, "extra_info": {"audio_length": 900, "usage_characters": 9}},
    {"event": "task_flushed", "base_resp": {"status_code": 0}},
    {"event": "task_canceled"},
    {"event": "task_failed", "message": "rate limit", "base_resp": {"status_code": 1002, "status_msg": "no"}},
    {"event": "task_finished"},
]  # fmt: skip
STREAM = [
    {"data": {"audio": "00010203", "status": 1, "subtitle": WORDS}, "trace_id": "t", "base_resp": {"status_code": 0}},
    {"data": {"audio": "0001", "status": 1, "subtitle": {**WORDS, "timestamped_words": None}}},
    {"data": {"audio": "000102030001", "status": 2}, "extra_info": {"audio_length": 900}, "base_resp": {"status_code": 0}},
    {"data": None, "base_resp": {"status_code": 1042, "status_msg": "odd"}},
]  # fmt: skip

Feed = Callable[[str | bytes], Sequence[Any]]


def chat() -> tuple[Feed, Callable[[], Sequence[Any]]]:
    decoder = ChatDecoder(schemas=SCHEMAS)
    return decoder.feed, decoder.end


def anthropic() -> tuple[Feed, Callable[[], Sequence[Any]]]:
    decoder = AnthropicDecoder(schemas=SCHEMAS)
    return decoder.feed, decoder.end


def whole(decoder: ChatDecoder | AnthropicDecoder) -> tuple[Feed, Callable[[], Sequence[Any]]]:
    def feed(body: str | bytes) -> Sequence[Any]:
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        error_from_response(200, raw)
        error_from_response(502, raw)
        return decoder.feed_whole(raw)

    return feed, list


def socket(protocol: SpeechProtocol) -> tuple[Feed, Callable[[], Sequence[Any]]]:
    protocol.phase = Phase.OPEN
    protocol.say(SAID)
    protocol.say("And more.")
    return protocol.receive, list


def stream() -> tuple[Feed, Callable[[], Sequence[Any]]]:
    return ChunkStream(0, SAID, CONFIG).feed, list


CONFIG = SpeechConfig(voice_id="v", model="speech-2.8-turbo")
READERS: dict[str, tuple[Callable[[], tuple[Feed, Callable[[], Sequence[Any]]]], list[Any]]] = {
    "chat": (chat, CHAT),
    "chat whole": (lambda: whole(ChatDecoder(schemas=SCHEMAS)), CHAT),
    "anthropic": (anthropic, ANTHROPIC),
    "anthropic whole": (lambda: whole(AnthropicDecoder(schemas=SCHEMAS)), ANTHROPIC),
    "speech socket": (lambda: socket(SpeechProtocol(CONFIG)), SOCKET),
    "speech that can be cancelled": (lambda: socket(BidiProtocol(CONFIG)), SOCKET),
    "speech over HTTP": (stream, STREAM),
}


@pytest.mark.parametrize("name", READERS)
def test_a_mutated_frame_is_read_or_refused(name: str):
    make, frames = READERS[name]
    dice = random.Random(f"{name} 1")
    for _ in range(FRAMES // len(READERS)):
        (feed, end), at = make(), dice.randrange(len(frames))
        before = frames[: dice.randrange(at + 1)]
        script = [json.dumps(frame) for frame in before] + [mutated(frames[at], dice), json.dumps(frames[0])]
        try:
            for payload in script:
                check(feed(payload))
            check(end())
        except ProviderError as error:
            check_refusal(error)
        except Exception as error:
            raise AssertionError(f"{name}: {script[-2]!r:.600}") from error


def check_refusal(error: ProviderError) -> None:
    """It says something, on one line of a bearable length."""
    assert error.message.strip()
    assert len(error.message) < 1_000


def check(results: Sequence[Any]) -> None:
    """What a reader gives can be sent on: texts are texts, times are times."""
    for result in results:
        match result:
            case TextDelta(text):
                assert isinstance(text, str)
            case ToolCallDelta(index, call_id, tool, arguments):
                assert isinstance(index, int)
                assert all(isinstance(text, str) for text in (call_id, tool, arguments))
            case ChatUsage():
                assert result.input_tokens >= 0
                assert result.output_tokens >= 0
                assert isinstance(msgspec.json.decode(msgspec.json.encode(result)), dict)
            case ChatFinish(reason):
                assert reason in ("stop", "length", "tool_calls", "content_filter")
            case ReceivedAudio(data=data):
                assert len(data) % 2 == 0
            case WordTimes(words=words):
                check_words(words)
            case ChunkEnd():
                assert math.isfinite(result.audio_ms)
            case other:
                raise AssertionError(f"not a result: {other!r}")


def check_words(words: Sequence[WordTime]) -> None:
    place, clock_ms = 0, 0.0
    for word in words:
        assert place <= word.begin < word.end <= len(SAID)
        assert clock_ms <= word.start_ms <= word.end_ms < math.inf
        place, clock_ms = word.end, word.end_ms


KNOWN_ODD = [
    "<!doctype html><html><body>Bad gateway</body></html>",
    {"choices": [{"delta": {"tool_calls": 5, "content": "a"}}]},
    {"choices": [{"delta": {"reasoning_details": 7, "content": "a"}}]},
    {"data": {"audio": "0001", "subtitle": {**WORDS, "timestamped_words": 3}}, "is_final": False},
    {"data": {"audio": "0001", "subtitle": {**WORDS, "time_end": BIG}}, "is_final": False},
    {"data": {"audio": "0001", "status": 2}, "is_final": True, "extra_info": "none"},
    {"data": {"audio": "0001", "status": 2}, "is_final": True, "extra_info": {"audio_length": BIG}},
    f'{{"data": {DEEP}, "choices": {DEEP}}}',
    '{"choices": [{"delta": {"tool_calls": [' + "[" * 900 + "]" * 900 + "]}}]}",
]


@each(product(READERS, KNOWN_ODD))
def test_an_odd_answer_is_read_or_refused(name: str, odd: Any):
    (feed, end) = READERS[name][0]()
    try:
        check(feed(odd if isinstance(odd, str) else json.dumps(odd)))
        check(end())
    except ProviderError as error:
        check_refusal(error)


def test_odd_word_times_cost_no_sound():
    protocol = SpeechProtocol(CONFIG)
    protocol.phase = Phase.OPEN
    protocol.say(SAID)
    for odd in (
        {**WORDS, "timestamped_words": 3},
        {**WORDS, "time_end": BIG, "timestamped_words": []},
        7,
        [[WORDS]],
    ):
        frame = {"data": {"audio": "0001", "subtitle": odd}, "is_final": False}
        assert ReceivedAudio(0, b"\x00\x01") in protocol.receive(json.dumps(frame))
