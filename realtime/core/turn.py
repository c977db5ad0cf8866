"""Whose turn it is: one pure function from (state, event) to (state, actions).

    silent ──speech──▶ speaking ──pause long enough──▶ confirming ──transcript──▶ silent + StartReply
       │                                                   │ speech: speaking again, the item stays unanswered
       └─speech while a reply is heard──▶ tentative ──confirmed──▶ speaking + StopReply ··no words··▶ ResumeReply
                                              ├─ended, not read yet─▶ judging ──words──▶ confirming + StopReply
                                              │                          └─none──▶ silent
                                              └─────not confirmed──▶ silent; the wire never hears of it

A reply is there from its first event to the end of its playback, which outlasts its generation. `speech_started`
makes clients throw their audio away, so while a reply is there it waits until the interruption is certain
(docs/architecture.md 2.5): a long stretch of speech is, a short one only with a word that is no backchannel. Before
anything of the reply was heard nobody can listen to it: a "yes" then is more of the user's turn. A reply that was
stopped, by a long noise say, goes on if no words were said since (`stopped_reply.py`). A reply that begins while
somebody speaks sounds until that speech ends, which is judged then, too. Rules in two parts of their own: speech over
an answer (`turn_interruptions.py`), when what was said is answered (`turn_answers.py`).
"""

from __future__ import annotations

from dataclasses import replace

from realtime.core.interruption import MOST_DUCKS
from realtime.core.stopped_reply import is_meant
from realtime.core.turn_actions import (
    Action,
    AnnounceSpeech,
    AnswerEarly,
    CommitSpeech,
    ContinueReply,
    CutPlayback,
    DropAsked,
    DropEarlyAnswer,
    DropSpeech,
    DuckReply,
    HoldVoice,
    ReadSpeech,
    ResumeReply,
    SpeakAhead,
    StartAsked,
    StartReply,
    StopChat,
    StopReply,
)
from realtime.core.turn_answers import asked, of_reply, settled, told
from realtime.core.turn_events import (
    AskedUnwanted,
    DetectionEnded,
    InterimText,
    LikelyOver,
    NothingToResume,
    PauseEnded,
    PlaybackEnded,
    ReplyBegan,
    ReplyCutShort,
    ReplyEnded,
    ReplyHeard,
    ReplyUnwanted,
    ResponseAsked,
    SpeechBegan,
    SpeechCleared,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    TranscriptFailed,
    TranscriptKnown,
    TurnEvent,
    VoiceStopped,
    WholeTextSupposed,
)
from realtime.core.turn_interruptions import over_answer
from realtime.core.turn_state import Phase, Turn, TurnRules

__all__ = [  # with its events and actions this is the whole vocabulary of turns
    "Action",
    "AnnounceSpeech",
    "AnswerEarly",
    "AskedUnwanted",
    "CommitSpeech",
    "ContinueReply",
    "CutPlayback",
    "DetectionEnded",
    "DropAsked",
    "DropEarlyAnswer",
    "DropSpeech",
    "DuckReply",
    "HoldVoice",
    "InterimText",
    "LikelyOver",
    "NothingToResume",
    "PauseEnded",
    "Phase",
    "PlaybackEnded",
    "ReadSpeech",
    "ReplyBegan",
    "ReplyCutShort",
    "ReplyEnded",
    "ReplyHeard",
    "ReplyUnwanted",
    "ResponseAsked",
    "ResumeReply",
    "SpeakAhead",
    "SpeechBegan",
    "SpeechCleared",
    "SpeechCommitted",
    "SpeechEnded",
    "SpeechGrew",
    "SpeechRead",
    "StartAsked",
    "StartReply",
    "StopChat",
    "StopReply",
    "TranscriptFailed",
    "TranscriptKnown",
    "Turn",
    "TurnEvent",
    "TurnRules",
    "VoiceStopped",
    "WholeTextSupposed",
    "step",
]

_USUAL = TurnRules()


def step(turn: Turn, event: TurnEvent, rules: TurnRules = _USUAL) -> tuple[Turn, list[Action]]:
    """The next state and what to do about it. Late news of an old reply or item changes nothing."""
    after, actions = _step(turn, event, rules)
    if after.ducked_id is not None and after.phase not in (Phase.TENTATIVE, Phase.JUDGING):
        after = replace(after, ducked_id=None)
    if turn.ducked_id is None and after.ducked_id is not None:
        actions = [*actions, DuckReply(after.ducked_id, down=True)]
    elif turn.ducked_id is not None and after.ducked_id is None:
        actions = [*actions, DuckReply(turn.ducked_id, down=False)]
        if after.phase is not Phase.SPEAKING:
            after = replace(after, came_back_ms=(*turn.came_back_ms, turn.at_ms)[-MOST_DUCKS:])
    kept = turn.stopped
    if kept is None or not kept.keeps_chat or (after.stopped is not None and after.stopped.keeps_chat):
        return after, actions
    return after, [StopChat(kept.response_id), *actions]


