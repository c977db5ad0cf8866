"""How a command ends when it does not succeed: exit status, one sentence with the next step, or a JSON document.

Knows the errors of the package and of the machine. Every other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import errno
import json
import sys
from dataclasses import dataclass, field
from typing import Any

from realtime.errors import AnswerLost, ConfigError, InvalidArgument, NotFinished, RealtimeError, as_typed

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FINISHED, EXIT_INTERRUPTED = 1, 2, 3, 130
_DETAILS = ("param", "task_id", "upstream_code", "trace_id")


@dataclass(frozen=True, slots=True)
class Outcome:
    """An exit status, the error's class, its sentence, the command that goes on, and what else is known."""

    status: int
    type: str
    message: str
    next: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The outcome for `--json`: `{"error": {...}, "status": N}`."""
        error = {"type": self.type, "message": as_typed(self.message), **self.details}
        if self.next is not None:
            error["next"] = as_typed(self.next)
        return {"error": error, "status": self.status}

    def show(self, *, as_json: bool) -> None:
        """JSON on stdout, or sentences on stderr."""
        if as_json:
            print(json.dumps(self.document(), ensure_ascii=False, indent=2), flush=True)
            return
        print(f"realtime: {as_typed(self.message)}", file=sys.stderr)
        if self.next is not None:
            print(f"  {as_typed(self.next)}", file=sys.stderr)


def outcome_of(error: BaseException) -> Outcome:
    """What this error means for the user. Raises it again if it is a bug."""
    import asyncio  # slow: a help page does without

    from realtime_client.errors import ClientError

    details = {name: value for name in _DETAILS if (value := getattr(error, name, None)) is not None}
    name, message = type(error).__name__, str(error)
    match error:
        case NotFinished():
            return Outcome(EXIT_NOT_FINISHED, name, message, f"realtime tasks wait {error.task_id}", details)
        case AnswerLost():
            return Outcome(EXIT_FAILED, name, _with_lost(message), "realtime tasks", details)
        case ConfigError() | InvalidArgument():
            return Outcome(EXIT_USAGE, name, message, None, details)
        case RealtimeError() | ClientError():
            return Outcome(EXIT_FAILED, name, message, None, details)
        case KeyboardInterrupt() | asyncio.CancelledError():
            # SIGTERM and SIGHUP have their own (`interruptible.Terminated`)
            status = getattr(error, "status", EXIT_INTERRUPTED)
            return Outcome(status, "Interrupted", "Interrupted.")
        case OSError() if error.errno is not None or error.args:
            return Outcome(EXIT_FAILED, name, _machine(error))
        case _:
            raise error


def _with_lost(message: str) -> str:
    if "may have been accepted" in message:
        return message
    return f"{message} The request may have been accepted and charged: it is not sent again."


def _machine(error: OSError) -> str:
    """Like "The disk is full: free some space (book/01.mp3)."."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"The disk is full: free some space{where}."
    if error.errno == errno.EDQUOT:
        return f"Your disk quota is used up: free some space{where}."
    if error.filename:
        return f"{error.filename}: {error.strerror or error}."
    return f"{error.strerror or error}."
