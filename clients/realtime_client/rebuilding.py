"""The conversation as text, to build it again in a new session, and how to end what the old one left open.

Pure: follows the events of the server; knows no socket and no audio.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Event = dict[str, Any]

LOST = {"code": "connection_lost", "message": "The answer broke off: the connection was lost."}
_READ_ONLY = ("id", "object", "expires_at", "model", "resume_window_s")
_CALLS = {
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
}


class Rebuilding:
    """Call `follow` with each event."""

    def __init__(self) -> None:
        self._items: dict[str, Event] = {}  # as `conversation.item.create` takes them
        self._deleted: set[str] = set()
        self._responses: dict[str, None] = {}  # that are not done
        self._parts: dict[tuple[str, int], Event] = {}  # of audio that are not done
        self._awaited = False  # an answer is due, and no response has begun
        self._answers_turns = True  # the server answers by itself what the user has said

    def __repr__(self) -> str:
        return f"<Rebuilding {len(self._items)} items, {len(self._responses)} open responses>"

    def fresh(self) -> Rebuilding:
        """For a new session that gets the same settings."""
        fresh = Rebuilding()
        fresh._answers_turns = self._answers_turns
        return fresh

    def asked(self) -> None:
        """The client asks for a response."""
        self._awaited = True

    def follow(self, event: Event) -> None:
        match event:
            case {
                "type": "conversation.item.added" | "conversation.item.done" | "conversation.item.retrieved"
            }:
                self._place(event["item"], event.get("previous_item_id", ""))
            case {"type": "conversation.item.deleted", "item_id": item_id}:
                self._items.pop(item_id, None)
                self._deleted.add(item_id)
            case {"type": "conversation.item.input_audio_transcription.completed", "transcript": text}:
                self._set_text(event["item_id"], text)
            case {"type": "response.output_audio_transcript.done", "transcript": text}:
                self._set_text(event["item_id"], text)
            case {"type": "conversation.item.truncated", "transcript": text}:
                self._set_text(event["item_id"], text)
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
                self._parts[part["item_id"], part["content_index"]] = part
            case {"type": "response.output_audio.done"}:
                self._parts.pop((event["item_id"], event["content_index"]), None)

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
    ) -> list[Event]:
        """The events that tell a new session all of this.

        `session`: as the old server last told it. `unsent`: events that may not have been received; their items have
        ids. The user's items in `repeated` are left out, because their audio is sent again; `asked`: with a request for
        the answer.
        """
        left_out = set(repeated)
        items = {name: item for name, item in self._items.items() if name not in left_out and _says(item)}
        updates = [event for event in unsent if event["type"] == "session.update"]
        for event in unsent:
            if event["type"] == "conversation.item.create" and event["item"]["id"] not in self._deleted:
                items.setdefault(event["item"]["id"], event["item"])
            elif event["type"] == "conversation.item.delete":
                items.pop(event["item_id"], None)
        settings = {name: value for name, value in session.items() if name not in _READ_ONLY}
        create = [{"type": "conversation.item.create", "item": item} for item in items.values()]
        return [
            {"type": "session.update", "session": settings},
            *updates,
            *create,
            *([{"type": "response.create"}] if self._awaited and not left_out and not asked else []),
        ]

    def _place(self, item: Mapping[str, Any], previous: str | None) -> None:
        """Take an item, and a new one at its place: after `previous`, first for None, last after an unknown one."""
        kind, name = item["type"], item["id"]
        is_new, known = name not in self._items, list(self._items)
        self._take(item, kind, name)
        if is_new and known and (previous is None or previous in known[:-1]):
            at = 0 if previous is None else known.index(previous) + 1
            self._items = {each: self._items[each] for each in (*known[:at], name, *known[at:])}

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


def _answers_turns(session: Mapping[str, Any]) -> bool:
    audio_input = (session.get("audio") or {}).get("input") or {}
    detection = audio_input.get("turn_detection", {})
    return detection is not None and bool(detection.get("create_response", True))


def _says(item: Event) -> bool:
    return item["type"] != "message" or bool(item["content"][0]["text"].strip())