def _step(turn: Turn, event: TurnEvent, rules: TurnRules) -> tuple[Turn, list[Action]]:
    match event:
        case SpeechBegan(onset_ms, item_id):
            return _begun(turn, onset_ms, item_id)
        case SpeechCommitted() | SpeechCleared() | DetectionEnded():
            return _taken(turn, event, rules)
        case TranscriptKnown(item_id, text):
            return told(turn, item_id, rules, text)
        case TranscriptFailed(item_id):
            return told(turn, item_id, rules, None)
        case ResponseAsked() | AskedUnwanted():
            return asked(turn, event, rules)
        case WholeTextSupposed(text):
            return turn, _supposed(turn, text, rules)
    match turn.phase:
        case Phase.SPEAKING:
            after = _speaking(turn, event, rules)
        case Phase.TENTATIVE | Phase.JUDGING:
            after = over_answer(turn, event, rules)
        case _:
            after = None
    return after or of_reply(turn, event, rules)


def _begun(turn: Turn, onset_ms: float, item_id: str) -> tuple[Turn, list[Action]]:
    if turn.phase in (Phase.SPEAKING, Phase.TENTATIVE):
        return turn, []
    if turn.announced:  # it was only being judged
        return replace(turn, phase=Phase.SPEAKING, onset_ms=onset_ms, item_id=item_id, announced=False), []
    begun = replace(turn.silenced(), onset_ms=onset_ms, item_id=item_id)
    if item_id == turn.item_id:  # it goes on with what is still being read
        begun = replace(begun, unread_ms=turn.unread_ms, ended_ms=turn.ended_ms, follows=True)
    if turn.phase is Phase.CONFIRMING and turn.item_id is not None:
        begun = replace(begun, unread=turn.unread | {turn.item_id})
    if not turn.replying:
        return replace(begun, phase=Phase.SPEAKING, heard=False), [AnnounceSpeech(onset_ms)]
    continued = turn.phase is Phase.JUDGING and turn.before_answer
    ducked_id = turn.ducked_id  # while a short word is still being judged
    before_answer = continued or not turn.heard
    return replace(begun, phase=Phase.TENTATIVE, before_answer=before_answer, ducked_id=ducked_id), []


def _taken(
    turn: Turn, event: SpeechCommitted | SpeechCleared | DetectionEnded, rules: TurnRules
) -> tuple[Turn, list[Action]]:
    """Open speech is no turn any more: the client has done something with it, or may do so."""
    is_open = turn.phase in (Phase.SPEAKING, Phase.TENTATIVE, Phase.JUDGING)
    match event:
        case DetectionEnded():
            # Nobody will read what has stopped a reply: whether that goes on is for the client to say
            left = replace(turn.silenced(), stopped=None if turn.stops else turn.stopped)
            return settled(left, rules) if is_open else (turn, [])
        case SpeechCleared():
            left = replace(turn.silenced(), stopped=None)
            return settled(left, rules) if is_open else (replace(turn, stopped=None), [])
        case SpeechCommitted():
            if not is_open:
                return replace(turn, stopped=None), []
            # It asks for one answer to all of that
            left = replace(
                turn.silenced(), stopped=None, unread=frozenset(), owed=frozenset(), untold_id=None
            )
            return (left, []) if left.response_id is not None else asked(left, AskedUnwanted(), rules)


def _supposed(turn: Turn, text: str, rules: TurnRules) -> list[Action]:
    """The user may have said this and no more: it is answered early where that can be the next answer."""
    if turn.phase is not Phase.SPEAKING or not text.strip():
        return [DropEarlyAnswer()]
    goes_on = turn.stopped is not None and turn.stopped.agrees(text)
    wanted = rules.create_response and turn.response_id is None and not goes_on
    return [AnswerEarly(text)] if wanted else []


def _speaking(turn: Turn, event: TurnEvent, rules: TurnRules) -> tuple[Turn, list[Action]] | None:
    """News of speech that has been announced; None: it is of something else."""
    match event:
        case InterimText(text, _, _, sure) if turn.stopped is not None:
            meant = is_meant(text, sure=sure) and not turn.stopped.agrees(text)
            keeps_chat = turn.stopped.keeps_chat and not meant
            return replace(turn, stopped=replace(turn.stopped, keeps_chat=keeps_chat)), []
        case LikelyOver():
            return turn, [SpeakAhead()]
        case PauseEnded():
            return turn, [HoldVoice()]
        case SpeechEnded(at_ms) if turn.item_id is not None:
            if turn.beside and turn.replying and rules.interrupt_response and rules.reads:
                length_ms = at_ms - turn.onset_ms
                judged = replace(turn, phase=Phase.JUDGING, announced=True, before_answer=True)
                return replace(judged, unread_ms=length_ms, ended_ms=at_ms), [ReadSpeech(turn.item_id, at_ms)]
            return replace(turn, phase=Phase.CONFIRMING), [CommitSpeech(turn.item_id, at_ms)]
    return None
