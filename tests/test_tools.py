"""Functions as tools: their descriptions for the model, and the calls."""

import asyncio
import dataclasses
import enum
import logging
import pickle
import sys
import threading
import time
from typing import Annotated, Any, Literal

import msgspec
import pytest

from realtime import deadlines
from realtime.core.messages import ToolCall
from realtime.errors import ConfigError
from realtime.protocol.session_config import FunctionTool
from realtime.tool_threads import MAX_THREADS
from realtime.tools import MAX_OUTPUT_CHARACTERS, Toolbox, as_tools, load_tools, tool
from tests.eventually import eventually


class Unit(enum.Enum):
    CELSIUS = "C"
    FAHRENHEIT = "F"


@dataclasses.dataclass
class Place:
    city: str
    country: str = "?"


@tool
async def get_weather(
    city: Annotated[str, "Name of the city"],
    unit: Literal["C", "F"] = "C",
    days: Annotated[int, msgspec.Meta(ge=1, le=7), "How many days"] = 1,
) -> dict[str, Any]:
    """The weather in a city, now.

    Celsius unless asked otherwise.
    """
    return {"city": city, "degrees": 4, "unit": unit, "days": days}


@tool(name="where", timeout_s=0.5)
def find(place: Place, unit: Unit = Unit.CELSIUS, note: str | None = None) -> str:
    return f"{place.city}, {place.country}, {unit.value}, {note}"


def plain(text: str) -> str:
    """Says it again."""
    return text


def run(box: Toolbox, name: str, arguments: str) -> str:
    async def call() -> str:
        try:
            return await box.run(ToolCall("call_1", name, arguments))
        finally:
            await box.aclose()

    return asyncio.run(call())


def error_of(output: str) -> str:
    return str(msgspec.json.decode(output)["error"])


# -- descriptions


def test_a_signature_becomes_a_schema_and_the_docstring_the_description():
    assert get_weather.name == "get_weather"
    assert get_weather.spec.description == "The weather in a city, now.\n\nCelsius unless asked otherwise."
    assert get_weather.spec.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Name of the city"},
            "unit": {"enum": ["C", "F"], "default": "C"},
            "days": {
                "type": "integer",
                "minimum": 1,
                "maximum": 7,
                "description": "How many days",
                "default": 1,
            },
        },
        "required": ["city"],
    }


def test_classes_and_enums_are_described():
    schema = find.spec.parameters
    assert schema is not None
    assert find.name == "where"
    assert set(schema["$defs"]) == {"Place", "Unit"}
    assert schema["properties"]["note"]["default"] is None
    msgspec.json.encode(schema)


def test_a_tool_can_be_called_like_its_function():
    assert asyncio.run(get_weather("Oslo"))["city"] == "Oslo"
    assert find(Place("Oslo")) == "Oslo, ?, C, None"


def test_a_plain_function_becomes_a_tool():
    (one,) = as_tools([plain])
    assert one.spec == FunctionTool("plain", "Says it again.", one.spec.parameters)


def test_a_tool_can_be_pickled():
    again = pickle.loads(pickle.dumps(find))
    assert again.spec == find.spec
    assert again.timeout_s == 0.5


def no_hint(city) -> str:  # type: ignore[no-untyped-def]
    return str(city)


def many(*cities: str) -> str:
    return str(cities)


def lock(lock: threading.Thread) -> str:
    return str(lock)


@pytest.mark.parametrize(
    ("function", "message"),
    [(no_hint, "needs a type hint"), (many, "must be a named parameter"), (lock, "JSON cannot represent")],
)
def test_a_function_without_a_schema_raises_config_error(function, message):
    with pytest.raises(ConfigError, match=message):
        tool(function)


def test_two_tools_with_one_name_raise_config_error():
    with pytest.raises(ConfigError, match="Two tools are named 'plain'"):
        Toolbox([plain, plain])


# -- REALTIME_TOOLS


def test_a_module_gives_all_its_tools_and_an_attribute_gives_one():
    assert {one.name for one in load_tools([__name__])} == {"get_weather", "where"}
    assert [one.name for one in load_tools([f"{__name__}:plain"])] == ["plain"]


@pytest.mark.parametrize(
    "address", ["no_such_module", f"{__name__}:nothing", "json", f"{__name__}:__doc__", ":x"]
)
def test_an_address_without_a_tool_raises_config_error(address):
    with pytest.raises(ConfigError, match="REALTIME_TOOLS names"):
        load_tools([address])


# -- together with the client's tools


