"""The conversation as text, to build it again in a new session, and how to end what the old one left open.

An answer is built again as it was heard: a server that is gone can no longer tell. Pure: follows the events of both
sides; knows no socket and no audio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .player import PartKey

Event = dict[str, Any]

LOST = {"code": "connection_lost", "message": "The answer broke off: the connection was lost."}
ROOT = "root"  # stands for the place before the first item
_READ_ONLY = ("id", "object", "expires_at", "model", "resume_window_s")
_CALLS = {
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
}


class Rebuilding:
    """Call `follow` with each event of the server, and `sent` with each of the client."""

    def __init__(self) -> None:
        self._items: dict[str, Event] = {}  # as `conversation.item.create` takes them
        self._deleted: set[str] = set()
        self._responses: dict[str, None] = {}  # that are not done
        self._parts: dict[PartKey, Event] = {}  # of audio that are not done
        self._words: dict[str, list[Event]] = {}  # of an item: those with known times, in order
        # Where the client has stopped, and the server has not said what counts
        self._cut_ms: dict[str, int] = {}
        self._awaited = False  # an answer is due, and no response has begun
        self._answers_turns = True  # the server answers by itself what the user has said

    def __repr__(self) -> str:
        return f"<Rebuilding {len(self._items)} items, {len(self._responses)} open responses>"

    def fresh(self, events: Iterable[Event]) -> Rebuilding:
        """For a new session that gets the same settings and is sent these events."""
        fresh = Rebuilding()
        fresh._answers_turns = self._answers_turns
        for event in events:
            fresh.sent(event)
            if event["type"] == "conversation.item.create":
                fresh._items[event["item"]["id"]] = event["item"]
        fresh._words = {name: words for name, words in self._words.items() if name in fresh._items}
        return fresh

    def sent(self, event: Event) -> None:
        match event:
            case {"type": "response.create"}:
                self._awaited = True
            # The id of a response names one that has begun
            case {"type": "response.cancel" | "output_audio_buffer.clear"} if "response_id" not in event:
                self._awaited = False
            case {
                "type": "output_audio_buffer.played",
                "state": "flushed",
                "item_id": str(name),
                "played_ms": int(heard_ms),
            } | {"type": "conversation.item.truncate", "item_id": str(name), "audio_end_ms": int(heard_ms)}:
                self._cut_ms[name] = heard_ms

    def follow(self, event: Event) -> None:
        match event:
            case {
                "type": "conversation.item.added" | "conversation.item.done" | "conversation.item.retrieved"
            }:
                self._place(event["item"], event.get("previous_item_id", ""))
            case {"type": "conversation.item.deleted", "item_id": item_id}:
                for known in (self._items, self._words, self._cut_ms):
                    known.pop(item_id, None)
                self._deleted.add(item_id)
            case {
                "type": "response.output_audio_transcript.delta" | "response.output_text.delta",
                "item_id": name,
                "delta": text,
            } if name in self._items:
                self._set_text(name, _text_of(self._items[name]) + text)
            case {"type": "response.output_audio_words.delta", "item_id": name, "words": words} if (
                name in self._items
            ):
                self._words.setdefault(name, []).extend(words)
            case {"type": "conversation.item.input_audio_transcription.completed", "transcript": text}:
                self._set_text(event["item_id"], text)
            case {"type": "response.output_audio_transcript.done", "transcript": text}:
                self._set_text(event["item_id"], text)
            case {"type": "conversation.item.truncated", "item_id": name, "transcript": str(text)}:
                self._set_text(name, text)
                self._cut_ms.pop(name, None)
            case {"type": "conversation.item.truncated", "item_id": name, "audio_end_ms": int(heard_ms)}:
                self._cut_ms[name] = heard_ms
            case {"type": "session.created" | "session.updated", "session": session}:
                self._answers_turns = _answers_turns(session)
            case {"type": "input_audio_buffer.committed"} if self._answers_turns:
                self._awaited = True
            case {"type": "response.created", "response": response}:
                self._responses[response["id"]] = None
                self._awaited = False
            case {"type": "response.done", "response": response}:
                self._responses.pop(response["id"], None)
            case {"type": "response.content_part.added", "part": {"type": "audio"}}:
                names = ("response_id", "item_id", "output_index", "content_index")
                part = {name: event[name] for name in names}
                self._parts[PartKey(part["item_id"], part["content_index"])] = part
            case {"type": "response.output_audio.done"}:
                self._parts.pop(PartKey(event["item_id"], event["content_index"]), None)

    def endings(self) -> list[Event]:
        """Events that end what the lost session left open, as the server would have: parts, then responses."""
        failed = {"status": "failed", "status_details": {"type": "failed", "error": LOST}, "output": []}
        return [
            *({"type": "response.output_audio.done", **part} for part in self._parts.values()),
            *({"type": "response.done", "response": {"id": name, **failed}} for name in self._responses),
        ]

    def recreate(
        self,
        session: Mapping[str, Any],
        unsent: Iterable[Event],
        repeated: Iterable[str],
        *,
        asked: bool = False,
        arrived_ms: Callable[[PartKey], int | None] = lambda part: None,
    ) -> list[Event]:
        """The events that tell a new session all of this.

        `session`: as the old server last told it. `unsent`: events that may not have been received; their items have
        ids. The user's items in `repeated` are left out, because their audio is sent again; `asked`: with a request for
        the answer. `arrived_ms`: how much of a part that broke off will be played; None if nobody plays it here.
        """
        left_out = set(repeated)
        known = {name: self._as_heard(item, arrived_ms) for name, item in self._items.items()}
        items = {name: item for name, item in known.items() if name not in left_out and _says(item)}
        updates = [event for event in unsent if event["type"] == "session.update"]
        deleted = set(self._deleted)
        for event in unsent:
            if event["type"] == "conversation.item.create":
                name = event["item"]["id"]
                if name not in items and name not in deleted:
                    items[name] = event["item"]
                    items = _placed(items, name, event.get("previous_item_id"))
            elif event["type"] == "conversation.item.delete":
                items.pop(event["item_id"], None)
                deleted.discard(event["item_id"])  # what is created after it is another one
        settings = {name: value for name, value in session.items() if name not in _READ_ONLY}
        create = [{"type": "conversation.item.create", "item": item} for item in items.values()]
        return [
            {"type": "session.update", "session": settings},
            *updates,
            *create,
            *([{"type": "response.create"}] if self._awaited and not left_out and not asked else []),
        ]

    def cut(self, name: str, heard_ms: int) -> tuple[str | None, list[Event]]:
        """So much was heard of an answer that a session before this one said, and that this one was told.

        Returns the text of that, None if it is unknown, and the events that correct this session.
        """
        item = self._items.get(name)
        if item is None:
            return None, []
        text, names = self._heard(item, heard_ms), list(self._items)
        if text == _text_of(item).rstrip():
            return text, []
        place = names.index(name)
        self._set_text(name, text)
        create = {
            "type": "conversation.item.create",
            "previous_item_id": names[place - 1] if place else ROOT,
            "item": self._items[name],
        }
        return text, [{"type": "conversation.item.delete", "item_id": name}, *([create] if text else [])]

    def _as_heard(self, item: Event, arrived_ms: Callable[[PartKey], int | None]) -> Event:
        """An answer that was stopped, or broke off, as far as it was heard; else the item as it is."""
        if item.get("role") != "assistant":
            return item
        name = item["id"]
        heard_ms = self._cut_ms.get(name)
        if heard_ms is None:  # what has arrived of it plays on
            heard_ms = next((arrived_ms(part) for part in self._parts if part.item_id == name), None)
        return item if heard_ms is None else _message(name, "assistant", self._heard(item, heard_ms))

    def _heard(self, item: Event, heard_ms: int) -> str:
        """The words that were heard up to their middle; of what has no times yet all, if any sound of it was heard."""
        words = self._words.get(item["id"], [])
        if heard_ms > (words[-1]["end_ms"] if words else 0):
            return _text_of(item).rstrip()
        return "".join(
            word["text"] for word in words if (word["start_ms"] + word["end_ms"]) / 2 <= heard_ms
        ).rstrip()

    def _place(self, item: Mapping[str, Any], previous: str | None) -> None:
        """Take an item, and a new one at its place: after `previous`, first for None, last after an unknown one."""
        kind, name = item["type"], item["id"]
        is_new = name not in self._items
        self._take(item, kind, name)
        if is_new:
            self._deleted.discard(name)  # an id can be used again
            self._items = _placed(self._items, name, ROOT if previous is None else previous)

    def _take(self, item: Mapping[str, Any], kind: str, name: str) -> None:
        if kind in _CALLS:
            fields = {key: item[key] for key in _CALLS[kind] if key in item}
            self._items[name] = {"id": name, "type": kind, **fields}
            return
        parts = item.get("content") or []
        text = "".join(part.get("text") or part.get("transcript") or "" for part in parts)
        if text or name not in self._items:
            self._items[name] = _message(name, item["role"], text)

    def _set_text(self, name: str, text: str) -> None:
        if name in self._items:
            self._items[name] = _message(name, self._items[name]["role"], text)


def _message(name: str, role: str, text: str) -> Event:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"id": name, "type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _placed(items: dict[str, Event], name: str, previous: str | None) -> dict[str, Event]:
    """The items with one of them after `previous`: first for ROOT, last where there is no such item."""
    others = [each for each in items if each != name]
    if previous != ROOT and previous not in others:
        return items
    at = 0 if previous == ROOT else others.index(previous) + 1
    return {each: items[each] for each in (*others[:at], name, *others[at:])}


def _text_of(item: Event) -> str:
    return "".join(str(part.get("text") or "") for part in item.get("content") or ())


def _answers_turns(session: Mapping[str, Any]) -> bool:
    audio_input = (session.get("audio") or {}).get("input") or {}
    detection = audio_input.get("turn_detection", {})
    return detection is not None and bool(detection.get("create_response", True))


def _says(item: Event) -> bool:
    """Not a message without text; a picture says something."""
    parts = item.get("content") or ()
    return item.get("type") != "message" or any("text" not in part or part["text"].strip() for part in parts)
