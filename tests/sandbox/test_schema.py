"""Structured answers of the sandbox: instances of schemas, the field `response_format`, schemas in words."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.schema import BadSchema, check_schema, schema_in
from realtime.sandbox.schema_fill import fill
from realtime.sandbox.schema_pattern import matching
from realtime.sandbox.schema_words import Words

NOW = datetime.datetime(2026, 11, 26, 10, 30)


class Item(msgspec.Struct):
    name: str
    quantity: int
    price: float


class Invoice(msgspec.Struct):
    number: int
    customer: str
    total: float
    currency: Literal["EUR", "USD"]
    due: datetime.date
    paid: bool
    items: list[Item]
    note: str | None = None


INVOICE_TEXT = (
    "Invoice number 4711 for Acme Corp: total 129.90 USD, due 2026-12-01, not paid. "
    'Items: "apples" 3 at 1.20 and "pears" 2 at 0.50.'
)
INVOICE = Invoice(
    4711,
    "Acme Corp",
    129.9,
    "USD",
    datetime.date(2026, 12, 1),
    False,
    [Item("apples", 3, 1.2), Item("pears", 2, 0.5)],
)


def filled(schema: dict[str, Any], text: str = "", said: str = "") -> Any:
    return fill(schema, Words(text, said, NOW))


def object_of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_an_invoice_is_read_out_of_a_sentence() -> None:
    made = filled(msgspec.json.schema(Invoice), INVOICE_TEXT)
    assert msgspec.json.decode(json.dumps(made), type=Invoice) == INVOICE


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ({"type": "integer"}, "The parcel weighs 2.5 kg and holds 7 books.", 7),
        ({"type": "number", "maximum": 10}, "about 12", 10),
        ({"type": "integer", "exclusiveMinimum": 4}, "just 4", 5),
        ({"type": "number", "multipleOf": 0.25}, "around 1.3", 1.25),
        ({"type": "integer"}, "twenty two people", 22),
        ({"type": "number"}, "it costs 1,299.50", 1299.5),
        ({"enum": ["red", "green"]}, "Make it green, please", "green"),
        ({"enum": ["红", "绿"]}, "我要绿的", "绿"),
        ({"enum": ["red", "green"]}, "any colour", "red"),
        ({"enum": ["red", "green"]}, "我要green的", "green"),
        ({"type": "number"}, "价格是0.9元", 0.9),
        (object_of(values={"type": "array", "items": object_of(value={"type": "integer"})}), "3, 4", {"values": [{"value": 3}, {"value": 4}]}),
        ({"const": 3}, "", 3),
        ({"type": "string"}, 'Say "good evening" to her', "good evening"),
        ({"type": "string"}, "please write to Ada Lovelace", "Ada Lovelace"),
        ({"type": "string", "maxLength": 3}, "please write to Ada Lovelace", "Ada"),
        ({"type": "string", "minLength": 10}, "to Ada", "Ada......."),
        ({"type": "string", "format": "date"}, "by March 3, 2027", "2027-03-03"),
        ({"type": "string", "format": "date"}, "by tomorrow", "2026-11-27"),
        ({"type": "string", "format": "date-time"}, "on 2027-01-02 at 09:15", "2027-01-02T09:15:00Z"),
        ({"type": "string", "format": "email"}, "mail ada@example.org now", "ada@example.org"),
        ({"type": "string", "format": "uri"}, "see https://a.test/b.", "https://a.test/b"),
        ({"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}, "parcel AB-12, please", "AB-12"),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, "we are 5", 5),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "nothing here", None),
        ({"type": ["string", "null"]}, "nothing here", None),
        ({"type": "array", "items": {"type": "number"}}, "1, 2.5 and 4", [1, 2.5, 4]),
        ({"type": "array", "items": {"type": "number"}, "maxItems": 2}, "1, 2.5 and 4", [1, 2.5]),
        ({"type": "array", "items": {"enum": ["a1", "b2", "c3"]}}, "take c3 and a1", ["a1", "c3"]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, "", [0, 0]),
        ({"type": "array", "prefixItems": [{"const": 1}, {"const": 2}], "items": False}, "", [1, 2]),
        (object_of(tags={"type": "array", "items": {"type": "string"}}), "tags: a1, b c and d", {"tags": ["a1", "b c", "d"]}),
        (object_of(is_open={"type": "boolean"}), "The shop is open.", {"is_open": True}),
        (object_of(is_open={"type": "boolean"}), "The shop is not open.", {"is_open": False}),
        (object_of(a=object_of(b={"type": "integer"})), "b is 9", {"a": {"b": 9}}),
        (object_of(width={"type": "integer"}, height={"type": "integer"}), "height 3, width 8", {"width": 8, "height": 3}),
    ],
)  # fmt: skip
def test_values_come_from_the_text(schema: dict[str, Any], text: str, expected: Any) -> None:
    check_schema(schema)
    assert filled(schema, text) == expected


def test_the_talkers_own_answer_fills_an_answer() -> None:
    schema = object_of(answer={"type": "integer"}, explanation={"type": "string"})
    assert filled(schema, "What is 2 plus 3?", "2 plus 3 is 5.") == {
        "answer": 5,
        "explanation": "2 plus 3 is 5.",
    }


def test_a_member_of_a_union_is_chosen_by_its_tag() -> None:
    schema = {
        "anyOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}],
        "$defs": {
            "cat": object_of(kind={"const": "cat"}, name={"type": "string"}),
            "dog": object_of(kind={"const": "dog"}, name={"type": "string"}),
        },
    }
    assert filled(schema, "a dog named Rex") == {"kind": "dog", "name": "Rex"}


def test_a_schema_that_names_itself_ends() -> None:
    tree = {"$ref": "#/$defs/tree", "$defs": {"tree": object_of(below={"type": "array", "items": {"$ref": "#/$defs/tree"}})}}  # fmt: skip
    assert filled(tree, "Ann 1 Bob 2") == {"below": []}
    endless = {"$ref": "#"}
    assert filled(endless, "") == "unknown"


@given(st.text(max_size=80), st.integers(-50, 50), st.integers(0, 100), st.booleans())
def test_a_number_is_always_in_its_bounds(text: str, low: int, span: int, whole: bool) -> None:
    schema = {"type": "integer" if whole else "number", "minimum": low, "maximum": low + span}
    made = filled(schema, text)
    assert low <= made <= low + span
    assert isinstance(made, int) or not whole


@given(st.text(max_size=120))
def test_any_text_gives_an_instance(text: str) -> None:
    made = filled(msgspec.json.schema(Invoice), text)
    assert isinstance(msgspec.json.decode(json.dumps(made), type=Invoice), Invoice)


@pytest.mark.parametrize(
    "pattern",
    [r"^\d{4}-\d{2}$", "^(?:ab|cd)+x?$", "^[^a]$", "^[A-F0-9]{6}$", r"^\w+@\w+\.com$", r"^\+?\S{3,5}$"],
)
def test_a_text_is_made_for_a_pattern(pattern: str) -> None:
    assert re.search(pattern, matching(pattern, "")) is not None


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ([], "must be an object"),
        ({"type": "text"}, "$.type 'text' is not a type"),
        ({"type": "object", "properties": []}, "$.properties must be an object"),
        ({"properties": {"a": 3}}, "$.properties.a must be an object"),
        ({"required": "a"}, "$.required must be a list of names"),
        ({"enum": []}, "$.enum must be a list that is not empty"),
        ({"anyOf": []}, "$.anyOf must be a list that is not empty"),
        ({"$ref": "#/$defs/a"}, "$ref '#/$defs/a' is not in the schema"),
        ({"items": {"$ref": "http://else.test"}}, "$ref 'http://else.test' is not in the schema"),
        ({"minimum": 3, "maximum": 2}, "$.minimum is larger than maximum"),
        ({"minimum": "3"}, "$.minimum must be a number"),
        ({"pattern": "("}, "$.pattern is not a regular expression"),
    ],
)
def test_a_bad_schema_is_named(schema: Any, problem: str) -> None:
    with pytest.raises(BadSchema) as raised:
        check_schema(schema)
    assert str(raised.value) == problem


def test_a_schema_is_found_among_words() -> None:
    schema = object_of(a={"type": "integer"})
    text = f'Use {{braces}} and data like {{"a": 1}}. Schema:\n```json\n{json.dumps(schema, indent=2)}\n```\nThanks'
    found = schema_in(text)
    assert found is not None
    assert found[0] == schema
    assert found[1].startswith('Use {braces} and data like {"a": 1}. Schema:')
    assert "properties" not in found[1]
    assert schema_in('{"a": 1} {"type": "weather"} {') is None


JSON_VALUE = {
    "$ref": "#/$defs/any",
    "$defs": {
        "any": {
            "anyOf": [
                *({"type": kind} for kind in ("null", "boolean", "integer", "string")),
                {"type": "array", "items": {"$ref": "#/$defs/any"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/any"}},
            ]
        }
    },
}


def test_a_schema_of_everything_ends_soon() -> None:
    words = " ".join(f"Name{n} {n}, word is {n}" for n in range(40))
    assert json.dumps(filled(JSON_VALUE, words))
    assert filled({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}) != {}


def bounded(draw: st.DrawFn, low: str, high: str, largest: int) -> dict[str, int]:
    """No bound, one, or both."""
    first, second = sorted((draw(st.integers(0, largest)), draw(st.integers(0, largest))))
    keep = draw(st.sampled_from([(), (low,), (high,), (low, high)]))
    return {name: value for name, value in ((low, first), (high, second)) if name in keep}


@st.composite
def schemas(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    """Schemas of every kind that has an instance."""
    kinds = ["integer", "number", "string", "boolean", "null", "enum"]
    match draw(st.sampled_from([*kinds, *(["array", "object", "anyOf"] if depth else [])])):
        case "integer" | "number" as kind:
            return {"type": kind, **bounded(draw, "minimum", "maximum", 20)}
        case "string":
            return {"type": "string", **bounded(draw, "minLength", "maxLength", 12)}
        case "enum":
            return {"enum": draw(st.lists(st.sampled_from(["red", "Ada", 3, None, True]), min_size=1))}
        case "array":
            return {
                "type": "array",
                "items": draw(schemas(depth - 1)),
                **bounded(draw, "minItems", "maxItems", 4),
            }
        case "object":
            names = draw(st.lists(st.sampled_from(["name", "total", "isPaid", "items"]), unique=True))
            properties = {name: draw(schemas(depth - 1)) for name in names}
            required = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
            return {"type": "object", "properties": properties, "required": required}
        case "anyOf":
            return {"anyOf": draw(st.lists(schemas(depth - 1), min_size=1, max_size=3))}
        case kind:
            return {"type": kind}


TYPES: dict[str, Any] = {
    "integer": int, "number": (int, float), "string": str, "boolean": bool, "null": type(None), "array": list, "object": dict,
}  # fmt: skip


def is_instance(value: Any, schema: dict[str, Any]) -> bool:
    """A validator of the keywords above, written apart from what it judges."""
    if "anyOf" in schema:
        return any(is_instance(value, option) for option in schema["anyOf"])
    if "enum" in schema:
        return any(value == each and type(value) is type(each) for each in schema["enum"])
    kind = schema["type"]
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return False
    if kind in ("integer", "number"):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if kind == "string":
        return bool(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)))
    if kind == "array":
        fits = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return fits and all(is_instance(item, schema["items"]) for item in value)
    if kind == "object":
        known = all(is_instance(inner, schema["properties"][name]) for name, inner in value.items())
        return known and set(schema["required"]) <= value.keys()
    return True


@given(schemas(), st.sampled_from(["", INVOICE_TEXT, "Ada has 3 red items: x, y; total 12.5, 7 and 900"]))
def test_every_schema_gets_an_instance(schema: dict[str, Any], text: str) -> None:
    check_schema(schema)
    assert is_instance(filled(schema, text), schema)
