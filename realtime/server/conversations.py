"""GET and DELETE /v1/conversations: the earlier conversations of the caller's key (docs/wire.md 6.9).

One key may stand for many people: those who have a client secret, or all visitors of a server that is open to all. They
may read and delete a conversation whose id they know, as `?conversation=` lets them, but get no list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from realtime import deadlines
from realtime.errors import ProtocolError, ProviderError
from realtime.protocol.objects import InputAudio, InputText, MessageItem
from realtime.providers.store import Store, StoredSummary
from realtime.server.access import Caller
from realtime.server.callers import RetryLater, for_callers
from realtime.server.origins import add_for_pages
from realtime.server.persistence import asked, load_stored, read_item
from realtime.server.state import ACCESS, OFFERS, OPENINGS, REGISTRY, SETTINGS, runtime_of
from realtime.translate import to_wire_item

TIMEOUT_S = 5.0
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
TITLE_CHARS = 60
MAX_ID_CHARS = 128

T = TypeVar("T")


def add_routes(app: web.Application) -> None:
    app[OFFERS].append(_offer)
    add_for_pages(app, "/v1/conversations", GET=for_callers(listed))
    one = {"GET": for_callers(read), "DELETE": for_callers(delete)}
    add_for_pages(app, "/v1/conversations/{id}", **one)


def _offer(app: web.Application, caller: Caller) -> Mapping[str, Any]:
    store = runtime_of(app).store
    return {"store": store is not None, "conversations": _lists(store) and _is_one_owner(app, caller)}


def _lists(store: Store | None) -> bool:
    return getattr(store, "listing", None) is not None


def _is_one_owner(app: web.Application, caller: Caller) -> bool:
    """Whether all that is stored for this caller's key is the caller's own."""
    if app[ACCESS].required:
        return not caller.ephemeral
    return not app[SETTINGS].open_to_all


async def listed(request: web.Request, caller: Caller) -> web.Response:
    store, limit = _store(request), _limit(request)
    if not _is_one_owner(request.app, caller):
        message = "Others share this key, so it shows no list: use an API key, or the id of a conversation."
        raise ProtocolError(message, code="api_key_needed", type="authentication_error")
    if not _lists(store):
        return _json({"object": "list", "data": [], "has_more": False})
    found = await _asked(store.listing(caller.name, limit + 1))  # type: ignore[attr-defined]
    data = [_entry(summary) for summary in found[:limit]]
    return _json({"object": "list", "data": data, "has_more": len(found) > limit})


async def read(request: web.Request, caller: Caller) -> web.Response:
    stored = await _asked(load_stored(_store(request), caller.name, _id(request)))
    if stored is None:
        raise _unknown()
    items = [to_wire_item(item) for item in stored.items]
    return _json({"id": stored.conversation_id, "object": "realtime.conversation", "items": items})


async def delete(request: web.Request, caller: Caller) -> web.Response:
    store, conversation_id = _store(request), _id(request)
    async with request.app[OPENINGS].alone(caller.name, conversation_id, TIMEOUT_S) as alone:
        if not alone:
            raise _no_answer()
        if await _asked(store.load(caller.name, conversation_id)) is None:
            raise _unknown()
        if request.app[REGISTRY].of_conversation(caller.name, conversation_id) is not None:
            message = "A session has this conversation open: end the session first."
            raise ProtocolError(message, code="conversation_in_use")
        await _asked(store.forget(caller.name, conversation_id))
    return _json({"id": conversation_id, "object": "realtime.conversation.deleted", "deleted": True})


def _store(request: web.Request) -> Store:
    store = runtime_of(request.app).store
    if store is None:
        raise ProtocolError("This server stores no conversations.", code="conversation_not_found")
    return store


def _id(request: web.Request) -> str:
    conversation_id = request.match_info["id"]
    if len(conversation_id) > MAX_ID_CHARS:
        raise _unknown()
    return conversation_id


def _unknown() -> ProtocolError:
    return ProtocolError(
        "There is no such conversation here, or it belongs to another key.",
        code="conversation_not_found",
        param="id",
    )


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise ProtocolError(f"limit is a whole number from 1 to {MAX_LIMIT}.", param="limit")
    return int(text)


async def _asked(answer: Awaitable[T]) -> T:
    """The answer of the store. Raises RetryLater."""
    try:
        async with deadlines.timeout(TIMEOUT_S):
            return await asked(answer)
    except (ProviderError, TimeoutError) as error:
        raise _no_answer() from error


def _no_answer() -> RetryLater:
    message = "The store does not answer at the moment: try later."
    return RetryLater(message, code="store_unavailable", type="server_error", retry_after_s=5)


def _entry(summary: StoredSummary) -> dict[str, Any]:
    return {
        "id": summary.id,
        "created_at": int(summary.created_unix_s),
        "updated_at": int(summary.updated_unix_s),
        "title": _title(summary),
    }


def _title(summary: StoredSummary) -> str:
    """The first words of the user; "" where there are none."""
    for body in summary.opening:
        item = read_item(body)
        wire = None if item is None else to_wire_item(item)
        if isinstance(wire, MessageItem) and wire.role == "user":
            words = " ".join(filter(None, map(_words, wire.content)))
            if words:
                return words if len(words) <= TITLE_CHARS else words[: TITLE_CHARS - 1].rstrip() + "…"
    return ""


def _words(part: object) -> str:
    match part:
        case InputText(text=text):
            return " ".join(text[:1_000].split())
        case InputAudio(transcript=str(text)):
            return " ".join(text[:1_000].split())
        case _:
            return ""


def _json(value: dict[str, Any]) -> web.Response:
    headers = {"Cache-Control": "no-store", "Vary": "Authorization"}
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", headers=headers)
