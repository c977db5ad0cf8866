"""V1 video: `POST /v1/video_generation` and `GET /v1/query/video_generation` (docs/minimax/video.md 1 and 2).

Knows requests, answers and pushes. Which model makes what is in `video_rules.py`; the older shape of the same tasks is
in `older_paths.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from .callbacks_out import start_job
from .context import base_resp
from .film_inputs import FilmPlan, Picture, check_words, filmed, need_makers, picture
from .jobs import Job, JobKind
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .video_rules import PICTURE, Shot, film_size, shot_of, subject_of

_OLDER_NAMES = {"image_url": "first_frame_image", "enable_prompt_expansion": "prompt_optimizer"}
_FAST = 0.8  # share of the time that a task with fast_pretreatment takes [guess]
_PUSHED = {"Success": "success", "Fail": "failed", "Expired": "expired"}


def add_routes(app: web.Application) -> None:
    """Register the two endpoints."""
    add_endpoint(
        app, "POST", "/v1/video_generation", Endpoint("video", create, "video", refused={"task_id": ""})
    )
    endpoint = Endpoint("query", query, "query", gateway="query.502")
    add_endpoint(app, "GET", "/v1/query/video_generation", endpoint)


async def create(call: Call) -> dict[str, Any]:
    """Make a task."""
    return {"task_id": str((await make_task(call, call.body)).id)}


async def make_task(call: Call, body: Mapping[str, Any]) -> Job:
    """Check a request with today's or the older field names, and begin its task. Raises Refusal."""
    body = todays(body)
    shot = shot_of(body)
    check_words(shot.prompt)
    plan = await plan_of(call, body, shot)
    await need_makers()
    scale = shot.seconds / 6 * (_FAST if shot.fast else 1)
    extra = {"width": plan.width, "height": plan.height}
    return await start_job(call, KIND, scale=scale, extra=extra, inputs=plan)


def todays(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request with today's field names; where both are given, today's counts."""
    renamed = {_OLDER_NAMES[name]: value for name, value in body.items() if name in _OLDER_NAMES}
    return renamed | {name: value for name, value in body.items() if name not in _OLDER_NAMES}


async def plan_of(call: Call, body: Mapping[str, Any], shot: Shot) -> FilmPlan:
    """Fetch the pictures; the first frame, or else the last one, gives the film its shape."""
    first = await _frame(call, body, "first_frame_image")
    last = await _frame(call, body, "last_frame_image")
    subject = None
    if body.get("subject_reference"):
        subject = await picture(call, subject_of(body), "subject_reference", PICTURE)
    shaped_by = first or last
    width, height = film_size(shot.resolution, shaped_by.ratio if shaped_by else None)
    return FilmPlan(
        shot.prompt, shot.seconds, width, height, first, last, subject,
        camera=shot.model.camera, watermark=shot.watermark,
    )  # fmt: skip


async def _frame(call: Call, body: Mapping[str, Any], name: str) -> Picture | None:
    return await picture(call, body[name], name, PICTURE) if body.get(name) else None


async def _film(job: Job) -> int:
    """The id of the file with the film."""
    data = await filmed(job.inputs)
    kept = job.store.add(
        data, f"{job.id}.mp4", "video/mp4",
        life="life.video_h", purpose="video_generation", link_life="life.video_link_h",
    )  # fmt: skip
    return kept.id


def task_number(id: Any) -> str:
    """A task id as digits; the older paths write it as 16 hex digits, today's have 18 digits."""
    text = str(id)
    if len(text) == 16 and text.isascii() and text.isalnum():
        try:
            return str(int(text, 16))
        except ValueError:
            return ""
    return text


async def find_task(call: Call, id: Any) -> Job:
    """The V1 task with this id at the state of this moment. Raises Refusal 2013."""
    return await call.state.jobs.current(task_number(id), KIND.name)


async def query(call: Call) -> dict[str, Any] | web.Response:
    """How far a task is. A failed one says why in `base_resp` [guess]."""
    job = await find_task(call, call.body.get("task_id", ""))
    answer = {"task_id": str(job.id), "status": job.word, "file_id": str(file_id(job) or "")}
    if file_id(job):
        answer |= {"video_width": job.extra["width"], "video_height": job.extra["height"]}
    return answered(answer, job.error, call.trace_id)


def answered(answer: dict[str, Any], error: Refusal | None, trace_id: str) -> dict[str, Any] | web.Response:
    """The answer about a task; the code of a failed task is in `base_resp`."""
    if error is None:
        return answer
    body = {**answer, "base_resp": base_resp(error.code, error.message)}
    return web.json_response(body, headers={"trace-id": trace_id})


def file_id(job: Job) -> int | None:
    """The file of a task that has succeeded."""
    return job.result if job.finished and job.word == KIND.success else None


def _push(job: Job) -> dict[str, Any] | None:
    return pushed(job, {"file_id": str(file_id(job) or "")})


def pushed(job: Job, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """A push of V1 has three words only, so some changes of state are none here (docs/minimax/README.md 6)."""
    status = _PUSHED.get(job.word, "processing")
    if job.extra.get("pushed") == status:
        return None
    job.extra["pushed"] = status
    code = base_resp(job.error.code, job.error.message) if job.error else base_resp()
    return {"task_id": str(job.id), "status": status, **fields, "base_resp": code}


KIND = JobKind(
    "video",
    (("Preparing", "video.prepare_s"), ("Queueing", "video.queue_s"), ("Processing", "video.process_s")),
    _film,
    push=_push,
)
