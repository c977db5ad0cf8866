"""How an argument becomes a field of a request: its name, its place, its range, and which models take it.

`build` checks and places the arguments of one call from a table of `Field`s (`field_tables`). What is refused here was
neither sent nor paid; the error names the argument, what was given and what is allowed. Rules between several fields
are functions beside their calls. `extra` passes what is newer than this package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from realtime.errors import InvalidArgument

_MISSING = object()


class Values(Protocol):
    """The values a field takes. `check` returns the value for the wire or raises ValueError with what is wrong."""

    def check(self, value: Any) -> Any: ...

    @property
    def allowed(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text of `shortest` to `longest` characters. A text without a visible character counts as empty."""

    longest: int | None = None
    shortest: int = 1

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(shown(value))
        length = len(value) if value.strip() else 0
        if length < self.shortest or (self.longest is not None and length > self.longest):
            raise ValueError(f"{length:,} characters" if length else "empty")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("a text with half of a character") from None
        return value

    @property
    def allowed(self) -> str:
        if self.longest is None:
            return "any text" if self.shortest == 0 else "a text"
        return f"{self.shortest:,} to {self.longest:,} characters"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`, in steps."""

    low: int
    high: int
    step: int = 1

    def check(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(shown(value))
        if not self.low <= value <= self.high or value % self.step:
            raise ValueError(shown(value))
        return value

    @property
    def allowed(self) -> str:
        steps = f", a multiple of {self.step}" if self.step > 1 else ""
        return f"a whole number from {self.low:,} to {self.high:,}{steps}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` (exclusive with `above`) to `high`."""

    low: float
    high: float
    above: bool = False

    def check(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(shown(value))
        if not self.low <= value <= self.high or (self.above and value == self.low):
            raise ValueError(shown(value))
        return value

    @property
    def allowed(self) -> str:
        return (
            f"above {self.low:g} and up to {self.high:g}" if self.above else f"{self.low:g} to {self.high:g}"
        )


@dataclass(frozen=True, slots=True)
class Flag:
    """True or False."""

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(shown(value))
        return value

    @property
    def allowed(self) -> str:
        return "True or False"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some values."""

    values: tuple[str | int, ...]

    def check(self, value: Any) -> str | int:
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in self.values:
            raise ValueError(shown(value))
        return value

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(str(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Id:
    """An id: a text of digits outside, an integer on the wire; beyond 2^53 too."""

    def check(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
            return int(value)
        raise ValueError(shown(value))

    @property
    def allowed(self) -> str:
        return "an id, which is a text of digits"


@dataclass(frozen=True, slots=True)
class Model:
    """A model: the known ones are listed; a newer one is passed on, the platform knows."""

    known: tuple[str, ...]

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(shown(value))
        return value

    @property
    def allowed(self) -> str:
        return ", ".join(self.known)


@dataclass(frozen=True, slots=True)
class Json:
    """An object or a list that a function of the call has made or checked."""

    text: str = "an object"

    def check(self, value: Any) -> Any:
        return value

    @property
    def allowed(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Field:
    """One argument. `wire` is its place in the body, with dots for nested objects; `models` the prefixes of the
    models that take it (empty: all)."""

    name: str
    wire: str
    kind: Values
    required: bool = False
    models: tuple[str, ...] = ()


def build(
    fields: Sequence[Field], values: Mapping[str, Any], extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The body of a request. None leaves a field out; `extra` is merged into it last, object by object.

    Raises InvalidArgument for the first argument that is wrong, and TypeError for a name that is in no row.
    """
    if extra is not None and not isinstance(extra, Mapping):
        raise refused("extra", shown(extra), "allowed is a mapping of fields to values")
    unknown = set(values) - {field.name for field in fields}
    if unknown:
        raise TypeError(f"no field is called {', '.join(sorted(unknown))}")
    body: dict[str, Any] = {}
    model = values.get("model")
    for field in fields:
        value = values.get(field.name)
        if value is None:
            if field.required and _at(extra or {}, field.wire) is _MISSING:
                raise InvalidArgument(f"{field.name} is missing: {field.kind.allowed}.", param=field.name)
            continue
        if field.models and _is_known(fields, model) and not str(model).startswith(field.models):
            raise InvalidArgument(
                f"{field.name} is not for the model {model}: only for {', '.join(field.models)}.",
                param=field.name,
            )
        _place(body, field.wire, _checked(field, value))
    return merge(body, extra or {})


def check_text(name: str, value: object) -> None:
    """Raises InvalidArgument unless the value is a text with a visible character."""
    try:
        Text().check(value)
    except ValueError as error:
        raise refused(name, error, "allowed is a text") from None


def check_seconds(name: str, value: object, *, needed: bool = False) -> None:
    """Raises InvalidArgument for what is no length of time. None is no limit, unless one is `needed`."""
    if value is None and not needed:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise refused(name, shown(value), "allowed is a number of seconds")


def check_names(given: Iterable[str], known: Iterable[str], advice: str = "") -> None:
    """Raises InvalidArgument for the first name that is not known, with the one that may be meant, and the advice."""
    known = sorted(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(known)}."
            raise InvalidArgument(f"There is no argument {name}. {hint} {advice}".rstrip(), param=name)


def shown(value: object) -> str:
    """A value as a message shows it: its repr, cut to 60 characters."""
    whole = repr(value)
    return whole if len(whole) <= 60 else f"{whole[:59]}…"


def refused(name: str, given: object, allowed: str) -> InvalidArgument:
    """The error for an argument that a rule between fields refuses."""
    return InvalidArgument(f"{name} is {given}: {allowed}.", param=name)


def merge(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` over `body`; objects are merged, everything else is replaced."""
    merged = dict(body)
    for key, value in extra.items():
        mine = merged.get(key)
        if isinstance(mine, dict) and isinstance(value, Mapping):
            merged[key] = merge(mine, value)
        else:
            merged[key] = value
    return merged


def python_name(fields: Sequence[Field], wire: str) -> str | None:
    """The argument for a field of the wire that a refusal names; None if no row has it."""
    plain = wire.split("[")[0]
    for field in fields:
        if plain in (field.wire, field.wire.rpartition(".")[2]):
            return field.name
    return None


def _checked(field: Field, value: Any) -> Any:
    try:
        return field.kind.check(value)
    except ValueError as error:
        raise refused(field.name, error, f"allowed is {field.kind.allowed}") from None


def _is_known(fields: Sequence[Field], model: Any) -> bool:
    return any(isinstance(field.kind, Model) and model in field.kind.known for field in fields)


def _place(body: dict[str, Any], wire: str, value: Any) -> None:
    *path, last = wire.split(".")
    for name in path:
        body = body.setdefault(name, {})
    body[last] = value


def _at(body: Mapping[str, Any], wire: str) -> Any:
    found: Any = body
    for name in wire.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return _MISSING
        found = found[name]
    return found
