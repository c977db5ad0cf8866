"""What a function gives, as text for the model."""

import asyncio
import itertools
import threading
from collections import deque
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from realtime.core.messages import ToolCall
from realtime.tool_results import MAX_OUTPUT_CHARACTERS, Unfinished, as_output, collected
from realtime.tools import Toolbox
from tests.eventually import eventually
from tests.test_tools import error_of, run


class Model:
    """As pydantic's."""

    def model_dump(self):
        return {"a": np.int64(1)}


class Mute:
    def __str__(self):
        raise RuntimeError


class NotWhatItLooksLike:
    def to_dict(self):
        raise ValueError

    def __str__(self):
        return "a thing"


class Series:
    """As that of pandas."""

    dtype = "int64"

    def tolist(self):
        return [21]

    def to_dict(self):
        return {"Paris": 21}


class Itself:
    """Has the methods of others, which give nothing new."""

    def item(self):
        return 1

    def to_dict(self):
        return Itself()

    def __str__(self):
        return "a cart"


itself: dict[str, object] = {}
itself["me"] = itself


@pytest.mark.parametrize(
    ("result", "output"),
    [
        ([Series(), Itself()], '[{"Paris":21},"a cart"]'),
        ({"n": float("nan"), "a": np.array([np.inf])}, '{"n":null,"a":[null]}'),
        (
            {(1,): float("nan"), "a": [np.array([np.inf]), {"b": float("-inf")}]},
            '{"(1,)": null, "a": [[null], {"b": null}]}',
        ),
        (["\ud83d", float("nan")], '["\ufffd", null]'),
        (itself, "{'me': {...}}"),
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
    async def endless():
        return itertools.count()

    assert len(run(Toolbox([endless]), "endless", "{}")) < MAX_OUTPUT_CHARACTERS + 100


def test_a_generator_has_the_time_limit_of_its_tool():
    async def slow():
        yield 1
        await asyncio.sleep(60)

    assert "did not answer in 0.05 s" in error_of(run(Toolbox([slow], timeout_s=0.05), "slow", "{}"))


def test_an_iterator_of_a_coroutine_runs_in_a_thread_of_its_tool_and_ends_when_nobody_waits():
    items, threads = threading.Semaphore(0), []

    def endless():
        while True:
            threads.append(threading.current_thread().name)
            items.acquire(timeout=60)
            yield 1

    async def gives():
        return endless()

    async def calls():
        box = Toolbox([gives, endless], timeout_s=0.05)
        for name in ("gives", "endless"):
            assert "did not answer" in error_of(await box.run(ToolCall("c", name, "{}")))
            assert box._threads[name].given_up == 1
            items.release()
            await eventually(lambda name=name: box._threads[name].given_up == 0)
        await box.aclose()

    asyncio.run(calls())
    assert [name.split("_")[0] for name in threads] == ["tool gives", "tool endless"]


async def fetch() -> int:
    return 21


@pytest.mark.parametrize(
    ("unfinished", "said"),
    [
        (fetch, "The tool gave a function: a call of it is missing."),
        ([].append, "The tool gave a builtin_function_or_method: a call of it is missing."),
        (partial(int, "1"), "The tool gave a partial: a call of it is missing."),
        (map(int, "12"), "The tool gave a map: make a list of it."),
        ((n for n in (1, 2)), "The tool gave a generator: make a list of it."),
    ],
)
@pytest.mark.parametrize(
    "inside", [lambda each: each, lambda each: {"a": [each]}, lambda each: {(1, 2): each}]
)
def test_what_is_no_value_yet_is_an_error_wherever_it_is(unfinished, said, inside):
    with pytest.raises(Unfinished) as caught:
        as_output(inside(unfinished))
    assert str(caught.value) == said


def test_a_forgotten_await_is_an_error_for_the_model_and_a_line_in_the_log(caplog):
    async def whole():
        return fetch()

    async def twice():
        return whole()

    async def nested():
        return {"degrees": fetch()}

    def nested_in_a_thread():
        return {"degrees": fetch()}

    assert [run(Toolbox([tool]), tool.__name__, "{}") for tool in (whole, twice)] == ["21", "21"]
    assert not caplog.records
    for tool in (nested, nested_in_a_thread):
        output = run(Toolbox([tool]), tool.__name__, "{}")
        assert (
            error_of(output) == f"{tool.__name__} failed: The tool gave a coroutine: an `await` is missing."
        )
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


class GivesItself:
    """As a pipeline of Redis: to wait for it gives it again."""

    def __await__(self):
        return self
        yield


async def test_what_gives_itself_is_waited_for_once():
    async def in_thread(function):
        return function()

    pipeline = GivesItself()
    assert await collected(pipeline, in_thread) is pipeline
    with pytest.raises(Unfinished):
        as_output(pipeline)
