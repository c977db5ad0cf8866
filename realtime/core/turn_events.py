"""What happens in a conversation that matters for turns. What it means is decided in `turn.py`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    onset_ms: float  # position in all audio received
    item_id: str  # of the user item that it will be


@dataclass(frozen=True, slots=True)
class SpeechGrew:
    speech_ms: float  # how much speech so far
    text_comes: bool = False  # somebody is reading it


@dataclass(frozen=True, slots=True)
class InterimText:
    """What was said so far, or in the first `speech_ms` of the speech that is open; `whole`: up to a pause, by the best
    decode. `earlier`: of the sound before it, which is read together with it: it may have words, and explains nothing.

    `sure`: the transcriber believes it itself. `guess`: it hardly believes it at all. `murmur`: the backchannel that it
    may as well be."""

    text: str
    speech_ms: float | None = field(default=None, compare=False)
    whole: bool = field(default=False, compare=False)
    sure: bool = field(default=True, compare=False)
    guess: bool = field(default=False, compare=False)
    murmur: str | None = field(default=None, compare=False)
    earlier: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class SpeechRead:
    """What the speech says that `ReadSpeech` asked about; "" if there are no words in it, or nobody can tell. `at_ms`:
    the end that it named; None: the last one. More speech may have ended since then, which this says nothing about."""

    item_id: str
    text: str
    sure: bool = True
    murmur: str | None = None  # the backchannel that it may as well be
    at_ms: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class WholeTextSupposed:
    """The user may have said this and no more; "": has not."""

    text: str


@dataclass(frozen=True, slots=True)
class LikelyOver:
    """The user has been silent for so long that this was likely all; more may come. Told again while it is so."""


@dataclass(frozen=True, slots=True)
class PauseEnded:
    """There is sound again in the same speech: more words, or a noise."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The silence after speech was long enough, or the speech too short to be any."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """For a second the open speech has not grown: a pause, or a microphone that sends nothing any more."""


@dataclass(frozen=True, slots=True)
class SpeechCommitted:
    """The client has made an item of the buffer, open speech included. It asks for answers itself."""


@dataclass(frozen=True, slots=True)
class SpeechCleared:
    """The client has thrown the buffer away, open speech included."""


@dataclass(frozen=True, slots=True)
class DetectionEnded:
    """The client ends the turns from now on: open speech is a matter of its own. What had ended before is not."""


@dataclass(frozen=True, slots=True)
class TranscriptKnown:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    item_id: str


@dataclass(frozen=True, slots=True)
class ReplyBegan:
    """`continues`: it says more in the same turn of the user, after tools. `apart`: it is asked about items of its own,
    so what was said is still to be answered, and what tools gave still to be told."""

    response_id: str
    continues: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True)
class ReplyHeard:
    """The first of it has left for the client: sound, or text where it is only written."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """`audible`: its audio may still be playing. `to_continue`: tools of the server have answered its calls, and the
    model has yet to say what comes of that. `stopped`: before its own end; then nothing is to continue."""

    response_id: str
    audible: bool
    to_continue: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class ResponseAsked:
    """The client wants a response, and of the one in work only the sound is missing: it comes after that."""


@dataclass(frozen=True, slots=True)
class AskedUnwanted:
    """The client has taken that back: it has cancelled, or asked anew."""


@dataclass(frozen=True, slots=True)
class PlaybackEnded:
    response_id: str


@dataclass(frozen=True, slots=True)
class ReplyCutShort:
    """The client has just stopped the last words of a reply that should have been heard by now."""

    response_id: str


@dataclass(frozen=True, slots=True)
class ReplyUnwanted:
    """The client has done something after which a stopped reply must not go on."""


@dataclass(frozen=True, slots=True)
class NothingToResume:
    """Of the stopped reply nothing is left to say."""


TurnEvent = (
    SpeechBegan
    | SpeechGrew
    | InterimText
    | SpeechRead
    | WholeTextSupposed
    | LikelyOver
    | PauseEnded
    | SpeechEnded
    | VoiceStopped
    | SpeechCommitted
    | SpeechCleared
    | DetectionEnded
    | TranscriptKnown
    | TranscriptFailed
    | ReplyBegan
    | ReplyHeard
    | ReplyEnded
    | ResponseAsked
    | AskedUnwanted
    | PlaybackEnded
    | ReplyCutShort
    | ReplyUnwanted
    | NothingToResume
)
