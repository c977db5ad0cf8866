"""Whose turn it is: one pure function from (state, event) to (state, actions).

    silent ──speech──▶ speaking ──pause long enough──▶ confirming ──transcript──▶ silent + StartReply
       │                                                   │ speech: speaking again, the item stays unanswered
       └─speech while a reply is heard──▶ tentative ──confirmed──▶ speaking + StopReply
                                              └─────not confirmed──▶ silent; the wire never hears of it

A reply is heard from its first event to the end of its playback, which outlasts its generation. `speech_started`
makes clients throw their audio away, so while a reply is heard it waits until the interruption is certain
(docs/architecture.md 2.5): a long stretch of speech is, a short one only with a word that is more than a murmur.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

CONFIRM_MS = 600.0  # this much speech is an interruption whatever was said
CONSIDER_MS = 250.0  # less than this never is

BACKCHANNELS = frozenset(
    "mhm mm mmm hm hmm hmmm uh uhhuh huh um ah aha oh ooh ok okay yeah yep yup yes right sure "
    "嗯 嗯嗯 哦 噢 啊 对 对对 好 好的 是 是的 行 うん はい ええ そう 응 네 예".split()
)


class Phase(Enum):
    """What the user is doing, as far as we have said or decided."""

    SILENT = auto()
    TENTATIVE = auto()  # speech while a reply is heard, not announced yet
    SPEAKING = auto()  # announced
    CONFIRMING = auto()  # committed, waiting for the transcript


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What the session asked for (wire: `turn_detection`)."""

    create_response: bool = True
    interrupt_response: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """The state. `response_id` is the reply being generated, `playing_id` the one still playing."""

    phase: Phase = Phase.SILENT
    response_id: str | None = None
    playing_id: str | None = None
    onset_ms: float = 0.0
    speech_ms: float = 0.0
    item_id: str | None = None  # of the speech: the item it will be, or is

    @property
    def replying(self) -> bool:
        """A reply is being generated or may still be sounding."""
        return self.response_id is not None or self.playing_id is not None


# -- what happens ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    onset_ms: float  # position in all audio received
    item_id: str  # of the user item that it will be


@dataclass(frozen=True, slots=True)
class SpeechGrew:
    speech_ms: float  # how much speech so far


@dataclass(frozen=True, slots=True)
class InterimText:
    text: str


@dataclass(frozen=True, slots=True)
class WholeTextSupposed:
    """The user may have said this and no more; "": has not."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The silence after speech was long enough, or the speech too short to be any."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class SpeechDiscarded:
    """The client cleared or committed the buffer itself."""


@dataclass(frozen=True, slots=True)
class TranscriptKnown:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    response_id: str


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """`audible`: its audio may still be playing. `to_continue`: tools of the server have answered its calls, and the
    model has yet to say what comes of that."""

    response_id: str
    audible: bool
    to_continue: bool = False


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    response_id: str


TurnEvent = (
    SpeechBegan
    | SpeechGrew
    | InterimText
    | WholeTextSupposed
    | SpeechEnded
    | SpeechDiscarded
    | TranscriptKnown
    | TranscriptFailed
    | ReplyBegan
    | ReplyEnded
    | PlaybackEnded
)


# -- what to do -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnnounceSpeech:
    """Tell the client that the user speaks, since `onset_ms`. With a reply around, this silences it."""

    onset_ms: float


@dataclass(frozen=True, slots=True)
class StopReply:
    """Cancel the reply being generated."""

    response_id: str


@dataclass(frozen=True, slots=True)
class CutPlayback:
    """A finished reply that may still be playing was interrupted: history keeps what was heard."""

    response_id: str


@dataclass(frozen=True, slots=True)
class CommitSpeech:
    """The user's turn is over: make this item of it."""

    item_id: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class StartReply:
    """Answer."""


@dataclass(frozen=True, slots=True)
class ContinueReply:
    """Ask the model again, in the same turn of the user."""

    response_id: str


@dataclass(frozen=True, slots=True)
class AnswerEarly:
    """Begin the answer to this text, unseen."""

    text: str


@dataclass(frozen=True, slots=True)
class DropEarlyAnswer:
    """Nobody asks what it answers."""


@dataclass(frozen=True, slots=True)
class DropSpeech:
    """It was nothing: forget it, say nothing."""


