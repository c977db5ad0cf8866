"""`--set FIELD=JSON`: fields of a request that this version has no flag for. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from realtime.errors import InvalidArgument


def parse_extra(words: Iterable[str]) -> dict[str, Any]:
    """`seed=7`, `model=abc` and `voice_setting.pitch=2` as one mapping; dots make nested objects.

    A value that is not JSON is a text. Raises InvalidArgument for a word without a field, and for one that replaces
    what an earlier word has set.
    """
    extra: dict[str, Any] = {}
    for word in words:
        field, equals, text = word.partition("=")
        path = field.strip().split(".")
        if not equals or not all(path):
            raise InvalidArgument(f"--set {word}: write FIELD=JSON, like seed=7.", param="extra")
        _put(extra, path, _value(text), word)
    return extra


def _put(target: dict[str, Any], path: list[str], value: object, word: str) -> None:
    for name in path[:-1]:
        target = target.setdefault(name, {})
        if not isinstance(target, dict):
            raise InvalidArgument(f"--set {word}: {name} has a value already.", param="extra")
    if path[-1] in target:
        raise InvalidArgument(f"--set {word}: {path[-1]} has a value already.", param="extra")
    target[path[-1]] = value


def _value(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are no JSON: they stay texts
