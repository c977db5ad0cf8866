"""Readers for values that a client sent: each takes a value and its dotted path and returns the value typed.

Knows the texts of the protocol's errors; knows no event and no session. Every reader raises ProtocolError with
`param` set to the path.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from realtime.blocks import Blocks, LongBytes
from realtime.errors import ProtocolError

T = TypeVar("T")
Reader = Callable[[Any, str], T]

MAX_SHOWN = 64  # characters of a client's value that an error message repeats
MAX_INTEGER = 2**53 - 1  # the largest whole number that JavaScript, and a float, tell from its neighbours
MAX_ELEMENTS = 1_000  # of an array


def invalid(message: str, path: str | None, *, event_id: str | None = None) -> ProtocolError:
    """The error for a value that is present and wrong."""
    return ProtocolError(message, code="invalid_value", param=path, event_id=event_id)


def missing(path: str) -> ProtocolError:
    return ProtocolError(
        f"Missing required parameter: '{path}'.", code="missing_required_parameter", param=path
    )


def unknown(path: str, use_instead: str | None = None) -> ProtocolError:
    hint = f" Use '{use_instead}' instead." if use_instead else ""
    return ProtocolError(f"Unknown parameter: '{path}'.{hint}", code="unknown_parameter", param=path)


def not_among(value: object, options: Sequence[str], path: str) -> ProtocolError:
    return invalid(f"Invalid value: {shown(value)}. Supported values are: {listed(options)}.", path)


def wrong_type(expected: str, value: object, path: str) -> ProtocolError:
    what = f" for '{path}'" if path else ""
    return invalid(f"Invalid type{what}: expected {expected}, but got {kind(value)} instead.", path or None)


def shown(value: object) -> str:
    """A client's value for an error message: shortened, and strings in quotes."""
    text = (
        f"'{value}'"
        if isinstance(value, str)
        else kind(value)
        if isinstance(value, (dict, list))
        else str(value)
    )
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def listed(options: Sequence[str]) -> str:
    """`'a', 'b' and 'c'`"""
    quoted = [f"'{option}'" for option in options]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def kind(value: object) -> str:
    """The JSON type of this value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


# --- readers -------------------------------------------------------------------------------------------------


def text(value: Any, path: str, *, max_chars: int | None = None, min_chars: int = 0) -> str:
    """A string of `min_chars` to `max_chars` characters."""
    if not isinstance(value, str):
        raise wrong_type("a string", value, path)
    if max_chars is not None and len(value) > max_chars:
        raise invalid(
            f"Invalid '{path}': string too long. Expected at most {max_chars} characters, got {len(value)}.",
            path,
        )
    if len(value) < min_chars:
        raise invalid(f"Invalid '{path}': empty string. Expected at least {min_chars} character.", path)
    return value


def choice(options: Sequence[str]) -> Reader[str]:
    """A reader of one of these strings."""

    def read(value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise wrong_type("a string", value, path)
        if value not in options:
            raise not_among(value, options, path)
        return value

    return read


def flag(value: Any, path: str) -> bool:
    """true or false; no other value counts as a boolean."""
    if not isinstance(value, bool):
        raise wrong_type("a boolean", value, path)
    return value


def integer(minimum: int = 0, maximum: int = MAX_INTEGER) -> Reader[int]:
    """A reader of whole numbers in a range; 500.0 counts as 500 (JavaScript has no integers)."""

    def read(value: Any, path: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type("an integer", value, path)
        if not minimum <= value <= maximum:
            raise _out_of_range("an integer", value, minimum, maximum, path)
        return value

    return read


def number(minimum: float, maximum: float) -> Reader[float]:
    """A reader of numbers in a range."""

    def read(value: Any, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong_type("a number", value, path)
        if not minimum <= value <= maximum:
            raise _out_of_range("a number", value, minimum, maximum, path)
        return float(value)

    return read


def _out_of_range(what: str, value: object, minimum: float, maximum: float, path: str) -> ProtocolError:
    at_least = maximum == MAX_INTEGER and isinstance(value, int) and value < minimum
    bounds = f"of at least {minimum}" if at_least else f"from {minimum} to {maximum}"
    return invalid(f"Invalid value: {shown(value)}. Expected {what} {bounds} for '{path}'.", path)


def base64_bytes(value: Any, path: str) -> LongBytes:
    """Base64 text, decoded; bytes if that was done before."""
    if isinstance(value, bytes | Blocks):
        return value
    data = text(value, path)
    try:
        return binascii.a2b_base64(data.encode("ascii"), strict_mode=True)
    except ValueError:  # UnicodeEncodeError and binascii.Error alike
        raise invalid(f"Invalid value for '{path}': expected audio bytes encoded as base64.", path) from None


def array(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type("an array", value, path)
    return value


def each(reader: Reader[T], at_most: int = MAX_ELEMENTS) -> Reader[tuple[T, ...]]:
    """A reader of arrays of `at_most` elements; `reader` reads every element."""

    def read(value: Any, path: str) -> tuple[T, ...]:
        if len(array(value, path)) > at_most:
            raise invalid(
                f"Invalid '{path}': too many elements. Expected at most {at_most}, got {len(value)}.", path
            )
        return tuple(reader(element, f"{path}[{index}]") for index, element in enumerate(value))

    return read


def plain_object(value: Any, path: str) -> dict[str, Any]:
    """Any JSON object, unchanged."""
    if not isinstance(value, dict):
        raise wrong_type("an object", value, path)
    return value


class Fields:
    """One JSON object of a client. Readers take its keys out one by one; `close` rejects the keys that are left."""

    def __init__(self, value: Any, path: str) -> None:
        self._left: dict[str, Any] = dict(plain_object(value, path))
        self._path = path

    def at(self, key: str) -> str:
        """The dotted path of a key of this object."""
        key = key if len(key) <= MAX_SHOWN else f"{key[:MAX_SHOWN]}…"
        return f"{self._path}.{key}" if self._path else key

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def __iter__(self) -> Iterator[str]:
        return iter(self._left)

    def pop(self, key: str) -> Any:
        """The raw value; None where it is absent or null."""
        return self._left.pop(key, None)

    def required(self, key: str, reader: Reader[T]) -> T:
        """The value, read; raises if it is absent or null."""
        value = self.pop(key)
        if value is None:
            raise missing(self.at(key))
        return reader(value, self.at(key))

    def optional(self, key: str, reader: Reader[T], default: T) -> T:
        """The value, read, or `default` where it is absent or null."""
        value = self.pop(key)
        return default if value is None else reader(value, self.at(key))

    def maybe(self, key: str, reader: Reader[T]) -> T | None:
        """The value, read, or None where it is absent or null."""
        value = self.pop(key)
        return None if value is None else reader(value, self.at(key))

    def ignore(self, keys: Collection[str]) -> None:
        """Accept these keys, whatever they hold."""
        for key in keys:
            self._left.pop(key, None)

    def reject_renamed(self, renamed: Mapping[str, str]) -> None:
        """Raise on a key of the beta protocol; the error names the key that replaced it."""
        for key in self._left:
            if key in renamed:
                raise unknown(self.at(key), self.at(renamed[key]))

    def close(self) -> None:
        """Raise on the first key that no reader took."""
        for key in self._left:
            raise unknown(self.at(key))
