"""GET /v1/capabilities: what this server offers, so that a page asks instead of assuming (docs/wire.md 1.7).

A part of the server that offers more appends a function to `app[OFFERS]`: its fields stand beside those of
`protocol/capabilities.py`. Who may not open a session learns only what everybody may know.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import msgspec
from aiohttp import web

import realtime
from realtime.core.conversation import MAX_ITEMS
from realtime.errors import ProtocolError
from realtime.protocol.capabilities import Capabilities, Limits, OfferedVoice, Public
from realtime.protocol.session_values import MAX_INSTRUCTIONS_CHARS, MAX_TOOLS, TURN_DETECTION
from realtime.server.access import Caller, credential_of
from realtime.server.answers import error_response
from realtime.server.offered_voices import OfferedVoices
from realtime.server.origins import add_for_pages
from realtime.server.runtime import Runtime
from realtime.server.state import ACCESS, DOOR, OFFERS, VOICES, runtime_of
from realtime.session.defaults import offered_extensions
from realtime.session.items import MAX_ITEM_CHARS
from realtime.settings import Settings


def add_routes(app: web.Application) -> None:
    app[VOICES] = OfferedVoices()
    app.on_cleanup.append(_close_voices)
    add_for_pages(app, "/v1/capabilities", GET=capabilities, HEAD=capabilities)


async def capabilities(request: web.Request) -> web.Response:
    credential, _ = credential_of(request.headers.get("Authorization"), [])
    access = request.app[ACCESS]
    try:
        known = not access.required or credential is not None
        caller = access.check(credential, time.time()) if known else None
    except ProtocolError as error:
        request.app[DOOR].refused(request, error.code)
        return error_response(error, 401)
    return _answer(request, _public(request.app) if caller is None else await _offered(request.app, caller))


def _answer(request: web.Request, fields: dict[str, Any]) -> web.Response:
    """The fields, or 304 where the client has exactly these."""
    body = msgspec.json.encode(fields)
    tag = hashlib.sha256(body).hexdigest()[:32]
    answer = web.Response(body=body, content_type="application/json")
    answer.etag = tag
    if any(known.value == tag for known in request.if_none_match or ()):
        answer = web.Response(status=304, headers={"ETag": answer.headers["ETag"]})
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization"
    return answer


def _public(app: web.Application) -> dict[str, Any]:
    public = Public(**_public_fields(app))
    return dict(msgspec.to_builtins(public))


async def _offered(app: web.Application, caller: Caller) -> dict[str, Any]:
    runtime = runtime_of(app)
    offered = Capabilities(
        **_public_fields(app),
        version=realtime.__version__,
        sandbox=runtime.sandbox,
        models=(runtime.providers.chat.name,),
        default_voice=runtime.settings.voice_id,
        voices=await voices_for(app, caller),
        languages=tuple(getattr(runtime.providers.speech, "languages", ())),  # other packages' may not say
        limits=_limits(runtime.settings),
        tools=_tools(runtime),
    )
    fields = dict(msgspec.to_builtins(offered))
    for offer in app[OFFERS]:
        fields |= offer(app, caller)
    return fields


async def voices_for(app: web.Application, caller: Caller) -> tuple[OfferedVoice, ...]:
    """The voices that a session of this caller has, whichever account it gets."""
    runtime = runtime_of(app)
    if runtime.accounts is not None:
        return await runtime.accounts.voices(caller.name)
    return await app[VOICES].get(runtime.providers.speech)


def _public_fields(app: web.Application) -> dict[str, Any]:
    return {
        "key_required": app[ACCESS].required,
        "transcription": runtime_of(app).hears,
        "extensions": offered_extensions(runtime_of(app).settings),
        "turn_detection": TURN_DETECTION,
    }


def _limits(settings: Settings) -> Limits:
    return Limits(
        session_s=settings.session_minutes * 60,
        sessions=settings.max_sessions,
        sessions_per_key=settings.sessions_per_key or msgspec.UNSET,
        resume_s=settings.resume_window_s,
        items=MAX_ITEMS,
        text_characters=MAX_ITEM_CHARS,
        instructions_characters=MAX_INSTRUCTIONS_CHARS,
        tools=MAX_TOOLS,
    )


def _tools(runtime: Runtime) -> tuple[str, ...]:
    return () if runtime.tools is None else tuple(tool.name for tool in runtime.tools.beside(()))


async def _close_voices(app: web.Application) -> None:
    await app[VOICES].aclose()
