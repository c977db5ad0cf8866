"""The words of spoken replies that are over, for the record: their client may still play them, and cut them.

A conversation has the words of every reply as long as its item; a record those of the last ones. Words that no longer
change are encoded once.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from realtime.core.conversation import Conversation, Message
from realtime.core.heard_speech import HeardSpeech
from realtime.core.snapshot import SaidSnapshot, encode_words
from realtime.core.spoken import SpokenPart
from realtime.replying.reply_sound import ReplySound
from realtime.session.session import Session

SAID = 8  # replies
LATER_MS = 20_000.0  # of sound after it: 12 s ahead of the listener, 5 s after, and some more (`replay.py`)


class RecordedSpeech:
    """Of one session."""

    def __init__(self) -> None:
        self._encoded: dict[str, tuple[SpokenPart, msgspec.Raw]] = {}  # by item

    def __repr__(self) -> str:
        return f"<RecordedSpeech of {len(self._encoded)} replies>"

    def of(self, session: Session, elsewhere: Collection[str | None]) -> tuple[SaidSnapshot, ...]:
        """The last replies that are over, the latest last. `elsewhere`: items of those that are not."""
        found, later_ms, cut = list[SaidSnapshot](), 0.0, session.responses.cut
        for item_id, speech in session.conversation.spoken():
            if len(found) >= SAID or later_ms >= LATER_MS:
                break
            later_ms += speech.reach_ms
            if item_id not in elsewhere:
                found.append(self._said(session.conversation, item_id, speech, cut.get(item_id)))
        there = {each.item_id for each in found}
        self._encoded = {item_id: kept for item_id, kept in self._encoded.items() if item_id in there}
        return tuple(reversed(found))

    def _said(
        self, conversation: Conversation, item_id: str, speech: HeardSpeech, cut: ReplySound | None
    ) -> SaidSnapshot:
        item = conversation.get(item_id)
        return SaidSnapshot(
            item_id,
            self._words(item_id, speech.part),
            len(conversation.heard_text(item_id)),
            item.status if isinstance(item, Message) else "completed",
            speech.limit_ms,
            speech.sent_ms,
            speech.by_client,
            None if cut is None else cut.response_id,
            cut is not None and cut.awaits_flush,
        )

    def _words(self, item_id: str, part: SpokenPart) -> msgspec.Raw:
        kept = self._encoded.get(item_id)
        if kept is not None and kept[0] is part:
            return kept[1]
        words = encode_words(part)
        if part.closed:
            self._encoded[item_id] = part, words
        return words
