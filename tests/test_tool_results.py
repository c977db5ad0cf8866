"""What a function gives, as text for the model."""

import asyncio
import itertools
from collections import deque
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from realtime.tool_results import MAX_OUTPUT_CHARACTERS, as_output, collected
from realtime.tools import Toolbox
from tests.test_tools import error_of, run


class Model:
    """As pydantic's."""

    def model_dump(self):
        return {"a": np.int64(1)}


class Mute:
    def __str__(self):
        raise RuntimeError


class NotWhatItLooksLike:
    def item(self):
        raise ValueError

    def __str__(self):
        return "a thing"


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ({"t": np.float32(3.25), "a": np.arange(3)}, '{"t":3.25,"a":[0,1,2]}'),
        ([Model(), 1], '[{"a":1},1]'),
        (
            {"d": Decimal("1.5"), "p": Path("x"), "t": datetime(2026, 1, 1)},
            '{"d":"1.5","p":"x","t":"2026-01-01T00:00:00"}',
        ),
        ({"k": {"a": 1}.keys(), "r": range(2), "q": deque([1])}, '{"k":["a"],"r":[0,1],"q":[1]}'),
        ({(1, 2): Path("x"), "n": [np.int8(1)]}, '{"(1, 2)": "x", "n": [1]}'),
        ([1j, int, NotWhatItLooksLike()], '["1j","<class \'int\'>","a thing"]'),
        ([Mute(), 2], '["<Mute>",2]'),
        ({"half": "\ud83d", "n": np.int8(1)}, '{"half": "\ufffd", "n": 1}'),
    ],
)
def test_one_value_that_json_does_not_know_leaves_the_rest_as_it_is(result, output):
    assert as_output(result) == output


async def hits(count: int):
    """Found one after the other."""
    for number in range(count):
        yield {"n": number}


def numbers(count: int):
    yield from range(count)


async def later(count: int):
    return map(str, range(count))


@pytest.mark.parametrize(
    ("tool", "output"), [(hits, '[{"n":0},{"n":1}]'), (numbers, "[0,1]"), (later, '["0","1"]')]
)
def test_what_a_generator_yields_is_a_list(tool, output):
    assert run(Toolbox([tool]), tool.__name__, '{"count":2}') == output


def test_a_generator_ends_where_its_output_would_be_cut():
    assert len(as_output(asyncio.run(collected(itertools.count())))) < MAX_OUTPUT_CHARACTERS + 100


def test_a_generator_has_the_time_limit_of_its_tool():
    async def slow():
        yield 1
        await asyncio.sleep(60)

    assert "did not answer in 0.05 s" in error_of(run(Toolbox([slow], timeout_s=0.05), "slow", "{}"))
