"""Python functions as tools of the assistant, run by the server.

    @tool
    async def get_weather(city: Annotated[str, "Name of the city"], unit: Literal["C", "F"] = "C") -> str:
        '''The weather in a city, now.'''

The signature becomes the JSON Schema the model sees, and checks what the model sends; the docstring is the description.
It knows no session and no wire: who calls a tool, and what is told about it, is `response.py` and `reply_writer.py`.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import logging
import sys
import typing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, overload

import msgspec

from realtime.core.messages import ToolCall
from realtime.errors import ConfigError
from realtime.protocol.session_config import FunctionTool

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
FILLER_AFTER_S = 1.0
MAX_OUTPUT_CHARACTERS = 50_000
MAX_THREADS = 16  # of functions that are not coroutines


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A function the server runs for the model. Calling it calls the function."""

    function: Callable[..., Any]
    spec: FunctionTool
    arguments: type[msgspec.Struct]  # what the model has to send
    timeout_s: float | None = None  # None: that of the server

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        """Found again by its name, so that a tool can go to another process."""
        return _found_again, (f"{self.function.__module__}:{self.function.__qualname__}", self.timeout_s)

    @property
    def name(self) -> str:
        return self.spec.name


Toolish = ServerTool | Callable[..., Any]


@overload
def tool(function: Callable[..., Any], /) -> ServerTool: ...


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
    """Make a tool of a function with type hints. `timeout_s` seconds, else the server's own patience.

    `Annotated[T, "text"]` describes a parameter; a default makes it optional; `Literal` and enums give the choices.
    Raises ConfigError for a function whose parameters cannot be described.
    """
    if function is None:
        return functools.partial(_make_tool, name=name, description=description, timeout_s=timeout_s)
    return _make_tool(function)


def _make_tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
) -> ServerTool:
    name = name or function.__name__
    if not name.replace("-", "_").isidentifier() or not name.isascii() or len(name) > 64:
        raise ConfigError(f"Tool {name!r}: a name has at most 64 letters, digits, _ and -.")
    arguments = _arguments_of(function, name)
    description = description or inspect.getdoc(function) or ""
    return ServerTool(
        function, FunctionTool(name, description, _schema_of(arguments, name)), arguments, timeout_s
    )


