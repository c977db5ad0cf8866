"""The request to resume a session, and the check whether it may be resumed (docs/wire.md 6.6).

Reads the query of a reconnecting client and finds its session. Attaches nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from realtime.errors import ProtocolError
from realtime.server.registry import Registry
from realtime.server.replay import ResumeRequest

if TYPE_CHECKING:
    from realtime.server.live_session import LiveSession

NEW_SESSION = "This is a new session: rebuild the conversation with conversation.item.create."

WITHOUT_RESUME = "That session does not have the extension 'resume'."


class NotResumable(ProtocolError):
    """The session that the client named cannot be resumed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} {NEW_SESSION}", code="session_not_resumable", param="resume")


def messages_missing(last_seq: int) -> NotResumable:
    return NotResumable(f"The messages after number {last_seq} are not all available any more.")


def read_resume(query: Mapping[str, str]) -> ResumeRequest | None:
    """The request to resume, or None if there is none. Never raises."""
    session_id = query.get("resume")
    if not session_id:
        return None
    played_ms = _number(query.get("played_ms"))
    item_id = query.get("item_id") if played_ms is not None else None
    received_ms = _number(query.get("received_ms"))
    return ResumeRequest(
        session_id, _number(query.get("last_seq")), item_id or None, played_ms or 0, received_ms
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def find_session(
    registry: Registry, request: ResumeRequest, credential: str | None, *, binary: bool
) -> LiveSession:
    """The session to resume. Raises NotResumable.

    The error is the same for an unknown session and a wrong credential, so that nobody can probe for sessions.
    """
    live = registry.get(request.session_id)
    if live is None or live.ending.done() or not live.opened_by(credential):
        raise NotResumable("That session does not exist any more, or another credential opened it.")
    if not live.resumable:
        raise NotResumable(WITHOUT_RESUME)
    if live.binary is not binary:
        raise NotResumable("A session must be resumed with the subprotocol that opened it.")
    if request.last_seq is None:
        raise NotResumable("'last_seq' must be the number of the last message received.")
    if not live.numbering.has_missed(request.last_seq):
        raise messages_missing(request.last_seq)
    return live
