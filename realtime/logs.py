"""The log of a server: one line for each event, as text or as JSON. It never holds what people say, nor a key.

How that is kept: our own lines are made of facts (`story`), without texts of a conversation; libraries never log at
`debug` (websockets would log every frame); an exception is logged without its message, because a message often quotes
what was being read; and the keys of the settings are replaced in the finished line, wherever they come from.
It does not know what is worth a line.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from realtime.line_writer import LineWriter

PACKAGE = "realtime"
MAX_TEXT = 200  # characters of one fact: a client chooses its own user agent
MIN_SECRET = 4  # characters: a shorter one would replace parts of ordinary words
HIDDEN = "[hidden]"
FLUSH_S = 1.0  # at the end of a program: for what its last lines still need
_OUR_ID = re.compile(r"[a-z]{2,8}_[A-Za-z0-9_-]{16}")  # as this server makes them
# What a client sends as its key, in whichever fact or message it got: in a header, as a subprotocol, a client secret.
_CREDENTIAL = re.compile(
    r"((?i:\bbearer[ :=]+|insecure-api-key\.|[?&](?:api_)?key=))[^\s\"',;\\]+|\bek_[A-Za-z0-9_-]{20,}"
)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TELLING = (OSError, ImportError)  # their messages name files and modules

log = logging.getLogger(__name__)


def story(
    logger: logging.Logger,
    event: str,
    facts: Mapping[str, object],
    level: int = logging.INFO,
    error: BaseException | None = None,
) -> None:
    """Log one event with its facts. A fact that is None is left out; texts are cut and lose control characters.

    The facts are in the record as `facts`, for handlers that keep them apart, and in its message, for all others.
    """
    if logger.isEnabledFor(level):
        told = Story(event, {name: fact for name, fact in facts.items() if fact is not None})
        logger.log(level, told, exc_info=error, extra={"facts": told.facts})


class Story:
    """The message of a record: as text, the event and its facts, as they are in a line of our own log."""

    in_words: LogFormatter  # with the keys of the settings

    def __init__(self, event: str, facts: Mapping[str, object]) -> None:
        self.event, self.facts = event, facts

    def __str__(self) -> str:
        return self.in_words.told(self.event, self.facts)


class Outline:
    """A value for a line at `debug`: `outline` of it, worked out only if the line is written."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __str__(self) -> str:
        return outline(self._value)


def outline(value: object) -> str:
    """A dataclass for the log, as `Name(field=3)`: its numbers, flags and our own ids. Of a text only the length."""
    if not dataclasses.is_dataclass(value):
        return type(value).__name__
    parts = (f"{field.name}={_outlined(getattr(value, field.name))}" for field in dataclasses.fields(value))
    return f"{type(value).__name__}({', '.join(parts)})"


def _outlined(value: object) -> str:
    match value:
        case Enum():
            return value.name
        case None | bool() | int() | float():
            return str(value)
        case str() if _OUR_ID.fullmatch(value):
            return value
        case str():
            return f"<{len(value)} characters>"
    return outline(value)


def configure(level: str, format: str, secrets: Iterable[str] = ()) -> None:
    """Log to standard error from this level on, as `text` or `json`. A root logger that has handlers keeps them.

    Warnings of Python and exceptions that nobody caught are logged as well.
    """
    formatter: LogFormatter = (JsonFormatter if format == "json" else LogFormatter)(secrets)
    Story.in_words.hide_also(formatter)
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger(PACKAGE).setLevel(number)
    # Each failed batch of spans would be several lines, with a traceback: `trace_export.py` tells of losses itself
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    root = logging.getLogger()
    if root.handlers:
        return
    root.addHandler(_StderrHandler(formatter))
    root.setLevel(max(number, logging.INFO))
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _uncaught(error)
    threading.excepthook = lambda args: _uncaught(
        args.exc_value, thread=args.thread.name if args.thread else None
    )
    sys.unraisablehook = lambda args: _uncaught(args.exc_value)