def _arguments_of(function: Callable[..., Any], name: str) -> type[msgspec.Struct]:
    """The parameters as one value that JSON can be read into. Raises ConfigError."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ConfigError(
            f"Tool {name!r}: a type hint is not known where the function is defined ({error})."
        ) from error
    fields: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise ConfigError(f"Tool {name!r}: give parameter {parameter} a name of its own.")
        if parameter.name not in hints:
            raise ConfigError(f"Tool {name!r}: parameter {parameter.name!r} needs a type hint.")
        hint = _described(hints[parameter.name])
        if parameter.default is parameter.empty:
            fields.append((parameter.name, hint))
        else:
            default = msgspec.field(default_factory=functools.partial(_same, parameter.default))
            fields.append((parameter.name, hint, default))
    return msgspec.defstruct("Arguments", fields, kw_only=True)


def _same(value: Any) -> Any:
    return value


def _described(hint: Any) -> Any:
    """`Annotated[str, "Name of the city"]` in the words of msgspec."""
    if typing.get_origin(hint) is not Annotated:
        return hint
    inner, *notes = typing.get_args(hint)
    for note in notes:
        meta = msgspec.Meta(description=note) if isinstance(note, str) else note
        inner = Annotated[inner, meta] if isinstance(meta, msgspec.Meta) else inner
    return inner


def _schema_of(arguments: type[msgspec.Struct], name: str) -> dict[str, Any]:
    try:
        (_,), parts = msgspec.json.schema_components([arguments], ref_template="#/$defs/{name}")
    except TypeError as error:
        raise ConfigError(
            f"Tool {name!r}: a parameter has a type that JSON cannot carry ({error})."
        ) from error
    schema = parts.pop("Arguments")
    schema.pop("title", None)
    for field in msgspec.structs.fields(arguments):
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
            if default is None or isinstance(default, str | int | float | bool):
                schema["properties"][field.name] = {**schema["properties"][field.name], "default": default}
    return {**schema, "$defs": parts} if parts else schema


def _found_again(address: str, timeout_s: float | None) -> ServerTool:
    found = _resolve(address)
    return replace(found if isinstance(found, ServerTool) else _make_tool(found), timeout_s=timeout_s)


def _resolve(address: str) -> Any:
    module, _, path = address.partition(":")
    return functools.reduce(getattr, filter(None, path.split(".")), importlib.import_module(module))


def load_tools(addresses: Iterable[str]) -> tuple[ServerTool, ...]:
    """The tools that settings name as `module` (all in it) or `module:attribute`. Raises ConfigError."""
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # a module beside realtime.toml
    return as_tools(found for address in addresses for found in _load(address))


def _load(address: str) -> Sequence[Toolish]:
    try:
        found = _resolve(address)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"REALTIME_TOOLS names {address!r}, which cannot be loaded: {error}. Write module or module:function."
        ) from error
    if inspect.ismodule(found):
        found = [value for value in vars(found).values() if isinstance(value, ServerTool)]
        if not found:
            raise ConfigError(f"REALTIME_TOOLS names {address!r}, which has no function marked with @tool.")
    if isinstance(found, list | tuple):
        return found
    if not callable(found):
        raise ConfigError(f"REALTIME_TOOLS names {address!r}, which is no function.")
    return [found]


def as_tools(tools: Iterable[Toolish]) -> tuple[ServerTool, ...]:
    """Tools and plain functions as tools. Raises ConfigError for a name that comes twice."""
    made = tuple(one if isinstance(one, ServerTool) else _make_tool(one) for one in tools)
    names = [one.name for one in made]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"Two tools are named {name!r}: rename one with @tool(name=...).")
    return made


class Toolbox:
    """The tools of one server. `filler` is said when a tool takes longer than `filler_after_s` seconds."""

    def __init__(
        self,
        tools: Iterable[Toolish] = (),
        *,
        timeout_s: float = TIMEOUT_S,
        filler: str | None = None,
        filler_after_s: float = FILLER_AFTER_S,
    ) -> None:
        self._tools = {one.name: one for one in as_tools(tools)}
        self._timeout_s = timeout_s
        self._threads: ThreadPoolExecutor | None = None
        self.filler = filler
        self.filler_after_s = filler_after_s

    def __repr__(self) -> str:
        return f"<Toolbox {', '.join(self._tools) or 'empty'}>"

    def __len__(self) -> int:
        return len(self._tools)

    def beside(self, own: tuple[FunctionTool, ...]) -> tuple[FunctionTool, ...]:
        """These tools of a client and then ours; a client that has a tool of the same name runs its own."""
        taken = {one.name for one in own}
        return own + tuple(one.spec for one in self._tools.values() if one.name not in taken)

    def ours(self, offered: tuple[FunctionTool, ...]) -> frozenset[str]:
        """Which of the tools offered to the model are run here."""
        mine = {one.name: one.spec for one in self._tools.values()}
        return frozenset(one.name for one in offered if mine.get(one.name) is one)

    async def run(self, call: ToolCall) -> str:
        """What the tool says, as text for the model; what went wrong is told there too. Raises nothing."""
        one = self._tools[call.name]
        timeout_s = self._timeout_s if one.timeout_s is None else one.timeout_s
        try:
            arguments = msgspec.json.decode(call.arguments, type=one.arguments, strict=False)
        except (msgspec.DecodeError, UnicodeError) as error:
            return _told(error=f"The arguments do not fit: {error}")
        given = {name: getattr(arguments, name) for name in arguments.__struct_fields__}
        try:
            async with asyncio.timeout(timeout_s) as patience:
                return _output(await self._call(one, given))
        except TimeoutError as error:
            if patience.expired():
                return _told(error=f"{call.name} did not answer in {timeout_s:g} s.")
            return _told(error=f"{call.name} failed: {error or 'it timed out'}")
        except Exception as error:
            log.warning("tool %s failed", call.name, exc_info=True)
            return _told(error=f"{call.name} failed: {error or type(error).__name__}")

    async def _call(self, one: ServerTool, given: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(one.function):
            return await one.function(**given)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="tool")
        work = functools.partial(copy_context().run, one.function, **given)
        result = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        return await result if inspect.isawaitable(result) else result

    async def aclose(self) -> None:
        """Start no more functions; one that runs in a thread is left to end by itself."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def _output(result: Any) -> str:
    if isinstance(result, str):
        text = result
    else:
        try:
            text = msgspec.json.encode(result).decode()
        except TypeError:
            text = str(result)
    if len(text) > MAX_OUTPUT_CHARACTERS:
        return text[:MAX_OUTPUT_CHARACTERS] + " [cut: too long]"
    return text


def _told(**fields: str) -> str:
    return msgspec.json.encode(fields).decode()
