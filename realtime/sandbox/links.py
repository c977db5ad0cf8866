"""The addresses of artefacts, answered as an object store answers: no key, ranges, refusals as XML.

docs/minimax/README.md 3.3 and 6, files.md 6. Faults: `link.dead`, `file.gone` and `download.*`.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from dataclasses import dataclass
from typing import BinaryIO

from aiohttp import web

from .context import STATE, faults_for, new_trace_id
from .faults import Faults
from .store import LINK_PATH, Artefact
from .threads import to_the_end

BLOCK_BYTES = 256 * 1024
EXTRA_BYTES = 1000  # what `download.wrong_length` promises too much
PAGE = "<!DOCTYPE html><html><head><title>Please wait</title></head><body>Please try again.</body></html>"


def add_routes(app: web.Application) -> None:
    """Register the address, and remove the files when the sandbox stops."""
    # A signature is good for one method, so HEAD is not answered.
    app.router.add_get(f"{LINK_PATH}/{{id:[0-9]{{1,19}}}}/{{name}}", download, allow_head=False)
    app.on_cleanup.append(_remove_files)


async def _remove_files(app: web.Application) -> None:
    await asyncio.to_thread(app[STATE].store.close)


def refused(status: int, code: str, message: str) -> web.Response:
    """An object store's refusal."""
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
        f"<RequestId>{new_trace_id()[:24].upper()}</RequestId></Error>"
    )
    return web.Response(status=status, text=text, content_type="application/xml")


async def download(request: web.Request) -> web.StreamResponse:
    """The bytes of an artefact."""
    state, faults = request.app[STATE], faults_for(request)
    id, until = int(request.match_info["id"]), request.query.get("Expires", "")
    expected = state.store.sign(id, int(until)) if re.fullmatch("[0-9]{1,12}", until) else ""
    given = request.query.get("Signature", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        return refused(403, "SignatureDoesNotMatch", "The request signature does not match.")
    if faults.has("link.dead") or int(until) <= state.clock.unix_s():
        return refused(403, "AccessDenied", "Request has expired.")
    artefact = state.store.get(id)
    if artefact is None or faults.has("file.gone"):
        return refused(404, "NoSuchKey", "The specified key does not exist.")
    if faults.has("download.html"):
        return web.Response(text=PAGE, content_type="text/html")
    return await send_file(request, artefact, faults)


@dataclass(frozen=True, slots=True)
class _Part:
    """Bytes `start` up to, not with, `end`."""

    start: int
    end: int
    whole: bool = False


def _wanted(request: web.Request, artefact: Artefact) -> _Part | None:
    """The bytes to send, None: the range cannot be satisfied. A range that cannot be read is ignored."""
    whole = _Part(0, artefact.size, whole=True)
    found = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", request.headers.get("Range", "").replace(" ", ""))
    if found is None or request.headers.get("If-Range", f'"{artefact.etag}"') != f'"{artefact.etag}"':
        return whole
    match found.groups():
        case ("", ""):
            return whole
        case ("", last):
            part = _Part(max(0, artefact.size - int(last)), artefact.size)
        case (first, last):
            part = _Part(int(first), min(int(last) + 1, artefact.size) if last else artefact.size)
    return part if part.start < part.end else None


async def send_file(request: web.Request, artefact: Artefact, faults: Faults) -> web.StreamResponse:
    """Send an artefact, or the part that the request names, with the faults of a download."""
    headers = {"Content-Type": artefact.content_type}
    part: _Part | None = _Part(0, artefact.size, whole=True)
    if not faults.has("download.no_range"):
        headers |= {"ETag": f'"{artefact.etag}"', "Accept-Ranges": "bytes"}
        part = _wanted(request, artefact)
    if part is None:
        answer = refused(416, "InvalidRange", "The requested range cannot be satisfied.")
        answer.headers["Content-Range"] = f"bytes */{artefact.size}"
        return answer
    response = web.StreamResponse(status=200 if part.whole else 206, headers=headers)
    if not part.whole:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{artefact.size}"
    response.content_length = part.end - part.start
    if faults.has("download.wrong_length"):
        response.content_length += EXTRA_BYTES
    await _send(request, response, artefact, part, faults)
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, artefact: Artefact, part: _Part, faults: Faults
) -> None:
    stop = faults.number("download.cut")
    end = part.end if stop is None else min(part.end, part.start + stop)
    file = _opened(artefact)  # not in a thread: a cancelled request would leave it open
    try:
        await response.prepare(request)
        file.seek(part.start)
        left = end - part.start
        while left > 0 and (block := await to_the_end(file.read, min(BLOCK_BYTES, left))):
            await response.write(block)
            left -= len(block)
        too_few = end < part.end or faults.has("download.wrong_length")
        if too_few and request.transport is not None:
            request.transport.close()  # not `abort`: what was sent arrives
    except ConnectionResetError:
        pass  # the client has disconnected
    finally:
        file.close()


def _opened(artefact: Artefact) -> BinaryIO:
    return artefact.path.open("rb")
