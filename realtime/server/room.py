"""Whether there is room for one more session (docs/wire.md 1.2): the limits of the server, of a key and of the account.

Takes the place in the same moment; `registry.py` counts. Knows no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from realtime.errors import ProtocolError
from realtime.server.access import Caller
from realtime.server.registry import Place, Registry
from realtime.server.state import REGISTRY, runtime_of

if TYPE_CHECKING:
    from realtime.server.accounts import Seat


def take_moved(app: web.Application, place: Place, caller: Caller) -> None:
    """Take room for a session that goes on here: it has a place of its key and of the account already.

    Of several accounts it gets one anew. Raises ProtocolError if this server is full, or stops.
    """
    check_room(app[REGISTRY])
    place.take(caller.name, _seat(app, caller))


def take_place(app: web.Application, place: Place, caller: Caller, conversation_id: str = "") -> None:
    """Take room for one more session, or for one that takes over this conversation from a session that ends for it.

    Raises ProtocolError if no more sessions are allowed now.
    """
    registry = app[REGISTRY]
    check_stopping(registry)
    older = registry.of_conversation(caller.name, conversation_id) if conversation_id else None
    if older is not None and not registry.full_instead_of(older):
        place.instead_of = older
        place.take(caller.name, _seat(app, caller))
        return
    check_room(registry)
    if registry.full_for(caller.name):
        raise _at_its_limit()
    seat = _seat(app, caller)
    if registry.leaves_too_little(runtime_of(app).account_limits) if seat is None else seat.exhausted:
        raise ProtocolError(
            "The account has too few requests a minute for one more session: try again later.",
            code="account_exhausted",
            type="server_error",
        )
    place.take(caller.name, seat)
    if registry.over_for(caller.name):  # two workers looked in the same moment: neither may exceed it
        place.free()
        raise _at_its_limit()


def _seat(app: web.Application, caller: Caller) -> Seat | None:
    """A seat at the account that is best for this caller, not taken yet; None where there is one account."""
    accounts = runtime_of(app).accounts
    return None if accounts is None else accounts.seat_for(caller.name)


def _at_its_limit() -> ProtocolError:
    message = "This key is at its limit of open sessions: close one, or try again later."
    return ProtocolError(message, code="rate_limit_exceeded", type="rate_limit_error")


def check_stopping(registry: Registry) -> None:
    """Raises ProtocolError if the server stops."""
    if registry.draining:
        raise ProtocolError(
            "The server is stopping: connect again in a few seconds.",
            code="server_draining",
            type="server_error",
        )


def check_room(registry: Registry) -> None:
    """Raises ProtocolError if no session can begin now, whoever asks."""
    check_stopping(registry)
    if registry.full:
        raise ProtocolError(
            "The server is full: try again in a few seconds.", code="server_overloaded", type="server_error"
        )
