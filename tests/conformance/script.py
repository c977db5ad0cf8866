"""The words in which a conversation is scripted: what to send, what to expect, and how a pattern matches.

Pure data and one function. Knows nothing of sockets, of time, or of any server's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

EVENT_PATIENCE_S = 30.0  # for whatever a model, a voice or a transcriber has to do first
AT_ONCE_S = 5.0  # for what a server answers by itself, on a slow machine


@dataclass(frozen=True, slots=True)
class Keep:
    """Matches what `like` matches and remembers it under a name."""

    name: str
    like: Any = ...


@dataclass(frozen=True, slots=True)
class Ref:
    """What was kept under this name: in a pattern the same value, in a message that value itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Is:
    """A condition with the words in which its failure is told."""

    what: str
    holds: Callable[[Any], bool]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()  # this key must not be there


def says(*words: str) -> Is:
    """Text that contains each of these, whatever the case."""
    return Is(
        f"contains {words}", lambda text: isinstance(text, str) and all(w in text.lower() for w in words)
    )


def matches(pattern: str) -> Is:
    return Is(
        f"matches {pattern}", lambda text: isinstance(text, str) and re.search(pattern, text) is not None
    )


FULL = Is("is a text that is not empty", lambda text: isinstance(text, str) and bool(text.strip()))
POSITION = Is(
    "is a whole number of 0 or more",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
)


# -- steps


@dataclass(frozen=True, slots=True)
class Send:
    """Send one event; `Ref` anywhere inside stands for what was kept."""

    type: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """Send one message as it is."""

    message: str | bytes


@dataclass(frozen=True, slots=True)
class Speak:
    """Append this sound (named in `sounds.py`) in blocks of 100 ms, all at once: audio is its own clock."""

    sound: str
    law: str = "audio/pcm"
    then_silence_s: float = 0.0
    paced: bool = False  # as fast as it is spoken


@dataclass(frozen=True, slots=True)
class Expect:
    """Read on to the next event of this type, which must match. An `error` on the way fails the case."""

    type: str
    pattern: dict[str, Any] = field(default_factory=dict)
    within_s: float = EVENT_PATIENCE_S
    next: bool = False  # nothing else may come before it


@dataclass(frozen=True, slots=True)
class Among:
    """An event of this type that matches is among those since the last `Mark`, or comes in time."""

    type: str
    pattern: dict[str, Any] = field(default_factory=dict)
    within_s: float = EVENT_PATIENCE_S


@dataclass(frozen=True, slots=True)
class Mark:
    """`Never`, `Among` and `Count` look back to here."""


@dataclass(frozen=True, slots=True)
class Never:
    """None of these has come since the last `Mark`."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """So many of this type have come since the last `Mark`."""

    type: str
    times: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything sent before was processed: a question that every server answers has been answered."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The audio received since the last `Mark` lasts at least `at_least_ms` in this format."""

    at_least_ms: int
    law: str = "audio/pcm"


@dataclass(frozen=True, slots=True)
class Closed:
    """The server ends the connection with this code."""

    code: int


Step = Send | Raw | Speak | Expect | Among | Mark | Never | Count | Settled | Sound | Closed


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation. `own`: the reference leaves it open, and this project has decided; `rule`: where it is written."""

    name: str
    rule: str
    steps: tuple[Step, ...]
    own: bool = False
    asks_model: bool = False  # passes only if the model does as it is told

    def __str__(self) -> str:
        return self.name

    @property
    def is_spoken(self) -> bool:
        """Whether the server needs ears for it."""
        return any(isinstance(step, Speak) and step.sound.startswith("clip:") for step in self.steps)


# -- matching


def mismatch(pattern: Any, value: Any, kept: dict[str, Any], path: str = "") -> str | None:
    """Why `value` does not match, or None. A dict is a part of the object; a list has each element."""
    match pattern:
        case Keep(name, like):
            kept[name] = value
            return mismatch(like, value, kept, path)
        case Ref(name):
            return None if value == kept[name] else f"{path} is {value!r}, not {kept[name]!r} ({name})"
        case Is(what, holds):
            return None if holds(value) else f"{path} is {value!r}, which is not so: {what}"
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
                return f"{where} is {value[key]!r} and should be left out"
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
    return next((why for why in found if why), None)


def filled(message: Any, kept: dict[str, Any]) -> Any:
    """A message with every `Ref` replaced."""
    match message:
        case Ref(name):
            return kept[name]
        case dict():
            return {key: filled(value, kept) for key, value in message.items()}
        case list():
            return [filled(value, kept) for value in message]
        case _:
            return message
