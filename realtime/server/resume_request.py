"""Who may take up a parked session again, and from which message (shared/realtime-wire.md 6.6).

Reads the query of a reconnecting client and looks for its session; it attaches nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from realtime.errors import ProtocolError
from realtime.server.live_session import LiveSession, ResumeAsk
from realtime.server.registry import Registry
from realtime.server.replay import Gap

REBUILD = "This is a new session: rebuild the conversation with conversation.item.create."


class NotResumable(ProtocolError):
    """The session that was asked for cannot be continued here."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} {REBUILD}", code="session_not_resumable", param="resume")


def read_resume(query: Mapping[str, str]) -> ResumeAsk | None:
    """The request to resume, or None if there is none. Never raises."""
    session_id = query.get("resume")
    if not session_id:
        return None
    played_ms = _number(query.get("played_ms"))
    item_id = query.get("item_id") if played_ms is not None else None
    return ResumeAsk(session_id, _number(query.get("last_seq")), item_id or None, played_ms or 0)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def find_session(registry: Registry, ask: ResumeAsk, credential: str | None, *, binary: bool) -> LiveSession:
    """The session to go on with. Raises NotResumable; a stranger learns no more than that it is not here."""
    live = registry.get(ask.session_id)
    if live is None or live.ending.done() or not live.opened_by(credential):
        raise NotResumable("That session is not here any more, or another credential opened it.")
    if not live.resumes:
        raise NotResumable("That session was not opened with the extension 'resume'.")
    if live.binary is not binary:
        raise NotResumable("A session is resumed with the subprotocol it was opened with.")
    if ask.last_seq is None:
        raise NotResumable("'last_seq' must be the number of the last message received.")
    try:
        live.missed(ask.last_seq)
    except Gap:
        raise NotResumable(f"The messages after number {ask.last_seq} are not all kept any more.") from None
    return live
