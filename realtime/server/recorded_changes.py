"""Which messages told the client that something has happened to an item: it may be away, and its server lost then.

What the item is now is in history; so a server that goes on can tell it (`session/changes_told.py`).
"""

from __future__ import annotations

from msgspec.structs import replace

from realtime.core.snapshot import ChangeSnapshot
from realtime.protocol import server_events as events
from realtime.server.told_messages import UNSENT, ToldMessages


class RecordedChanges:
    """Of one session."""

    def __init__(self) -> None:
        self._told: ToldMessages[ChangeSnapshot] = ToldMessages()

    def __repr__(self) -> str:
        return f"<RecordedChanges {self._told!r}>"

    def queued(self, event: events.ServerEvent) -> None:
        """It waits for the client."""
        change = _change(event)
        if change is not None:
            self._told.queued(change)

    def sent(self, event: events.ServerEvent, seq: int) -> bool:
        """It has this number now. Whether it tells a change."""
        change = _change(event)
        if change is None:
            return False
        self._told.sent(change, replace(change, seq=seq))
        return True

    def now(self) -> tuple[ChangeSnapshot, ...]:
        return self._told.now()


def _change(event: events.ServerEvent) -> ChangeSnapshot | None:
    match event:
        case events.ConversationItemDeleted(item_id=item_id):
            return ChangeSnapshot(UNSENT, "deleted", item_id)
        case events.ConversationItemTruncated(item_id=item_id, audio_end_ms=end_ms):
            return ChangeSnapshot(UNSENT, "truncated", item_id, end_ms)
        case events.ConversationItemInputAudioTranscriptionCompleted(
            item_id=item_id, content_index=index, usage=usage
        ):
            return ChangeSnapshot(UNSENT, "transcribed", item_id, usage.seconds, index=index)
        case events.ConversationItemInputAudioTranscriptionFailed(
            item_id=item_id, content_index=index, error=error
        ):
            return ChangeSnapshot(UNSENT, "unread", item_id, error=(error.code, error.message), index=index)
        case events.OutputAudioBufferCleared(response_id=response_id):
            return ChangeSnapshot(UNSENT, "cleared", response_id)
    return None
