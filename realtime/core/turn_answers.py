"""When what was said is answered, and what the end of a reply changes: a part of the rules of `turn.py`."""

from __future__ import annotations

from dataclasses import replace

from realtime.core.turn_actions import (
    Action,
    AnnounceSpeech,
    ContinueReply,
    CutPlayback,
    ResumeReply,
    StartReply,
    StopReply,
)
from realtime.core.turn_events import (
    NothingToResume,
    PlaybackEnded,
    ReplyBegan,
    ReplyEnded,
    ReplyHeard,
    ReplyUnwanted,
    TurnEvent,
)
from realtime.core.turn_state import Phase, Turn, TurnRules


def told(turn: Turn, item_id: str, rules: TurnRules, text: str | None) -> tuple[Turn, list[Action]]:
    """All is known about this item: it may be what was asked, or a noise after that. None: it has no text."""
    current = turn.phase is Phase.CONFIRMING and item_id == turn.item_id
    if not current and item_id not in turn.unread | turn.owed:
        return turn, []
    stopped = turn.stopped.told(text) if turn.stopped is not None else None
    asks = bool(text and text.strip()) and stopped is None
    owed = turn.owed | {item_id} if asks else turn.owed - {item_id}
    known = replace(turn, unread=turn.unread - {item_id}, owed=owed, stopped=stopped)
    return settled(known, rules) if current or turn.phase is Phase.SILENT else (known, [])


def settled(turn: Turn, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """Nobody speaks any more: answer what was said, if there were words; else go on with what was stopped.

    A reply that began in the middle of it, to a typed message say, is interrupted by it, or answers first."""
    quiet = replace(turn.silenced(), owed=frozenset(), beside=turn.beside and bool(turn.unread))
    if not rules.create_response:
        return replace(quiet, stopped=None), []
    if turn.response_id is not None and not (turn.beside and turn.owed):
        return quiet, []
    if turn.response_id is not None:
        if not rules.interrupt_response:
            return replace(quiet, owed=turn.owed, beside=True), []
        return replace(quiet, beside=False), [StopReply(turn.response_id), StartReply()]
    if turn.owed:
        words = turn.owed - {turn.playing_id}  # and not only what its tools gave
        if words and turn.beside and turn.playing_id is not None and rules.interrupt_response:
            return replace(quiet, beside=False, playing_id=None), [CutPlayback(turn.playing_id), StartReply()]
        return quiet, [StartReply()]
    if turn.stopped is not None and not turn.unread:
        return quiet, [ResumeReply(turn.stopped.response_id)]
    return quiet, []


def of_reply(turn: Turn, event: TurnEvent, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """What it means for turns that a reply begins, is heard, ends, or is no longer wanted."""
    match event:
        case ReplyBegan(response_id, continues):
            # It answers all that was said so far, and waits for the texts
            heard = turn.heard and (continues or turn.playing_id is not None)
            heard = heard or (continues and turn.stopped is not None and turn.stopped.heard)
            begun = replace(turn, unread=frozenset(), owed=frozenset(), heard=heard, stopped=None)
            beside = turn.phase in (Phase.SPEAKING, Phase.TENTATIVE, Phase.JUDGING)  # not read yet
            return replace(begun, response_id=response_id, playing_id=None, beside=beside), []
        case ReplyHeard(response_id) if response_id == turn.response_id:
            return replace(turn, heard=True), []
        case ReplyEnded(response_id, audible, to_continue) if response_id == turn.response_id:
            if to_continue and turn.phase not in (Phase.SPEAKING, Phase.CONFIRMING):
                owed = frozenset() if turn.phase is Phase.SILENT else turn.owed  # the next round reads it
                return replace(turn, response_id=None, beside=False, owed=owed), [ContinueReply(response_id)]
            owed = turn.owed | {response_id} if to_continue else turn.owed
            ended = replace(turn, response_id=None, playing_id=response_id if audible else None, owed=owed)
            if ended.phase is Phase.SILENT and ended.owed and rules.create_response:
                return replace(ended, owed=frozenset(), beside=False), [StartReply()]
            return _unheard(replace(ended, beside=turn.beside and audible))
        case PlaybackEnded(response_id) if response_id == turn.playing_id:
            return _unheard(replace(turn, playing_id=None, beside=False))

        case ReplyUnwanted():
            return replace(turn, stopped=None), []
        case NothingToResume() if turn.stopped is not None:
            wanted = turn.stopped.agreed and turn.phase is Phase.SILENT
            return replace(turn, stopped=None), [StartReply()] if wanted and rules.create_response else []
    return turn, []


def _unheard(turn: Turn) -> tuple[Turn, list[Action]]:
    """Nothing sounds any more: speech that was under suspicion needs no further proof, unless it is a hum so far."""
    if turn.phase is Phase.TENTATIVE and not turn.replying and not turn.hummed:
        return replace(turn, phase=Phase.SPEAKING, heard=False), [AnnounceSpeech(turn.onset_ms)]
    return turn, []
