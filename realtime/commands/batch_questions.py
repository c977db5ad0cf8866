"""The questions of `realtime batch run`: a .jsonl file of requests, or plain questions, one a line or one a row.

Whatever they come as, they become the lines of a batch in a temporary file, checked, counted and named by their hash.
Knows no platform; the rules of the lines are in `minimax.batch_lines`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, TextIO, cast

from realtime.commands.stdin import read_stream
from realtime.core.messages import ChatMessage
from realtime.errors import InvalidArgument
from realtime.minimax.batch_lines import CHAT_PATH, MOST_BYTES, BatchRequest, check_lines, write_lines
from realtime.minimax.chat_call import ChatOptions
from realtime.minimax.file_source import in_thread, open_source

STDIN = "-"
_LINES = (".jsonl", ".ndjson")
_TABLES = {".csv": ",", ".tsv": "\t"}
_QUESTION_COLUMNS = ("question", "prompt", "text")
_ID_COLUMNS = ("custom_id", "id")
_WHOLE_REQUESTS = (
    f'A line is a whole request: {{"custom_id": "1", "method": "POST", "url": "{CHAT_PATH}", "body": {{...}}}}. '
    "For plain questions use a .txt file, one question a line, or a .csv file."
)


@dataclass(frozen=True, slots=True)
class Questions:
    """The lines, from the start of `stream`. `stem` is for the name of the answers, `sha256` names the content."""

    stream: BinaryIO
    stem: str
    endpoint: str
    count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How plain questions are asked; whole requests have all of it themselves."""

    model: str | None = None
    system: str | None = None


@asynccontextmanager
async def open_questions(source: str, asking: Asking, default_model: str) -> AsyncIterator[Questions]:
    """The questions of a file, or of standard input for `-`. Raises InvalidArgument, with the line."""
    given: str | bytes = source
    if source == STDIN:
        given = await _stdin()
    name = "standard input" if source == STDIN else PurePath(source).name
    stream = cast("BinaryIO", await in_thread(tempfile.TemporaryFile))
    try:
        async with open_source(given, name=name, most_bytes=MOST_BYTES, param="questions") as opened:
            await in_thread(opened.stream.seek, opened.start)
            yield await in_thread(_made, opened.stream, stream, source, name, asking, default_model)
    finally:
        await in_thread(stream.close)


def _made(
    given: BinaryIO, stream: BinaryIO, source: str, name: str, asking: Asking, default_model: str
) -> Questions:
    """Write the lines into `stream` and check them."""
    suffix = PurePath(source).suffix.lower()
    if suffix in _LINES or (source == STDIN and _has_lines(given)):
        if asking != Asking():
            raise InvalidArgument(
                "--model and --system are for plain questions; these are whole requests.", param="questions"
            )
        shutil.copyfileobj(given, stream)
    else:
        text = io.TextIOWrapper(cast("io.BufferedReader", given), encoding="utf-8-sig", newline="")
        try:
            rows = _rows(text, _TABLES[suffix], name) if suffix in _TABLES else _texts(text)
            messages = (BatchRequest(custom_id, _messages(question, asking)) for custom_id, question in rows)
            options: ChatOptions = {"model": asking.model}
            write_lines(messages, stream, model=default_model, options=options, endpoint=CHAT_PATH)
        except UnicodeDecodeError as error:
            raise InvalidArgument(f"{name} is not text in UTF-8.", param="questions") from error
        finally:
            text.detach()
    stream.seek(0)
    try:
        checked = check_lines(stream, name, "questions")
    except InvalidArgument as error:
        if " is missing" not in error.message:
            raise
        raise InvalidArgument(f"{error.message} {_WHOLE_REQUESTS}", param="questions") from None
    stream.seek(0)
    digest = hashlib.file_digest(cast("Any", stream), "sha256").hexdigest()
    stream.seek(0)
    stem = "" if source == STDIN else PurePath(source).stem
    return Questions(stream, stem, checked.endpoint, len(checked.ids), digest)


def _messages(question: str, asking: Asking) -> list[ChatMessage]:
    system = [ChatMessage("system", asking.system)] if asking.system else []
    return [*system, ChatMessage("user", question)]


def _texts(text: TextIO) -> Iterator[tuple[str, str]]:
    """One question a line; empty lines are no questions. The id says the line: `line-7`."""
    for number, line in enumerate(text, start=1):
        if "\0" in line:
            raise InvalidArgument(f"Line {number} of the questions is no text.", param="questions")
        if question := line.strip():
            yield f"line-{number}", question


def _rows(text: TextIO, delimiter: str, name: str) -> Iterator[tuple[str, str]]:
    """One question a row: in the column `question`, with its id in `custom_id` or `id`."""
    reader = csv.DictReader(text, delimiter=delimiter)
    try:
        question, custom_id = _columns(list(reader.fieldnames or ()), name)
        seen: dict[str, int] = {}
        for row in reader:
            asked = (row.get(question) or "").strip()
            if not asked:
                continue
            row_id = (row.get(custom_id) or "").strip() if custom_id else f"line-{reader.line_num}"
            if not row_id or row_id in seen:
                what = f"{custom_id} {row_id!r} stands in line {seen[row_id]} already" if row_id else "no id"
                raise InvalidArgument(f"{name}, line {reader.line_num}: {what}.", param="questions")
            seen[row_id] = reader.line_num
            yield row_id, asked
    except csv.Error as error:
        raise InvalidArgument(f"{name}, line {reader.line_num}: {error}.", param="questions") from error


def _columns(names: list[str], name: str) -> tuple[str, str | None]:
    """The columns of the question and of the id."""
    by_word = {each.strip().lower(): each for each in names if each}
    custom_id = next((by_word[word] for word in _ID_COLUMNS if word in by_word), None)
    question = next((by_word[word] for word in _QUESTION_COLUMNS if word in by_word), None)
    if question is None:
        raise InvalidArgument(
            f"{name} has no column 'question' in its first line, which has {', '.join(map(repr, names)) or 'nothing'}. "
            "With one question a line, call the file .txt.",
            param="questions",
        )
    return question, custom_id


def _has_lines(given: BinaryIO) -> bool:
    """Whether standard input holds requests: text that begins with an object."""
    start = given.tell()
    first = given.read(256).lstrip()
    given.seek(start)
    return first.startswith(b"{")


async def _stdin() -> bytes:
    """All of standard input. Raises InvalidArgument for bytes that are no text, and for too many of them."""
    found, size = [], 0
    async for text in read_stream("questions"):
        size += len(text.encode())
        if size > MOST_BYTES:
            raise InvalidArgument("Standard input has more than 100 MB.", param="questions")
        found.append(text)
    return "".join(found).encode()
