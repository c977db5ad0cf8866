"""What was said and heard, in order: the items of one conversation.

Items are values (`items.py`); a change puts a new value in the old one's place. A spoken reply keeps its ledger beside
it, so that it can be cut to what was heard (docs/wire.md 3.9). What a chat model sees of it is `history.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from realtime.core.cut_text import size_of_json
from realtime.core.heard_speech import HeardSpeech
from realtime.core.item_room import HOLDS_TOO_MUCH, MAX_HELD_BYTES, ItemRoom
from realtime.core.items import (
    FunctionCall,
    FunctionCallOutput,
    Image,
    InputSpeech,
    Item,
    Message,
    OutputSpeech,
    Part,
    Role,
    Status,
    Text,
    held_bytes,
    outputs_of_calls,
    says_something,
    transcript_of,
)
from realtime.core.making_room import may_go
from realtime.core.shown_from import ShownFrom
from realtime.core.spoken import SpokenPart

__all__ = [
    "FULL",
    "FULL_MESSAGE",
    "MAX_ITEMS",
    "REPLY_ROOM",
    "ROOT",
    "Conversation",
    "ConversationError",
    "FunctionCall",
    "FunctionCallOutput",
    "Image",
    "InputSpeech",
    "Item",
    "Message",
    "OutputSpeech",
    "Part",
    "Role",
    "Status",
    "Text",
    "held_bytes",
    "transcript_of",
]

MAX_ITEMS = 2_000
REPLY_ROOM = 500  # more for replies: one that has begun must be able to end
ROOT = "root"  # stands for the place before the first item
FULL = "conversation_full"
FULL_MESSAGE = (
    f"The conversation has {MAX_ITEMS} items: delete some, set truncation to 'auto', or begin a new session."
)


class ConversationError(Exception):
    """Something cannot be done with this item; `code` is the wire's."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


