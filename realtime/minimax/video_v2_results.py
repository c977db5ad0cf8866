"""What V2 answers with: films, prompts, tasks of a list, what a delete did (docs/minimax/video.md 4).

Reads answers. Sends nothing; the calls are in `video_v2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from realtime.minimax.errors import trace_of
from realtime.minimax.job_states import State, read, state_of
from realtime.minimax.media_result import MediaResult
from realtime.minimax.results import Result, mapping, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTask(Result):
    """One task as the platform lists it. `created` and `updated` in Unix seconds, `seconds` of the film.

    `word` is the platform's own word for the state. `usage` is empty before the end. `code` and `reason` are those of
    a failure. `url` dies; a new query brings another.
    """

    id: str
    model: str = ""
    state: State = State.QUEUED
    word: str = ""
    created: int = 0
    updated: int = 0
    resolution: str = ""
    seconds: int = 0
    ratio: str = ""
    task_type: str = ""
    modality: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    code: int | None = None
    reason: str = ""
    prompt: str = ""
    url: str = field(default="", repr=False, compare=False)

    @classmethod
    def read(cls, entry: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> VideoTask:
        """From the object of a task; `answer` is the whole answer that it came in."""
        reading = read(entry)
        content = mapping(entry, "content")
        usage = mapping(entry, "usage")
        return cls(
            id=text(entry, "id") or text(entry, "task_id"),
            model=text(entry, "model"),
            state=reading.state,
            word=text(entry, "status"),
            created=whole(entry, "created_at"),
            updated=whole(entry, "updated_at"),
            resolution=text(entry, "resolution"),
            seconds=whole(entry, "duration"),
            ratio=text(entry, "ratio"),
            task_type=text(entry, "task_type"),
            modality=text(entry, "modality"),
            usage={name: whole(usage, name) for name in usage},
            code=reading.code,
            reason=reading.reason,
            prompt=text(content, "prompt"),
            url=text(content, "url"),
            raw=entry if answer is None else answer,
            trace_id=trace_of(entry if answer is None else answer),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmV2(MediaResult):
    """One film of a V2 model. `seconds` is its length; `usage` is what it cost, in seconds and pictures."""

    task_id: str
    model: str = ""
    resolution: str = ""
    seconds: int = 0
    ratio: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPrompt(Result):
    """The prompt that a context task wrote from a content."""

    task_id: str
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedTask(Result):
    """What a delete did. `action` is cancelled (it was queued) or deleted (it had ended)."""

    task_id: str
    action: str = ""
    state: State = State.RUNNING

    @classmethod
    def read(cls, task_id: str, answer: Mapping[str, Any]) -> DeletedTask:
        return cls(
            task_id=text(answer, "task_id") or task_id,
            action=text(answer, "action"),
            state=state_of(answer.get("status")),
            raw=answer,
            trace_id=trace_of(answer),
        )
