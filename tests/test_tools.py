"""Functions as tools: their descriptions for the model, and the calls."""

import abc
import asyncio
import dataclasses
import enum
import functools
import json
import pickle
import sys
import threading
import time
from typing import Annotated, Any, Literal

import msgspec
import pytest

from realtime.core.messages import ToolCall
from realtime.errors import ConfigError
from realtime.protocol.session_config import FunctionTool
from realtime.tool_results import MAX_OUTPUT_CHARACTERS
from realtime.tools import Toolbox, as_tools, load_tools, tool


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


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def broken(:\n    pass\n", "weather_1.py line 1: invalid syntax"),
        (
            "import os\nKEY = os.environ['NO_SUCH_WEATHER_KEY']\n",
            "weather_1.py line 2: KeyError: 'NO_SUCH_WEATHER_KEY'",
        ),
        ("raise RuntimeError('no service')\n", "weather_1.py line 1: RuntimeError: no service"),
        ("import sys\nsys.exit('not today')\n", "weather_1.py line 2: SystemExit: not today"),
    ],
)
def test_a_mistake_in_a_module_of_tools_is_named_with_its_place(tmp_path, monkeypatch, code, said):
    (tmp_path / "weather_1.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "weather_1", raising=False)
    with pytest.raises(ConfigError, match="REALTIME_TOOLS names 'weather_1', which fails: ") as caught:
        load_tools(["weather_1"])
    assert said in str(caught.value)


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


@dataclasses.dataclass
class Arguments:
    """Has the name of our own type."""

    city: str


class Weather:
    """Can be called."""

    async def __call__(self, city: str) -> str:
        """The weather there."""
        return f"rain in {city}"


def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


def test_what_can_be_called_is_a_tool_with_a_name_and_a_description():
    box = Toolbox([functools.partial(add, 1), Weather()])
    specs = [(each.name, each.description) for each in box.beside(())]
    assert specs == [("add", "The sum."), ("Weather", "The weather there.")]
    assert run(box, "add", '{"b":2}') == "3"
    assert run(box, "Weather", '{"city":"Oslo"}') == "rain in Oslo"
    for each in (functools.partial(add, 1), Weather()):
        (one,) = as_tools([each])
        assert pickle.loads(pickle.dumps(one)).spec == one.spec


class Quiet(abc.ABC):  # noqa: B024  # has its words
    def __call__(self, city: str) -> str:
        return city


class Described(Quiet):
    """The weather in a city."""


class Inherits(Described):
    pass


def test_the_words_of_an_object_that_can_be_called_are_its_own_or_its_classes():
    own = Described()
    own.__doc__ = "The weather here."
    made = [tool(each).spec.description for each in (Quiet(), Described(), Inherits(), own)]
    assert made == ["", "The weather in a city.", "The weather in a city.", "The weather here."]


class Counter:
    def more(self, by: int) -> int:
        """Counts."""
        return by


wrapped = functools.update_wrapper(functools.partial(add, 1), add)


@pytest.mark.parametrize("function", [add, functools.partial(add, 1), wrapped, Counter().more, find.function])
def test_a_tool_is_renamed_in_both_ways_and_stays_so_in_another_process(function):
    direct = tool(function, name="plus", description="More.", timeout_s=2)
    for made in (direct, tool(name="plus", description="More.", timeout_s=2)(function)):
        again = pickle.loads(pickle.dumps(made))
        for each in (made, again):
            assert (each.name, each.spec.description, each.timeout_s) == ("plus", "More.", 2)
        assert again.spec == made.spec


@pytest.mark.parametrize("value", [5, json, None, lambda city: city])
def test_what_cannot_be_a_tool_raises_config_error(value):
    with pytest.raises(ConfigError):
        as_tools([value])


def test_whatever_a_signature_raises_is_a_config_error():
    def limits(count: Annotated[int, msgspec.Meta(pattern="x")]) -> int:
        return count

    def both(count: Annotated[int, msgspec.Meta(ge=1), msgspec.Meta(gt=1)]) -> int:
        return count

    for function in (limits, both):
        with pytest.raises(ConfigError, match=function.__name__):
            tool(function)


def test_a_parameter_may_have_a_type_called_arguments():
    def visit(place: Arguments) -> str:
        return place.city

    assert run(Toolbox([visit]), "visit", '{"place":{"city":"Oslo"}}') == "Oslo"
