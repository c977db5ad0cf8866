"""The grammar of `--set` and `--fault`, and the probabilities of faults."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.sandbox.faults import FAULTS, FORMS, MOMENTS, Fault, Faults, parse_fault, parse_faults
from realtime.sandbox.options import PROFILES, VALUES, SandboxOptions, parse_set


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    name = draw(st.sampled_from(sorted(FAULTS)))
    values = {"": st.just(""), "CODE": st.integers(0, 99999).map(str), "N": st.integers(0, 99).map(str)}
    values["FORM"] = st.sampled_from(FORMS)
    value = draw(values.get(FAULTS[name].value, st.sampled_from(MOMENTS)))
    return Fault(name, value, draw(st.floats(0, 1)))


@given(st.lists(faults(), max_size=4))
def test_faults_can_be_read_back_from_their_text(wanted: list[Fault]) -> None:
    assert parse_faults(", ".join(map(str, wanted))) == tuple(wanted)


@given(st.sampled_from(sorted(VALUES)), st.floats(1_000, 1e9))
def test_settings_can_be_read_back_from_their_text(name: str, value: float) -> None:
    assert parse_set(f"{name}={value!r}") == (name, value)


@given(st.text(max_size=60))
def test_any_text_is_a_fault_or_a_clear_error(text: str) -> None:
    try:
        name = parse_fault(text).name
    except ConfigError as error:
        problem = str(error)
    else:
        problem = f"fault {name!r}"
    assert "fault " in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("chat.eror=1002", "did you mean 'chat.error'?"),
        ("chat.written_call=m5", "needs one of m1, m2, m3"),
        ("chat.error", "needs a number: chat.error=CODE"),
        ("chat.error=soon", "needs a number"),
        ("chat.stall=3", "takes no value"),
        ("chat.stall@1.5", "between 0 and 1"),
        ("chat.stall@nan", "between 0 and 1"),
        ("speech.drop_at=texts", "did you mean 'text'?"),
    ],
)
def test_a_wrong_fault_is_explained(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_fault(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("chat.frist_ms=3", "did you mean 'chat.first_ms'?"),
        ("chat.first_ms", "needs a number"),
        ("chat.first_ms=soon", "needs a number"),
        ("chat.first_ms=-1", "at least 0"),
        ("chat.tps=0", "at least 0.1"),
        ("chat.first_ms=nan", "at least 0"),
        ("chat.first_ms=inf", "at least 0"),
    ],
)
def test_a_wrong_setting_is_explained(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_set(text)
    assert problem in str(raised.value)


def test_an_unknown_profile_is_explained() -> None:
    with pytest.raises(ConfigError, match="did you mean 'mainland'"):
        SandboxOptions.parse("mainlnd")


def test_profiles_differ_and_settings_override_them() -> None:
    assert [SandboxOptions(profile)["chat.first_ms"] for profile in PROFILES] == [50, 700, 1000]
    options = SandboxOptions.parse("far", ["chat.first_ms=300", "chat.first_ms=200"])
    assert options["chat.first_ms"] == 200
    assert options["chat.tps"] == 50


def test_the_connection_limit_has_two_names() -> None:
    assert SandboxOptions.parse(sets=["speech.max_connections=3"])["limit.connections"] == 3


def test_every_name_has_a_help_line() -> None:
    assert all(kind.help for kind in (*VALUES.values(), *FAULTS.values()))


def test_chance_decides_once_for_a_request_and_again_for_the_next() -> None:
    drawn = Faults([Fault("chat.stall", probability=0.5)], random.Random(1))
    for _ in range(20):
        assert len({drawn.has("chat.stall") for _ in range(5)}) == 1
        drawn = drawn.redrawn()


def test_a_fault_applies_with_its_probability() -> None:
    source = random.Random(7)
    applied = sum(Faults([Fault("chat.error", "1002", 0.1)], source).has("chat.error") for _ in range(2000))
    assert 140 < applied < 260


def test_faults_have_their_values_and_absent_faults_are_none() -> None:
    drawn = Faults(parse_faults("chat.error=1002, speech.drop_at=mid, chat.stall"), random.Random(0))
    assert drawn.number("chat.error") == 1002
    assert drawn.get("speech.drop_at") == "mid"
    assert drawn.get("chat.stall") == ""
    assert drawn.get("speech.stall") is None


def test_a_misspelt_name_in_a_handler_raises() -> None:
    with pytest.raises(KeyError):
        Faults([], random.Random(0)).get("chat.stal")
    with pytest.raises(KeyError):
        SandboxOptions()["chat.stal"]
