"""The tasks of V2: what is said of them, their questions, list, cancel and delete (docs/minimax/video.md 4).

Does not know how a task is made (`video_v2.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from .context import message_for
from .fields import invalid
from .jobs import Job
from .native import OPENAI, Call, Endpoint, add_endpoint
from .refusal import Refusal
from .store import Artefact

NAME = "video_v2"
QUEUED, SUCCEEDED, CANCELLED = "queued", "succeeded", "cancelled"
STATUSES = (QUEUED, "running", SUCCEEDED, "failed", CANCELLED)
PAGE_SIZE, MOST_PAGE_SIZE = 20, 100  # [guess]


def add_routes(app: web.Application) -> None:
    """Register the questions and the delete."""
    for method, path, work in (
        ("GET", "/v2/query/video_generation", list_tasks),
        ("GET", "/v2/query/video_generation/{id}", query),
        ("DELETE", "/v2/video_generation/{id}", delete),
    ):
        add_endpoint(
            app, method, path, Endpoint("query", work, "query", gateway="query.502", envelope=OPENAI)
        )


async def query(call: Call) -> dict[str, Any]:
    """One task; a film that is done has a new link at each question."""
    return {"task": described(await _asked(call))}


async def _asked(call: Call) -> Job:
    return await call.state.jobs.current(call.request.match_info["id"], NAME)


def described(job: Job) -> dict[str, Any]:
    """The `task` object. `job.extra` has the fields that stay the same, and `usage` for the end."""
    facts = dict(job.extra)
    usage = facts.pop("usage")
    task = {
        "id": str(job.id),
        "model": facts.pop("model"),
        "status": job.word,
        "created_at": next(iter(job.times.values())),
        "updated_at": job.changed_unix_s,
        "content": _content(job),
        "usage": usage if succeeded(job) else {},
        **facts,
    }
    if job.error is not None:
        code = job.error.code
        task["error"] = {"code": str(code), "message": job.error.message or message_for(code)}
    return task


def succeeded(job: Job) -> bool:
    """Whether the task has a result."""
    return job.finished and job.word == SUCCEEDED


def _content(job: Job) -> dict[str, str]:
    if not succeeded(job):
        return {}
    if isinstance(job.result, Artefact):
        return {"url": job.link(job.result)}
    return {"prompt": str(job.result)}


def push(job: Job) -> dict[str, Any]:
    """The body of a callback: the answer of the query."""
    return {"task": described(job)}


async def list_tasks(call: Call) -> dict[str, Any]:
    """A page of the tasks that pass the filters, newest first [guess]."""
    number = _whole(call, "page_num", 1, 1, 10**9)
    size = _whole(call, "page_size", PAGE_SIZE, 1, MOST_PAGE_SIZE)
    wanted = _filter(call)
    found = [job for job in reversed(await _settled(call)) if wanted(job)]
    start = (number - 1) * size
    return {"items": [described(job) for job in found[start : start + size]], "total": len(found)}


async def _settled(call: Call) -> list[Job]:
    """All tasks at the state of this moment."""
    jobs = call.state.jobs
    return [await jobs.current(job.id, NAME) for job in jobs.all(NAME) if jobs.get(job.id) is job]


def _whole(call: Call, name: str, default: int, least: int, most: int) -> int:
    text = call.body.get(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text[:10]) <= most):
        raise invalid(name, f"must be an integer from {least} to {most}")
    return int(text)


def _filter(call: Call) -> Callable[[Job], bool]:
    asked = call.body
    status, model, kind = (asked.get(f"filter.{name}") for name in ("status", "model", "task_type"))
    ids = set(call.request.query.getall("filter.task_ids", []))
    if status and status not in STATUSES:
        raise invalid("filter.status", f"must be one of {', '.join(STATUSES)}")

    def passes(job: Job) -> bool:
        return (
            (not status or job.word == status)
            and (not ids or str(job.id) in ids)
            and (not model or job.extra["model"] == model)
            and (not kind or job.extra["task_type"] == kind)
        )

    return passes


async def delete(call: Call) -> dict[str, Any]:
    """Cancel a task that waits, or delete one that has ended."""
    job = await _asked(call)
    if job.word == QUEUED:
        call.state.jobs.cancel(job, CANCELLED)
        return {"task_id": str(job.id), "action": CANCELLED, "status": CANCELLED}
    if not job.finished or job.word == CANCELLED:
        raise Refusal(2013, f"invalid params, a task that is {job.word} cannot be deleted")
    call.state.jobs.remove(job.id)
    if isinstance(job.result, Artefact):
        call.state.store.remove(job.result.id)
    return {"task_id": str(job.id), "action": "deleted", "status": job.word}
