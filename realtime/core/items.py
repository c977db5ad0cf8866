"""The items of a conversation, as plain values: messages, calls of functions, and their outputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from realtime.core.cut_text import size_of

Status = Literal["in_progress", "completed", "incomplete"]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Text:
    """Written words, of anybody."""

    text: str


@dataclass(frozen=True, slots=True)
class InputSpeech:
    """The user's speech; None until transcribed."""

    transcript: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    url: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class OutputSpeech:
    """The assistant's speech, as far as it was heard."""

    transcript: str = ""


Part = Text | InputSpeech | Image | OutputSpeech


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    role: Role
    parts: tuple[Part, ...] = ()
    status: Status = "completed"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    id: str
    call_id: str
    name: str
    arguments: str = ""
    status: Status = "completed"


@dataclass(frozen=True, slots=True)
class FunctionCallOutput:
    id: str
    call_id: str
    output: str
    status: Status = "completed"


Item = Message | FunctionCall | FunctionCallOutput


def held_bytes(item: Item) -> int:
    """How much its texts, and its pictures as data URIs and addresses, hold."""
    if isinstance(item, Message):
        return sum(map(_part_bytes, item.parts))
    return size_of(item.arguments if isinstance(item, FunctionCall) else item.output)


def _part_bytes(part: Part) -> int:
    if isinstance(part, Image):
        return len(part.url)
    return size_of(part.text if isinstance(part, Text) else part.transcript or "")


def transcript_of(item: Item) -> str:
    """The words of a spoken message of the user, "" for anything else."""
    if not isinstance(item, Message):
        return ""
    return "".join(part.transcript or "" for part in item.parts if isinstance(part, InputSpeech))


def says_something(item: Item) -> bool:
    """Whether it is a message of the user with words or a picture: no noise, and no speech without its text."""
    return isinstance(item, Message) and item.role == "user" and held_bytes(item) > 0


def outputs_of_calls(items: Sequence[Item]) -> dict[int, list[int]]:
    """The places of the outputs of each call, by its own place. The last output counts.

    Ids of calls may come again: not every model makes new ones. So each output goes to the first call of its id that
    has none; where all have one, it replaces that of the latest. A call that was broken off has an output only if no
    other one can be meant. An output that comes before its calls goes to the first.
    """
    whole: dict[str, _Calls] = {}
    broken: dict[str, _Calls] = {}
    found: dict[int, list[int]] = {}
    early: dict[str, int] = {}
    for place, item in enumerate(items):
        match item:
            case FunctionCall(call_id=call_id, status=status):
                calls = whole if status == "completed" else broken
                calls.setdefault(call_id, _Calls()).add(place, answered=call_id in early)
                if call_id in early:
                    found[place] = [early.pop(call_id)]
            case FunctionCallOutput(call_id=call_id):
                meant = whole.get(call_id) or broken.get(call_id)
                if meant is None:
                    early[call_id] = place
                else:
                    found.setdefault(meant.answered(), []).append(place)
    return found


class _Calls:
    """The places of calls of one id. A conversation may have thousands: each output finds its call at once."""

    def __init__(self) -> None:
        self._unanswered: deque[int] = deque()
        self._latest = 0

    def add(self, place: int, *, answered: bool) -> None:
        self._latest = place
        if not answered:
            self._unanswered.append(place)

    def answered(self) -> int:
        """The call that the next output answers."""
        return self._unanswered.popleft() if self._unanswered else self._latest
