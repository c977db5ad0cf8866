"""One record of a platform task: what it says, and how it is written as JSON. Reads and writes no file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

_VERSION = 1
NOT_SENT = "interrupted before it was sent: nothing is charged"
CHARGED = "charged, but not saved: "  # begins the reason of what came and could not be kept


class RecordState(StrEnum):
    """How far a task has come, as far as this machine knows."""

    WAITING = "waiting"  # certainly not sent: it waits for its turn, perhaps after a refusal
    SENDING = "sending"  # written before the request leaves
    SENT = "sent"  # the platform gave an id, or its answer
    DONE = "done"  # the result is saved
    FAILED = "failed"  # refused, or ended without a result
    UNKNOWN = "unknown"  # the answer was lost: maybe charged


@dataclass(frozen=True, slots=True)
class Record:
    """One task. `key` names it here, `task_id` at the platform; times are seconds since 1970.

    `platform` is the address that answers, `arguments` what the command needs to save the result later.
    """

    key: str
    kind: str
    state: RecordState
    created_s: float
    platform: str
    prompt: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    task_id: str | None = None
    paths: tuple[str, ...] = ()
    reason: str | None = None
    busy: bool = False  # some process works on it now; not on disk

    @property
    def name(self) -> str:
        """What a user types to name it: the platform's id where there is one."""
        return self.task_id or self.key

    @property
    def charged(self) -> bool:
        """Whether its answer came and could not be kept."""
        return self.state is RecordState.UNKNOWN and (self.reason or "").startswith(CHARGED)


class NoRecord(ValueError):
    """A text that is no record of this version. `kind` is that of the task, if that much can be read."""

    def __init__(self, why: str, kind: str | None = None) -> None:
        super().__init__(why)
        self.kind = kind


def text_of(record: Record) -> str:
    """The record as JSON."""
    values = {"version": _VERSION} | {name: getattr(record, name) for name in _ON_DISK}
    return json.dumps(values, ensure_ascii=False, indent=1)


def record_of(text: str, key: str) -> Record:
    """The record in a text; `key` is the name of its file. Raises NoRecord."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoRecord(str(error)) from error
    if not isinstance(values, dict):
        raise NoRecord("it is no record")
    kind = values.get("kind")
    kind = kind if isinstance(kind, str) else None
    if values.pop("version", None) != _VERSION:
        raise NoRecord("another version of this program wrote it", kind)
    try:
        record = Record(**values | {"key": key})
        record = replace(record, state=RecordState(record.state), paths=tuple(record.paths))
    except (TypeError, ValueError) as error:
        raise NoRecord(f"it is no record: {error}", kind) from error
    for name, is_right in _CHECKS.items():
        if not is_right(getattr(record, name)):
            raise NoRecord(f"it is no record: {name} is wrong", kind)
    return record


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


_ON_DISK = tuple(name for name in Record.__dataclass_fields__ if name != "busy")
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "kind": _is_text,
    "created_s": lambda value: isinstance(value, int | float) and math.isfinite(value),
    "platform": _is_text,
    "prompt": _is_text,
    "arguments": lambda value: isinstance(value, dict),
    "task_id": _is_text_or_none,
    "paths": lambda value: all(isinstance(path, str) for path in value),
    "reason": _is_text_or_none,
    "busy": lambda value: value is False,
}
