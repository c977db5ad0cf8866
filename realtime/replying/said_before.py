"""Spoken replies that were over at another server: how much of each counts, and what their clients can still say of it.

A client holds seconds of sound. While it plays them, and after that, it may say where it stopped (docs/scale.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.core.heard_speech import HeardSpeech
from realtime.core.snapshot import SaidSnapshot
from realtime.core.spoken import SpokenPart
from realtime.replying.reply_sound import ReplySound
from realtime.replying.restored import Restoring


@dataclass(frozen=True, slots=True)
class Said:
    """`part`: the words of `snapshot`."""

    snapshot: SaidSnapshot
    part: SpokenPart


def restore_said(said: Sequence[Said], into: Restoring) -> None:
    """History has them as that server had them, and they can be cut as there."""
    for each in said:
        was, conversation = each.snapshot, into.context.conversation
        speech = HeardSpeech(each.part, was.limit_ms, was.sent_ms, was.by_client, complete=True)
        if not conversation.restore_speech(was.item_id, speech, was.characters, was.status):
            continue
        if was.response_id is not None and was.limit_ms is not None:
            sound = ReplySound(was.response_id, into.marks)
            sound.part, sound.item_id, sound.complete = each.part, was.item_id, True
            sound.awaits_flush = was.unsettled
            into.playout.restored_cut(sound, speech.reach_ms, was.limit_ms)
    into.responses.sounding.await_flush()