def test_a_clients_tool_replaces_a_server_tool_of_the_same_name():
    box = Toolbox([get_weather, plain])
    mine = (FunctionTool("plain"), FunctionTool("dial"))
    offered = box.beside(mine)
    assert [one.name for one in offered] == ["plain", "dial", "get_weather"]
    assert box.ours(offered) == {"get_weather"}


# -- calls


def test_the_result_is_text_for_the_model():
    box = Toolbox([get_weather, find, plain])
    output = run(box, "get_weather", '{"city":"Oslo","days":"2"}')
    assert msgspec.json.decode(output) == {"city": "Oslo", "degrees": 4, "unit": "C", "days": 2}
    assert run(box, "plain", '{"text":"as it is"}') == "as it is"
    assert run(Toolbox([find]), "where", '{"place":{"city":"Rome"},"unit":"F"}') == "Rome, ?, F, None"


@pytest.mark.parametrize(
    "arguments", ["{}", '{"city":3}', '{"city":"Oslo","unit":"K"}', "[]", '{"city":"Oslo","days":9}']
)
def test_invalid_arguments_are_reported_to_the_model(arguments):
    assert "are invalid" in error_of(run(Toolbox([get_weather]), "get_weather", arguments))


def test_an_exception_is_reported_to_the_model(caplog):
    def broken(text: str) -> str:
        raise RuntimeError("no network")

    def late(text: str) -> str:
        raise TimeoutError("the shop is closed")

    assert error_of(run(Toolbox([broken]), "broken", '{"text":""}')) == "broken failed: no network"
    assert error_of(run(Toolbox([late]), "late", '{"text":""}')) == "late failed: the shop is closed"
    assert "no network" in caplog.text


def test_a_slow_tool_times_out():
    async def slow() -> str:
        await asyncio.sleep(60)
        return "too late"

    def stuck() -> str:
        done.wait(20)
        return "too late"

    done = threading.Event()
    box = Toolbox([slow, stuck], timeout_s=0.05)
    assert "did not answer in 0.05 s" in error_of(run(box, "slow", "{}"))
    begin = time.monotonic()
    assert "did not answer" in error_of(run(box, "stuck", "{}"))
    assert time.monotonic() - begin < 15
    done.set()


def test_a_plain_function_runs_in_a_thread():
    names = []

    def where() -> str:
        names.append(threading.current_thread().name)
        return "here"

    assert run(Toolbox([where]), "where", "{}") == "here"
    assert names[0].startswith("tool")


def test_a_very_long_result_is_truncated():
    output = run(Toolbox([plain]), "plain", msgspec.json.encode({"text": "x" * 200_000}).decode())
    assert len(output) < MAX_OUTPUT_CHARACTERS + 100


# -- tools that go wrong


HALF = "\ud83d"  # of an emoji


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Picky(msgspec.Struct):
    city: str

    def __post_init__(self) -> None:
        raise KeyError("no such city")


def quits() -> str:
    sys.exit("usage: booking")


async def quits_as_a_coroutine() -> str:
    sys.exit("usage: booking")


def quits_at_its_result() -> object:
    return quits_as_a_coroutine()


async def interrupts() -> str:
    raise KeyboardInterrupt


async def cancels_itself() -> str:
    raise asyncio.CancelledError


def cancelled_in_a_thread() -> str:
    raise asyncio.CancelledError


def at_its_end() -> str:
    raise StopIteration("empty")


async def wordless() -> str:
    raise Wordless


async def half_an_error() -> str:
    raise ValueError(f"bad {HALF}")


async def an_endless_error() -> str:
    raise ValueError("x" * 200_000)


def picky(place: Picky) -> str:
    return place.city


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (quits, "quits failed: SystemExit: usage: booking"),
        (quits_as_a_coroutine, "SystemExit: usage: booking"),
        (quits_at_its_result, "SystemExit: usage: booking"),
        (interrupts, "KeyboardInterrupt"),
        (cancels_itself, "it was cancelled"),
        (cancelled_in_a_thread, "it was cancelled"),
        (at_its_end, "at_its_end failed:"),
        (wordless, "wordless failed: Wordless"),
        (an_endless_error, "an_endless_error failed: xxx"),
        (picky, "picky failed: 'no such city'"),
    ],
)
def test_whatever_a_tool_raises_is_an_error_for_the_model_and_a_line_in_the_log(broken, message, caplog):
    output = run(Toolbox([broken]), broken.__name__, '{"place":{"city":"Oslo"}}')
    assert message in error_of(output)
    assert len(output) < MAX_OUTPUT_CHARACTERS + 100
    assert f"tool {broken.__name__} failed" in caplog.text


