"""What a function gives, as text for the model: every value has one, also those that JSON does not know.

A generator is a list of what it yields. One value that cannot be written as JSON becomes its own text, and the rest of
the result stays as it is. Knows no tool and no call.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from realtime.core.writable import writable

MAX_OUTPUT_CHARACTERS = 50_000
MAX_ITEMS = MAX_OUTPUT_CHARACTERS // 2 + 1  # of a generator: each is two characters of the output or more
# Of pydantic, numpy (arrays and single numbers), torch and pandas
_METHODS = ("model_dump", "tolist", "item", "to_dict")


def listed(function: Callable[[], Any]) -> Any:
    """What the function gives; of a generator, or another iterator, what that gives. Runs in the function's thread."""
    result = function()
    return list(itertools.islice(result, MAX_ITEMS)) if isinstance(result, Iterator) else result


async def collected(result: Any) -> Any:
    """The result, which may still have to be waited for."""
    if inspect.isawaitable(result):
        result = await result
    if inspect.isasyncgen(result):
        return await _all_of(result)
    if isinstance(result, Iterator):
        return await asyncio.to_thread(listed, lambda: result)  # it may block
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
    """As text that is not too long and that can be written."""
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
    except UnicodeError:  # half a surrogate pair somewhere in it
        return json.dumps(msgspec.to_builtins(result, enc_hook=_plain), ensure_ascii=False, default=_said)
    except TypeError:  # a key that is none in JSON
        return json.dumps(_keyed(result), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """A value that JSON does not know, as one that it knows. Raises TypeError for a key that is none."""
    if isinstance(value, list | tuple | set | frozenset | dict):
        raise TypeError(f"{type(value).__name__} as a key")
    if isinstance(value, type):
        return _said(value)
    for method in _METHODS:
        convert = getattr(value, method, None)
        if callable(convert):
            try:
                return convert()
            except Exception:  # not what we take it for
                continue
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Collection) else _said(value)


def _keyed(value: Any) -> Any:
    """With texts for keys."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _said(key): _keyed(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_keyed(each) for each in value]
    try:
        return msgspec.to_builtins(value, enc_hook=_plain)
    except TypeError:
        return _said(value)


def _said(value: Any) -> str:
    """Its own text, which it may not be able to give."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"
