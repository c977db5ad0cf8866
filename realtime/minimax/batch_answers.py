"""The answers of a batch: its output and error files, joined to the requests by `custom_id`.

Knows the lines of docs/minimax/batch.md 3. The files are saved in a temporary folder and an index of their lines is
made, so memory holds the ids and a few lines, for any size. All reading is done in threads.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from realtime.errors import AnswerLost, ProviderError, ProviderRejected, ProviderUnavailable
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.chat_whole import ChatAnswer, answer_of
from realtime.minimax.errors import error_for_code, error_from_response, find_error
from realtime.minimax.file_source import in_thread
from realtime.minimax.files import Files
from realtime.minimax.json_text import decode_json, digits
from realtime.minimax.results import Result, mapping, text, whole

_AT_ONCE = 64  # results read in one go: a thread for each would cost more than the reading
_SERVICE = "MiniMax"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult(Result):
    """What became of one request: an `answer`, or the `error` that took its place.

    `request` is the body that was sent; {} where the platform has no input file any more. `raw` is the line of the
    output or error file; {} for a request that is lost.
    """

    custom_id: str
    answer: ChatAnswer | None = None
    error: ProviderError | None = field(default=None, compare=False)
    request: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def lost(self) -> bool:
        """Whether the request is in neither file: the batch ended before it, or the line cannot be read."""
        return isinstance(self.error, AnswerLost)


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """The file ids of one batch ("" where there is none), and how it ended, in words for a lost request."""

    input_id: str
    output_id: str
    error_id: str
    ended: str


async def joined(
    files: Files, batch: BatchFiles, known_ids: Sequence[str] = ()
) -> AsyncGenerator[BatchResult, None]:
    """Every request of the batch with its answer, in the order of the input.

    The order and the lost requests come from the input file, or from `known_ids` where the platform has deleted it.
    With neither, the order is that of the output and nobody knows which requests are lost. Raises ProviderError.
    """
    with ExitStack() as stack:
        folder = Path(await in_thread(stack.enter_context, tempfile.TemporaryDirectory(prefix="batch-")))
        output = await _fetched(files, batch.output_id, folder / "output.jsonl", stack)
        errors = await _fetched(files, batch.error_id, folder / "errors.jsonl", stack)
        inputs = await _input(files, batch.input_id, folder / "input.jsonl", stack)
        join = _Join(inputs, output, errors, batch.ended)
        order = join.order(known_ids)
        while results := await in_thread(join.some, order):
            for result in results:
                yield result


def read_answer(line: Mapping[str, Any], request: Mapping[str, Any] | None = None) -> BatchResult:
    """One line of an output or error file. Raises nothing: an answer that makes no sense is an error of its own."""
    response = mapping(line, "response")
    body = mapping(response, "body")
    answer, error = None, _error(line, response, body)
    if error is None:
        try:
            content = msgspec.json.encode(body)
            decoder = ChatDecoder(service=_SERVICE, schemas=_offered(request or {}))
            answer = answer_of(content, decoder.feed_whole(content))
        except ProviderError as refused:
            error = refused
        except (TypeError, ValueError, LookupError, AttributeError):
            error = ProviderUnavailable(f"{_SERVICE}: the answer has no shape that we know.")
    return BatchResult(
        custom_id=text(line, "custom_id"),
        answer=answer,
        error=error,
        request=request or {},
        raw=line,
        trace_id=text(response, "request_id") or (answer.trace_id if answer else None),
    )


def _offered(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The schemas of the tools that a request offered, by name."""
    tools = body.get("tools")
    if not isinstance(tools, list) or body.get("tool_choice") == "none":
        return {}
    functions = [mapping(tool, "function") for tool in tools if isinstance(tool, Mapping)]
    return {
        name: mapping(function, "parameters") for function in functions if (name := text(function, "name"))
    }


