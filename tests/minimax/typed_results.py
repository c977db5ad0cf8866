"""Whether the results of calls are what their annotations say, down to the last field."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

PLAIN = (str, int, float, bool, bytes, types.NoneType)


def misfits(value: Any, at: str = "the result") -> Iterator[str]:
    """The fields of the dataclasses in a result that have another type than they say."""
    if is_dataclass(value):
        for name, hint in _hints(type(value)).items():
            yield from _against(getattr(value, name), hint, f"{type(value).__name__}.{name}")
    elif isinstance(value, list | tuple):
        for each in value:
            yield from misfits(each, at)


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _against(value: Any, hint: Any, at: str) -> Iterator[str]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if all(any(_against(value, one, at)) for one in inner):
            yield f"{at}: {value!r:.80} is no {hint}"
    elif not _is(value, hint, origin, inner):
        yield f"{at}: {value!r:.80} is no {hint}"
    elif origin in (list, tuple, Sequence):
        for each in value:
            yield from _against(each, inner[0], at)
    else:
        yield from misfits(value, at)


def _is(value: Any, hint: Any, origin: Any, inner: tuple[Any, ...]) -> bool:
    if hint is Any:
        return True
    if origin is Literal:
        return value in inner
    if origin is not None:
        return isinstance(value, origin)
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint if hint in PLAIN else isinstance(value, hint)
