"""The grammar of `--set` and `--fault`, and the chances of faults."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.sandbox.faults import FAULTS, MOMENTS, Fault, Faults, parse_fault, parse_faults
from realtime.sandbox.options import PROFILES, VALUES, SandboxOptions, parse_set


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    name = draw(st.sampled_from(sorted(FAULTS)))
    values = {"": st.just(""), "CODE": st.integers(0, 99999).map(str), "N": st.integers(0, 99).map(str)}
    value = draw(values.get(FAULTS[name].value, st.sampled_from(MOMENTS)))
    return Fault(name, value, draw(st.floats(0, 1)))


@given(st.lists(faults(), max_size=4))
def test_faults_survive_their_own_text(wanted: list[Fault]) -> None:
    assert parse_faults(", ".join(map(str, wanted))) == tuple(wanted)


@given(st.sampled_from(sorted(VALUES)), st.floats(1_000, 1e9))
def test_settings_survive_their_own_text(name: str, value: float) -> None:
    assert parse_set(f"{name}={value!r}") == (name, value)


@given(st.text(max_size=60))
def test_any_text_is_a_fault_or_a_clear_error(text: str) -> None:
    try:
        name = parse_fault(text).name
    except ConfigError as error:
        complaint = str(error)
    else:
        complaint = f"fault {name!r}"
    assert "fault " in complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("chat.eror=1002", "did you mean 'chat.error'?"),
        ("chat.error", "needs a number: chat.error=CODE"),
        ("chat.error=soon", "needs a number"),
        ("chat.stall=3", "takes no value"),
        ("chat.stall@1.5", "between 0 and 1"),
        ("chat.stall@nan", "between 0 and 1"),
        ("speech.drop_at=texts", "did you mean 'text'?"),
    ],
)
def test_a_wrong_fault_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_fault(text)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
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
def test_a_wrong_setting_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_set(text)
    assert complaint in str(raised.value)


def test_an_unknown_profile_is_explained() -> None:
    with pytest.raises(ConfigError, match="did you mean 'mainland'"):
        SandboxOptions.parse("mainlnd")


def test_profiles_differ_and_settings_win() -> None:
    assert [SandboxOptions(profile)["chat.first_ms"] for profile in PROFILES] == [50, 700, 1000]
    options = SandboxOptions.parse("far", ["chat.first_ms=300", "chat.first_ms=200"])
    assert options["chat.first_ms"] == 200
    assert options["chat.tps"] == 50


def test_the_connection_limit_has_two_names() -> None:
    assert SandboxOptions.parse(sets=["speech.max_connections=3"])["limit.connections"] == 3


def test_every_name_has_a_help_line() -> None:
    assert all(kind.help for kind in (*VALUES.values(), *FAULTS.values()))


def test_a_chance_is_drawn_once_for_a_request_and_again_for_the_next() -> None:
    asked = Faults([Fault("chat.stall", probability=0.5)], random.Random(1))
    for _ in range(20):
        assert len({asked.has("chat.stall") for _ in range(5)}) == 1
        asked = asked.fresh()


def test_chances_come_true_as_often_as_they_should() -> None:
    source = random.Random(7)
    struck = sum(Faults([Fault("chat.error", "1002", 0.1)], source).has("chat.error") for _ in range(2000))
    assert 140 < struck < 260


def test_values_are_handed_out_and_absent_faults_are_none() -> None:
    asked = Faults(parse_faults("chat.error=1002, speech.drop_at=mid, chat.stall"), random.Random(0))
    assert asked.number("chat.error") == 1002
    assert asked.get("speech.drop_at") == "mid"
    assert asked.get("chat.stall") == ""
    assert asked.get("speech.stall") is None


def test_a_misspelt_name_in_a_handler_is_noticed() -> None:
    with pytest.raises(KeyError):
        Faults([], random.Random(0)).get("chat.stal")
    with pytest.raises(KeyError):
        SandboxOptions()["chat.stal"]
