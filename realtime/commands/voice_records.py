"""What this machine knows of voices that it made: when, and whether they were used since.

The platform lists a new voice only after its first use, and deletes it after 168 h without one; so the records of tasks
say what exists and how long it lives. Sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, cast

from realtime.commands.platform import BUILT_IN, Platform
from realtime.commands.progress import spoken_s
from realtime.errors import RealtimeError
from realtime.minimax.clone import KEPT_S
from realtime.task_records import Record, RecordState

KINDS = {"clone": "cloned", "design": "designed"}  # kind of a record → kind of the voice


@dataclass(frozen=True, slots=True)
class MadeVoice:
    """A voice of a record. `left_s` is how long it lives on without a use."""

    id: str
    kind: Literal["cloned", "designed"]
    used: bool
    left_s: float
    key: str

    @property
    def left(self) -> str:
        return spoken_s(self.left_s)


def find(platform: Platform, voice_id: str) -> MadeVoice | None:
    """The voice of this id, if this machine made it and did not delete it."""
    return next((voice for voice in _made(platform) if voice.id == voice_id), None)


def unused(platform: Platform) -> list[MadeVoice]:
    """The voices that were not used since they were made, and still live."""
    return [voice for voice in _made(platform) if not voice.used and voice.left_s > 0]


def mark_used(platform: Platform, voice_id: str) -> None:
    """Note that a voice was used: it stays."""
    _mark(platform, voice_id, "used")


def mark_deleted(platform: Platform, voice_id: str) -> None:
    _mark(platform, voice_id, "deleted")


def _mark(platform: Platform, voice_id: str, word: str) -> None:
    """Best effort: speech that was paid for is not lost for a record that cannot be written."""
    voice = find(platform, voice_id)
    if voice is None:
        return
    with suppress(RealtimeError, OSError), platform.records.work_on(voice.key) as work:
        work.save(replace(work.record, arguments={**work.record.arguments, word: True}))


def _made(platform: Platform) -> Iterator[MadeVoice]:
    for record in platform.records.all(kinds=KINDS, states=(RecordState.DONE,)).records:
        if _is_voice(platform, record):
            yield MadeVoice(
                id=str(record.task_id),
                kind=cast("Literal['cloned', 'designed']", KINDS[record.kind]),
                used=bool(record.arguments.get("used")),
                left_s=record.created_s + KEPT_S - time.time(),
                key=record.key,
            )


def _is_voice(platform: Platform, record: Record) -> bool:
    return (
        record.kind in KINDS
        and record.state is RecordState.DONE
        and record.platform == platform.address != BUILT_IN  # its voices end with the command
        and record.task_id is not None
        and not record.arguments.get("deleted")
    )
