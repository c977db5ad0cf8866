"""All errors of the package, grouped by who can fix them.

    RealtimeError
    ├── ConfigError            the operator: one sentence, exit status 2
    ├── ProtocolError          the client: it gets an `error` event, the session continues
    └── ProviderError          an upstream service: `response.done` says failed, the session continues
        ├── ProviderUnavailable    cannot be reached, or has an internal error
        ├── ConversationTakenOver  the store: another session has this conversation by now
        ├── ConversationForgotten  the store has lost items that it had: it needs all of them again
        ├── ProviderTimeout        did not answer in time
        └── ProviderRejected       answered, and rejected this request
            ├── InvalidArgument        one argument is wrong: `param` names it
            └── TaskFailed             a task of the platform ended without a result

    AnswerLost (a ProviderUnavailable): a billed request left and its answer did not come
    NotFinished (a ProviderTimeout): the wait for a task has ended, the task goes on
    StorageError (a RealtimeError): a file could not be written here: the disk is full or fails, or it is in use

Every other exception is a bug of this package.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from realtime.logs import without_keys

_Error = TypeVar("_Error", bound=BaseException | None)

_COMMAND = re.compile(
    r"[,:;(]?\s*(?:or\s+|run\s+|with\s+)*`?(?:pip install|realtime setup)\b[^.]*(?:\.\d[^.]*)*"
)
_PLACE = re.compile(r"\s+(?:to|at|from|by|of)\s+(?:https?|wss?)://[^\s,;)]*[^\s,;).:]")
_SUBJECT = re.compile(r"^([^\s:]+): (?:https?|wss?)://[^\s,;)]*[^\s,;).:] (?=(?!is\b)[a-z])")
_ADDRESS = re.compile(r"(?:https?|wss?)://[^\s,;)]*[^\s,;).:]")
_CLASS = re.compile(r"\s*\(\w*(?:Error|Exception|Timeout|Closed\w*|Refused)\)")
# What clients are not told, and what they are told instead: an address that does something is the service itself
_NOT_FOR_CLIENTS = ((_COMMAND, ""), (_PLACE, ""), (_SUBJECT, r"\1 "), (_ADDRESS, "the address"), (_CLASS, ""))
# Whether who is told is the operator: the person whose command has this server for itself
_FOR_OPERATOR: ContextVar[bool] = ContextVar("for operator", default=False)


def pip_of(python: str, folder: Path) -> str:
    """What to type in this folder for the pip of this Python.

    The first `pip` of a shell is another one's where the environment is not activated, as after `make run`: it finds
    nothing (there is no release on PyPI), or installs where it helps nobody.
    """
    if not python:  # an interpreter inside another program
        return "pip"
    path = Path(python)
    return f"{shlex.quote(str(path.relative_to(folder) if path.is_relative_to(folder) else path))} -m pip"


def _folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return Path("nowhere")


PIP = pip_of(sys.executable, _folder())

# The commands of this program (`cli.py`), as advice names them
_OWN_COMMAND = re.compile(
    r"(?<![\w./~-])realtime(?= (?:--help|setup|serve|talk|ask|say|doctor|sandbox|voices|narrate|image|music|video|batch"
    r"|files|tasks)\b(?!:))"
)


def command_of(python: str, folder: Path, found: str | None) -> str:
    """What to type in this folder for the `realtime` of this Python. `found`: the one that the shell finds.

    After `make run` no environment is activated: the shell finds none, or another one's.
    """
    if not python:  # an interpreter inside another program
        return "realtime"
    path = Path(python).with_name("realtime.exe" if sys.platform == "win32" else "realtime")
    if found is not None and path.exists() and Path(found).resolve() == path.resolve():
        return "realtime"
    if not path.exists():  # it was not installed: it runs from its folder
        return f"{pip_of(python, folder).removesuffix(' -m pip')} -m realtime"
    return shlex.quote(str(path.relative_to(folder) if path.is_relative_to(folder) else path))


@cache
def own_command() -> str:
    """What to type here for this program."""
    import shutil  # slow: a command that gives no advice does without

    return command_of(sys.executable, _folder(), shutil.which("realtime"))


def as_typed(advice: str) -> str:
    """Advice for whoever sits at this terminal: the commands of this program in it can be typed as they stand.

    Sentences say `realtime setup voice` wherever they are made; who prints one for the operator calls this.
    """
    return _OWN_COMMAND.sub(lambda _: own_command(), advice)


def install(what: str) -> str:
    """The line that installs these packages where they are missing; quote what a shell would read."""
    return f"{PIP} install {what}"


def install_extra(names: str) -> str:
    """The line that installs these extras of this package."""
    return install(f"'minimax-realtime[{names}]'")


def for_clients(message: str) -> str:
    """A failure's message without what only the operator can use: addresses, commands to install, names of classes.

    Whoever talks to this server may be anybody (but within `for_operator`). The log has the whole message. No key of
    the settings is left either: some services repeat the one that they refuse.
    """
    message = without_keys(message)
    if _FOR_OPERATOR.get():
        return as_typed(message)
    said = message.replace(f"{PIP} install", "pip install")
    for pattern, instead in _NOT_FOR_CLIENTS:
        said = pattern.sub(instead, said)
    if said == message:
        return message
    said = said.strip()
    return said if not said or said[-1] in ".!?" else said + "."


@contextmanager
def for_operator() -> Iterator[None]:
    """A server that is started in this block tells its clients what it tells the log: they are the operator."""
    before = _FOR_OPERATOR.set(True)
    try:
        yield
    finally:
        _FOR_OPERATOR.reset(before)


def without_trace(error: _Error) -> _Error:
    """The same error, without its trace and those of its causes.

    A trace holds the frames, and these hold the conversation: whoever keeps an error, and has logged it, keeps it so.
    Else what the conversation held would come back only at the next full garbage collection.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        each.__traceback__ = None
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
    return error


