"""The lines of a batch: checks of an input file, and the lines of both output files (docs/minimax/batch.md 1 and 3).

Pure functions over bytes and values. Knows neither tasks nor the chat that answers a line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_LINES = 50_000
MOST_PROBLEMS = 100  # that are reported of one file [guess]


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a good file."""

    number: int  # from 1
    custom_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file is not taken; `line` counts from 1, None: the whole file."""

    code: str
    message: str
    line: int | None = None

    def written(self) -> dict[str, Any]:
        """An entry of `errors.data`."""
        return {"code": self.code, "message": self.message, "line": self.line}


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished request: its line in one of the output files."""

    text: str  # JSON, without the end of the line
    refused: bool


def answered(line: Line, body: Mapping[str, Any]) -> Reply:
    """The line of an answer; `body` is that of the chat endpoint."""
    response = {"status_code": 200, "request_id": body["id"], "body": body}
    return Reply(_written(line, response=response, error=None), refused=False)


def refused(line: Line, code: int, message: str) -> Reply:
    """The line of a request that was refused."""
    return Reply(_written(line, response=None, error={"code": str(code), "message": message}), refused=True)


def _written(line: Line, **rest: Any) -> str:
    value = {"id": f"batch_req_{line.number}", "custom_id": line.custom_id, **rest}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_lines(data: bytes, endpoint: str) -> tuple[list[Line], list[Problem]]:
    """The requests of a file and everything that is wrong with it. Empty lines are passed over. Blocks."""
    written = [(number, raw) for number, raw in enumerate(data.split(b"\n"), 1) if raw.strip()]
    if not written:
        return [], [Problem("empty_file", "the file has no request")]
    if len(written) > MOST_LINES:
        return [], [Problem("too_many_requests", f"{len(written)} lines, allowed {MOST_LINES}")]
    lines: dict[str, Line] = {}
    problems: list[Problem] = []
    for number, raw in written:
        found = _line(number, raw, endpoint, lines)
        if isinstance(found, Line):
            lines[found.custom_id] = found
        elif len(problems) < MOST_PROBLEMS:
            problems.append(found)
    return list(lines.values()), problems


def _line(number: int, raw: bytes, endpoint: str, before: Mapping[str, Line]) -> Line | Problem:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return Problem("invalid_json_line", "the line is not JSON", number)
    if not isinstance(value, dict):
        return Problem("invalid_json_line", "the line is not a JSON object", number)
    custom_id, body = value.get("custom_id"), value.get("body")
    if not isinstance(custom_id, str) or not custom_id:
        return Problem("invalid_custom_id", "custom_id must be a string that is not empty", number)
    if custom_id in before:
        where = before[custom_id].number
        return Problem("duplicate_custom_id", f"custom_id '{custom_id}' stands in line {where} too", number)
    if value.get("method") != "POST":
        return Problem("invalid_method", "method must be POST", number)
    if value.get("url") != endpoint:
        return Problem("mismatched_url", f"url must be {endpoint}", number)
    if not isinstance(body, dict):
        return Problem("invalid_body", "body must be an object", number)
    if body.get("stream"):
        return Problem("invalid_body", "body must not ask for a stream", number)
    return Line(number, custom_id, body)


def output_files(replies: Sequence[Reply], *, bad_line: bool = False) -> tuple[bytes, bytes]:
    """The bytes of the output file and the error file; `bad_line` cuts the last line of the output short."""
    good = [reply.text for reply in replies if not reply.refused]
    if bad_line and good:
        good[-1] = good[-1][: len(good[-1]) // 2]
    return _joined(good), _joined([reply.text for reply in replies if reply.refused])


def _joined(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")