def _error(
    line: Mapping[str, Any], response: Mapping[str, Any], body: Mapping[str, Any]
) -> ProviderError | None:
    """The error of a line: its own, that of the HTTP status, or `base_resp` in the body."""
    if error := line.get("error"):
        code, message = "", str(error)
        if isinstance(error, Mapping):
            code, message = text(error, "code"), text(error, "message")
        if (number := digits(code)) is not None:
            return error_for_code(number, message)
        return find_error({"error": error}) or ProviderRejected(f"{_SERVICE}: {message}")
    status = whole(response, "status_code", 200)
    trace_id = text(response, "request_id") or None
    refused = error_from_response(status, msgspec.json.encode(body), trace_id=trace_id)
    if refused is None and not body:
        return ProviderUnavailable(f"{_SERVICE}: the answer is empty.", trace_id=trace_id)
    return refused


class _Named(msgspec.Struct):
    custom_id: str


class _Lines:
    """A .jsonl file on the disk, with the place of each `custom_id`. `broken` counts the lines without one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._places: dict[str, int] = {}
        self.broken = 0
        decoder, place = msgspec.json.Decoder(_Named), 0
        for line in stream:
            try:
                self._places.setdefault(decoder.decode(line).custom_id, place)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.broken += bool(line.strip())
            place += len(line)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def get(self, custom_id: str) -> Mapping[str, Any] | None:
        """The line of this id; None where there is none, or where only its id can be read."""
        place = self._places.get(custom_id)
        if place is None:
            return None
        self._stream.seek(place)
        try:
            line: Mapping[str, Any] = decode_json(self._stream.readline())
        except msgspec.DecodeError:
            line = {"response": None}
        if line.get("response", line) is None and not line.get("error"):  # what stood there is no value
            self.broken += 1
            return None
        return line


class _Join:
    """The three files of a batch; None for one that does not exist."""

    def __init__(
        self, inputs: _Lines | None, output: _Lines | None, errors: _Lines | None, ended: str
    ) -> None:
        self._inputs = inputs
        self._answers = [lines for lines in (output, errors) if lines is not None]
        self._ended = ended

    def order(self, known_ids: Sequence[str]) -> Iterator[str]:
        """All ids: those of the input first, then any that only the answers have."""
        asked: Iterable[str] = self._inputs if self._inputs is not None else known_ids
        seen = set()
        for ids in (asked, *self._answers):
            for custom_id in ids:
                if custom_id not in seen:
                    seen.add(custom_id)
                    yield custom_id

    def some(self, order: Iterator[str]) -> list[BatchResult]:
        """The next results; [] at the end."""
        return [self._result(custom_id) for custom_id in islice(order, _AT_ONCE)]

    def _result(self, custom_id: str) -> BatchResult:
        request = mapping((self._inputs.get(custom_id) if self._inputs else None) or {}, "body")
        for answers in self._answers:
            line = answers.get(custom_id)
            if line is not None:
                return read_answer(line, request)
        return BatchResult(custom_id=custom_id, error=self._lost(custom_id), request=request)

    def _lost(self, custom_id: str) -> AnswerLost:
        broken = sum(answers.broken for answers in self._answers)
        why = f"; {broken} lines of its files cannot be read" if broken else ""
        return AnswerLost(f"{_SERVICE}: no answer to {custom_id!r} came. The batch {self._ended}{why}.")


async def _fetched(files: Files, file_id: str, path: Path, stack: ExitStack) -> _Lines | None:
    if not file_id:
        return None
    await files.save(file_id, path)
    stream = stack.enter_context(await in_thread(path.open, "rb"))
    return await in_thread(_Lines, stream)


async def _input(files: Files, file_id: str, path: Path, stack: ExitStack) -> _Lines | None:
    """The input file; None where it is gone, because uploads die after seven days (docs/minimax/README.md 6)."""
    try:
        return await _fetched(files, file_id, path, stack)
    except ProviderRejected:
        return None