Action = (
    AnnounceSpeech
    | StopReply
    | CutPlayback
    | CommitSpeech
    | StartReply
    | ContinueReply
    | AnswerEarly
    | DropEarlyAnswer
    | DropSpeech
)


def is_backchannel(text: str) -> bool:
    """Whether the text holds nothing but murmurs of a listener ("mhm", "yeah", "嗯")."""
    words = re.findall(r"[^\W_]+", text.lower().replace("-", "").replace("'", ""))
    return all(word in BACKCHANNELS for word in words)


def step(turn: Turn, event: TurnEvent, rules: TurnRules = TurnRules()) -> tuple[Turn, list[Action]]:
    """The next state and what to do about it. Late news of an old reply or item changes nothing."""
    match turn.phase, event:
        case Phase.SILENT | Phase.CONFIRMING, SpeechBegan(onset_ms, item_id):
            begun = replace(turn, onset_ms=onset_ms, speech_ms=0.0, item_id=item_id)
            if turn.replying:
                return replace(begun, phase=Phase.TENTATIVE), []
            return replace(begun, phase=Phase.SPEAKING), [AnnounceSpeech(onset_ms)]

        case Phase.TENTATIVE, SpeechGrew(speech_ms):
            grown = replace(turn, speech_ms=speech_ms)
            return _interrupt(grown, rules) if speech_ms >= CONFIRM_MS else (grown, [])
        case Phase.TENTATIVE, InterimText(text):
            if turn.speech_ms >= CONSIDER_MS and not is_backchannel(text):
                return _interrupt(turn, rules)
            return turn, []
        case Phase.TENTATIVE, SpeechEnded():
            return _silent(turn), [DropSpeech()]

        case Phase.SPEAKING, WholeTextSupposed(text) if text.strip():
            wanted = rules.create_response and turn.response_id is None
            return turn, [AnswerEarly(text)] if wanted else []
        case _, WholeTextSupposed():
            return turn, [DropEarlyAnswer()]

        case Phase.SPEAKING, SpeechEnded(at_ms) if turn.item_id is not None:
            return replace(turn, phase=Phase.CONFIRMING), [CommitSpeech(turn.item_id, at_ms)]
        case Phase.SPEAKING | Phase.TENTATIVE, SpeechDiscarded():
            return _silent(turn), []

        case Phase.CONFIRMING, TranscriptKnown(item_id, text) if item_id == turn.item_id:
            wanted = bool(text.strip()) and rules.create_response and turn.response_id is None
            return _silent(turn), [StartReply()] if wanted else []
        case Phase.CONFIRMING, TranscriptFailed(item_id) if item_id == turn.item_id:
            return _silent(turn), []

        case _, ReplyBegan(response_id):
            return replace(turn, response_id=response_id, playing_id=None), []
        case _, ReplyEnded(response_id, audible, to_continue) if response_id == turn.response_id:
            if to_continue and turn.phase not in (Phase.SPEAKING, Phase.CONFIRMING):
                return replace(turn, response_id=None), [ContinueReply(response_id)]
            ended = replace(turn, response_id=None, playing_id=response_id if audible else None)
            return _unheard(ended)
        case _, PlaybackEnded(response_id) if response_id == turn.playing_id:
            return _unheard(replace(turn, playing_id=None))
    return turn, []


def _silent(turn: Turn) -> Turn:
    return replace(turn, phase=Phase.SILENT, item_id=None)


def _interrupt(turn: Turn, rules: TurnRules) -> tuple[Turn, list[Action]]:
    """The speech is real. Announce it, and silence the reply if the client wants interruptions."""
    speaking = replace(turn, phase=Phase.SPEAKING)
    announce: list[Action] = [AnnounceSpeech(turn.onset_ms)]
    if not rules.interrupt_response:
        return speaking, announce
    if turn.response_id is not None:
        return replace(speaking, playing_id=None), [*announce, StopReply(turn.response_id)]
    if turn.playing_id is not None:
        return replace(speaking, playing_id=None), [*announce, CutPlayback(turn.playing_id)]
    return speaking, announce


def _unheard(turn: Turn) -> tuple[Turn, list[Action]]:
    """Nothing sounds any more: speech that was under suspicion needs no further proof."""
    if turn.phase is Phase.TENTATIVE and not turn.replying:
        return replace(turn, phase=Phase.SPEAKING), [AnnounceSpeech(turn.onset_ms)]
    return turn, []
