"""The state of whose turn it is, and the rules that the client set. What changes it: `turn.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from realtime.core.stopped_reply import StoppedReply


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
    explained_ms: float = 0.0  # of it that are no interruption: backchannels, sound without words
    hummed: bool = False  # the newest text of it is a hum: perhaps the reply's own echo
    unread_ms: float = 0.0  # speech of the same item before a pause, not read yet
    follows: bool = False  # it goes on with speech of the same item, which its text has, too
    ended_ms: float = 0.0  # position, while JUDGING; then, of the same item, where the last speech has ended
    item_id: str | None = None  # of the speech: the item it will be, or is
    unread: frozenset[str] = frozenset()  # earlier items whose text is still to come
    owed: frozenset[str] = frozenset()  # items with words that have had no answer because the user went on
    asked: bool = False  # the client wants a response that waits for the end of the one that sounds
    untold_id: str | None = None  # the reply whose tools gave something, which nobody has told yet
    beside: bool = False  # the last reply began in the middle of announced speech, which it cannot answer
    announced: bool = False  # while JUDGING: the client knows of the speech, which began before the reply
    heard: bool = False  # something of what answers the user has been heard
    before_answer: bool = False  # the speech began when nothing of it had been
    ducked_id: str | None = None  # the reply that is played more quietly, while somebody may be interrupting
    # Where the last replies came back that had been lowered for nothing
    came_back_ms: tuple[float, ...] = ()
    stops: bool = False  # while SPEAKING: it is this speech that has stopped a reply
    stopped: StoppedReply | None = None  # the last reply, until it is known whether it was stopped rightly

    @property
    def replying(self) -> bool:
        """A reply is being generated or may still be sounding."""
        return self.response_id is not None or self.playing_id is not None

    @property
    def at_ms(self) -> float:
        """The position in the audio, as far as speech tells it."""
        return max(self.onset_ms + self.speech_ms, self.ended_ms)

    def silenced(self) -> Turn:
        """The same replies, and what is known about earlier items, with nobody speaking."""
        return Turn(
            response_id=self.response_id,
            playing_id=self.playing_id,
            unread=self.unread,
            owed=self.owed,
            asked=self.asked,
            untold_id=self.untold_id,
            heard=self.heard,
            stopped=self.stopped,
            came_back_ms=self.came_back_ms,
        )
