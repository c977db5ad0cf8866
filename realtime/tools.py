"""Python functions as tools of the model, run by the server.

    @tool
    async def get_weather(city: Annotated[str, "Name of the city"], unit: Literal["C", "F"] = "C") -> str:
        '''The weather in a city, now.'''

The signature becomes the JSON Schema for the model and checks its arguments; the docstring is the description.
Knows no session and no protocol: `replying/running_tools.py` runs the calls and reports them.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from types import WrapperDescriptorType
from typing import Any, Protocol, overload

import msgspec

from realtime import deadlines
from realtime.contained import contained
from realtime.core.messages import ToolCall
from realtime.errors import ConfigError
from realtime.own_code import what_broke
from realtime.protocol.session_config import FunctionTool
from realtime.tool_results import as_output, collected, listed, short
from realtime.tool_schema import arguments_of, schema_of
from realtime.tool_threads import MAX_THREADS, NoThread, ToolThreads

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
THREAD_WAIT_S = 2.0  # for one of the tool's threads, at most its timeout; only then its time begins to count
FILLER_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A function that the server runs for the model. Calling it calls the function."""

    function: Callable[..., Any]
    spec: FunctionTool
    arguments: type[msgspec.Struct]  # the type that the model's arguments are decoded to
    timeout_s: float | None = None  # None: use that of the server

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the function by name, so that worker processes can load it; what has no name of its own, as it is."""
        address = _address_of(self.function)
        pickled = self.function if address is None else address
        return _remade, (pickled, self.name, self.spec.description, self.timeout_s)

    @property
    def name(self) -> str:
        return self.spec.name


Toolish = ServerTool | Callable[..., Any]


@overload
def tool(
    function: Callable[..., Any],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
) -> ServerTool: ...


@overload
def tool(
    *, name: str | None = None, description: str | None = None, timeout_s: float | None = None
) -> Callable[[Callable[..., Any]], ServerTool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
) -> ServerTool | Callable[[Callable[..., Any]], ServerTool]:
    """Make a function with type hints a tool. `timeout_s` replaces the server's timeout for tools.

    `Annotated[T, "text"]` describes a parameter; a default makes it optional; `Literal` and enums list its values.
    Raises ConfigError for a function whose parameters cannot be described.
    """
    make = functools.partial(_make_tool, name=name, description=description, timeout_s=timeout_s)
    return make if function is None else make(function)


def _make_tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
) -> ServerTool:
    if not callable(function):
        raise ConfigError(
            f"A tool must be a function; this one is a value of the type {type(function).__name__}."
        )
    name = name or _name_of(function)
    if not name.replace("-", "_").isidentifier() or not name.isascii() or len(name) > 64:
        raise ConfigError(f"Tool {name!r}: a name has at most 64 letters, digits, _ and -.")
    try:
        arguments = arguments_of(function, name)
        spec = FunctionTool(name, description or _doc_of(function), schema_of(arguments, name))
    except ConfigError:
        raise
    except Exception as error:  # whatever somebody's types and signatures raise
        raise ConfigError(f"Tool {name!r} cannot be described ({type(error).__name__}: {error}).") from error
    return ServerTool(function, spec, arguments, timeout_s)


def _name_of(function: Any) -> str:
    """An object that can be called has the name of its class."""
    named = function.func if isinstance(function, functools.partial) else function
    return str(getattr(named, "__name__", None) or type(named).__name__)


def _doc_of(function: Any) -> str:
    if inspect.isroutine(function) or inspect.isclass(function):
        return inspect.getdoc(function) or ""
    own = getattr(function, "__dict__", {}).get("__doc__")
    if isinstance(function, functools.partial):
        return own or _doc_of(function.func)
    called = type(function).__call__
    # Those that Python itself wrote say nothing: of `__call__` without a docstring, of ABC, of object
    of_call = None if isinstance(called, WrapperDescriptorType) else called.__doc__
    of_class = (
        each.__doc__
        for each in type(function).__mro__
        if each.__module__.partition(".")[0] not in sys.stdlib_module_names
    )
    return inspect.cleandoc(next(filter(None, (own, of_call, *of_class)), ""))


def _address_of(function: Any) -> str | None:
    """`module:name`, if that is this function, or a tool of it."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    try:
        found = _resolve(f"{module}:{name}")
    except (ImportError, AttributeError):
        return None
    return (
        f"{module}:{name}"
        if function is (found.function if isinstance(found, ServerTool) else found)
        else None
    )


