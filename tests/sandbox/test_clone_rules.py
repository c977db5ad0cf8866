"""The rules of cloning: what is refused with which code."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.clone_rules import (
    CloneRequest,
    Problem,
    agreement,
    check_recordings,
    check_request,
    check_said,
    check_voice_id,
    expected_agreement,
)
from realtime.sandbox.voice_samples import Sample

GOOD = CloneRequest(file_id=1, voice_id="NarratorVoice1")
TEXT = "We must find a new home in the stars, and the way there is long."


def sample(duration_s: float, speech_s: float = 8.0) -> Sample:
    return Sample(duration_s, -20.0, -60.0, 120.0, 2.0, 4.4, speech_s, 1)


def nothing_taken(voice_id: str) -> bool:
    return False


@pytest.mark.parametrize("voice_id", ["abcdefg1", "A" * 256, "Old_captain-01", "x______9"])
def test_good_ids(voice_id: str) -> None:
    assert check_voice_id(voice_id, nothing_taken) is None


@pytest.mark.parametrize(
    "voice_id",
    ["", "abcdef1", "A" * 257, "1abcdefgh", "-abcdefgh", "abcdefgh-", "abcdefgh_", "abc defgh", "船长voice01", "abcdefgh\n"],
)  # fmt: skip
def test_ids_of_a_wrong_form_are_2013(voice_id: str) -> None:
    assert check_voice_id(voice_id, nothing_taken) == Problem(
        2013, "invalid params, invalid params: voice_id"
    )


def test_a_taken_id_is_2039() -> None:
    assert check_request(GOOD, "NarratorVoice1".__eq__) == Problem(2039)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"prompt_audio": 2}, "clone_prompt"),
        ({"prompt_text": "Hello."}, "clone_prompt"),
        ({"prompt_audio": 2, "prompt_text": "Hello"}, "prompt_text"),
        ({"text": "x" * 1001, "model": "speech-2.8-hd"}, "text"),
        ({"text": "x"}, "model"),
        ({"text_validation": "x" * 201}, "text_validation"),
        ({"accuracy": -0.1}, "accuracy"),
        ({"accuracy": 1.1}, "accuracy"),
        ({"accuracy": float("nan")}, "accuracy"),
    ],
)
def test_wrong_fields_are_2013_with_their_name(fields: dict[str, object], named: str) -> None:
    problem = check_request(replace(GOOD, **fields), nothing_taken)  # type: ignore[arg-type]
    assert problem is not None
    assert problem.code == 2013
    assert named in (problem.message or "")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"prompt_audio": 2, "prompt_text": "你好。"},
        {"prompt_audio": 2, "prompt_text": 'He said: "Hi!" '},
        {"text": "x" * 1000, "model": "speech-2.8-hd"},
        {"text_validation": "x" * 200, "accuracy": 1.0},
    ],
)
def test_the_limits_themselves_are_good(fields: dict[str, object]) -> None:
    assert check_request(replace(GOOD, **fields), nothing_taken) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sample_s", "prompt_s", "code"),
    [(10, None, 0), (300, 7.9, 0), (9, None, 2037), (360, None, 2037), (10, 9, 2048), (9, 9, 2037)],
)
def test_lengths_of_recordings(sample_s: float, prompt_s: float | None, code: int) -> None:
    problem = check_recordings(sample(sample_s), None if prompt_s is None else sample(prompt_s))
    assert (problem.code if problem else 0) == code


@pytest.mark.parametrize(
    ("accuracy", "sample_share", "code"),
    [(0.0, 0.69, 1043), (0.0, 0.7, 0), (0.9, 0.8, 1043), (0.2, 0.3, 0), (0.0, None, 0)],
)
def test_the_sample_has_to_say_its_text(accuracy: float, sample_share: float | None, code: int) -> None:
    """The threshold is `accuracy`, and 0.7 for 0."""
    request = replace(GOOD, text_validation=TEXT, accuracy=accuracy)
    problem = check_said(request, sample_share, None)
    assert (problem.code if problem else 0) == code


def test_the_prompt_has_to_say_its_text() -> None:
    request = replace(GOOD, prompt_audio=2, prompt_text=TEXT)
    assert check_said(request, None, 0.1) == Problem(1044)
    assert check_said(request, None, 0.9) is None


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        (TEXT, 1.0, 1.0),
        (f"Hello. {TEXT.upper()} Thank you!", 1.0, 1.0),
        (TEXT.replace("home", "foam"), 0.9, 0.99),
        ("Once upon a time a fox saw some grapes that hung from a vine on high.", 0.0, 0.4),
        ("", 0.0, 0.0),
    ],
)
def test_agreement_of_a_transcript(said: str, low: float, high: float) -> None:
    assert low <= agreement(TEXT, said) <= high


def test_chinese_agrees_too() -> None:
    assert agreement("今天天气真好，我们出去走走吧。", "今天天氣真好我们出去走走吧") > 0.7
    assert agreement("今天天气真好，我们出去走走吧。", "床前明月光疑是地上霜") < 0.2


@given(st.text(max_size=60), st.text(max_size=60))
def test_agreement_is_a_share(one: str, two: str) -> None:
    assert 0 <= agreement(one, two) <= 1


def test_without_a_transcriber_the_time_of_speech_decides() -> None:
    """A text that takes 15 s to say is not in a recording with 2 s of speech."""
    long = "abcde fghij " * 16
    assert expected_agreement(long, sample(12, speech_s=2)) < 0.7
    assert expected_agreement(long, sample(12, speech_s=10)) == 1
    assert expected_agreement("Hello.", sample(12)) == 1
    assert expected_agreement("你" * 100, sample(30, speech_s=2)) < 0.7
