"""When what was said is answered, and what the end of a reply changes: a part of the rules of `turn.py`."""

from __future__ import annotations

from dataclasses import replace

from realtime.core.stopped_reply import StoppedReply
from realtime.core.turn_actions import (
    Action,
    AnnounceSpeech,
    ContinueReply,
    DropAsked,
    ResumeReply,
    StartAsked,
    StartReply,
)
from realtime.core.turn_events import (
    AskedUnwanted,
    NothingToResume,
    PlaybackEnded,
    ReplyBegan,
    ReplyCutShort,
    ReplyEnded,
    ReplyHeard,
    ReplyUnwanted,
    ResponseAsked,
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
    """Nobody speaks any more: answer what was said, if there were words, or let the model say what its tools gave; else
    go on with what was stopped. What was said while a reply is made that cannot be interrupted is answered after it.
    A response that the client has asked for is answered with the words; without any it comes after what was stopped."""
    quiet = replace(turn.silenced(), owed=frozenset())
    if not rules.create_response:
        quiet = replace(quiet, stopped=None)
    if turn.response_id is not None:
        return replace(quiet, owed=turn.owed if rules.create_response else frozenset()), []
    if turn.owed:
        after, dropped = _unasked(replace(quiet, untold_id=None))
        return after, [*dropped, StartReply()] if rules.create_response else dropped
    if turn.asked and quiet.stopped is None:
        # A text that is still to come may have words, and then it does not begin
        return (quiet, []) if turn.unread else (replace(quiet, asked=False), [StartAsked()])
    if turn.untold_id is not None and not turn.asked:
        return replace(quiet, untold_id=None), [ContinueReply(turn.untold_id)]
    if quiet.stopped is not None and not turn.unread:
        return quiet, [ResumeReply(quiet.stopped.response_id)]
    return quiet, []


def _unasked(turn: Turn, *, by_client: bool = False) -> tuple[Turn, list[Action]]:
    """The response that the client has asked for does not come."""
    return replace(turn, asked=False), [DropAsked(by_client)] if turn.asked else []


def asked(turn: Turn, event: ResponseAsked | AskedUnwanted, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """The client wants a response that has to wait; or wants it no more."""
    match event:
        case AskedUnwanted():
            return _unasked(turn, by_client=True)
        case ResponseAsked():
            waits = replace(turn, asked=True)
            return (
                settled(waits, rules)
                if turn.phase is Phase.SILENT and turn.response_id is None
                else (waits, [])
            )


def of_reply(turn: Turn, event: TurnEvent, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """What it means for turns that a reply begins, is heard, ends, or is no longer wanted."""
    match event:
        case ReplyBegan(response_id, continues, apart):
            heard = turn.heard and (continues or turn.playing_id is not None)
            heard = heard or (continues and turn.stopped is not None and turn.stopped.heard)
            begun = replace(turn if apart else _answered(turn), stopped=None)
            beside = turn.phase is Phase.SPEAKING
            return replace(begun, response_id=response_id, playing_id=None, heard=heard, beside=beside), []
        case ReplyHeard(response_id) if response_id == turn.response_id:
            return replace(turn, heard=True), []
        case ReplyEnded(response_id) if response_id == turn.response_id:
            return _ended(turn, event, rules)
        case PlaybackEnded(response_id) if response_id == turn.playing_id:
            return _unheard(replace(turn, playing_id=None))
        case ReplyCutShort(response_id) if turn.phase in (Phase.SPEAKING, Phase.CONFIRMING):
            return _cut_short(turn, response_id, rules), []
        case ReplyUnwanted():
            return replace(turn, stopped=None), []
        case NothingToResume() if turn.stopped is not None:
            if turn.asked:
                return replace(turn, stopped=None, asked=False), [StartAsked()]
            wanted = turn.stopped.agreed and turn.phase is Phase.SILENT
            return replace(turn, stopped=None), [StartReply()] if wanted and rules.create_response else []
    return turn, []


def _answered(turn: Turn) -> Turn:
    """A reply answers all that was said so far, and waits for the texts. It tells what tools gave, too."""
    waits = turn.silenced() if turn.phase is Phase.CONFIRMING else turn
    return replace(waits, unread=frozenset(), owed=frozenset(), untold_id=None)


def _ended(turn: Turn, reply: ReplyEnded, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """A reply has ended. What follows: more of it, what the client has asked for, an answer to what was said during it,
    or what tools gave before it."""
    # A stop of the client is answered with no other reply
    before_id = None if reply.stopped and turn.phase is Phase.SILENT else turn.untold_id
    playing_id = reply.response_id if reply.audible else None
    ended = replace(turn, response_id=None, playing_id=playing_id, untold_id=before_id)
    over = turn.phase not in (Phase.SPEAKING, Phase.CONFIRMING)
    told_id = reply.response_id if reply.to_continue else None
    if turn.asked and not reply.stopped:
        # What it asks includes what tools gave, and what was said: else both are still to come when it begins
        return replace(ended, asked=False, untold_id=told_id or before_id), [StartAsked()]
    if turn.asked and ended.phase is Phase.SILENT:
        return settled(ended, rules)  # its speech, or noise, was over sooner than this was told
    if told_id is not None and over:
        return replace(ended, playing_id=None), [ContinueReply(told_id)]
    if ended.phase is Phase.SILENT and ended.owed and rules.create_response:
        return replace(ended, owed=frozenset()), [StartReply()]
    if before_id is not None and over:
        return replace(ended, untold_id=None), [ContinueReply(before_id)]
    return _unheard(replace(ended, untold_id=before_id or told_id))


def _cut_short(turn: Turn, response_id: str, rules: TurnRules) -> Turn:
    """The client's player was late, and threw the last words away when it was told of the speech."""
    if turn.replying or turn.stopped is not None or not (rules.reads and rules.create_response):
        return turn
    if not rules.interrupt_response:  # it has stopped of its own will
        return turn
    return replace(turn, stopped=StoppedReply(response_id, heard=True, at_end=True), stops=True)


def _unheard(turn: Turn) -> tuple[Turn, list[Action]]:
    """Nothing sounds any more: speech that was under suspicion needs no further proof, unless it is a hum so far."""
    if turn.phase is Phase.TENTATIVE and not turn.replying and not turn.hummed:
        return replace(turn, phase=Phase.SPEAKING, heard=False), [AnnounceSpeech(turn.onset_ms)]
    return turn, []
