"""What has happened to items at another server, and their client does not know: it is told of what they are now.

Items that are new to it are told in `continued.py`. The client's picture of the conversation is history again then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import UNSET

from realtime.context import Context
from realtime.core.conversation import InputSpeech, Item, Message
from realtime.core.snapshot import ChangeSnapshot
from realtime.protocol import server_events as events
from realtime.protocol.objects import DurationUsage, FailureObject


def tell_changes(
    changes: Sequence[ChangeSnapshot], context: Context, going_on: Collection[str | None]
) -> None:
    """`going_on`: items of replies that go on: how much of them counts is told with that."""
    for change in changes:
        event = _event(change, context, going_on)
        if event is not None:
            context.outbox.put(event)


def _event(
    change: ChangeSnapshot, context: Context, going_on: Collection[str | None]
) -> events.ServerEvent | None:
    conversation, playback = context.conversation, context.config.has("playback")
    if change.what == "cleared":
        return events.OutputAudioBufferCleared(response_id=change.id) if playback else None
    if change.what == "deleted":
        gone = change.id not in conversation
        return events.ConversationItemDeleted(item_id=change.id) if gone else None
    if change.id not in conversation:
        return None
    if change.what == "truncated":
        end_ms = conversation.cut_ms(change.id)
        if end_ms is not None and change.id in going_on:
            return None
        transcript = conversation.heard_text(change.id) if playback else UNSET
        end_ms = change.value if end_ms is None else end_ms
        return events.ConversationItemTruncated(
            item_id=change.id, audio_end_ms=int(end_ms), transcript=transcript
        )
    return _transcript(change, conversation.get(change.id))


def _transcript(change: ChangeSnapshot, item: Item) -> events.ServerEvent | None:
    if change.what == "unread":
        code, message = change.error
        return events.ConversationItemInputAudioTranscriptionFailed(
            item_id=item.id, content_index=change.index, error=FailureObject(code=code, message=message)
        )
    match item.parts[change.index : change.index + 1] if isinstance(item, Message) else ():
        case (InputSpeech(str(transcript)),):
            return events.ConversationItemInputAudioTranscriptionCompleted(
                item_id=item.id,
                content_index=change.index,
                transcript=transcript,
                usage=DurationUsage(seconds=change.value),
            )
    return None
