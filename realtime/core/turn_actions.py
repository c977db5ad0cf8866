"""What the rules of turns want done. `turn.py` decides it, the session does it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AnnounceSpeech:
    """Tell the client that the user speaks, since `onset_ms`. With a reply around, this silences it, and is told once
    more of speech that began before that reply. `known`: it is told already, and there is nothing to silence."""

    onset_ms: float
    known: bool = False


@dataclass(frozen=True, slots=True)
class StopReply:
    """Cancel the reply being generated. `keep_chat`: the chat model may write on, unseen, until it is known whether the
    interruption says anything."""

    response_id: str
    keep_chat: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class CutPlayback:
    """A finished reply that may still be playing was interrupted: history keeps what was heard."""

    response_id: str


@dataclass(frozen=True, slots=True)
class DuckReply:
    """Somebody may be interrupting: play the reply more quietly (`down`); or as loud as before."""

    response_id: str
    down: bool


@dataclass(frozen=True, slots=True)
class StopChat:
    """It was an interruption: the chat model, if it still writes the stopped reply, need not go on."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ResumeReply:
    """It was none: say what nobody has heard of the stopped reply. `ReplyBegan` or `NothingToResume` must follow."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ReadSpeech:
    """Find out what this speech says, which has ended: `SpeechRead` must follow. It is kept until it is decided."""

    item_id: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class CommitSpeech:
    """The user's turn is over: make this item of it."""

    item_id: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class StartReply:
    """Answer."""


@dataclass(frozen=True, slots=True)
class StartAsked:
    """Begin the response that the client has asked for. `ReplyBegan` must follow."""


@dataclass(frozen=True, slots=True)
class DropAsked:
    """It does not come: words have interrupted, which are answered instead; or the client wants it no more."""

    by_client: bool


@dataclass(frozen=True, slots=True)
class ContinueReply:
    """Ask the model again, in the same turn of the user."""

    response_id: str


@dataclass(frozen=True, slots=True)
class AnswerEarly:
    """Begin the answer to this text, unseen."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeakAhead:
    """Let the voice begin with the early answer, unheard."""


@dataclass(frozen=True, slots=True)
class HoldVoice:
    """Do not let it begin any more, until `SpeakAhead` comes again."""


@dataclass(frozen=True, slots=True)
class DropEarlyAnswer:
    """Nobody asks what it answers."""


@dataclass(frozen=True, slots=True)
class DropSpeech:
    """It was nothing: discard it, say nothing."""


Action = (
    AnnounceSpeech
    | StopReply
    | CutPlayback
    | DuckReply
    | StopChat
    | ResumeReply
    | ReadSpeech
    | CommitSpeech
    | StartReply
    | StartAsked
    | DropAsked
    | ContinueReply
    | AnswerEarly
    | SpeakAhead
    | HoldVoice
    | DropEarlyAnswer
    | DropSpeech
)
