"""`/v1/batches`: many chat requests in one file, answered later (docs/minimax/batch.md).

Knows requests, the batch object, the list, cancel and pushes. The requests themselves are in `batch_run.py`.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from . import fields
from .batch_lines import Problem
from .batch_run import BatchRun
from .callbacks_out import start_job
from .chat import NATIVE
from .context import STATE, SandboxState, message_for
from .files import find_upload
from .jobs import Job, JobKind
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .store import MEGABYTE, Artefact

PATH = "/v1/batches"
WINDOW_S = 24 * 3600
CANCELLING, CANCELLED, COMPLETED, EXPIRED = "cancelling", "cancelled", "completed", "expired"
PAGE_SIZE, MOST_PAGE_SIZE = 20, 100
_PREFIX = "batch_"
_TIMES = ("in_progress", "finalizing", COMPLETED, "failed", EXPIRED, CANCELLING, CANCELLED)


def add_routes(app: web.Application) -> None:
    """Register the four endpoints, and make the output files when a batch ends."""
    add_endpoint(app, "POST", PATH, Endpoint("batch", create, "batch"))
    for method, path, work in (
        ("GET", PATH, list_batches),
        ("GET", f"{PATH}/{{id}}", retrieve),
        ("POST", f"{PATH}/{{id}}/cancel", cancel),
    ):
        endpoint = Endpoint("query", work, "query", gateway="query.502", reads_body=method == "GET")
        add_endpoint(app, method, path, endpoint)
    state = app[STATE]
    state.jobs.listeners.insert(0, lambda job: _changed(state, job))  # before the push, which names the files


async def create(call: Call) -> dict[str, Any]:
    """Make a batch. Its file is looked at later, in the state `validating`."""
    body, options = call.body, call.state.options
    endpoint = fields.one_of(body, "endpoint", (NATIVE,), NATIVE)
    fields.one_of(body, "completion_window", ("24h",), "24h")
    file = _input(call)
    run = BatchRun(file, endpoint, options, call.faults)
    scale = max(1.0, file.size / MEGABYTE)
    return described(await start_job(call, KIND, scale=scale, extra={"run": run}))


def _input(call: Call) -> Artefact:
    """The file of `input_file_id`, which may be a string or a number."""
    id = call.body.get("input_file_id")
    if id is None or id == "":
        fields.text({}, "input_file_id")  # the refusal of a missing field
    if isinstance(id, str):
        id = int(id) if id.isascii() and id.isdigit() and len(id) <= 19 else 0
    return find_upload(call.state, id, "batch")


async def retrieve(call: Call) -> dict[str, Any]:
    """One batch, with its progress."""
    return described(await _asked(call), call.state.clock.now_s())


async def _asked(call: Call) -> Job:
    return await _current(call, call.request.match_info["id"])


async def _current(call: Call, id: str) -> Job:
    try:
        return await call.state.jobs.current(
            id.removeprefix(_PREFIX) if id.startswith(_PREFIX) else "", KIND.name
        )
    except Refusal:
        raise Refusal(2013, "invalid params, invalid batch_id") from None


async def cancel(call: Call) -> dict[str, Any]:
    """Stop a batch; one that has ended stays as it is."""
    call.state.record(call.request, None)
    job = await _asked(call)
    if job.word != CANCELLING:
        call.state.jobs.cancel(job, CANCELLED, (CANCELLING, "batch.cancel_s"))
    return described(job, call.state.clock.now_s())


async def list_batches(call: Call) -> dict[str, Any]:
    """The batches after the one with the id `after`, newest first."""
    limit = _limit(call.body.get("limit", str(PAGE_SIZE)))
    newest_first = call.state.jobs.all(KIND.name)[::-1]
    if after := call.body.get("after"):
        places = [place for place, job in enumerate(newest_first, 1) if batch_id(job) == after]
        if not places:
            raise fields.invalid("after", "no such batch")
        newest_first = newest_first[places[0] :]
    page = [await call.state.jobs.current(job.id, KIND.name) for job in newest_first[:limit]]
    now_s = call.state.clock.now_s()
    return {
        "object": "list",
        "data": [described(job, now_s) for job in page],
        "has_more": len(newest_first) > limit,
    }


def _limit(text: str) -> int:
    known = text.isascii() and text.isdigit() and len(text) <= 3
    return fields.whole({"limit": int(text) if known else -1}, "limit", 1, MOST_PAGE_SIZE)


def batch_id(job: Job) -> str:
    """The id of a batch outside."""
    return f"{_PREFIX}{job.id}"


def described(job: Job, now_s: float = 0.0) -> dict[str, Any]:
    """The batch object at a time of the sandbox's clock, which only its progress needs."""
    run: BatchRun = job.extra["run"]
    created = next(iter(job.times.values()))
    completed, failed = run.counts(now_s)
    return {
        "id": batch_id(job),
        "object": "batch",
        "endpoint": run.endpoint,
        "errors": _errors(job, run),
        "input_file_id": str(run.input.id),
        "completion_window": "24h",
        "status": job.word,
        "output_file_id": str(run.output_id or ""),
        "error_file_id": str(run.error_id or ""),
        "created_at": created,
        "expires_at": created + WINDOW_S,
        **{f"{word}_at": job.times.get(word, 0) for word in _TIMES},
        "request_counts": {"total": run.total, "completed": completed, "failed": failed},
        "callback_url": job.callback_url,
    }


def _errors(job: Job, run: BatchRun) -> dict[str, Any] | None:
    if job.word != KIND.fail:
        return None
    problems = run.problems
    if not problems and job.error is not None:
        code = job.error.code
        problems = [Problem(str(code), job.error.message or message_for(code))]
    return {"object": "list", "data": [problem.written() for problem in problems]}


def _changed(state: SandboxState, job: Job) -> None:
    """Begin the requests, stop them, and write the files, as the state of a batch asks for it."""
    if job.kind is not KIND:
        return
    run: BatchRun = job.extra["run"]
    now_s = state.clock.now_s()
    if job.finished and job.word in (COMPLETED, CANCELLED, EXPIRED):
        run.freeze(now_s)
        run.write(job.store, batch_id(job))
    elif job.word in (CANCELLING, KIND.fail):
        run.freeze(now_s)
    elif run.total and run.full_s == float("inf"):
        run.begin(now_s, job.next_s, job.created_s + WINDOW_S)


async def _prepare(job: Job) -> None:
    run: BatchRun = job.extra["run"]
    await run.prepare()


async def _ran(job: Job) -> None:
    """Nothing is left to do: the answers are there, and the clock says how many are finished."""


KIND = JobKind(
    "batch",
    (("validating", "batch.validate_s"), ("in_progress", "batch.run_s"), ("finalizing", "batch.finalize_s")),
    _ran,
    push=described,
    success=COMPLETED,
    fail="failed",
    expired=EXPIRED,
    works_at=1,
    check=_prepare,
    longest_s=WINDOW_S,
)
