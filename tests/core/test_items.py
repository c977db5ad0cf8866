"""Which output belongs to which call, also where ids of calls come again."""

from __future__ import annotations

import pytest

from realtime.core.items import FunctionCall, FunctionCallOutput, Item, outputs_of_calls
from tests.core.conversation_kit import user


def items_of(story: str) -> list[Item]:
    """A word each: `c1` a call, `o1` an output, `x1` a call that was broken off; what follows is its call id."""
    items: list[Item] = []
    for number, (kind, *call_id) in enumerate(story.split()):
        match kind:
            case "c" | "x":
                status = "completed" if kind == "c" else "incomplete"
                items.append(FunctionCall(str(number), "".join(call_id), "look", "{}", status))
            case "o":
                items.append(FunctionCallOutput(str(number), "".join(call_id), f"output {number}"))
            case _:
                items.append(user(str(number), "Hi"))
    return items


@pytest.mark.parametrize(
    ("story", "outputs"),
    [
        ("c1 o1", {0: [1]}),
        ("c1 c2 o2 o1", {0: [3], 1: [2]}),
        ("c1 o1 u c1 o1", {0: [1], 3: [4]}),
        ("c1 o1 u c1 u", {0: [1]}),
        ("c1 c1 o1 o1", {0: [2], 1: [3]}),
        ("c1 u c1 o1", {0: [3]}),
        ("c1 o1 o1 u c1 o1", {0: [1, 2], 4: [5]}),
        ("c1 o1 c1 o1 o1", {0: [1], 2: [3, 4]}),
        ("x1 c1 o1", {1: [2]}),
        ("x1 o1", {0: [1]}),
        ("o1 c1", {1: [0]}),
        ("o1 c1 o1", {1: [0, 2]}),
        ("o1 u", {}),
        ("", {}),
    ],
)
def test_each_output_goes_to_the_first_call_of_its_id_that_has_none(story, outputs):
    assert outputs_of_calls(items_of(story)) == outputs
