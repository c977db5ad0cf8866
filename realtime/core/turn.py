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
stopped, by a long noise say, goes on if no words were said since (`stopped_reply.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from realtime.core.interruption import (
    CONSIDER_WHOLE_MS,
    DUCK_REST_MS,
    MOST_DUCKS,
    explained_by,
    has_words,
    is_certain,
    may_duck,
)
from realtime.core.short_words import is_hum
from realtime.core.stopped_reply import StoppedReply, is_meant
from realtime.core.turn_actions import (
    Action,
    AnnounceSpeech,
    AnswerEarly,
    CommitSpeech,
    ContinueReply,
    CutPlayback,
    DropEarlyAnswer,
    DropSpeech,
    DuckReply,
    HoldVoice,
    ReadSpeech,
    ResumeReply,
    SpeakAhead,
    StartReply,
    StopChat,
    StopReply,
)
from realtime.core.turn_events import (
    InterimText,
    LikelyOver,
    NothingToResume,
    PauseEnded,
    PlaybackEnded,
    ReplyBegan,
    ReplyEnded,
    ReplyHeard,
    ReplyUnwanted,
    SpeechBegan,
    SpeechDiscarded,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    TranscriptFailed,
    TranscriptKnown,
    TurnEvent,
    VoiceStopped,
    WholeTextSupposed,
)

__all__ = [  # with its events and actions this is the whole vocabulary of turns
    "Action",
    "AnnounceSpeech",
    "AnswerEarly",
    "CommitSpeech",
    "ContinueReply",
    "CutPlayback",
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
    "ReplyEnded",
    "ReplyHeard",
    "ReplyUnwanted",
    "ResumeReply",
    "SpeakAhead",
    "SpeechBegan",
    "SpeechDiscarded",
    "SpeechEnded",
    "SpeechGrew",
    "SpeechRead",
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


class Phase(Enum):
    """What the user is doing, as far as we have said or decided."""

    SILENT = auto()
    TENTATIVE = auto()  # speech while a reply is heard, not announced yet
    JUDGING = auto()  # the same, and it has ended: what it says decides
    SPEAKING = auto()  # announced
    CONFIRMING = auto()  # committed, waiting for the transcript


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What the session asked for (wire: `turn_detection`). `reads`: a transcriber can tell what short speech says."""

    create_response: bool = True
    interrupt_response: bool = True
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """The state. `response_id` is the reply being generated, `playing_id` the one still playing."""

    phase: Phase = Phase.SILENT
    response_id: str | None = None
    playing_id: str | None = None
    onset_ms: float = 0.0
    speech_ms: float = 0.0
    explained_ms: float = 0.0  # of it that are known to be backchannels
    hummed: bool = False  # the newest text of it is a hum: perhaps the reply's own echo
    unread_ms: float = 0.0  # speech of the same item before a pause, not read yet
    ended_ms: float = 0.0  # position, while JUDGING
    item_id: str | None = None  # of the speech: the item it will be, or is
    unread: frozenset[str] = frozenset()  # earlier items whose text is still to come
    # What has had no answer because the user went on: items, results of tools.
    owed: frozenset[str] = frozenset()
    beside: bool = False  # the reply being generated began in the middle of speech, which it cannot answer
    heard: bool = False  # something of what answers the user has been heard
    before_answer: bool = False  # the speech began when nothing of it had been
    ducked_id: str | None = None  # the reply that is played more quietly, while somebody may be interrupting
    # Where the last replies came back that had been lowered for nothing
    came_back_ms: tuple[float, ...] = ()
    stopped: StoppedReply | None = None  # the last reply, until it is known whether it was stopped rightly

    @property
    def replying(self) -> bool:
        """A reply is being generated or may still be sounding."""
        return self.response_id is not None or self.playing_id is not None

    @property
    def at_ms(self) -> float:
        """The position in the audio, as far as speech tells it."""
        return max(self.onset_ms + self.speech_ms, self.ended_ms)


def step(turn: Turn, event: TurnEvent, rules: TurnRules = TurnRules()) -> tuple[Turn, list[Action]]:
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
    match turn.phase, event:
        case Phase.SILENT | Phase.CONFIRMING | Phase.JUDGING, SpeechBegan(onset_ms, item_id):
            unread_ms = turn.unread_ms if item_id == turn.item_id else 0.0
            begun = replace(_silent(turn), onset_ms=onset_ms, item_id=item_id, unread_ms=unread_ms)
            if turn.phase is Phase.CONFIRMING and turn.item_id is not None:
                begun = replace(begun, unread=turn.unread | {turn.item_id})
            if turn.replying:
                continued = turn.phase is Phase.JUDGING and turn.before_answer
                before_answer = continued or not turn.heard
                ducked_id = turn.ducked_id  # while a short word is still being judged
                return replace(
                    begun, phase=Phase.TENTATIVE, before_answer=before_answer, ducked_id=ducked_id
                ), []
            return replace(begun, phase=Phase.SPEAKING, heard=False), [AnnounceSpeech(onset_ms)]

        case Phase.TENTATIVE, SpeechGrew(speech_ms, text_comes):
            grown = replace(turn, speech_ms=speech_ms)
            if is_certain(speech_ms, turn.explained_ms, reads=rules.reads, text_comes=text_comes):
                return _interrupt(grown, rules, words=False)
            ducks = may_duck(speech_ms, turn.explained_ms, grown.at_ms, turn.came_back_ms)
            if rules.interrupt_response and (turn.ducked_id or ducks):
                grown = replace(grown, ducked_id=turn.ducked_id or turn.response_id or turn.playing_id)
            return grown, []
        case Phase.TENTATIVE, InterimText(read, covered_ms, whole, sure, guess, murmur):
            text = _counts_as(turn, read, murmur)
            answers = turn.hummed and not turn.replying and bool(text.strip()) and not is_hum(text)
            if answers or _has_words(turn, text, turn.speech_ms, whole=whole, sure=sure, guess=guess):
                return _interrupt(turn, rules, words=is_meant(text, sure=sure))
            covered_ms = turn.speech_ms if covered_ms is None else covered_ms
            explained_ms = explained_by(text, covered_ms, before_answer=turn.before_answer)
            known = whole or (bool(text.strip()) and explained_ms > 0)  # it is no interruption so far
            ducked_id = None if known else turn.ducked_id
            explained_ms = max(turn.explained_ms, explained_ms)
            hummed = is_hum(text) if text.strip() else turn.hummed
            return replace(turn, explained_ms=explained_ms, hummed=hummed, ducked_id=ducked_id), []
        case Phase.TENTATIVE | Phase.JUDGING, VoiceStopped():
            return replace(turn, ducked_id=None), []
        case Phase.TENTATIVE, SpeechEnded(at_ms):
            return _judge(turn, at_ms, rules)
        case Phase.TENTATIVE | Phase.JUDGING, SpeechRead(item_id, read, sure, murmur) if (
            item_id == turn.item_id
        ):
            return _read(turn, _counts_as(turn, read, murmur), rules, sure=sure)

        case Phase.SPEAKING, InterimText(text, _, _, sure) if turn.stopped is not None:
            meant = is_meant(text, sure=sure) and not turn.stopped.agrees(text)
            keeps_chat = turn.stopped.keeps_chat and not meant
            return replace(turn, stopped=replace(turn.stopped, keeps_chat=keeps_chat)), []
        case Phase.SPEAKING, WholeTextSupposed(text) if text.strip():
            wanted = rules.create_response and turn.response_id is None
            wanted = wanted and (turn.stopped is None or not turn.stopped.agrees(text))
            return turn, [AnswerEarly(text)] if wanted else []
        case _, WholeTextSupposed():
            return turn, [DropEarlyAnswer()]

        case Phase.SPEAKING, LikelyOver():
            return turn, [SpeakAhead()]
        case Phase.SPEAKING, PauseEnded():
            return turn, [HoldVoice()]
        case Phase.SPEAKING, SpeechEnded(at_ms) if turn.item_id is not None:
            return replace(turn, phase=Phase.CONFIRMING), [CommitSpeech(turn.item_id, at_ms)]
        case Phase.SPEAKING | Phase.TENTATIVE | Phase.JUDGING, SpeechDiscarded(answers):
            left = replace(_silent(turn), stopped=None)
            if answers:
                return _settled(left, rules)
            return replace(left, unread=frozenset(), owed=frozenset()), []

        case _, TranscriptKnown(item_id, text):
            return _told(turn, item_id, rules, text)
        case _, TranscriptFailed(item_id):
            return _told(turn, item_id, rules, None)
    return _of_reply(turn, event, rules)


def _of_reply(turn: Turn, event: TurnEvent, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """The same for what happens to replies."""
    match event:
        case ReplyBegan(response_id, continues):
            # It answers all that was said so far, and waits for the texts
            heard = turn.heard and (continues or turn.playing_id is not None)
            heard = heard or (continues and turn.stopped is not None and turn.stopped.heard)
            begun = replace(turn, unread=frozenset(), owed=frozenset(), heard=heard, stopped=None)
            beside = turn.phase is Phase.SPEAKING
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
            return _unheard(replace(ended, beside=False))
        case PlaybackEnded(response_id) if response_id == turn.playing_id:
            return _unheard(replace(turn, playing_id=None))

        case ReplyUnwanted():
            return replace(turn, stopped=None), []
        case NothingToResume(unanswered) if turn.stopped is not None:
            wanted = (unanswered or turn.stopped.agreed) and turn.phase is Phase.SILENT
            return replace(turn, stopped=None), [StartReply()] if wanted and rules.create_response else []
    return turn, []


def _silent(turn: Turn) -> Turn:
    kept = Turn(response_id=turn.response_id, playing_id=turn.playing_id, unread=turn.unread, owed=turn.owed)
    return replace(
        kept, beside=turn.beside, heard=turn.heard, stopped=turn.stopped, came_back_ms=turn.came_back_ms
    )


def _told(turn: Turn, item_id: str, rules: TurnRules, text: str | None) -> tuple[Turn, list[Action]]:
    """All is known about this item: it may be what was asked, or a noise after that. None: it has no text."""
    current = turn.phase is Phase.CONFIRMING and item_id == turn.item_id
    if not current and item_id not in turn.unread | turn.owed:
        return turn, []
    stopped = turn.stopped.told(text) if turn.stopped is not None else None
    asks = bool(text and text.strip()) and stopped is None
    owed = turn.owed | {item_id} if asks else turn.owed - {item_id}
    told = replace(turn, unread=turn.unread - {item_id}, owed=owed, stopped=stopped)
    return _settled(told, rules) if current or turn.phase is Phase.SILENT else (told, [])


def _settled(turn: Turn, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """Nobody speaks any more: answer what was said, if there were words; else go on with what was stopped.

    A reply that began in the middle of it, to a typed message say, is interrupted by it, or answers first."""
    settled = replace(_silent(turn), owed=frozenset())
    if not rules.create_response or (turn.response_id is not None and not (turn.beside and turn.owed)):
        return settled, []
    if turn.response_id is not None:
        if not rules.interrupt_response:
            return replace(settled, owed=turn.owed), []
        return replace(settled, beside=False), [StopReply(turn.response_id), StartReply()]
    if turn.owed:
        return settled, [StartReply()]
    if turn.stopped is not None and not turn.unread:
        return settled, [ResumeReply(turn.stopped.response_id)]
    return settled, []


def _counts_as(turn: Turn, text: str, murmur: str | None) -> str:
    """What was read; while an answer is heard, what may as well be a murmur is one."""
    return murmur if murmur and turn.replying and not turn.before_answer else text


def _has_words(
    turn: Turn, text: str, speech_ms: float, *, whole: bool, sure: bool, guess: bool = False
) -> bool:
    return has_words(text, speech_ms, whole=whole, sure=sure, guess=guess, before_answer=turn.before_answer)


def _judge(turn: Turn, at_ms: float, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """The speech has ended before it was an interruption: discard it, or find out what it says."""
    unread_ms = max(turn.unread_ms, 0.0 if turn.explained_ms >= turn.speech_ms else turn.speech_ms)
    if not rules.reads or unread_ms < CONSIDER_WHOLE_MS or turn.item_id is None:
        return _dropped(turn, rules)
    judging = replace(turn, phase=Phase.JUDGING, unread_ms=unread_ms, ended_ms=at_ms)
    return judging, [ReadSpeech(turn.item_id, at_ms)]


def _read(turn: Turn, text: str, rules: TurnRules, *, sure: bool) -> tuple[Turn, list[Action]]:
    """It is known what the speech says that had ended; perhaps more has begun by now."""
    words = _has_words(turn, text, turn.unread_ms, whole=True, sure=sure)
    if turn.phase is Phase.TENTATIVE:
        return _interrupt(turn, rules, words=sure) if words else (replace(turn, unread_ms=0.0), [])
    answers = not turn.replying and not is_hum(text)  # nothing sounds any more: this "yes" was for us
    if not (words or answers) or turn.item_id is None:
        return _dropped(turn, rules)
    spoken, actions = _interrupt(turn, rules, words=sure)
    return replace(spoken, phase=Phase.CONFIRMING), [*actions, CommitSpeech(turn.item_id, turn.ended_ms)]


def _dropped(turn: Turn, rules: TurnRules) -> tuple[Turn, list[Action]]:
    settled, actions = _settled(replace(turn, came_back_ms=_rest_goes_on(turn)), rules)
    return settled, [DropSpeech(), *actions]


def _rest_goes_on(turn: Turn) -> tuple[float, ...]:
    """Where replies came back: a sound that begins soon after that, and is nothing either, is more of that noise."""
    *before_ms, last_ms = turn.came_back_ms or (-DUCK_REST_MS,)
    if turn.onset_ms - last_ms >= DUCK_REST_MS:
        return turn.came_back_ms
    return (*before_ms, max(last_ms, turn.at_ms))


def _interrupt(turn: Turn, rules: TurnRules, *, words: bool) -> tuple[Turn, list[Action]]:
    """The speech is real. Announce it, and silence the reply if the client wants that. `words`: some are certain."""
    speaking = replace(turn, phase=Phase.SPEAKING, heard=turn.heard and not rules.interrupt_response)
    announce: list[Action] = [AnnounceSpeech(turn.onset_ms)]
    if not rules.interrupt_response:
        return speaking, announce
    reply_id = turn.response_id or turn.playing_id
    if reply_id is not None and rules.reads and rules.create_response:
        keeps_chat = turn.response_id is not None and not words
        stopped = StoppedReply(reply_id, turn.heard, turn.before_answer, keeps_chat)
        speaking = replace(speaking, stopped=stopped)
    if turn.response_id is not None:
        keep_chat = speaking.stopped is not None and speaking.stopped.keeps_chat
        return replace(speaking, playing_id=None), [*announce, StopReply(turn.response_id, keep_chat)]
    if turn.playing_id is not None:
        return replace(speaking, playing_id=None), [*announce, CutPlayback(turn.playing_id)]
    return speaking, announce


def _unheard(turn: Turn) -> tuple[Turn, list[Action]]:
    """Nothing sounds any more: speech that was under suspicion needs no further proof, unless it is a hum so far."""
    if turn.phase is Phase.TENTATIVE and not turn.replying and not turn.hummed:
        return replace(turn, phase=Phase.SPEAKING, heard=False), [AnnounceSpeech(turn.onset_ms)]
    return turn, []
