"""Speech over an answer, until it is an interruption or is known to be none: a part of the rules of `turn.py`.

By what text and by how much sound: `interruption.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

from realtime.core.characters import HANGUL, UNSPACED
from realtime.core.interruption import (
    CONSIDER_WHOLE_MS,
    DUCK_REST_MS,
    explained_by,
    has_words,
    is_agreement,
    is_certain,
    may_duck,
)
from realtime.core.short_words import is_hum
from realtime.core.stopped_reply import StoppedReply, is_meant
from realtime.core.turn_actions import (
    Action,
    AnnounceSpeech,
    CommitSpeech,
    CutPlayback,
    DropSpeech,
    ReadSpeech,
    StopReply,
)
from realtime.core.turn_answers import settled
from realtime.core.turn_events import (
    InterimText,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    TurnEvent,
    VoiceStopped,
)
from realtime.core.turn_state import Phase, Turn, TurnRules

# A word with the marks after it; a character where words have no blanks between them
_MARKS = r".,!?;。，！？、；…"
_PIECE = re.compile(rf"(?:[{UNSPACED}{HANGUL}]|[^\s{_MARKS}{UNSPACED}{HANGUL}]+)[{_MARKS}]*\s*")
MOST_PIECES = 12  # of a murmur: "yeah, yeah, okay, I see"


def over_answer(turn: Turn, event: TurnEvent, rules: TurnRules) -> tuple[Turn, list[Action]] | None:
    """What news of the speech means while it is TENTATIVE or JUDGING; None: it is of something else."""
    match turn.phase, event:
        case Phase.TENTATIVE, SpeechGrew(speech_ms, text_comes):
            grown = replace(turn, speech_ms=speech_ms)
            if is_certain(speech_ms, turn.explained_ms, reads=rules.reads, text_comes=text_comes):
                return _interrupt(grown, rules, words=False)
            ducks = may_duck(speech_ms, turn.explained_ms, grown.at_ms, turn.came_back_ms)
            if rules.interrupt_response and (turn.ducked_id or ducks):
                grown = replace(grown, ducked_id=turn.ducked_id or turn.response_id or turn.playing_id)
            return grown, []
        case Phase.TENTATIVE, InterimText(read, covered_ms, _, sure, guess, murmur, earlier=True):
            text, heard_ms = _counts_as(turn, read, murmur), covered_ms or 0.0
            words = _has_words(turn, text, heard_ms, whole=False, sure=sure, guess=guess)
            return _interrupt(turn, rules, words=is_meant(text, sure=sure)) if words else (turn, [])
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
        case Phase.TENTATIVE | Phase.JUDGING, SpeechRead(item_id, read, sure, murmur, at_ms) if (
            item_id == turn.item_id and at_ms in (None, turn.ended_ms)
        ):
            return _read(turn, _counts_as(turn, read, murmur), rules, sure=sure)
    return None


def _counts_as(turn: Turn, text: str, murmur: str | None) -> str:
    """What was read; while an answer is heard, what may as well be a murmur is one. Of two sounds that are read as one,
    murmurs at the beginning are the first one, and what counts is said after them: "Mm-hmm. Stop." is a command."""
    if murmur and turn.replying and not turn.before_answer:
        return murmur
    if not turn.follows:
        return text
    if is_agreement(text, before_answer=turn.before_answer):
        return text  # also a "yes" before a hum, which may be an answer by now
    ends = [piece.end() for piece in islice(_PIECE.finditer(text), MOST_PIECES)]
    for end in reversed(ends):
        if end < len(text) and is_agreement(text[:end], before_answer=turn.before_answer):
            return text[end:]
    return text


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
        return _committed(turn, rules, text) if turn.announced else _dropped(turn, rules)
    spoken, actions = _interrupt(turn, rules, words=sure)
    return replace(spoken, phase=Phase.CONFIRMING), [*actions, CommitSpeech(turn.item_id, turn.ended_ms)]


def _dropped(turn: Turn, rules: TurnRules) -> tuple[Turn, list[Action]]:
    after, actions = settled(replace(turn, came_back_ms=_rest_goes_on(turn)), rules)
    return after, [DropSpeech(), *actions]


def _committed(turn: Turn, rules: TurnRules, text: str) -> tuple[Turn, list[Action]]:
    """The client knows of this speech, so an item follows, though it interrupts nothing."""
    item_id = turn.item_id or ""
    commit = CommitSpeech(item_id, turn.ended_ms)
    if not turn.replying:
        return replace(turn, phase=Phase.CONFIRMING, announced=False), [commit]
    if not text.strip():  # perhaps it could not be read, and its item can
        turn = replace(turn, unread=turn.unread | {item_id})
    after, actions = settled(turn, rules)
    return after, [commit, *actions]


def _rest_goes_on(turn: Turn) -> tuple[float, ...]:
    """Where replies came back: a sound that begins soon after that, and is nothing either, is more of that noise."""
    *before_ms, last_ms = turn.came_back_ms or (-DUCK_REST_MS,)
    if turn.onset_ms - last_ms >= DUCK_REST_MS:
        return turn.came_back_ms
    return (*before_ms, max(last_ms, turn.at_ms))


def _interrupt(turn: Turn, rules: TurnRules, *, words: bool) -> tuple[Turn, list[Action]]:
    """The speech is real. Announce it, and silence the reply if the client wants that. `words`: some are certain."""
    silences = rules.interrupt_response and turn.heard and turn.replying
    announce: list[Action] = [AnnounceSpeech(turn.onset_ms, known=turn.announced and not silences)]
    heard = turn.heard and not rules.interrupt_response
    speaking = replace(turn, phase=Phase.SPEAKING, heard=heard, announced=False)
    if not rules.interrupt_response:
        return speaking, announce
    reply_id = turn.response_id or turn.playing_id
    if reply_id is not None and rules.reads and rules.create_response:
        keeps_chat = turn.response_id is not None and not words
        stopped = StoppedReply(reply_id, turn.heard, turn.before_answer, keeps_chat)
        speaking = replace(speaking, stopped=stopped, stops=True)
    if turn.response_id is not None:
        keep_chat = speaking.stopped is not None and speaking.stopped.keeps_chat
        return replace(speaking, playing_id=None), [*announce, StopReply(turn.response_id, keep_chat)]
    if turn.playing_id is not None:
        return replace(speaking, playing_id=None), [*announce, CutPlayback(turn.playing_id)]
    return speaking, announce
