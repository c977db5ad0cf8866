"""The readers of body fields: what they take, their defaults, and the refusal that names the field."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox import fields
from realtime.sandbox.refusal import Refusal

READ: dict[str, Callable[[dict[str, Any]], Any]] = {
    "text": lambda body: fields.text(body, "x", "d", most=3),
    "number": lambda body: fields.number(body, "x", 0.5, 2, 1.0),
    "whole": lambda body: fields.whole(body, "x", 1, 9, 1),
    "flag": lambda body: fields.flag(body, "x", True),
    "one_of": lambda body: fields.one_of(body, "x", ("a", "b"), "a"),
    "items": lambda body: fields.items(body, "x", 2),
    "mapping": lambda body: fields.mapping(body, "x"),
}
FITS: dict[str, Callable[[Any], bool]] = {
    "text": lambda found: isinstance(found, str) and len(found) <= 3,
    "number": lambda found: type(found) is float and 0.5 <= found <= 2,
    "whole": lambda found: type(found) is int and 1 <= found <= 9,
    "flag": lambda found: isinstance(found, bool),
    "one_of": lambda found: found in ("a", "b"),
    "items": lambda found: isinstance(found, list) and len(found) <= 2,
    "mapping": lambda found: isinstance(found, dict),
}
JSON = st.recursive(  # often with what stands near a bound
    st.none() | st.booleans() | st.integers(-1, 10) | st.integers() | st.floats() | st.sampled_from(["", "b", "abcd"])
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [("text", "abc", "abc"), ("text", "", ""), ("text", None, "d"), ("number", 2, 2.0), ("number", None, 1.0),
     ("whole", 9, 9), ("whole", None, 1), ("flag", False, False), ("flag", None, True), ("one_of", "b", "b"),
     ("one_of", None, "a"), ("items", [1, 2], [1, 2]), ("items", None, []), ("mapping", {"a": 1}, {"a": 1}),
     ("mapping", None, {})],
)  # fmt: skip
def test_good_values_and_defaults(kind: str, value: Any, found: Any) -> None:
    assert READ[kind]({"x": value}) == found
    if value is None:
        assert READ[kind]({}) == found


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", "abcd"), ("text", 5), ("number", 2.1), ("number", "1"), ("number", True), ("number", float("nan")),
     ("whole", 10), ("whole", 1.0), ("whole", "1"), ("whole", True), ("flag", 1), ("flag", "true"), ("one_of", "c"),
     ("one_of", ["a"]), ("one_of", True), ("items", [1, 2, 3]), ("items", "ab"), ("mapping", [])],
)  # fmt: skip
def test_a_wrong_value_is_2013_and_names_the_field(kind: str, value: Any) -> None:
    with pytest.raises(Refusal) as raised:
        READ[kind]({"x": value})
    assert raised.value.code == 2013
    assert raised.value.message is not None
    assert raised.value.message.startswith("invalid params, invalid params: x")


@pytest.mark.parametrize("body", [{}, {"x": None}])
def test_a_missing_required_field_is_the_platforms_own_message(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as raised:
        fields.text(body, "x")
    assert raised.value.message == "invalid params, binding: expr_path=x, cause=missing required parameter"
    with pytest.raises(Refusal):
        fields.text({"x": ""}, "x")


@given(st.integers())
def test_an_id_is_an_integer_of_64_bits(id: int) -> None:
    if 0 < id < 2**63:
        assert fields.int64({"x": id}, "x") == id
    else:
        with pytest.raises(Refusal):
            fields.int64({"x": id}, "x")
    with pytest.raises(Refusal):
        fields.int64({"x": str(id)}, "x")


@pytest.mark.parametrize("kind", READ)
@given(value=JSON)
def test_any_json_is_read_as_it_is_or_refused(kind: str, value: Any) -> None:
    with suppress(Refusal):
        found = READ[kind]({"x": value})
        assert FITS[kind](found)
        assert found == value or value is None
