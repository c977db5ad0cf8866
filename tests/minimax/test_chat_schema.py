"""Types and schemas as shapes, and values out of what a model says."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument
from realtime.minimax.chat_schema import Mismatch, shape_of


class Line(msgspec.Struct):
    name: str
    cents: int


class Invoice(msgspec.Struct):
    number: str
    lines: list[Line]


class Tree(msgspec.Struct):
    children: list[Tree] = []


@dataclass
class Point:
    x: float
    y: float | None = None


SCHEMA: dict[str, Any] = {
    "title": "a city!",
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 2}, "big": {"$ref": "#/$defs/yes"}},
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"yes": {"type": "boolean"}},
}
INVOICE = '{"number": "7", "lines": [{"name": "tea", "cents": 250}]}'


def test_a_struct_is_at_the_top_of_its_schema() -> None:
    shape = shape_of(Invoice)
    assert shape.name == "Invoice"
    assert shape.schema["type"] == "object"
    assert list(shape.schema["$defs"]) == ["Line"]


def test_a_type_that_holds_itself_keeps_its_definition() -> None:
    assert "Tree" in shape_of(Tree).schema["$defs"]
    assert shape_of(Tree).read('{"children": [{}]}') == Tree([Tree()])


def test_plain_types_have_a_shape_too() -> None:
    assert shape_of(list[int]).read("[1, 2]") == [1, 2]
    assert shape_of(Point).read('{"x": 1}') == Point(1.0)
    assert shape_of(int).name == "int"


@pytest.mark.parametrize(
    "text",
    [
        INVOICE,
        f"\n {INVOICE}\n",
        f"```json\n{INVOICE}\n```",
        f"Here you are:\n```\n{INVOICE}\n```\nAnything else?",
        f"The invoice is {INVOICE}. Bye.",
        f"```python\nprint(1)\n```\n```json\n{INVOICE}\n```",
    ],
)
def test_the_value_is_found_in_what_is_said_around_it(text: str) -> None:
    assert shape_of(Invoice).read(text) == Invoice("7", [Line("tea", 250)])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"number": "7", "lines": [{"name": "tea", "cents": "x"}]}', "$.lines[0].cents"),
        ('{"number": "7"}', "lines"),
        ('{"number": "7", "lines": [', "not valid JSON"),
        ("I cannot do that.", "not valid JSON"),
        ("", "not valid JSON"),
        ("\ud800", "not valid JSON"),
    ],
)
def test_a_mismatch_says_where(text: str, complaint: str) -> None:
    with pytest.raises(Mismatch) as caught:
        shape_of(Invoice).read(text)
    assert complaint in str(caught.value)


def test_a_schema_gives_plain_data() -> None:
    shape = shape_of(SCHEMA)
    assert shape.name == "a_city"
    assert shape.read('{"city": "Oslo", "big": false}') == {"city": "Oslo", "big": False}


@pytest.mark.parametrize(
    ("data", "complaints"),
    [
        ({"city": "O"}, ["$.city"]),
        ({"city": "Oslo", "big": "no"}, ["$.big", "boolean"]),
        ({"city": "Oslo", "x": 1}, ["Additional properties"]),
        ({"city": 4, "big": 4}, ["$.city", "$.big"]),
    ],
)
def test_a_schema_names_every_place(data: Any, complaints: list[str]) -> None:
    with pytest.raises(Mismatch) as caught:
        shape_of(SCHEMA).read(json.dumps(data))
    assert all(complaint in str(caught.value) for complaint in complaints)


@pytest.mark.parametrize("wanted", [{"type": "objekt"}, {"type": "object", "properties": 3}, complex, print])
def test_what_is_no_shape_is_refused_at_once(wanted: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        shape_of(wanted)
    assert caught.value.param == "shape"


def test_a_reference_to_another_place_is_not_fetched() -> None:
    shape = shape_of({"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(InvalidArgument):
        shape.read("{}")


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_any_json_value_is_read_as_it_was_written(value: Any) -> None:
    assert shape_of({}).read(json.dumps(value)) == value


@given(st.lists(st.text(max_size=5) | st.sampled_from([INVOICE, "```", "```json\n", "\n", *'{}[]"\\:,7'])))
def test_what_does_not_fit_is_never_read(parts: list[str]) -> None:
    with contextlib.suppress(Mismatch):
        assert shape_of(Invoice).read("".join(parts)) == Invoice("7", [Line("tea", 250)])


plain_talk = st.text(st.characters(exclude_characters="{}[]`"))


@given(plain_talk, plain_talk)
def test_a_value_is_found_whatever_is_said_around_it(before: str, after: str) -> None:
    assert shape_of(Invoice).read(before + INVOICE + after) == Invoice("7", [Line("tea", 250)])