def test_an_error_whose_text_cannot_be_written_is_an_error_for_the_model(monkeypatch):
    monkeypatch.setattr(
        "realtime.tools.log.disabled", True
    )  # what tests print has to be text that can be written
    output = run(Toolbox([half_an_error]), "half_an_error", "{}")
    assert "half_an_error failed: bad \ufffd" in error_of(output)


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (f"smile {HALF}", "smile \ufffd"),
        ({"a": [f"{HALF}!"], "b": 1}, '{"a": ["\ufffd!"], "b": 1}'),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_half_a_surrogate_pair_in_a_result_can_be_written(result, output):
    async def smile() -> object:
        return result

    assert run(Toolbox([smile]), "smile", "{}") == output


# -- tools that hang


def test_a_timeout_is_a_line_in_the_log(caplog):
    async def hang() -> str:
        await asyncio.sleep(60)
        return "too late"

    run(Toolbox([hang], timeout_s=0.05), "hang", "{}")
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.WARNING, "tool hang did not answer in 0.05 s")
    ]


async def begun(box: Toolbox, name: str, count: int) -> list[asyncio.Task[str]]:
    """So many calls of this tool."""
    calls = [asyncio.create_task(box.run(ToolCall("c", name, "{}"))) for _ in range(count)]
    await asyncio.sleep(0)
    return calls


def test_a_function_that_hangs_stops_no_other_and_says_at_once_that_it_has_no_thread_left(caplog):
    done = threading.Event()

    def hang() -> str:
        done.wait(60)
        return "too late"

    async def calls() -> list[str]:
        box = Toolbox([hang, plain], timeout_s=1.0)
        first = await begun(box, "hang", MAX_THREADS)
        during = await box.run(ToolCall("c", "plain", '{"text":"at once"}'))
        late = await asyncio.gather(*first)
        refused = await box.run(ToolCall("c", "hang", "{}"))
        after = await box.run(ToolCall("c", "plain", '{"text":"still"}'))
        done.set()
        await eventually(lambda: box._threads["hang"].given_up == 0)
        again = await box.run(ToolCall("c", "hang", "{}"))
        await box.aclose()
        return [during, after, again, error_of(refused), *{error_of(each) for each in late}]

    during, after, again, refused, late = asyncio.run(calls())
    assert (during, after, again) == ("at once", "still", "too late")
    assert late == "hang did not answer in 1 s."
    assert refused == "hang was not run: all its 16 threads are taken by calls that have not ended."
    assert f"tool hang did not answer in 1 s: {MAX_THREADS} of its 16 threads work on in vain" in caplog.text
    assert "tool hang was not run: all its 16 threads are taken" in caplog.text


def test_a_call_waits_for_a_thread_and_its_time_counts_only_from_then_on(monkeypatch):
    monkeypatch.setattr("realtime.tools.THREAD_WAIT_S", 60.0)
    ends, timeouts = threading.Semaphore(0), []
    counting = deadlines.timeout

    def waits() -> str:
        ends.acquire(timeout=60)
        return "done"

    def noted(seconds: float):
        timeouts.append(seconds)
        return counting(seconds)

    async def calls() -> None:
        box = Toolbox([waits], timeout_s=59.0)
        first = await begun(box, "waits", MAX_THREADS)
        await eventually(lambda: timeouts.count(59.0) == 2 * MAX_THREADS)  # of a thread, and of the function
        (last,) = await begun(box, "waits", 1)
        assert timeouts.count(59.0) == 2 * MAX_THREADS + 1, "only its wait for a thread counts"
        ends.release()
        await eventually(lambda: timeouts.count(59.0) == 2 * MAX_THREADS + 2)
        assert not last.done()
        ends.release(MAX_THREADS)
        assert await asyncio.gather(*first, last) == ["done"] * (MAX_THREADS + 1)
        await box.aclose()

    monkeypatch.setattr(deadlines, "timeout", noted)
    asyncio.run(calls())


def test_a_call_waits_a_short_time_for_a_thread(monkeypatch):
    monkeypatch.setattr("realtime.tools.THREAD_WAIT_S", 0.05)
    ends = threading.Event()

    def waits() -> str:
        ends.wait(60)
        return "done"

    async def calls() -> None:
        box = Toolbox([waits], timeout_s=59.0)
        first = await begun(box, "waits", MAX_THREADS)
        (last,) = await begun(box, "waits", 1)
        assert "waits was not run" in error_of(await last)
        assert not any(call.done() for call in first)
        ends.set()
        assert await asyncio.gather(*first) == ["done"] * MAX_THREADS
        await box.aclose()

    asyncio.run(calls())
