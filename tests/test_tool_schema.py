"""What annotations say of the parameters of a tool: descriptions and limits."""

from datetime import date
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import msgspec
import pytest

from realtime.tools import Toolbox, as_tools, tool
from tests.test_tools import Place, Unit, error_of, run


class Field:
    """As pydantic's: what it says is in its attributes, or in those of its metadata."""

    def __init__(self, description: str | None = None, **limits: Any) -> None:
        self.description = description
        self.metadata = [SimpleNamespace(**{name: limit}) for name, limit in limits.items()]


def test_fields_and_nested_annotations_are_described():
    def book(
        count: Annotated[int, Field("How many", ge=1, le=4)],
        names: list[Annotated[str, SimpleNamespace(min_length=2)]],
        city: Annotated[str, "Name of the city"] | None = None,
    ) -> str:
        return f"{count}"

    properties = as_tools([book])[0].spec.parameters["properties"]
    assert properties["count"] == {"type": "integer", "minimum": 1, "maximum": 4, "description": "How many"}
    assert properties["names"]["items"] == {"type": "string", "minLength": 2}
    assert properties["city"]["anyOf"][0] == {"type": "string", "description": "Name of the city"}
    assert "are invalid" in error_of(run(Toolbox([book]), "book", '{"count":9,"names":["Ada"]}'))


def property_of(hint: Any) -> Any:
    def ask(value):
        return value

    ask.__annotations__["value"] = hint
    return tool(ask).spec.parameters["properties"]["value"]


def test_a_limit_counts_for_each_member_of_a_union_and_the_description_for_all():
    whole = {"type": "integer", "minimum": 1}
    said = {"description": "How many", "anyOf": [whole, {"type": "null"}]}
    assert property_of(Annotated[int | None, Field("How many", ge=1)]) == said
    assert property_of(Annotated[int | None, Field(ge=1), msgspec.Meta(description="How many")]) == said
    assert property_of(Annotated[int | None, Field(ge=1, min_length=2, max_length=3)])["anyOf"][0] == whole
    either = property_of(Annotated[str | list[int] | None, Field(min_length=2)])["anyOf"]
    assert [each.get("minLength", each.get("minItems")) for each in either] == [2, 2, None]


LIMITS = [
    Field(gt=date(2020, 1, 1)),
    Field(ge=1.5),
    Field(gt=0, ge=1),
    Field(multiple_of=0),
    Field(pattern="("),
]
HINTS = [
    int,
    float,
    str,
    bool,
    date,
    list[int],
    int | str | None,
    dict[str, int],
    Unit,
    Place,
    Literal["a"],
    Any,
]


@pytest.mark.parametrize("hint", HINTS)
def test_what_a_field_says_that_cannot_be_expressed_is_left_out(hint):
    for limit in [
        *LIMITS,
        Field(min_length=-1),
        Field(min_length="x"),
        Field(max_length=3, le=2, pattern="a"),
    ]:
        assert "a value" in str(property_of(Annotated[hint, limit, "a value"]))
    assert property_of(Annotated[float, Field(gt=0), msgspec.Meta(ge=1)])["minimum"] == 1