class Conversation:
    """An ordered set of items with unique ids, at most MAX_ITEMS, which hold at most MAX_HELD_BYTES."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._order: list[str] = []
        self._speech: dict[str, HeardSpeech] = {}
        self._room = ItemRoom()
        self._awaited: set[str] = set()  # items: calls of our replies whose output has not come
        self._reasoning: dict[str, object] = {}
        self.shown_from = ShownFrom()

    def __repr__(self) -> str:
        return f"<Conversation {len(self._order)} items>"

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(self._items[item_id] for item_id in self._order)

    # -- places --------------------------------------------------------------------------------------------------

    def add(
        self, item: Item, after: str | None = None, *, by_reply: bool = False, restored: bool = False
    ) -> str | None:
        """Put an item at the end, at the front (ROOT) or after another one; returns its predecessor's id.

        `restored`: it comes from a store, and who restores makes room when all are there.

        Raises ConversationError for an id that is taken, an unknown place, an unknown call, or a full conversation.
        """
        if item.id in self._items:
            raise ConversationError(
                "item_create_duplicate_item_id",
                f"Item '{item.id}' already exists in the conversation.",
                "item.id",
            )
        if isinstance(item, FunctionCallOutput) and not self.knows_call(item.call_id):
            raise ConversationError(
                "invalid_value", f"Tool call ID '{item.call_id}' not found in conversation.", "item.call_id"
            )
        place = self._place(after)
        if not restored and len(self._order) >= MAX_ITEMS + (REPLY_ROOM if by_reply else 0):
            raise ConversationError(FULL, FULL_MESSAGE)
        held = held_bytes(item)
        if held > MAX_HELD_BYTES:
            raise ConversationError("invalid_value", HOLDS_TOO_MUCH, "item.content")
        if not (restored or by_reply or self._room.holds(held)):
            raise ConversationError(FULL, HOLDS_TOO_MUCH)
        if after is not None:
            self.shown_from.insert(place, self.items)
        self._order.insert(place, item.id)
        self._put(item)
        if isinstance(item, FunctionCallOutput) and self._awaits(item.call_id):
            self._awaited.discard(self._answered_by(item.id))
        return self._order[place - 1] if place else None

    def _put(self, item: Item) -> None:
        self._items[item.id] = item
        self._count(item.id)
        if self._reasoning and says_something(item):
            self._forget_reasoning(before=item.id)

    def _count(self, item_id: str) -> None:
        self._room.put(item_id, held_bytes(self._items[item_id]) + size_of_json(self._reasoning.get(item_id)))

    def _place(self, after: str | None) -> int:
        if after is None:
            return len(self._order)
        if after == ROOT:
            return 0
        if after not in self._items:
            raise ConversationError(
                "item_create_invalid_previous_item_id",
                f"The previous item '{after}' does not exist.",
                "previous_item_id",
            )
        return self._order.index(after) + 1

    def get(self, item_id: str) -> Item:
        """The item as it stands now. Raises ConversationError."""
        if item_id not in self._items:
            raise ConversationError(
                "item_retrieve_invalid_item_id", f"Item '{item_id}' does not exist.", "item_id"
            )
        return self._items[item_id]

    def remove(self, item_id: str) -> None:
        """Raises ConversationError for an unknown id."""
        if item_id not in self._items:
            raise ConversationError(
                "item_delete_invalid_item_id", f"Item '{item_id}' does not exist.", "item_id"
            )
        item = self._items.pop(item_id)
        self._order.remove(item_id)
        if item_id == self.shown_from.item_id:
            self.shown_from.forget()  # another item may get this id
        if isinstance(item, FunctionCall):
            self._awaited.discard(item_id)
        self._speech.pop(item_id, None)
        self._room.free(item_id)
        self._reasoning.pop(item_id, None)

    # -- what makes room -----------------------------------------------------------------------------------------

    def oldest(self, count: int, keep: Collection[str] = (), *, asks_anew: bool = False) -> list[str]:
        """The ids of at least `count` items that have to go, or of all that may: the oldest, calls with their outputs,
        and messages of the system last. What stays: see `may_go`."""
        found: list[str] = []
        for ids in sorted(self._may_go(keep, asks_anew), key=lambda ids: self._is_system(ids[0])):
            if len(found) >= count:
                break
            found += ids
        return found

    def oldest_large(
        self, more_bytes: int = 0, keep: Collection[str] = (), *, asks_anew: bool = False
    ) -> list[str]:
        """The ids of items that have to go so that there is room for `more_bytes`, or of all that may: the oldest large
        ones, calls with their outputs. What stays: see `may_go`."""
        return self._room.first(self._may_go(keep, asks_anew), more_bytes)

    def has_room_without(self, item_ids: Collection[str], more_bytes: int) -> bool:
        """Whether there is room for `more_bytes` once these are gone."""
        return self._room.holds(more_bytes, without=item_ids)

    def asks_anew(self, item: Item, after: str | None = None) -> bool:
        """Whether this item would be the user's last message in this place."""
        if not says_something(item):
            return False
        last = self.last_user_item_id
        return last is None or self._place(after) > self._order.index(last)

    def _may_go(self, keep: Collection[str], asks_anew: bool) -> list[list[str]]:
        return may_go(self.items, {*self._awaited, *keep}, asks_anew=asks_anew)

    def _is_system(self, item_id: str) -> bool:
        item = self._items[item_id]
        return isinstance(item, Message) and item.role == "system"

    # -- calls of functions --------------------------------------------------------------------------------------

    def knows_call(self, call_id: str) -> bool:
        """Whether there is a call with this id: most likely one of the latest."""
        latest_first = reversed(self._items.values())
        return any(isinstance(item, FunctionCall) and item.call_id == call_id for item in latest_first)

    def _awaits(self, call_id: str) -> bool:
        """Whether an output of this id may be one that is awaited. To find its call is work for all items."""
        calls = (self._items[item_id] for item_id in self._awaited)
        return any(isinstance(call, FunctionCall) and call.call_id == call_id for call in calls)

    def _answered_by(self, output_id: str) -> str:
        """The item id of the call to which this output belongs."""
        outputs, place = outputs_of_calls(self.items), self._order.index(output_id)
        return next((self._order[call] for call, places in outputs.items() if place in places), "")

    @property
    def awaits_output(self) -> bool:
        """Whether a call that a reply has made still has no output. Those that a client put in do not count."""
        return bool(self._awaited)

    @property
    def reasoning(self) -> Mapping[str, object]:
        """By the item ids of calls: what a chat model wants back with them, until the user says something new."""
        return self._reasoning

    def keep_reasoning(self, item_id: str, reasoning: object) -> None:
        """What the model thought when it made this call. It takes room as the call itself does."""
        if item_id in self._items:
            self._reasoning[item_id] = reasoning
            self._count(item_id)

    def _forget_reasoning(self, before: str) -> None:
        """The user has said something: the calls before it are over."""
        for item_id in self._order[: self._order.index(before)]:
            if self._reasoning.pop(item_id, None) is not None:
                self._count(item_id)

    def complete(self, item: Item, *, awaited: bool = True) -> None:
        """Put the finished value in the place of an item in progress; one that was deleted meanwhile stays so.

        `awaited`: if it is a call, the client will bring its output.
        """
        before = self._items.get(item.id)
        # Another status: a client has made an item of its own with this id
        if before is not None and before.status == "in_progress":
            self._put(item)
            if awaited and isinstance(item, FunctionCall):
                self._awaited.add(item.id)

    # -- the user's speech ---------------------------------------------------------------------------------------

    def set_transcript(self, item_id: str, transcript: str, index: int = 0) -> None:
        """The text of the user's speech in the part of this index is known."""
        item = self._items.get(item_id)
        if isinstance(item, Message) and item.parts[index : index + 1] == (InputSpeech(None),):
            parts = (*item.parts[:index], InputSpeech(transcript), *item.parts[index + 1 :])
            self._put(replace(item, parts=parts))

    @property
    def last_user_item_id(self) -> str | None:
        for item_id in reversed(self._order):
            item = self._items[item_id]
            if isinstance(item, Message) and item.role == "user":
                return item_id
        return None

    # -- the assistant's speech ----------------------------------------------------------------------------------

    def speaks(self, item_id: str, part: SpokenPart) -> None:
        """This item is a spoken reply, and `part` is its ledger."""
        if item_id in self._items:
            self._speech[item_id] = HeardSpeech(part)

    def update_speech(self, item_id: str, status: Status) -> None:
        """More of the reply was said, or it ended: history follows the ledger, up to a cut if there was one."""
        speech = self._speech.get(item_id)
        if speech is not None:
            speech.complete = status != "in_progress"
            self._apply(item_id, speech, status)

    def cut(self, item_id: str, heard_ms: float, sent_ms: float | None = None) -> bool:
        """The listener was interrupted here, as far as the server can tell. Whether this cut is in force."""
        speech = self._speech.get(item_id)
        if speech is None or not speech.cut(heard_ms, sent_ms):
            return False
        self._apply(item_id, speech)
        return True

    def end_with_whole_word(self, item_id: str) -> float | None:
        """It is said on, and the word that lacks its end comes again: it counts there. Returns the position in force;
        None if no word is concerned."""
        speech = self._speech.get(item_id)
        end_ms = None if speech is None else speech.end_with_whole_word()
        if speech is not None and end_ms is not None:
            self._apply(item_id, speech)
        return end_ms

    def truncate(self, item_id: str, audio_end_ms: float, sent_ms: float | None = None) -> float:
        """The client says how much was heard. Returns the position in force, never beyond the audio sent.

        Raises ConversationError.
        """
        if item_id not in self._items:
            raise ConversationError(
                "item_truncate_invalid_item_id", f"Item '{item_id}' does not exist.", "item_id"
            )
        speech = self._speech.get(item_id)
        if speech is None:
            raise ConversationError(
                "unsupported_content_type", "Only model output audio messages can be truncated.", "item_id"
            )
        most_ms = speech.most_ms(sent_ms)
        if not speech.allows(audio_end_ms, most_ms):
            raise ConversationError(
                "invalid_value",
                f"Audio content of {most_ms:.0f}ms is already shorter than {audio_end_ms:.0f}ms",
                "audio_end_ms",
            )
        end_ms = speech.truncate(audio_end_ms, most_ms)
        self._apply(item_id, speech)
        return end_ms

    def was_truncated(self, item_id: str) -> bool:
        """Whether the client has said how much of it counts."""
        speech = self._speech.get(item_id)
        return speech is not None and speech.by_client

    def cut_ms(self, item_id: str) -> float | None:
        """Where it was cut, by whomever; None if it was not."""
        speech = self._speech.get(item_id)
        return None if speech is None else speech.limit_ms

    def spoken(self) -> Iterator[tuple[str, HeardSpeech]]:
        """Spoken replies and how much of each counts, the latest first. Those that a store gave have no ledger."""
        yield from reversed(self._speech.items())

    def restore_speech(self, item_id: str, speech: HeardSpeech, characters: int, status: Status) -> bool:
        """Another server has said this, and so many characters of it count. False if it is not here."""
        item = self._items.get(item_id)
        if not isinstance(item, Message):
            return False
        self._speech[item_id] = speech
        self._put(replace(item, parts=(OutputSpeech(speech.part.text[:characters]),), status=status))
        return True

    def heard_text(self, item_id: str) -> str:
        """The words of a spoken reply that count."""
        item = self._items.get(item_id)
        if not isinstance(item, Message):
            return ""
        return "".join(part.transcript for part in item.parts if isinstance(part, OutputSpeech))

    def _apply(self, item_id: str, speech: HeardSpeech, status: Status | None = None) -> None:
        item = self._items.get(item_id)
        if not isinstance(item, Message):
            return
        if speech.limit_ms is None:
            status = status or item.status
            text = speech.voiced if status == "incomplete" else speech.part.text
        else:
            text, status = speech.part.heard(speech.limit_ms), "incomplete"
        self._put(replace(item, parts=(OutputSpeech(text),), status=status))
