"""What another server needs to go on with a session: a record, and the position in it, which changes all the time.

Pure: values and their JSON. A record says which version wrote it, and the oldest one that can read it: fields that a
version adds have defaults, and fields that it does not know are left out. So this version and the one before it read
each other, and a record of a later one is refused (docs/scale.md). Holds no sound and no credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from realtime.core.spoken import SpokenPart

VERSION = 1
READERS_FROM = 1  # the oldest version that can read what this one writes


class SnapshotError(Exception):
    """It cannot be read: damaged, or of a newer version."""


@dataclass(frozen=True, slots=True)
class SpokenSnapshot:
    """What was said so far, and from which millisecond of the sound on which end of the text was heard: from the middle
    of its word on (`from_ms`), and whole (`whole_ms`)."""

    text: str
    seen: int  # characters at the beginning that can only be seen
    audio_ms: float
    ends: tuple[int, ...] = ()
    from_ms: tuple[float, ...] = ()
    whole_ms: tuple[int, ...] = ()  # (): of a server that did not write it


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """A call of a function. `ours`: the server runs it."""

    item_id: str
    call_id: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class ReplySnapshot:
    """A reply that is not over for its listener. `text` is all that the chat model has given."""

    response_id: str
    created_seq: int  # of its `response.created`; 0: not sent yet
    done_seq: int = 0  # of its `response.done`; 0: not sent yet
    item_id: str | None = None
    text: str = ""
    complete: bool = False  # the model has ended
    spoken: SpokenSnapshot | None = None  # None: it is written
    stream: int = 0  # of its binary frames
    options: dict[str, Any] | None = None  # where they are not the session's: as in `response.create`
    calls: tuple[CallSnapshot, ...] = ()
    tool_round: int = 0
    resumes: bool = False  # it says what nobody has heard of the reply before
    unwanted: bool = False  # the client wants to hear no more of it: its item was deleted or truncated


@dataclass(frozen=True, slots=True)
class SettledSnapshot:
    """The beginning of long speech, which was read for good: its text, how long it was, and where its rest begins. No
    client sends its sound again."""

    text: str
    seconds: float
    to_ms: float


@dataclass(frozen=True, slots=True)
class SegmentSnapshot:
    """Speech that has ended, and that has no text yet: from where to where in its client's sound. `by_client`: that has
    committed it itself; else the detector has. `settled`: what comes before `from_ms`, where the speech was long.
    `said`: what the client was told of its words while it was open."""

    item_id: str
    from_ms: float
    to_ms: float
    by_client: bool = False
    settled: SettledSnapshot | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class CommitSnapshot:
    """The same of the client, as servers read it that do not know the other."""

    item_id: str
    from_ms: float
    to_ms: float


@dataclass(frozen=True, slots=True)
class TurnSnapshot:
    """What the rules still owe the user: `core/turn.py`. `unread`: items that decide something once their text is
    known; `owed`: those whose text is, and that wait for the end of what is said after them; `untold_id`: a reply whose
    tools gave something that nobody has told. The last turn detection said whether turns are answered and interrupt.
    `asked`: the response that the client has asked for and that waits, as in `response.create`."""

    unread: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    untold_id: str | None = None
    create_response: bool = True
    interrupt_response: bool = True
    asked: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StoppedSnapshot:
    """A reply that speech has stopped, perhaps wrongly: `core/stopped_reply.py`. `sounds`: items of replies before it
    that were cut with it, oldest first. `finished`: it was made already."""

    reply: ReplySnapshot
    sounds: tuple[str, ...] = ()
    finished: bool = False
    heard: bool = False
    before_answer: bool = False
    agreed: bool = False
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class EndedSnapshot:
    """A reply that has ended. `items`: its output; None: it was beside the conversation. `response`: as the wire tells
    it, without its output; None: of a server that did not write it."""

    response_id: str
    created_seq: int
    done_seq: int
    status: str
    items: tuple[str, ...] | None = ()
    modality: Literal["audio", "text"] = "audio"
    metadata: dict[str, str] | None = None
    response: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WordsSnapshot:
    """What was said, how much of that can only be seen, and when each word counts (`steps` of `core/word_marks.py`)."""

    text: str
    seen: int
    audio_ms: float
    steps: tuple[int, ...] = ()


class SaidSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """A spoken reply that is over at the server: its client may still play it, and say how much of it was heard.

    `words`: a WordsSnapshot as JSON, which is made once. So many `characters` of it count. `response_id`: it was cut,
    and its player may still say where it stopped; `unsettled`: it is waited for, and the client was told of no end.
    """

    item_id: str
    words: msgspec.Raw
    characters: int
    status: Literal["in_progress", "completed", "incomplete"] = "completed"
    limit_ms: float | None = None  # the cut in force
    sent_ms: float | None = None  # how much had left when the rest was thrown away
    by_client: bool = False
    response_id: str | None = None
    unsettled: bool = False


class ChangeSnapshot(msgspec.Struct, frozen=True, array_like=True):
    """What has happened to an item, with the number of the message that told it. What the item is now is in history.

    `value`: of a cut the ms of the audio where it is, of a transcript the seconds of speech. `id`: of the item, or of
    the response whose player was told to flush. `error`: why there is no transcript, code and message. `index`: of the
    part that has the transcript, or has none.
    """

    seq: int
    what: Literal["deleted", "truncated", "transcribed", "unread", "cleared"]
    id: str
    value: float = 0.0
    error: tuple[str, ...] = ()
    index: int = 0


@dataclass(frozen=True, slots=True)
class IdleSnapshot:
    """What has been said so far, as the idle timeout sees it: `session/idle_clock.py`."""

    replied: bool = False
    heard: bool = False
    prompted: bool = False


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A session. `items_at` is the id under which its items are kept, `proof` that of its credential."""

    session_id: str
    key: str
    proof: str
    config: msgspec.Raw  # the session object of the wire, as JSON
    conversation_id: str
    items_at: str
    expires_unix_s: int
    binary: bool = False
    ephemeral: bool = False
    seq: int = 0
    last_event_id: str | None = None
    told: tuple[tuple[int, str], ...] = ()  # items that the client may not know, with the numbers
    # Of `segments`, for servers that do not know them: what the detector has ended, and what the client has
    unanswered: str | None = None
    unanswered_too: tuple[str, ...] = ()
    commits: tuple[CommitSnapshot, ...] = ()
    reply: ReplySnapshot | None = None
    earlier: tuple[ReplySnapshot, ...] = ()  # replies before it that may still sound, oldest first
    ended: tuple[EndedSnapshot, ...] = ()  # the last ones: their client may not know that
    # Replies beside the conversation, with the numbers of their begin
    beside: tuple[tuple[str, int], ...] = ()
    said: tuple[SaidSnapshot, ...] = ()  # of those that are over, the latest last
    changes: tuple[ChangeSnapshot, ...] = ()  # their client may not know them
    streams: int = 0  # the last number of a binary stream
    saved: int = 0  # items that were kept by then
    idle: IdleSnapshot = IdleSnapshot()
    segments: tuple[SegmentSnapshot, ...] | None = None  # the client sends them again; None: see `unanswered`
    sent: tuple[str, ...] = ()  # items of the client whose speech has no text, and does not come again
    turn: TurnSnapshot | None = None  # None: of a server that did not write it
    stopped: StoppedSnapshot | None = None  # goes on if no words follow
    speaking: bool = False  # the client was told that the user speaks, and of no end
    settled: SettledSnapshot | None = None  # of open speech, or of what is said next

    @property
    def replies(self) -> tuple[ReplySnapshot, ...]:
        """Those that are not over for their listener, oldest first."""
        return self.earlier if self.reply is None else (*self.earlier, self.reply)