def _remade(pickled: Any, name: str, description: str, timeout_s: float | None) -> ServerTool:
    function = _resolve(pickled) if isinstance(pickled, str) else pickled
    if isinstance(function, ServerTool):
        function = function.function
    return _make_tool(function, name=name, description=description, timeout_s=timeout_s)


def _resolve(address: str) -> Any:
    module, _, path = address.partition(":")
    return functools.reduce(getattr, filter(None, path.split(".")), importlib.import_module(module))


def load_tools(addresses: Iterable[str]) -> tuple[ServerTool, ...]:
    """The tools for addresses like `module` (all tools in it) or `module:attribute`. Raises ConfigError."""
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # to find modules in the directory of realtime.toml
    return as_tools(found for address in addresses for found in _load(address))


def _load(address: str) -> Sequence[Toolish]:
    try:
        found = _resolve(address)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"REALTIME_TOOLS names {address!r}, which cannot be loaded ({error}). Write module or module:function."
        ) from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"REALTIME_TOOLS names {address!r}, which fails: {what_broke(error)}") from error
    if inspect.ismodule(found):
        found = [value for value in vars(found).values() if isinstance(value, ServerTool)]
        if not found:
            raise ConfigError(f"REALTIME_TOOLS names {address!r}, which has no function marked with @tool.")
    if isinstance(found, list | tuple):
        return found
    if not callable(found):
        raise ConfigError(f"REALTIME_TOOLS names {address!r}, which is not a function.")
    return [found]


def as_tools(tools: Iterable[Toolish]) -> tuple[ServerTool, ...]:
    """Makes tools of plain functions. Raises ConfigError for invalid tools and names that occur twice."""
    made = tuple(each if isinstance(each, ServerTool) else _make_tool(each) for each in tools)
    names = [each.name for each in made]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"Two tools are named {name!r}: rename one with @tool(name=...).")
    return made


class ServerTools(Protocol):
    """The tools that the server offers to one session. `filler` is said if one takes longer than `filler_after_s`."""

    @property
    def filler(self) -> str | None: ...
    @property
    def filler_after_s(self) -> float: ...
    def beside(self, own: tuple[FunctionTool, ...]) -> tuple[FunctionTool, ...]: ...
    def ours(self, offered: tuple[FunctionTool, ...]) -> frozenset[str]: ...
    async def run(self, call: ToolCall) -> str: ...


