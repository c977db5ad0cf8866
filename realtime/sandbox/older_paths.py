"""The older paths of the user's documents, with their own shapes: no `base_resp`, other words.

`GET /v1/files/{id}` and `/v3/files/{id}`, `POST /v3/async/minimax-video-01` and the questions for its tasks
(docs/minimax/video.md 2.1). How they refuse is not documented; here it is a real HTTP status with `error` [guess].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from . import video
from .context import CODES
from .files import describe, find_upload
from .native import Call, Endpoint, Envelope, add_endpoint
from .refusal import Refusal

_WORDS = {"Preparing": "pending", "Queueing": "pending", "Processing": "processing", "Success": "succeeded",
          "Fail": "failed", "Expired": "expired"}  # fmt: skip
_MODEL_NAMES = (None, "", "video-01", "minimax-video-01")  # the path names the model


def add_routes(app: web.Application) -> None:
    """Register the older paths. Files by digits only, so that `/v1/files/list` keeps its own meaning."""
    for version in ("v1", "v3"):
        endpoint = Endpoint("file", file, "files", "files.ms", envelope=ASKING)
        add_endpoint(app, "GET", f"/{version}/files/{{id:[0-9]{{1,19}}}}", endpoint)
    create = Endpoint("video", create_video, "video", envelope=MAKING)
    add_endpoint(app, "POST", "/v3/async/minimax-video-01", create)
    query = Endpoint("query", query_video, "query", gateway="query.502", envelope=ASKING)
    for path in ("/v1/video_generation", "/v3/async/minimax-video-01"):
        add_endpoint(app, "GET", f"{path}/{{id}}", query)


def _answer(body: Mapping[str, Any], trace_id: str) -> web.Response:
    return web.json_response(dict(body), headers={"trace-id": trace_id})


def _refusing(status_of: Callable[[int], int]) -> Envelope:
    """An envelope that refuses with these statuses."""

    def refuse(refusal: Refusal, trace_id: str, fields: Mapping[str, Any]) -> web.Response:
        body = {**fields, "error": f"{refusal.message or 'refused'} ({refusal.code})"}
        status = refusal.status or status_of(refusal.code)
        return web.json_response(body, status=status, headers={"trace-id": trace_id})

    return Envelope(_answer, refuse)


ASKING = _refusing(lambda code: {1002: 429, 1004: 401, 2049: 401}.get(code, 404))
MAKING = _refusing(lambda code: CODES.get(code, CODES[1000])[0])


async def file(call: Call) -> dict[str, Any]:
    """A file with its link at the top of the answer; the id is a string here, as in the other older answers [guess]."""
    artefact = find_upload(call.state, int(call.request.match_info["id"]))
    return {
        "file_id": str(artefact.id),
        "created_at": describe(call.state, artefact)["created_at"],
        "download_url": call.link(artefact, artefact.link_life or "life.video_link_h"),
    }


async def create_video(call: Call) -> dict[str, Any]:
    """Make a task as `/v1/video_generation` does; its id is written in 16 hex digits."""
    body = video.todays(call.body)
    if body.get("model") in _MODEL_NAMES:
        body["model"] = "I2V-01" if body.get("first_frame_image") else "T2V-01"
    return {"task_id": f"{(await video.make_task(call, body)).id:016x}"}


async def query_video(call: Call) -> dict[str, Any]:
    """How far a task of either create call is."""
    job = await video.find_task(call, call.request.match_info["id"])
    found = video.file_id(job)
    answer = {"status": _WORDS.get(job.word, job.word.lower()), "file_id": str(found or "")}
    if job.error is not None:
        answer["error"] = (
            f"{job.error.message or CODES.get(job.error.code, CODES[1000])[2]} ({job.error.code})"
        )
    return answer
