"""Both envelopes, HTTP statuses and gateway pages become the right error."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from realtime.errors import InvalidArgument, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax.codes import CODES, Who, is_untouched
from realtime.minimax.errors import error_for_code, error_for_status, error_from_response, find_error

WIRE_CODES = {
    "rate_limit_exceeded": [1002, 1039, 1041, 2045, 2056],
    "insufficient_quota": [1008],
    "invalid_api_key": [1004, 2049],
    "content_filter": [1026, 1027],
    "upstream_unavailable": [1000, 1013, 1024, 1033, 2064, 2201],
    "upstream_timeout": [1001],
    "upstream_rejected": [1042, 2013, 2061, 2044, 20132, 9999],
    "invalid_voice": [2054, 2042],
}


@pytest.mark.parametrize(("wire", "code"), [(w, c) for w, codes in WIRE_CODES.items() for c in codes])
def test_every_code_has_its_wire_reason(wire: str, code: int) -> None:
    error = error_for_code(code, "said so", trace_id="t1")
    assert (error.code, error.upstream_code, error.trace_id) == (wire, code, "t1")
    assert "said so" in error.message
    assert str(code) in error.message


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1013, 1024, 1033, 1039, 1041, 2045, 2064, 2201, 2205])
def test_retryable_codes(code: int) -> None:
    assert error_for_code(code).retryable


@pytest.mark.parametrize("code", [1004, 1008, 1026, 1027, 1042, 2013, 2042, 2049, 2054, 2056, 2061, 20132])
def test_codes_that_are_not_retryable(code: int) -> None:
    assert not error_for_code(code).retryable


def test_a_rate_limit_says_how_long_to_wait() -> None:
    error = error_for_code(1002)
    assert error.retry_after_s == 5
    assert "5 s" in error.message
    assert isinstance(error, ProviderRejected)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "invalid_api_key"), (402, "insufficient_quota"), (404, "upstream_rejected"),
        (413, "upstream_rejected"), (429, "rate_limit_exceeded"), (500, "upstream_unavailable"),
        (502, "upstream_unavailable"), (504, "upstream_timeout"), (529, "upstream_unavailable"),
        (400, "upstream_rejected"), (408, "upstream_timeout"),
    ],
)  # fmt: skip
def test_statuses_without_a_body(status: int, code: str) -> None:
    error = error_from_response(status, b"", trace_id="abc")
    assert error is not None
    assert (error.code, error.upstream_code, error.trace_id) == (code, status, "abc")


def openai_body(message: str, **more: str) -> bytes:
    error = {"type": "x", "message": message, **more}
    return msgspec.json.encode({"type": "error", "error": error, "request_id": "r9"})


@pytest.mark.parametrize(
    ("status", "message", "inner", "code"),
    [
        (401, "login fail: carry the key (1004)", 1004, "invalid_api_key"),
        (529, "high load, retry shortly (2064) (529)", 2064, "upstream_unavailable"),
        (429, "rate limit (1002)", 1002, "rate_limit_exceeded"),
        (422, "sensitive (1026)", 1026, "content_filter"),
        (400, "invalid params, context window exceeds limit (2013)", 2013, "context_length_exceeded"),
        (400, "invalid params, unknown model 'xyz' (2013)", 2013, "upstream_rejected"),
    ],
)
def test_the_inner_code_decides(status: int, message: str, inner: int, code: str) -> None:
    error = error_from_response(status, openai_body(message))
    assert error is not None
    assert (error.upstream_code, error.code, error.trace_id) == (inner, code, "r9")


def test_the_native_envelope_inside_a_200() -> None:
    body = {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance", "trace_id": "in"}}
    error = error_from_response(200, msgspec.json.encode(body))
    assert error is not None
    assert (error.code, error.trace_id) == ("insufficient_quota", "in")


def test_a_gateway_page_is_read_by_its_status_and_shown_without_markup() -> None:
    error = error_from_response(502, b"<html><h1>Bad Gateway</h1></html>")
    assert isinstance(error, ProviderUnavailable)
    assert "Bad Gateway" in error.message
    assert "<" not in error.message


@pytest.mark.parametrize(
    "payload",
    [{}, {"base_resp": {"status_code": 0}}, {"base_resp": None}, {"error": None}, [], "x", {"choices": []}],
)
def test_success_is_no_error(payload: object) -> None:
    assert find_error(payload) is None


def test_an_overload_object_inside_a_stream() -> None:
    error = find_error({"type": "overloaded_error", "message": "busy (2064) (529)"})
    assert isinstance(error, ProviderUnavailable)
    assert error.upstream_code == 2064


def test_error_words_of_other_services() -> None:
    quota = find_error(
        {"error": {"code": "insufficient_quota", "message": "no"}}, status=429, service="Example"
    )
    assert quota is not None
    assert quota.code == "insufficient_quota"
    assert quota.message.startswith("Example:")
    assert not quota.retryable
    unnamed = find_error({"error": {"message": "no"}}, status=503)
    assert isinstance(unnamed, ProviderUnavailable)
    assert isinstance(find_error({"error": "gone"}), ProviderUnavailable)


def test_a_timeout_of_the_service_is_a_timeout() -> None:
    assert isinstance(error_for_code(1001), ProviderTimeout)
    assert isinstance(error_for_status(504), ProviderTimeout)


def test_every_documented_code_has_a_row_that_says_what_to_do() -> None:
    page = (Path(__file__).parents[2] / "docs/minimax/README.md").read_text()
    documented = {int(number) for number in re.findall(r"^\| (\d{4,5})\b", page, re.MULTILINE)}
    assert {1002, 2037, 2064, 2206} <= documented
    assert documented <= set(CODES), documented - set(CODES)
    for number, code in CODES.items():
        assert code.meaning, number
        assert code.who in Who


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (2037, "10 s to 5 min"),
        (2038, "verify the account"),
        (2039, "ids of deleted voices stay taken"),
        (2042, "only the maker of a voice can use it"),
        (2048, "shorter than 8 s"),
        (1039, "fewer tokens"),
        (1043, "text_validation"),
    ],
)
def test_a_refusal_says_the_next_step(number: int, words: str) -> None:
    assert words in error_for_code(number).message


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("invalid params, invalid params: voice_setting emotion", "voice_setting.emotion"),
        ("invalid params, invalid params: text", "text"),
        ("invalid params, invalid params: resolution, must be one of 768P, 1080P", "resolution"),
        ("invalid params, binding: expr_path=messages[0].role, cause=missing", "messages[0].role"),
        ("invalid params, unknown model 'xyz'", None),
        ("invalid params, invalid params: text is too long", None),
    ],
)
def test_a_refused_argument_is_named_where_the_platform_names_it(message: str, param: str | None) -> None:
    error = error_for_code(2013, message)
    assert isinstance(error, InvalidArgument)
    assert error.param == param
    http = error_for_code(2013, f"{message} (2013)")
    assert isinstance(http, InvalidArgument)
    assert http.param == param


def test_only_a_certain_refusal_leaves_the_platform_untouched() -> None:
    untouched = {number for number in CODES if is_untouched(error_for_code(number))}
    assert untouched == {1002, 1039, 1041, 2045, 2064}
    assert is_untouched(error_for_status(429))
    assert is_untouched(error_for_status(529))
    assert not is_untouched(error_for_status(502))
    assert not is_untouched(ProviderUnavailable("the connection failed"))


@pytest.mark.parametrize(
    ("name", "code", "retryable"),
    [
        ("invalid_request_error", "upstream_rejected", False), ("authentication_error", "invalid_api_key", False),
        ("billing_error", "insufficient_quota", False), ("permission_error", "invalid_api_key", False),
        ("not_found_error", "upstream_rejected", False), ("request_too_large", "upstream_rejected", False),
        ("rate_limit_error", "rate_limit_exceeded", True), ("api_error", "upstream_unavailable", True),
        ("overloaded_error", "upstream_unavailable", True), ("timeout_error", "upstream_timeout", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("enveloped", [True, False])
def test_the_names_of_the_anthropic_envelope_inside_a_stream(
    name: str, code: str, retryable: bool, enveloped: bool
) -> None:
    inner = {"type": name, "message": "no"}
    error = find_error({"type": "error", "error": inner} if enveloped else inner)
    assert error is not None
    assert (error.code, error.retryable) == (code, retryable)


def test_the_platforms_code_comes_before_an_anthropic_name() -> None:
    error = find_error(
        {"type": "error", "error": {"type": "invalid_request_error", "message": "plan (2056)"}}
    )
    assert error is not None
    assert (error.upstream_code, error.code) == (2056, "rate_limit_exceeded")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"message": "invalid params, context window exceeds limit (2013)"}),
        (400, {"message": "Too many messages.", "code": "context_length_exceeded"}),
        (
            400,
            {"message": "This model's maximum context length is 4096 tokens. However, you requested 5000."},
        ),
        (
            400,
            {
                "message": "prompt is too long: 210000 tokens > 200000 maximum",
                "type": "invalid_request_error",
            },
        ),
        (
            400,
            {
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            },
        ),
        (
            400,
            {
                "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
            },
        ),
        (
            400,
            {
                "message": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."
            },
        ),
        (400, {"message": "Please reduce the length of the messages or completion."}),
        (400, {"message": "Range of input length should be [1, 30720]"}),
        (400, {"message": "Input is too long for requested model."}),
        (400, {"message": "too many tokens: total number of tokens in the request exceeds 8192"}),
        (400, {"message": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097"}),
        (
            400,
            {
                "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"
            },
        ),
        (413, {"message": "Request too large: the prompt is too long."}),
        (400, {"message": "输入内容过长，超过模型上下文长度"}),
    ],
)
def test_a_prompt_that_is_too_long_is_recognised_in_the_words_of_many_services(
    status: int, error: dict[str, str]
) -> None:
    found = error_from_response(status, msgspec.json.encode({"error": error}))
    assert found is not None
    assert found.code == "context_length_exceeded"
    assert not found.retryable


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (
            400,
            {"message": "max_tokens is too large: 5000. This model supports at most 4096 completion tokens."},
            "upstream_rejected",
        ),
        (400, {"message": "invalid params, unknown model 'context'"}, "upstream_rejected"),
        (
            413,
            {
                "message": "Request too large for model x on tokens per minute (TPM)",
                "code": "rate_limit_exceeded",
            },
            "rate_limit_exceeded",
        ),
        (400, {"message": "invalid params, invalid params: text is too long"}, "upstream_rejected"),
        (429, {"message": "too many tokens per minute"}, "rate_limit_exceeded"),
        (413, {"message": "Payload Too Large"}, "upstream_rejected"),
    ],
)
def test_other_limits_are_not_taken_for_a_prompt_that_is_too_long(
    status: int, error: dict[str, str], code: str
) -> None:
    found = error_from_response(status, msgspec.json.encode({"error": error}))
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("key", ["sk-api-0123456789abcdef", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"])
def test_a_key_that_the_service_repeats_is_not_shown(key: str) -> None:
    body = msgspec.json.encode({"error": {"message": f"Incorrect API key provided: {key}. Find yours."}})
    found = error_from_response(401, body)
    assert found is not None
    assert found.message.endswith("It said: Incorrect API key provided: [hidden]. Find yours.")
    assert key not in str(found)