class _StderrHandler(logging.Handler):
    """Writes each line, without waiting for its reader, to what `sys.stderr` is by then: a program may replace it for a
    while, and close that one."""

    def __init__(self, formatter: LogFormatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._lines = LineWriter(lambda: sys.stderr, self._lost)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
        except Exception:
            self.handleError(record)
            return
        self._lines.put(sys.stderr, line)

    def flush(self) -> None:
        """Wait for what is not written yet, but not for a reader that stands still."""
        self._lines.flush(FLUSH_S)

    def close(self) -> None:
        self._lines.end()
        super().close()

    def _lost(self, count: int) -> str:
        told = f"{count} line{'s'[: count - 1]} of the log {'were' if count > 1 else 'was'} lost"
        return self.format(log.makeRecord(log.name, logging.WARNING, "", 0, told, (), None)) + "\n"


def flush() -> None:
    """Wait until the lines so far are written, before something else writes; not for a reader that stands still."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _StderrHandler):
            handler.flush()


def hide(secrets: Iterable[str]) -> None:
    """These keys are in no fact of a line, whoever writes it, and in nothing that `without_keys` returns."""
    Story.in_words.hide_also(LogFormatter(secrets))


def without_keys(text: str) -> str:
    """The text without the keys that this process hides."""
    return Story.in_words.without_keys(text)


@contextlib.contextmanager
def configured(level: str, format: str, secrets: Iterable[str] = ()) -> Iterator[None]:
    """`configure` for a server that is only a part of this process: afterwards the package has its level of before."""
    package = logging.getLogger(PACKAGE)
    before = package.level
    configure(level, format, secrets)
    try:
        yield
    finally:
        package.setLevel(before)


def handle_loop_error(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """An exception handler for an event loop: asyncio's own would also print the objects, with what they hold."""
    log.error("error in the event loop", exc_info=context.get("exception"))


def _uncaught(error: BaseException | None, thread: str | None = None) -> None:
    story(log, "an error that nobody handled", {"thread": thread}, logging.CRITICAL, error)


class LogFormatter(logging.Formatter):
    """Time (UTC), level, logger, event and its facts in one line; a traceback follows in lines of its own."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        long = [secret for secret in secrets if len(secret) >= MIN_SECRET]
        # As they are, and as JSON writes them
        shown = {*long, *(json.dumps(secret)[1:-1] for secret in long)}
        self._secrets = tuple(sorted(shown, key=len, reverse=True))

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, without the keys of the settings and without what a client sends as one.

        They are also in what others have written, like a traceback."""
        event = record.msg.event if isinstance(record.msg, Story) else record.getMessage()
        return self._hide(self._line(record, event, getattr(record, "facts", {})))

    def told(self, event: str, facts: Mapping[str, Any]) -> str:
        """The event with its facts on one line."""
        shown = (f"{name}={_quoted(self._plain(value))}" for name, value in facts.items())
        return self._hide(" ".join([self._clean(event, MAX_TEXT * 10), *shown]))

    def hide_also(self, other: LogFormatter) -> None:
        """The keys that the other one hides."""
        self._secrets = tuple(sorted({*self._secrets, *other._secrets}, key=len, reverse=True))

    def without_keys(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def _hide(self, text: str) -> str:
        text = self.without_keys(text)
        return _CREDENTIAL.sub(lambda found: (found[1] or "") + HIDDEN, text)

    def _clean(self, text: str, most: int = MAX_TEXT) -> str:
        """`clean`, without the keys. They go before the cut: half a key is not found any more."""
        return clean(self._hide(text), most)

    def _line(self, record: logging.LogRecord, event: str, facts: Mapping[str, Any]) -> str:
        words = [_time_of(record), record.levelname, f"{record.name}:", self.told(event, facts)]
        return "\n".join([" ".join(words), *_trace(_error_of(record), self._clean)])

    def _plain(self, value: object) -> object:
        match value:
            case bool() | int():
                return value
            case float():
                return round(value, 3)
            case tuple() | list():
                return self._clean(",".join(map(str, value)))
        return self._clean(str(value))


Story.in_words = LogFormatter()


class JsonFormatter(LogFormatter):
    """One JSON object for each line: time, level, logger, message, the facts, and of an error its traceback."""

    def _line(self, record: logging.LogRecord, event: str, facts: Mapping[str, Any]) -> str:
        error = _error_of(record)
        entry: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(event, MAX_TEXT * 10),
            **{name: self._plain(value) for name, value in facts.items()},
        }
        if error is not None:
            entry["error"] = type(error).__name__
            entry["traceback"] = "\n".join(_trace(error, self._clean))
        return json.dumps(entry)


def clean(text: str, most: int = MAX_TEXT) -> str:
    """The text on one line: control characters are escaped, and what is too long is cut."""
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), shown)


def _quoted(plain: object) -> str:
    text = str(plain)
    return text if text and not re.search(r'[\s"=]', text) else json.dumps(text, ensure_ascii=False)


def _time_of(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if isinstance(record.exc_info, tuple) else None


def _trace(
    error: BaseException | None, clean: Callable[[str], str], seen: frozenset[int] = frozenset()
) -> Iterator[str]:
    """The lines of a traceback, oldest cause first: where, and the kind of error; not what its message quotes."""
    if error is None or id(error) in seen:
        return
    seen |= {id(error)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from _trace(cause, clean, seen)
    for entry in traceback.format_tb(error.__traceback__):
        yield from entry.rstrip().splitlines()
    told = f": {clean(str(error))}" if isinstance(error, _TELLING) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{told}"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _trace(inner, clean, seen)
