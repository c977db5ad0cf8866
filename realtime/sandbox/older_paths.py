"""The older paths of the user's documents, with their own shapes: no `base_resp`, other words.

`GET /v1/files/{id}` and `GET /v3/files/{id}` (docs/minimax/video.md 2.1). How they refuse is not documented; here it is
HTTP 404 with `error` [guess].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from .files import describe, find_upload
from .native import Call, Endpoint, Envelope, add_endpoint
from .refusal import Refusal


def add_routes(app: web.Application) -> None:
    """Register the older paths. Digits only, so that `/v1/files/list` keeps its own meaning."""
    for version in ("v1", "v3"):
        endpoint = Endpoint("file", file, "files", "files.ms", envelope=BARE)
        add_endpoint(app, "GET", f"/{version}/files/{{id:[0-9]{{1,19}}}}", endpoint)


def _answer(body: Mapping[str, Any], trace_id: str) -> web.Response:
    return web.json_response(dict(body), headers={"trace-id": trace_id})


def _refuse(refusal: Refusal, trace_id: str, fields: Mapping[str, Any]) -> web.Response:
    status = {1002: 429, 1004: 401, 2049: 401}.get(refusal.code, 404)
    body = {**fields, "error": f"{refusal.message or 'refused'} ({refusal.code})"}
    return web.json_response(body, status=status, headers={"trace-id": trace_id})


BARE = Envelope(_answer, _refuse)


async def file(call: Call) -> dict[str, Any]:
    """A file with its link at the top of the answer; the id is a string here, as in the other older answers [guess]."""
    artefact = find_upload(call.state, int(call.request.match_info["id"]))
    return {
        "file_id": str(artefact.id),
        "created_at": describe(call.state, artefact)["created_at"],
        "download_url": call.link(artefact, artefact.link_life or "life.video_link_h"),
    }
