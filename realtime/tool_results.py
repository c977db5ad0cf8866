"""What a function gives, as text for the model: every value has one, also those that JSON does not know.

A generator is a list of what it yields. One value that cannot be written as JSON becomes its own text, and the rest of
the result stays as it is. What is no value yet, such as a coroutine without its `await`, is an error: its text would
be told as if it were the answer. Knows no tool and no call.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import json
import math
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from realtime.core.writable import writable

MAX_OUTPUT_CHARACTERS = 50_000
MAX_ITEMS = MAX_OUTPUT_CHARACTERS // 2 + 1  # of a generator: each is two characters of the output or more
_METHODS = ("model_dump", "to_dict")  # of pydantic, pandas and others
_OF_ARRAYS = ("tolist", "item")  # of what has a `dtype`: numpy (arrays and single numbers), torch


class Unfinished(Exception):
    """The result holds what is no value yet. The message says what is missing."""


def listed(function: Callable[[], Any], stopped: Callable[[], bool]) -> Any:
    """What the function gives; of a generator, or another iterator, what that gives. Runs in the function's thread.

    No thread can be killed, but between two items an iterator can be left: when nobody waits for it any more.
    """
    result = function()
    if not isinstance(result, Iterator):
        return result
    found: list[Any] = []
    for each in itertools.islice(result, MAX_ITEMS):
        found.append(each)
        if stopped():
            break
    return found


async def collected(result: Any, in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]) -> Any:
    """The result, which may still have to be waited for: also that of an `async def` that gave a coroutine. `in_thread`
    lists an iterator, because that may block."""
    if inspect.isawaitable(result):
        result = await result
    # Not what gives itself, as a pipeline of Redis
    while inspect.iscoroutine(result) or asyncio.isfuture(result):
        result = await result
    if inspect.isasyncgen(result):
        return await _all_of(result)
    if isinstance(result, Iterator):
        return await in_thread(lambda: result)
    return result


async def _all_of(generator: Any) -> list[Any]:
    found: list[Any] = []
    async with aclosing(generator):
        async for each in generator:
            found.append(each)
            if len(found) == MAX_ITEMS:
                break
    return found


def as_output(result: Any) -> str:
    """As text that is not too long and that can be written. Raises Unfinished."""
    return short(result if isinstance(result, str) else _as_json(result))


def short(text: str) -> str:
    """The text, not too long, and as it can be written: an item that nobody can write would end the conversation."""
    text = writable(text)
    if len(text) > MAX_OUTPUT_CHARACTERS:
        return text[:MAX_OUTPUT_CHARACTERS] + " [truncated: too long]"
    return text


def _as_json(result: Any) -> str:
    try:
        return msgspec.json.encode(result, enc_hook=_plain).decode()
    except RecursionError:  # it holds itself
        return _said(result)
    except (UnicodeError, TypeError, OverflowError):
        pass  # half a surrogate pair, a key that is none, a huge number
    try:
        return json.dumps(_keyed(result), ensure_ascii=False, default=_said)
    except RecursionError:
        return _said(result)


def _plain(value: Any) -> Any:
    """A value that JSON does not know, as one that it does. Raises Unfinished, and TypeError for a key that is none."""
    _check_finished(value)
    if isinstance(value, list | tuple | set | frozenset | dict):
        raise TypeError(f"{type(value).__name__} as a key")
    if isinstance(value, type):
        return _said(value)
    for method in _METHODS + (_OF_ARRAYS if hasattr(value, "dtype") else ()):
        # Of its class: an object may claim to have every method
        if callable(getattr(type(value), method, None)):
            try:
                plain = getattr(value, method)()
            except Exception:  # not what we take it for
                continue
            if type(plain) is not type(value):  # else it would be asked again, for ever
                return plain
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Collection) else _said(value)


def _check_finished(value: Any) -> None:
    """Raises Unfinished for what somebody still has to wait for, to call or to list."""
    if inspect.isawaitable(value):
        missing = "an `await` is missing"
    elif inspect.isasyncgen(value) or isinstance(value, Iterator):
        missing = "make a list of it"
    elif inspect.isroutine(value) or isinstance(value, functools.partial):
        missing = "a call of it is missing"
    else:
        return
    if inspect.iscoroutine(value):
        value.close()
    raise Unfinished(f"The tool gave a {type(value).__name__}: {missing}.")


def _keyed(value: Any) -> Any:
    """As JSON knows it, with texts for keys; null for a number that is none, as msgspec writes it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _said(key): _keyed(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_keyed(each) for each in value]
    try:
        return _keyed(msgspec.to_builtins(value, enc_hook=_plain))
    except TypeError:
        plain = _plain(value)
        return plain if isinstance(plain, str) else _keyed(plain)


def _said(value: Any) -> str:
    """Its own text, which it may not be able to give."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"
