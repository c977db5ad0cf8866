"""POST /v1/realtime/client_secrets: a short-lived key for a browser (docs/wire.md 1.3)."""

from __future__ import annotations

import time
from secrets import token_urlsafe
from typing import Any

import msgspec
from aiohttp import web

from realtime.errors import ProtocolError
from realtime.protocol import client_json
from realtime.protocol.session_config import from_client_secret, to_wire
from realtime.server.access import credential_of
from realtime.server.answers import error_response
from realtime.server.openai_addresses import spellings
from realtime.server.origins import add_for_pages
from realtime.server.state import ACCESS, DOOR, runtime_of
from realtime.session.defaults import default_config


def add_routes(app: web.Application) -> None:
    for path in spellings("/client_secrets"):
        add_for_pages(app, path, POST=create_secret)


async def create_secret(request: web.Request) -> web.Response:
    runtime, access = runtime_of(request.app), request.app[ACCESS]
    now_unix_s = time.time()
    try:
        credential, _ = credential_of(request.headers.get("Authorization"), [])
        caller = access.check(credential, now_unix_s)
        body = await _read_body(request)
        requested = from_client_secret(body, default_config(runtime.settings, runtime.providers))
        expires_at = int(now_unix_s) + requested.expires_after_s
        secret = access.mint(caller, body.get("session") or {}, expires_at)
    except ProtocolError as error:
        if error.code == "invalid_api_key":
            request.app[DOOR].refused(request, error.code)
        return error_response(error, 401 if error.code == "invalid_api_key" else 400)
    session = to_wire(
        requested.config,
        session_id="sess_" + token_urlsafe(12),
        expires_at=expires_at,
        model=runtime.providers.chat.name,
    )
    return web.json_response(
        {"value": secret, "expires_at": expires_at, "session": session},
        headers={"Cache-Control": "no-store"},
        dumps=lambda value: msgspec.json.encode(value).decode(),
    )


async def _read_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of the body. Raises ProtocolError."""
    # In time (`listener.py`), bounded by client_max_size, of the outermost application
    raw = await request.read()
    try:
        body = client_json.parse(raw or b"{}", "the body")
    except client_json.NotJson as error:
        raise ProtocolError(str(error)) from error
    if not isinstance(body, dict):
        raise ProtocolError("The body must be a JSON object.")
    return body