class Toolbox:
    """The tools of one server. The reply says `filler` if a tool takes longer than `filler_after_s` seconds."""

    def __init__(
        self,
        tools: Iterable[Toolish] = (),
        *,
        timeout_s: float = TIMEOUT_S,
        filler: str | None = None,
        filler_after_s: float = FILLER_AFTER_S,
    ) -> None:
        self._tools = {each.name: each for each in as_tools(tools)}
        self._timeout_s = timeout_s
        self._threads: dict[str, ToolThreads] = {}  # of each tool, by name: of what blocks
        self.filler = filler
        self.filler_after_s = filler_after_s

    def __repr__(self) -> str:
        return f"<Toolbox {', '.join(self._tools) or 'empty'}>"

    def __len__(self) -> int:
        return len(self._tools)

    def beside(self, own: tuple[FunctionTool, ...]) -> tuple[FunctionTool, ...]:
        """The client's own tools, then the server's. A client's tool replaces a server's tool of the same name."""
        taken = {each.name for each in own}
        return own + tuple(each.spec for each in self._tools.values() if each.name not in taken)

    def ours(self, offered: tuple[FunctionTool, ...]) -> frozenset[str]:
        """The names of those offered tools that the server runs."""
        specs = {each.name: each.spec for each in self._tools.values()}
        return frozenset(each.name for each in offered if specs.get(each.name) is each)

    async def run(self, call: ToolCall) -> str:
        """The output of the tool as text for the model. Errors are reported in this text; raises nothing."""
        called = self._tools[call.name]
        try:
            return await contained(self._answer(called, call.arguments))
        except _NoAnswer as error:
            return error_output(str(error))
        except Exception as error:
            log.warning("tool %s failed", called.name, exc_info=True)
            return error_output(f"{called.name} failed: {_words(error)}")

    async def _answer(self, called: ServerTool, arguments: str) -> str:
        """Raises _NoAnswer, and what the tool raises."""
        given = _read(arguments, called)
        timeout_s = self._timeout_s if called.timeout_s is None else called.timeout_s
        threads = self._threads_of(called)
        runs_here = _runs_here(called.function)
        if not runs_here:
            await _take(threads, called, min(timeout_s, THREAD_WAIT_S))
        stopped = threading.Event()
        try:
            async with deadlines.timeout(timeout_s) as timeout:  # counts from when the function begins
                return as_output(await _call(called, given, threads, stopped, runs_here=runs_here))
        except TimeoutError as error:
            if not timeout.expired():
                raise
            on = (
                f": {threads.given_up} of its {MAX_THREADS} threads work on in vain"
                if threads.given_up
                else ""
            )
            log.warning("tool %s did not answer in %g s%s", called.name, timeout_s, on)
            raise _NoAnswer(f"{called.name} did not answer in {timeout_s:g} s.") from error
        finally:
            stopped.set()

    def _threads_of(self, called: ServerTool) -> ToolThreads:
        if called.name not in self._threads:
            self._threads[called.name] = ToolThreads(called.name)
        return self._threads[called.name]

    async def aclose(self) -> None:
        """Start no more functions. A function that is running in a thread is not stopped."""
        for threads in self._threads.values():
            threads.close()


class _NoAnswer(Exception):
    """The tool gave none. The message is for the model."""


def _read(arguments: str, called: ServerTool) -> dict[str, Any]:
    """The arguments for the function. Raises _NoAnswer, and what the types of its parameters raise."""
    try:
        read = msgspec.json.decode(arguments, type=called.arguments, strict=False)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _NoAnswer(f"The arguments are invalid: {error}") from error
    return {name: getattr(read, name) for name in read.__struct_fields__}


def _runs_here(function: Callable[..., Any]) -> bool:
    """Whether it runs in the event loop, and needs no thread."""
    made = (function, type(function).__call__)  # also of an object that can be called
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in made)


async def _take(threads: ToolThreads, called: ServerTool, wait_s: float) -> None:
    try:
        await threads.take(wait_s)
    except NoThread as error:
        why = f"all its {MAX_THREADS} threads are taken by calls that have not ended"
        log.warning("tool %s was not run: %s", called.name, why)
        raise _NoAnswer(f"{called.name} was not run: {why}.") from error


async def _call(
    called: ServerTool,
    given: dict[str, Any],
    threads: ToolThreads,
    stopped: threading.Event,
    *,
    runs_here: bool,
) -> Any:
    """If it does not run here, a thread was taken for it."""

    async def in_thread(function: Callable[[], Any]) -> Any:
        return await threads.run(functools.partial(copy_context().run, listed, function, stopped.is_set))

    async def in_another(function: Callable[[], Any]) -> Any:
        await _take(threads, called, THREAD_WAIT_S)
        return await in_thread(function)

    function = functools.partial(called.function, **given)
    return await collected(function() if runs_here else await in_thread(function), in_another)


def _words(error: Exception) -> str:
    """What an error says. Those of a tool may not be able to."""
    try:
        return str(error) or ("it timed out" if isinstance(error, TimeoutError) else type(error).__name__)
    except BaseException:  # as in `contained`
        return type(error).__name__


def is_error(output: str) -> bool:
    """Whether this output of a tool says that it failed."""
    return output.startswith('{"error":')


def error_output(message: str) -> str:
    """The output of a tool that failed, for the model."""
    return msgspec.json.encode({"error": short(message)}).decode()
