"""The input of a batch: lines made from Python objects, and the check of a file before anything is sent.

Knows docs/minimax/batch.md 1: a JSON object a line, `custom_id` once in the file, POST, one path, no stream. Files are
read line by line, so memory holds the ids and one line. Blocking: `batches` calls it in a thread. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import msgspec

from realtime.errors import InvalidArgument
from realtime.minimax.chat_call import ChatOptions, Messages
from realtime.minimax.chat_checks import refuse
from realtime.minimax.chat_options import call_of
from realtime.minimax.chat_request import request_body
from realtime.minimax.fields import shown
from realtime.minimax.file_source import MB
from realtime.minimax.json_text import decode_json_strictly
from realtime.minimax.models import Endpoint

MOST_LINES = 50_000
MOST_BYTES = 100 * MB
CHAT_PATH = Endpoint.NATIVE.value
_CHAT_PATHS = frozenset(endpoint.value for endpoint in Endpoint)
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One chat request of a batch. `custom_id` is your name for it: the answer carries it.

    `options` are those of `mm.chat.complete`, without `dialect` and `endpoint`; they win over the options of the batch.
    """

    custom_id: str
    messages: Messages
    options: ChatOptions = field(default_factory=ChatOptions)


Requests = Mapping[str, Messages] | Iterable[BatchRequest | Mapping[str, Any]]
"""Messages by custom_id, or requests; a mapping among the requests is a whole line as in the input file."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a good file says: the path of its requests, and their ids in its order."""

    endpoint: str
    ids: tuple[str, ...]


def write_lines(
    requests: Requests, stream: BinaryIO, *, model: str, options: ChatOptions | None, endpoint: str
) -> None:
    """Write one line for each request. Raises InvalidArgument for one that the platform would refuse."""
    for number, request in enumerate(_each(requests), start=1):
        if number > MOST_LINES:
            raise InvalidArgument(_too_many(), param="requests")
        try:
            line = _line(request, model, options or {}, endpoint)
            stream.write(msgspec.json.encode(line) + b"\n")
        except InvalidArgument as error:
            raise InvalidArgument(f"requests, number {number}: {error.message}", param="requests") from error
        except (TypeError, ValueError) as error:
            message = f"requests, number {number}, cannot be written as JSON: {error}"
            raise InvalidArgument(message, param="requests") from error


def check_lines(stream: BinaryIO, name: str = "file", param: str = "file") -> Checked:
    """Check an input file from where the stream is. Raises InvalidArgument, naming `name` and the line."""
    first_lines: dict[str, int] = {}
    path = ""
    for number, line in _lines(stream, name, param):
        try:
            custom_id, url = _checked(line)
            if custom_id in first_lines:
                raise ValueError(f"custom_id {custom_id!r} stands in line {first_lines[custom_id]} already")
            if path and url != path:
                raise ValueError(f"url is {url!r}, and the lines before have {path!r}: a batch has one path")
        except ValueError as error:
            raise InvalidArgument(f"{name}, line {number}: {error}.", param=param) from None
        first_lines[custom_id], path = number, url
        if len(first_lines) > MOST_LINES:
            raise InvalidArgument(f"{name}: {_too_many()}", param=param)
    if not first_lines:
        raise InvalidArgument(f"{name} has no requests.", param=param)
    return Checked(path, tuple(first_lines))


def _each(requests: Requests) -> Iterator[BatchRequest | Mapping[str, Any]]:
    if isinstance(requests, Mapping):
        return (
            BatchRequest(custom_id, messages)
            for custom_id, messages in cast("Mapping[str, Messages]", requests).items()
        )
    if isinstance(cast("object", requests), str | bytes) or not isinstance(requests, Iterable):
        raise refuse("requests", requests, "messages by custom_id, or BatchRequests; a path is `file`")
    return iter(requests)


def _line(
    request: BatchRequest | Mapping[str, Any], model: str, options: ChatOptions, endpoint: str
) -> Mapping[str, Any]:
    if isinstance(request, Mapping):
        return {"method": "POST", "url": endpoint, **request}
    if not isinstance(request, BatchRequest):
        raise refuse("request", request, "a BatchRequest or a mapping")
    body = _body(request.messages, {**options, **request.options}, model)
    return {"custom_id": request.custom_id, "method": "POST", "url": endpoint, "body": body}


def _body(messages: Messages, options: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The body of a chat request as `mm.chat` builds it, without `stream`."""
    if options.get("dialect") not in (None, "openai"):
        raise refuse("dialect", options["dialect"], "openai: a batch takes the native chat path")
    if options.get("endpoint") is not None:
        raise refuse("endpoint", options["endpoint"], "None; a batch has one, see its own argument")
    body = request_body(call_of(messages, options, model=model), stream=False)
    if body["stream"] is False:
        del body["stream"]
    return body


def _lines(stream: BinaryIO, name: str, param: str) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers. Empty ones may only stand at the end."""
    empty = 0
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            empty = empty or number
            continue
        if empty:
            raise InvalidArgument(f"{name}, line {empty} is empty.", param=param)
        yield number, line


def _checked(line: bytes) -> tuple[str, str]:
    """`custom_id` and `url` of a good line. Raises ValueError with what is wrong."""
    if line.startswith(_UTF8_MARK):
        raise ValueError("the file begins with a byte order mark; save it as UTF-8 without one")
    try:
        value = decode_json_strictly(line)
    except msgspec.DecodeError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    custom_id, url, body = value.get("custom_id"), value.get("url"), value.get("body")
    if not isinstance(custom_id, str) or not custom_id.strip():
        raise ValueError(f"custom_id is {_shown(custom_id)}; it must be a text that is not empty")
    if value.get("method") != "POST":
        raise ValueError(f"method is {_shown(value.get('method'))}; it must be POST")
    if not isinstance(url, str) or not url.startswith("/"):
        raise ValueError(f"url is {_shown(url)}; it must be a path such as {CHAT_PATH}")
    if not isinstance(body, dict):
        raise ValueError(f"body is {_shown(body)}; it must be a JSON object")
    _check_body(body, url)
    return custom_id, url


def _check_body(body: Mapping[str, Any], url: str) -> None:
    if body.get("stream"):
        raise ValueError("body.stream is set; a batch gives whole answers, leave it out")
    if url not in _CHAT_PATHS:
        return
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise ValueError(f"body.model is {_shown(body.get('model'))}; it must name a model")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise ValueError(f"body.messages is {_shown(body.get('messages'))}; it must be a list of messages")


def _too_many() -> str:
    return f"there are more than {MOST_LINES:,} requests, the most that a batch takes. Make several batches."


def _shown(value: object) -> str:
    return "missing" if value is None else shown(value)
