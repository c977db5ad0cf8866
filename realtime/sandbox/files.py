"""The files endpoints: upload, list, retrieve, retrieve_content, delete (docs/minimax/files.md).

Knows purposes and their limits. The bytes are in `store.py`; the form is read by `upload_form.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import fields
from .context import STATE, SandboxState
from .links import send_file
from .native import Call, Endpoint, add_endpoint
from .refusal import Refusal
from .store import MEGABYTE, Artefact
from .upload_form import Upload, read_upload

_AUDIO = frozenset(("mp3", "m4a", "wav"))


@dataclass(frozen=True, slots=True)
class Purpose:
    """One row of files.md 1: the largest file by its ending ("": any other ending), in MB; `status` of a refusal."""

    most_mb: Mapping[str, float]
    status: int = 200

    def check(self, filename: str, size: int) -> None:
        """Raises Refusal 2013 for a wrong ending or size."""
        _, dot, ending = filename.rpartition(".")
        ending = ending.lower() if dot else ""
        most = self.most_mb.get(ending, self.most_mb.get(""))
        if most is None:
            allowed = ", ".join(self.most_mb)
            raise Refusal(2013, f"invalid params, file type '{ending}' is not one of {allowed}", self.status)
        if size > most * MEGABYTE:
            raise Refusal(2013, f"invalid params, file is larger than {most:g} MB", self.status)


def _kinds(*groups: tuple[str, float]) -> dict[str, float]:
    return {ending: most for endings, most in groups for ending in endings.split()}


PURPOSES: dict[str, Purpose] = {
    "voice_clone": Purpose(dict.fromkeys(sorted(_AUDIO), 20.0)),
    "prompt_audio": Purpose(dict.fromkeys(sorted(_AUDIO), 20.0)),
    "t2a_async_input": Purpose(_kinds(("txt zip", 512.0))),
    "video_understanding": Purpose({"": 512.0}),
    "video_generation_input": Purpose(
        _kinds(("jpg jpeg png webp heic heif", 30.0), ("mp4 mov", 50.0), ("wav mp3", 15.0)), status=400
    ),
    "retrieval": Purpose({"": 512.0}),
    "batch": Purpose(_kinds(("jsonl", 100.0))),
}


def add_routes(app: web.Application) -> None:
    """Register the five endpoints."""
    for method, path, work, reads_body in (
        ("POST", "upload", upload, False),
        ("GET", "list", list_files, True),
        ("GET", "retrieve", retrieve, True),
        ("GET", "retrieve_content", retrieve_content, True),
        ("POST", "delete", delete, True),
    ):
        gateway = "upload.502" if path == "upload" else ""
        endpoint = Endpoint("file", work, "files", "files.ms", gateway=gateway, reads_body=reads_body)
        add_endpoint(app, method, f"/v1/files/{path}", endpoint)


def find_upload(state: SandboxState, id: Any, *purposes: str) -> Artefact:
    """The uploaded file that a request names by its integer id. Raises Refusal 2013.

    A string is refused, as the platform does (t2a-async.md 1).
    """
    artefact = state.store.get(id) if isinstance(id, int) and not isinstance(id, bool) else None
    if artefact is None or not artefact.purpose:
        raise Refusal(2013, "invalid params, invalid file_id")
    if purposes and artefact.purpose not in purposes:
        raise Refusal(2013, f"invalid params, the file's purpose is '{artefact.purpose}'")
    return artefact


def describe(state: SandboxState, artefact: Artefact) -> dict[str, Any]:
    """The `file` object of an answer."""
    return {
        "file_id": artefact.id,
        "bytes": 0 if artefact.purpose == "t2a_async" else artefact.size,  # files.md 3
        "created_at": state.clock.unix_s(artefact.created_s),
        "filename": artefact.filename,
        "purpose": artefact.purpose,
    }


async def upload(call: Call) -> dict[str, Any]:
    """Store the file of a form for seven days."""
    store = call.state.store
    form: Upload = await read_upload(call.request, store, _limit)
    try:
        purpose = PURPOSES.get(form.purpose)
        if purpose is None:
            raise Refusal(2013, f"invalid params, invalid params: purpose '{form.purpose}'")
        purpose.check(form.filename, form.size)
    except Refusal:
        store.discard(form.file)
        raise
    kept = store.adopt(
        form.file, form.filename, form.content_type, life="life.upload_h", purpose=form.purpose
    )
    return {"file": describe(call.state, kept)}


def _limit(purpose: str) -> tuple[int, int]:
    """Where reading stops, whatever the ending (an unknown purpose: the largest of all), and the refusal's status."""
    rows = [PURPOSES[purpose]] if purpose in PURPOSES else list(PURPOSES.values())
    most_mb = max(most for row in rows for most in row.most_mb.values())
    return int(most_mb * MEGABYTE), rows[0].status


async def list_files(call: Call) -> dict[str, Any]:
    """The uploads of a purpose, or all uploads."""
    purpose = call.body.get("purpose", "")
    if purpose and purpose not in PURPOSES:
        raise fields.invalid("purpose")
    wanted = {purpose} if purpose else PURPOSES.keys()
    found = [artefact for artefact in call.state.store.all() if artefact.purpose in wanted]
    return {"files": [describe(call.state, artefact) for artefact in found]}


def _asked(call: Call) -> Artefact:
    text = str(call.body.get("file_id", ""))
    id = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else 0
    return find_upload(call.state, id)


async def retrieve(call: Call) -> dict[str, Any]:
    """What a file is, and for a result a new link to it."""
    artefact = _asked(call)
    file = describe(call.state, artefact)
    if artefact.link_life:
        file["download_url"] = call.link(artefact)
    return {"file": file}


async def retrieve_content(call: Call) -> web.StreamResponse:
    """The bytes; the faults of a download apply here too."""
    artefact = _asked(call)
    if call.faults.has("file.gone"):
        raise Refusal(2013, "invalid params, file not exist")
    return await send_file(call.request, artefact, call.faults)


async def delete(call: Call) -> dict[str, Any]:
    """Delete a file; its links are dead from now on."""
    artefact = _asked(call)
    purpose = call.body.get("purpose") or artefact.purpose
    if purpose != artefact.purpose or purpose == "video_generation_input":
        raise fields.invalid("purpose")
    call.request.app[STATE].store.remove(artefact.id)
    return {"file_id": artefact.id}