class RealtimeError(Exception):
    """Base class of the errors that this package raises."""


class ConfigError(RealtimeError):
    """A setting is missing or wrong. The message says which one, and how to fix it."""


class ProtocolError(RealtimeError):
    """A client sent an invalid event or request.

    `code`, `message` and `param` (a dotted path) go into the `error` event; `event_id` is that of the client's event.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_value",
        param: str | None = None,
        event_id: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.event_id = event_id
        self.type = type


def event_broken(event_id: str | None = None) -> ProtocolError:
    """What a client is told of an event that met a bug of this package."""
    return ProtocolError(
        "The server has an internal error and could not carry out an event. The session goes on.",
        code="internal_error",
        event_id=event_id,
        type="server_error",
    )


def session_broken() -> ProtocolError:
    """What a client is told of a bug of this package that ends its session."""
    return ProtocolError(
        "The server has an internal error and cannot continue this session. Connect again.",
        code="internal_error",
        type="server_error",
    )


class StorageError(RealtimeError):
    """A file could not be written on this machine: the disk is full or fails, or another process writes it."""


class ProviderError(RealtimeError):
    """An upstream service failed.

    `code` is the reason in the protocol (`upstream_unavailable`, `rate_limit_exceeded`, ...), `upstream_code` the
    service's error number, `trace_id` its id of the request, `retry_after_s` the seconds to wait before a retry if
    known, `retryable` whether a retry may succeed. `sent` is False only where no connection was made, so that the
    service has certainly not seen the request. `host` is the service's host where a provider has noted it, for the log.
    """

    code = "upstream_unavailable"
    retryable = True
    sent = True
    host: str | None = None
    reason: str | None = None  # for the log: what happened, in this package's own words alone
    wait_is_asked = False  # whether `retry_after_s` is the service's own word

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        upstream_code: int | None = None,
        trace_id: str | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
        self.upstream_code = upstream_code
        self.trace_id = trace_id
        self.retry_after_s = retry_after_s
        self.sent = sent


class ProviderUnavailable(ProviderError):
    """The service cannot be reached, closed the connection, or is overloaded."""


class ConversationTakenOver(ProviderError):
    """Another session has taken this conversation: nothing of the older one was saved, and nothing will be."""

    code = "session_taken_over"
    retryable = False


class ConversationForgotten(ProviderError):
    """The store has lost items that it had: what was given is saved, and the others are needed again."""

    code = "store_forgot"


class ProviderTimeout(ProviderError):
    """The service did not answer in time."""

    code = "upstream_timeout"


class ProviderRejected(ProviderError):
    """The service rejected this request, and would reject it again."""

    code = "upstream_rejected"
    retryable = False


class InvalidArgument(ProviderRejected):
    """One argument is wrong. `param` is its name in Python (None: the service did not say which one).

    It is the same class whether this package refused it before anything was sent or the service did.
    """

    def __init__(self, message: str, *, param: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.param = param


class TaskFailed(ProviderRejected):
    """A task of the platform failed, expired or was cancelled. `task_id` is its id."""

    code = "task_failed"

    def __init__(self, message: str, *, task_id: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.task_id = task_id


class AnswerLost(ProviderUnavailable):
    """A billed request left and no answer came: it may have been accepted, so it is not sent again."""

    code = "answer_lost"
    retryable = False


class NotFinished(ProviderTimeout):
    """The wait for a task of the platform has ended; the task itself goes on. `task_id` is its id."""

    code = "not_finished"

    def __init__(self, message: str, *, task_id: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.task_id = task_id


def provider_error(group: ExceptionGroup[Exception]) -> ProviderError:
    """The first ProviderError in a group. Raises the other exceptions of the group, if there are any."""
    provider_errors, others = group.split(ProviderError)
    if others is not None:
        raise others
    error: BaseException = provider_errors if provider_errors is not None else group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ProviderError)
    return error
