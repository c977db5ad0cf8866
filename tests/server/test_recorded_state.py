"""Whatever decides how a session goes on is in its record, or there is a reason why another server needs it not."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from realtime.core.snapshot import (
    IdleSnapshot,
    Position,
    ReplySnapshot,
    SaidSnapshot,
    SessionSnapshot,
    SettledSnapshot,
    StoppedSnapshot,
    TurnSnapshot,
)
from realtime.core.stopped_reply import StoppedReply
from realtime.core.turn_state import Turn, TurnRules
from realtime.listening.segment import Settled, SpeechSegment
from realtime.replying.playout import Playout
from realtime.session.idle_clock import IdleClock
from tests.conversing import Talk, scripted

OPEN = "of speech that is open: its sound comes again"
PART = "a part of the session"
ANEW = "it begins anew with the reply that goes on"

# Of each field: where the record has it, or why not
TURN: dict[str, Any] = {
    "phase": OPEN,
    "response_id": (SessionSnapshot, "reply"),
    "playing_id": (SessionSnapshot, "earlier"),
    "onset_ms": OPEN,
    "speech_ms": OPEN,
    "explained_ms": OPEN,
    "hummed": OPEN,
    "unread_ms": OPEN,
    "follows": OPEN,
    "ended_ms": OPEN,
    "item_id": (TurnSnapshot, "unread"),
    "unread": (TurnSnapshot, "unread"),
    "owed": (TurnSnapshot, "owed"),
    "untold_id": (TurnSnapshot, "untold_id"),
    "beside": "speech that comes again is over the reply that goes on",
    "announced": OPEN,
    "heard": ANEW,
    "before_answer": OPEN,
    "asked": (TurnSnapshot, "asked"),
    "ducked_id": "the client plays as loud as before",
    "came_back_ms": "a reply may be lowered for nothing once more",
    "stops": OPEN,
    "stopped": (SessionSnapshot, "stopped"),
}
STOPPED: dict[str, Any] = {
    "response_id": (ReplySnapshot, "response_id"),
    "heard": (StoppedSnapshot, "heard"),
    "before_answer": (StoppedSnapshot, "before_answer"),
    "keeps_chat": "the model is asked again",
    "agreed": (StoppedSnapshot, "agreed"),
    "at_end": (StoppedSnapshot, "at_end"),
}
RULES: dict[str, Any] = {
    "create_response": (TurnSnapshot, "create_response"),
    "interrupt_response": (TurnSnapshot, "interrupt_response"),
    "reads": "of the server's providers",
}
SEGMENT: dict[str, Any] = {
    "item_id": "the client is told of other speech",
    "onset_ms": OPEN,
    "kept_from_ms": OPEN,
    "end_ms": OPEN,
    "announced": (SessionSnapshot, "speaking"),
    "settled": (SessionSnapshot, "settled"),
}
SETTLED: dict[str, Any] = {
    "text": (SettledSnapshot, "text"),
    "seconds": (SettledSnapshot, "seconds"),
    "to_ms": (SettledSnapshot, "to_ms"),
}
KINDS = [
    (Turn, TURN),
    (StoppedReply, STOPPED),
    (TurnRules, RULES),
    (SpeechSegment, SEGMENT),
    (Settled, SETTLED),
]
IDLE: dict[str, Any] = {
    "_context": PART,
    "_passed": PART,
    "_busy": PART,
    "_timer": (Position, "idle_left_ms"),
    "_timeout_s": "of the settings",
    "_turn": "see Turn",
    "_replied": (IdleSnapshot, "replied"),
    "_heard": (IdleSnapshot, "heard"),
    "_prompted": (IdleSnapshot, "prompted"),
    "_away": "its client is there",
    "_last_audio_s": "its client has not sent for a while, and was away",
}
PLAYOUT: dict[str, Any] = {
    "_context": PART,
    "_sounds": (SaidSnapshot, "response_id"),
    "_ducked": "the client plays as loud as before",
    "_paused_s": "its client is there",
    "_away_s": "its times begin anew",
    "just_cut": (StoppedSnapshot, "sounds"),
    "_attended": "its client is there",
}


def accounted(names: set[str], told: dict[str, Any]) -> None:
    assert names == told.keys(), "a field that the record does not have, or a reason without a field"
    for where in told.values():
        if not isinstance(where, str):
            kind, name = where
            assert hasattr(kind, name) or name in {each.name for each in fields(kind)}


@pytest.mark.parametrize(("kind", "told"), KINDS)
def test_each_field_of_the_rules_is_in_the_record_or_not_needed(kind: type, told: dict[str, Any]) -> None:
    accounted({each.name for each in fields(kind)}, told)


@pytest.mark.parametrize(("kind", "told"), [(IdleClock, IDLE), (Playout, PLAYOUT)])
@scripted
async def test_each_attribute_of_a_part_is_in_the_record_or_not_needed(
    kind: type, told: dict[str, Any]
) -> None:
    async with Talk() as talk:
        (part,) = (each for each in vars(talk.session).values() if isinstance(each, kind))
        accounted(set(vars(part)), told)
