"""The answers of `realtime batch run` on the disk: a line or a row for each question, in the order of the questions.

A file is written beside its name and renamed when it is whole. Knows no platform and no command.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from realtime.minimax.file_source import in_thread

if TYPE_CHECKING:
    from realtime.minimax.batch_answers import BatchResult

COLUMNS = ("custom_id", "question", "answer", "error")
_AT_ONCE = 64


async def write_answers(path: Path, results: AsyncIterator[BatchResult]) -> None:
    """Write all results to `path`: CSV if it ends in .csv, else a JSON object a line. Raises OSError."""
    partial = path.with_name(f"{path.name}.part")
    stream = await in_thread(_opened, partial)
    try:
        waiting: list[BatchResult] = []
        async for result in results:
            waiting.append(result)
            if len(waiting) == _AT_ONCE:
                await in_thread(_write, stream, path.suffix, waiting)
                waiting.clear()
        await in_thread(_write, stream, path.suffix, waiting)
        await in_thread(_finish, stream, partial, path)
    except BaseException:
        stream.close()
        with suppress(OSError):
            partial.unlink()
        raise


def entry(result: BatchResult) -> dict[str, Any]:
    """A result as a JSON object: `answer` is text or null, `error` an object or null."""
    answer, error = result.answer, result.error
    shown: dict[str, Any] = {
        "custom_id": result.custom_id,
        "question": question_of(result.request),
        "answer": answer.text if answer is not None else None,
        "error": None,
    }
    if error is not None:
        shown["error"] = {"code": error.upstream_code, "message": str(error), "lost": result.lost}
    if answer is not None:
        shown |= {"finish": answer.finish, "model": answer.model}
        if answer.thinking:
            shown["thinking"] = answer.thinking
        if answer.tool_calls:
            shown["tool_calls"] = [
                {"id": call.call_id, "name": call.name, "arguments": call.arguments}
                for call in answer.tool_calls
            ]
    return shown


def question_of(request: Mapping[str, Any]) -> str | None:
    """The text of the last message of the user; None where there is none."""
    messages = request.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, Mapping) and message.get("role") == "user":
            content = message.get("content")
            return content if isinstance(content, str) else None
    return None


def count_unanswered(path: Path) -> int:
    """How many questions of a file of answers have an error instead; 0 for a file that was changed. Raises OSError."""
    with path.open(encoding="utf-8", newline="") as stream, suppress(ValueError, LookupError, TypeError):
        if path.suffix.lower() == ".csv":
            return sum(bool(row["error"]) for row in csv.DictReader(stream))
        return sum(json.loads(line)["error"] is not None for line in stream)
    return 0


def _opened(partial: Path) -> TextIO:
    partial.parent.mkdir(parents=True, exist_ok=True)
    stream = partial.open("w", encoding="utf-8", newline="")
    if Path(partial.stem).suffix.lower() == ".csv":
        csv.writer(stream).writerow(COLUMNS)
    return stream


def _write(stream: TextIO, suffix: str, results: list[BatchResult]) -> None:
    shown = [entry(result) for result in results]
    if suffix.lower() == ".csv":
        rows = csv.writer(stream)
        for each in shown:
            error = each["error"]["message"] if each["error"] else ""
            rows.writerow([each["custom_id"], each["question"], each["answer"], error])
        return
    for each in shown:
        stream.write(json.dumps(each, ensure_ascii=False) + "\n")


def _finish(stream: TextIO, partial: Path, path: Path) -> None:
    stream.close()
    partial.replace(path)
