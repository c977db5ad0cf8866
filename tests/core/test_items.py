"""Which output belongs to which call, also where ids of calls come again."""

from __future__ import annotations

import pytest

from realtime.core.conversation import Conversation
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


class CountedCall(FunctionCall):
    """Counts how often anything of any of them is read."""

    reads = 0

    def __getattribute__(self, name: str) -> object:
        CountedCall.reads += 1
        return super().__getattribute__(name)


@pytest.mark.parametrize("status", ["completed", "incomplete"])
@pytest.mark.parametrize("outputs_at_once", [1, 500])
def test_the_work_grows_with_the_calls_and_not_with_their_square(status, outputs_at_once):
    """All with one id: some models give each call the same."""
    items: list[Item] = []
    for number in range(500):
        items.append(CountedCall(f"c{number}", "call_0", "look", "{}", status))
        if (number + 1) % outputs_at_once == 0:
            items += [FunctionCallOutput(f"o{number}", "call_0", "four")] * outputs_at_once
    CountedCall.reads = 0
    assert len(outputs_of_calls(items)) == 500
    assert CountedCall.reads <= 500 * 6


@pytest.mark.parametrize("call_id", ["call_0", "call_{}"])
def test_an_output_that_nobody_awaits_is_put_in_without_a_look_at_all_items(call_id: str, monkeypatch):
    """A stored conversation that goes on has hundreds: the server stands still for them."""
    looks: list[int] = []
    monkeypatch.setattr(
        "realtime.core.conversation.outputs_of_calls",
        lambda items: looks.append(len(items)) or outputs_of_calls(items),
    )
    conversation = Conversation()
    for number in range(50):
        its_id = call_id.format(number)
        conversation.add(FunctionCall(f"c{number}", its_id, "look", "{}"), restored=True)
        conversation.add(FunctionCallOutput(f"o{number}", its_id, "four"), restored=True)
    assert (looks, conversation.awaits_output) == ([], False)
    conversation.add(FunctionCall("late", "call_late", "look", status="in_progress"))
    conversation.complete(FunctionCall("late", "call_late", "look", "{}"))
    conversation.add(FunctionCallOutput("its", "call_late", "four"))
    assert (looks, conversation.awaits_output) == ([102], False)
