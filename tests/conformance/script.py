"""The steps of a scripted conversation (what to send, what to expect), and the matching of patterns.

Knows no socket and no rules of a server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

EVENT_TIMEOUT_S = 60.0  # for events that need a model, a voice or a transcriber
SHORT_TIMEOUT_S = 20.0  # for what a server answers by itself


@dataclass(frozen=True, slots=True)
class Keep:
    """Matches what `like` matches, and keeps the value under a name."""

    name: str
    like: Any = ...


@dataclass(frozen=True, slots=True)
class Ref:
    """The value kept under this name. A pattern matches the same value; a message is sent with the value."""

    name: str


@dataclass(frozen=True, slots=True)
class Is:
    """A condition, and its text for the error message."""

    what: str
    holds: Callable[[Any], bool]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()  # the key must be absent


def says(*words: str) -> Is:
    """Text that contains each of these words, in lower or upper case."""
    return Is(
        f"contains {words}", lambda text: isinstance(text, str) and all(w in text.lower() for w in words)
    )


def matches(pattern: str) -> Is:
    return Is(
        f"matches {pattern}", lambda text: isinstance(text, str) and re.search(pattern, text) is not None
    )


NON_EMPTY = Is("is a non-empty text", lambda text: isinstance(text, str) and bool(text.strip()))
WHOLE_NUMBER = Is(
    "is a whole number from 0",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
)


# -- steps


@dataclass(frozen=True, slots=True)
class Send:
    """Send one event; each `Ref` in it is replaced by the kept value."""

    type: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """Send one message unchanged."""

    message: str | bytes


@dataclass(frozen=True, slots=True)
class Speak:
    """Append this sound (see `sounds.py`) in blocks of 100 ms; all at once, because servers measure time in audio."""

    sound: str
    law: str = "audio/pcm"
    then_silence_s: float = 0.0
    real_time: bool = False  # send it in real time


@dataclass(frozen=True, slots=True)
class Expect:
    """Read up to the next event of this type, which must match. An `error` before it fails the case."""

    type: str
    pattern: dict[str, Any] = field(default_factory=dict)
    within_s: float = EVENT_TIMEOUT_S
    next: bool = False  # it must be the very next event


@dataclass(frozen=True, slots=True)
class Among:
    """A matching event of this type has come since the last `Mark`, or comes in time."""

    type: str
    pattern: dict[str, Any] = field(default_factory=dict)
    within_s: float = EVENT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Mark:
    """The start of the events for `Never`, `Among` and `Count`."""


@dataclass(frozen=True, slots=True)
class Never:
    """No event of these types has come since the last `Mark`."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """Exactly `times` events of this type have come since the last `Mark`."""

    type: str
    times: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Wait until the server has processed everything sent before."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The audio received since the last `Mark` lasts at least `at_least_ms` in this format."""

    at_least_ms: int
    law: str = "audio/pcm"


@dataclass(frozen=True, slots=True)
class Closed:
    """The server closes the connection with this code."""

    code: int


Step = Send | Raw | Speak | Expect | Among | Mark | Never | Count | Settled | Sound | Closed


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation. `own`: the reference does not define it, this project has decided. `rule`: section of the page."""

    name: str
    rule: str
    steps: tuple[Step, ...]
    own: bool = False
    asks_model: bool = False  # passes only if the model follows an instruction

    def __str__(self) -> str:
        return self.name

    @property
    def is_spoken(self) -> bool:
        """Whether the server needs a transcriber."""
        return any(isinstance(step, Speak) and step.sound.startswith("clip:") for step in self.steps)


# -- matching


def mismatch(pattern: Any, value: Any, kept: dict[str, Any], path: str = "") -> str | None:
    """Why `value` does not match, or None. A dict matches objects with more keys; a list must match completely."""
    match pattern:
        case Keep(name, like):
            kept[name] = value
            return mismatch(like, value, kept, path)
        case Ref(name):
            return None if value == kept[name] else f"{path} is {value!r}, not {kept[name]!r} ({name})"
        case Is(what, holds):
            return None if holds(value) else f"{path} is {value!r}; required: it {what}"
        case dict():
            return _mismatch_of_object(pattern, value, kept, path)
        case list():
            return _mismatch_of_list(pattern, value, kept, path)
        case type():
            return None if isinstance(value, pattern) else f"{path} is {value!r}, not a {pattern.__name__}"
        case _ if pattern is ...:
            return None
        case _:
            same = value == pattern and isinstance(value, bool) == isinstance(pattern, bool)
            return None if same else f"{path} is {value!r}, not {pattern!r}"


def _mismatch_of_object(pattern: dict[str, Any], value: Any, kept: dict[str, Any], path: str) -> str | None:
    if not isinstance(value, dict):
        return f"{path} is {value!r}, not an object"
    for key, inner in pattern.items():
        where = f"{path}.{key}".lstrip(".")
        if inner is ABSENT:
            if key in value:
                return f"{where} is {value[key]!r} and should be absent"
        elif key not in value:
            return f"{where} is missing"
        elif found := mismatch(inner, value[key], kept, where):
            return found
    return None


def _mismatch_of_list(pattern: list[Any], value: Any, kept: dict[str, Any], path: str) -> str | None:
    if not isinstance(value, list) or len(value) != len(pattern):
        return f"{path} is {value!r}, not a list of {len(pattern)}"
    found = (
        mismatch(p, v, kept, f"{path}[{i}]") for i, (p, v) in enumerate(zip(pattern, value, strict=True))
    )
    return next((problem for problem in found if problem), None)


def resolve(message: Any, kept: dict[str, Any]) -> Any:
    """A message with each `Ref` replaced by its kept value."""
    match message:
        case Ref(name):
            return kept[name]
        case dict():
            return {key: resolve(value, kept) for key, value in message.items()}
        case list():
            return [resolve(value, kept) for value in message]
        case _:
            return message
