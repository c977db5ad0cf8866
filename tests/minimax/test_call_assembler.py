"""Tool calls in the streams of many services: whatever ids and indexes they send, each call comes out whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import ToolCallDelta
from realtime.minimax.call_assembler import ToolCallAssembler

PARIS, ROME = '{"city":"Paris"}', '{"city":"Rome"}'
MISSING = object()


def part(arguments: Any = MISSING, *, name: Any = MISSING, **more: Any) -> dict[str, Any]:
    function = {
        key: value for key, value in (("name", name), ("arguments", arguments)) if value is not MISSING
    }
    return {"function": function, **more}


def calls_of(
    *parts: dict[str, Any], limit: int | None = None, schemas: Any = None
) -> list[tuple[str, str, Any]]:
    """Id, name and arguments of each call. Fragments of two calls may not mix: a reader ends a call at the next."""
    numbers = iter(range(100))
    assembler = ToolCallAssembler(limit, lambda: f"new_{next(numbers)}", schemas=schemas)
    events = [event for one in parts for event in assembler.feed(one)] + assembler.finish()
    calls: list[list[str]] = []
    for event in events:
        assert isinstance(event, ToolCallDelta)
        if event.index == len(calls):
            calls.append([event.call_id, event.name, ""])
        assert event.index == len(calls) - 1
        calls[-1][2] += event.arguments
    return [(call_id, name, json.loads(text)) for call_id, name, text in calls]


ONE = [("a", "f", {"city": "Paris"})]
TWO = [("a", "f", {"city": "Paris"}), ("b", "f", {"city": "Rome"})]
SPLIT = ('{"ci', 'ty":"Pa', 'ris"}')


@pytest.mark.parametrize(
    ("parts", "expected"),
    {
        "OpenAI": ([part("", name="f", id="a", index=0), *(part(text, index=0) for text in SPLIT)], ONE),
        "the id in each fragment": ([part(text, name="f", id="a", index=0) for text in SPLIT], ONE),
        "the name in each fragment": ([part(text, name="f", id="a" * (n == 0), index=0) for n, text in enumerate(SPLIT)], ONE),
        "an empty id later": ([part(SPLIT[0], name="f", id="a", index=0), *(part(t, id="", name="", index=0) for t in SPLIT[1:])], ONE),
        "null later": ([part(SPLIT[0], name="f", id="a", index=0), *(part(t, id=None, name=None, index=0) for t in SPLIT[1:])], ONE),
        "a new id for each fragment": ([part(SPLIT[0], name="f", id="a", index=0), part(SPLIT[1], id="x", index=0), part(SPLIT[2], id="y", index=0)], ONE),
        "a new id and the name for each fragment": ([part(t, name="f", id=i, index=0) for t, i in zip(SPLIT, "axy", strict=True)], ONE),
        "no index": ([part(SPLIT[0], name="f", id="a"), part(SPLIT[1]), part(SPLIT[2])], ONE),
        "no index, the id in each": ([part(text, name="f", id="a") for text in SPLIT], ONE),
        "index as a text": ([part(text, name="f", id="a", index="0") for text in SPLIT], ONE),
        "index as a float": ([part(text, name="f", id="a", index=0.0) for text in SPLIT], ONE),
        "an index that grows": ([part(SPLIT[0], name="f", id="a", index=0), part(SPLIT[1], index=1), part(SPLIT[2], index=2)], ONE),
        "an index that begins late": ([part(SPLIT[0], name="f", id="a", index=3), part(SPLIT[1] + SPLIT[2], index=3)], ONE),
        "the whole arguments again": ([part(text, name="f", id="a", index=0) for text in (*SPLIT, PARIS)], ONE),
        "the whole arguments again, without name": ([part(PARIS, name="f", id="a", index=0), part(PARIS, index=0)], ONE),
        "snapshots": ([part(PARIS[:end], name="f", id="a", index=0) for end in (1, 5, 9, len(PARIS))], ONE),
        "an object": ([part({"city": "Paris"}, name="f", id="a", index=0)], ONE),
        "an object and again as a text": ([part({"city": "Paris"}, name="f", id="a", index=0), part(PARIS, index=0)], ONE),
        "the name last": ([part(PARIS, id="a", index=0), part("", name="f", index=0)], ONE),
        "no id at all": ([part(PARIS, name="f", index=0)], [("new_0", "f", {"city": "Paris"})]),
        "a number as id": ([part(PARIS, name="f", id=7, index=0)], [("7", "f", {"city": "Paris"})]),
        "no arguments": ([part(name="f", id="a", index=0)], [("a", "f", {})]),
        "null arguments": ([part(None, name="f", id="a", index=0)], [("a", "f", {})]),
        "parallel": ([part(PARIS, name="f", id="a", index=0), part(ROME, name="f", id="b", index=1)], TWO),
        "parallel, index always 0": ([part(PARIS, name="f", id="a", index=0), part(ROME, name="f", id="b", index=0)], TWO),
        "parallel, no index": ([part(PARIS, name="f", id="a"), part(ROME, name="f", id="b")], TWO),
        "parallel, index always 0, in pieces": (
            [part(SPLIT[0], name="f", id="a", index=0), part(SPLIT[1], index=0), part(SPLIT[2], index=0), part('{"city":', name="f", id="b", index=0), part('"Rome"}', index=0)], TWO),
        "interleaved": (
            [part(SPLIT[0], name="f", id="a", index=0), part('{"city":', name="f", id="b", index=1), part(SPLIT[1], index=0), part('"Rome"}', index=1), part(SPLIT[2], index=0)], TWO),
        "interleaved by id alone": (
            [part(SPLIT[0], name="f", id="a"), part('{"city":', name="f", id="b"), part(SPLIT[1], id="a"), part('"Rome"}', id="b"), part(SPLIT[2], id="a")], TWO),
        "no id and no index": (
            [part({"city": "Paris"}, name="f"), part({"city": "Rome"}, name="f")],
            [("new_0", "f", {"city": "Paris"}), ("new_1", "f", {"city": "Rome"})]),
        "one index, no ids": (
            [part(PARIS, name="f", id="", index=0), part(ROME, name="f", id="", index=0)],
            [("new_0", "f", {"city": "Paris"}), ("new_1", "f", {"city": "Rome"})]),
        "one id for two calls": (
            [part(PARIS, name="f", id="a", index=0), part(ROME, name="f", id="a", index=1)],
            [("a", "f", {"city": "Paris"}), ("new_0", "f", {"city": "Rome"})]),
        "two tools": (
            [part(PARIS, name="f", id="a", index=0), part("{}", name="g", id="b", index=0)],
            [("a", "f", {"city": "Paris"}), ("b", "g", {})]),
        "a tool without arguments first": (
            [part("", name="g", id="a", index=0), part(ROME, name="f", id="b", index=1)],
            [("a", "g", {}), ("b", "f", {"city": "Rome"})]),
        "no function": ([{"id": "z", "index": 5}, {}, {"function": None}, part(PARIS, name="f", id="a", index=0)], ONE),
    }.values(),
)  # fmt: skip
def test_streams_of_many_services(parts: list[dict[str, Any]], expected: list[tuple[str, str, Any]]) -> None:
    assert calls_of(*parts) == expected


def test_empty_arguments_before_the_true_ones_are_left_out() -> None:
    parts = [part("{}", name="f", id="a", index=0), *(part(text, index=0) for text in SPLIT)]
    assert calls_of(*parts, schemas={"f": {"required": ["city"]}}) == ONE


def test_the_limit_counts_calls_and_not_indexes() -> None:
    parts = [part(PARIS, name="f", id="a", index=4), part(ROME, name="f", id="b", index=7)]
    assert calls_of(*parts, limit=1) == ONE


ARGUMENTS = st.dictionaries(
    st.sampled_from(["city", "n"]), st.integers() | st.text(max_size=5), min_size=1, max_size=2
)


@given(st.data(), st.lists(ARGUMENTS, min_size=1, max_size=4))
def test_calls_mixed_in_any_way_come_out_whole(data: st.DataObject, calls: list[dict[str, Any]]) -> None:
    """Fragments of all calls in any mix, each with its index alone after the first."""
    waiting: list[list[dict[str, Any]]] = []
    for index, arguments in enumerate(calls):
        text = json.dumps(arguments)
        at = data.draw(st.integers(0, len(text)))
        waiting.append([part(text[:at], name="f", id=f"c{index}", index=index), part(text[at:], index=index)])
    parts = [fragments.pop(0) for fragments in waiting]
    while rest := [fragments for fragments in waiting if fragments]:
        parts.append(data.draw(st.sampled_from(rest)).pop(0))
    if "\x7f" not in json.dumps(calls):
        assert [(call_id, arguments) for call_id, _, arguments in calls_of(*parts)] == [
            (f"c{index}", arguments) for index, arguments in enumerate(calls)
        ]