@dataclass(frozen=True, slots=True)
class Position:
    """`input_audio_ms`: from where the client sends its sound again. `open_ms`: from where on no item has it;
    `received_ms`: how much there was; None: of a server that did not write them. `idle_left_ms`: until the idle timeout
    has passed; None while it is not counted. `settled_ms`: where the record's `settled` ends; a position that knows of
    more is written with another record. The others are of the latest reply."""

    input_audio_ms: float = 0.0
    item_id: str | None = None
    sent_ms: float = 0.0
    earlier: tuple[tuple[str, float], ...] = ()  # items before it, and how much audio of them has left
    idle_left_ms: float | None = None
    open_ms: float | None = None
    received_ms: float | None = None
    settled_ms: float = 0.0

    @property
    def reads(self) -> bool:
        """Whether there is speech that has ended and has no text yet."""
        return self.open_ms is not None and self.input_audio_ms < self.open_ms

    @property
    def item_ids(self) -> tuple[str | None, ...]:
        """Of the replies that are not over."""
        return *(item_id for item_id, _ in self.earlier), self.item_id

    def sent_of(self, item_id: str | None) -> float:
        """How much audio of this item has left for the client."""
        if item_id is None:
            return 0.0
        return self.sent_ms if item_id == self.item_id else dict(self.earlier).get(item_id, 0.0)


class _Written(msgspec.Struct):
    version: int
    readers_from: int
    session: msgspec.Raw


def encode_record(snapshot: SessionSnapshot) -> bytes:
    return msgspec.json.encode(_Written(VERSION, READERS_FROM, msgspec.Raw(msgspec.json.encode(snapshot))))


def decode_record(data: bytes) -> SessionSnapshot:
    """Raises SnapshotError."""
    try:
        written = msgspec.json.decode(data, type=_Written)
        if written.readers_from > VERSION:
            raise SnapshotError(f"a record of version {written.version}; this server reads {VERSION}")
        return msgspec.json.decode(written.session, type=SessionSnapshot)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"a record that cannot be read: {error}") from None


def encode_words(part: SpokenPart) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(WordsSnapshot(*part.steps())))


def decode_words(words: msgspec.Raw) -> SpokenPart:
    """Raises SnapshotError."""
    try:
        read = msgspec.json.decode(words, type=WordsSnapshot)
        return SpokenPart.of_steps(read.text, read.seen, read.audio_ms, read.steps)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise SnapshotError(f"words that cannot be read: {error}") from None


def encode_position(position: Position) -> bytes:
    return msgspec.json.encode(position)


def decode_position(data: bytes | None) -> Position:
    """Raises SnapshotError."""
    try:
        return msgspec.json.decode(data, type=Position) if data else Position()
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"a position that cannot be read: {error}") from None
