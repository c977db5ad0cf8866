"""What an answer about a task says: its id, its state, why it failed, how much of it is done.

Knows the words of all the platform's tasks (docs/minimax/video.md 2, 2.1, 3 and 4, t2a-async.md 2, batch.md 2) and
where their answers keep them. Asks nobody and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from realtime.errors import AnswerLost
from realtime.minimax.errors import trace_of
from realtime.minimax.json_text import digits
from realtime.minimax.results import text


class State(StrEnum):
    """The state of a task of the platform. The last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


WORDS: Mapping[State, frozenset[str]] = {
    State.QUEUED: frozenset({"preparing", "queueing", "queued", "pending", "validating"}),
    State.RUNNING: frozenset(
        {"processing", "running", "in_progress", "finalizing", "cancelling", "canceling"}
    ),
    State.DONE: frozenset({"success", "succeeded", "completed"}),
    State.FAILED: frozenset({"fail", "failed"}),
    State.EXPIRED: frozenset({"expired"}),
    State.CANCELLED: frozenset({"cancelled", "canceled"}),
}
_STATES: Mapping[str, State] = {word: state for state, words in WORDS.items() for word in words}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer says. `share` is between 0 and 1; `code` and `reason` are those of a failure."""

    state: State
    share: float | None = None
    code: int | None = None
    reason: str = ""


def created_id(answer: Mapping[str, Any], *names: str) -> str:
    """The id of a task that was made, from the first of these fields (`task_id`) that has one.

    Raises AnswerLost for an answer without one: what was accepted must not be sent again.
    """
    for name in names or ("task_id",):
        if task_id := text(answer, name):
            return task_id
    raise AnswerLost(
        "MiniMax: the answer names no task. The request may have been accepted, and charged.",
        trace_id=trace_of(answer),
    )


def state_of(word: object) -> State:
    """The state that a word means, in any case. A word that is not known means that the task still runs."""
    if not isinstance(word, str):
        return State.RUNNING
    return _STATES.get(word.strip().lower(), State.RUNNING)


def read(answer: Mapping[str, Any]) -> Reading:
    """Read an answer of any kind of task. V2 puts the task into `task`; the others have it at the top."""
    inner = answer.get("task")
    task = inner if isinstance(inner, Mapping) else answer
    code, reason = _failure(task)
    return Reading(state_of(task.get("status")), _share(task), code, reason)


def _failure(task: Mapping[str, Any]) -> tuple[int | None, str]:
    """The code and text of a failure: `error` as a text or an object, or the first of a batch's `errors`."""
    error: Any = task.get("error")
    errors = task.get("errors")
    if not error and isinstance(errors, Mapping) and isinstance(errors.get("data"), list) and errors["data"]:
        error = errors["data"][0]
    if isinstance(error, str):
        return None, error.strip()
    if not isinstance(error, Mapping):
        return None, ""
    line = _whole(error.get("line"))
    message = str(error.get("message") or "").strip()
    return _whole(error.get("code")), f"Line {line}: {message}" if line is not None else message


def _share(task: Mapping[str, Any]) -> float | None:
    """The share of a batch's lines that are done; other tasks do not tell."""
    counts = task.get("request_counts")
    if not isinstance(counts, Mapping):
        return None
    total, done, failed = (_whole(counts.get(name)) or 0 for name in ("total", "completed", "failed"))
    return max(0, min(done + failed, total)) / total if total > 0 else None


def _whole(value: object) -> int | None:
    """A whole number, also where it comes as a text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return digits(value) if isinstance(value, str) else None
