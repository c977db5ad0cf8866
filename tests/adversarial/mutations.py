"""Damaged copies of good messages, by seed: a value of another type, bytes lost or turned, nesting without end."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

BIG = 10**400
DEEP = "[" * 5_000 + "]" * 5_000
MARK = "@deep@"  # stands for DEEP until the message is text: building it as a value would take the stack
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2.5, -0.0, 1e308, -1e308, BIG, -BIG, float("nan"), float("inf"), float("-inf"),
    "", " ", "x", "0", "1e999", "null", "\x00", "\ud800", "😀", "a" * 3_000, "[" * 900, [], {}, [[]], [None], [1], [True],
    ["x"], [{}], {"": None}, {"text": 1}, {"text": []}, {"type": []}, [[[[]]]], {"a": {"b": {"c": {}}}}, MARK, [MARK],
)  # fmt: skip


def mutated(message: Any, dice: random.Random) -> str | bytes:
    """One damaged copy of a message, as the text or the bytes of a frame."""
    damaged = copy.deepcopy(message)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        damaged = _with_odd_value(damaged, dice)
    text = json.dumps(damaged, ensure_ascii=dice.random() < 0.5).replace(json.dumps(MARK), DEEP)
    if dice.random() < 0.2:
        return _with_odd_bytes(text.encode("utf-8", "surrogatepass"), dice)
    return text


def _with_odd_value(message: Any, dice: random.Random) -> Any:
    places = list(_places(message))
    if not places or dice.random() < 0.02:
        return copy.deepcopy(dice.choice(ODD))
    holder, key = dice.choice(places)
    match dice.randrange(8):
        case 0 if isinstance(holder, dict):
            del holder[key]
        case 1:
            holder[key] = [holder[key]]
        case 2:
            holder[key] = {"text": holder[key]}
        case 3 if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[key] = copy.deepcopy(dice.choice(ODD))
    return message


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a message where a value stands."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _with_odd_bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    match dice.randrange(4):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes(dice.randrange(256) for _ in range(3)) + data[at:]
        case 2:
            return data[:at] + data[at + dice.randrange(9) :]
    return data[:at] + data[:at]
