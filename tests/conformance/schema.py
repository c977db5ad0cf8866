"""What each server event must carry, and what may be null (shared/realtime-wire.md 2.4, 3.1, 3.3).

Written from the page alone, so that a server and this table are two readings of one document.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.script import FULL, POSITION, Is, mismatch

_TEXT = str
_ANY = ...


def _one_of(*names: str) -> Is:
    return Is(f"is one of {names}", lambda value: value in names)


def _or_null(pattern: Any) -> Is:
    return Is(f"is null or {pattern}", lambda value: value is None or mismatch(pattern, value, {}) is None)


STATUS = _one_of("in_progress", "completed", "incomplete")
_PART = {"response_id": FULL, "item_id": FULL, "output_index": POSITION, "content_index": POSITION}
_CALL = {"response_id": FULL, "item_id": FULL, "output_index": POSITION, "call_id": FULL}
_INPUT = {"item_id": FULL, "content_index": POSITION}
_PLACED = {"item": dict, "previous_item_id": _or_null(FULL)}
_ERROR_TYPES = ("invalid_request_error", "server_error", "authentication_error", "rate_limit_error")

SESSION = {
    "id": FULL, "object": "realtime.session", "type": "realtime", "model": FULL, "instructions": _TEXT,
    "output_modalities": list, "tools": list, "tool_choice": _ANY, "max_output_tokens": _ANY, "truncation": _ANY,
    "tracing": _ANY, "prompt": _ANY,
    "audio": {
        "input": {
            "format": {"type": FULL}, "transcription": _or_null(dict), "noise_reduction": _or_null({"type": FULL}),
            "turn_detection": _or_null({"type": FULL, "create_response": bool, "interrupt_response": bool}),
        },
        "output": {"format": {"type": FULL}, "voice": FULL, "speed": _ANY},
    },
}  # fmt: skip
RESPONSE = {
    "id": FULL, "object": "realtime.response",
    "status": _one_of("in_progress", "completed", "cancelled", "incomplete", "failed"),
    "status_details": _or_null({"type": FULL}), "output": list, "conversation_id": _or_null(FULL),
    "output_modalities": list, "max_output_tokens": _ANY, "metadata": _or_null(dict), "usage": _or_null(dict),
}  # fmt: skip

EVENTS: dict[str, dict[str, Any]] = {
    "session.created": {"session": SESSION},
    "session.updated": {"session": SESSION},
    "conversation.created": {"conversation": {"id": FULL, "object": "realtime.conversation"}},
    "error": {
        "error": {
            "type": _one_of(*_ERROR_TYPES), "code": _or_null(FULL), "message": FULL, "param": _or_null(FULL),
            "event_id": _or_null(str),
        }
    },
    "input_audio_buffer.speech_started": {"audio_start_ms": POSITION, "item_id": FULL},
    "input_audio_buffer.speech_stopped": {"audio_end_ms": POSITION, "item_id": FULL},
    "input_audio_buffer.committed": {"item_id": FULL, "previous_item_id": _or_null(FULL)},
    "input_audio_buffer.cleared": {},
    "input_audio_buffer.timeout_triggered": {
        "audio_start_ms": POSITION, "audio_end_ms": POSITION, "item_id": FULL,
    },
    "conversation.item.added": _PLACED,
    "conversation.item.done": _PLACED,
    "conversation.item.retrieved": {"item": dict},
    "conversation.item.deleted": {"item_id": FULL},
    "conversation.item.truncated": {**_INPUT, "audio_end_ms": POSITION},
    "conversation.item.input_audio_transcription.delta": {**_INPUT, "delta": _TEXT},
    "conversation.item.input_audio_transcription.completed": {
        **_INPUT, "transcript": _TEXT, "usage": {"type": FULL},
    },
    "conversation.item.input_audio_transcription.failed": {
        **_INPUT, "error": {"type": FULL, "code": FULL, "message": FULL},
    },
    "response.created": {"response": {**RESPONSE, "status": "in_progress"}},
    "response.done": {"response": RESPONSE},
    "response.output_item.added": {"response_id": FULL, "output_index": POSITION, "item": dict},
    "response.output_item.done": {"response_id": FULL, "output_index": POSITION, "item": dict},
    "response.content_part.added": {**_PART, "part": {"type": _one_of("audio", "text")}},
    "response.content_part.done": {**_PART, "part": {"type": _one_of("audio", "text")}},
    "response.output_text.delta": {**_PART, "delta": _TEXT},
    "response.output_text.done": {**_PART, "text": _TEXT},
    "response.output_audio_transcript.delta": {**_PART, "delta": _TEXT},
    "response.output_audio_transcript.done": {**_PART, "transcript": _TEXT},
    "response.output_audio.delta": {**_PART, "delta": FULL},
    "response.output_audio.done": _PART,
    "response.function_call_arguments.delta": {**_CALL, "delta": _TEXT},
    "response.function_call_arguments.done": {**_CALL, "name": FULL, "arguments": FULL},
    "rate_limits.updated": {"rate_limits": list},
}  # fmt: skip

# Beta names, extensions nobody asked for, and what only other transports have.
NEVER_SENT = (
    "conversation.item.created", "response.audio.", "response.text.", "response.audio_transcript.",
    "mcp_list_tools.", "response.mcp_call", "input_audio_buffer.dtmf_event_received", "output_audio_buffer.",
    "response.output_audio_words.", "response.latency.", "session.resumed",
)  # fmt: skip

_MESSAGE_PARTS = {
    "input_text": {"text": _TEXT}, "input_audio": {"transcript": _or_null(str)}, "input_image": {"image_url": FULL},
    "output_text": {"text": _TEXT}, "output_audio": {"transcript": _TEXT},
}  # fmt: skip
_ITEMS: dict[str, dict[str, Any]] = {
    "message": {"role": _one_of("system", "user", "assistant"), "content": list},
    "function_call": {"name": FULL, "call_id": FULL, "arguments": _TEXT},
    "function_call_output": {"call_id": FULL, "output": _TEXT},
}
_ROLE_PARTS = {
    "system": {"input_text"},
    "user": {"input_text", "input_audio", "input_image"},
    "assistant": {"output_text", "output_audio"},
}


def faults_of_event(event: dict[str, Any]) -> list[str]:
    """What is wrong with one event by itself."""
    kind = event.get("type", "")
    if kind.startswith(NEVER_SENT):
        return [f"{kind} is never sent to a client that did not ask for it"]
    if kind not in EVENTS:
        return [f"{kind} is no event of the wire"]
    found = [mismatch({"event_id": FULL, **EVENTS[kind]}, event, {}), *_faults_of_items(event)]
    found += [f"{path} is null" for path in nulls(event) if not _may_be_null(kind, path)]
    return [f"{kind}: {why}" for why in found if why]


def _faults_of_items(event: dict[str, Any]) -> list[str]:
    items = [event["item"]] if isinstance(event.get("item"), dict) else []
    response = event.get("response")
    if isinstance(response, dict) and isinstance(response.get("output"), list):
        items += response["output"]
    return [why for item in items for why in faults_of_item(item)]


def faults_of_item(item: dict[str, Any]) -> list[str]:
    """What is wrong with one item of a conversation."""
    kind = item.get("type")
    if kind not in _ITEMS:
        return [f"an item of type {kind!r}"]
    found = [
        mismatch({"id": FULL, "object": "realtime.item", "status": STATUS, **_ITEMS[kind]}, item, {}, "item")
    ]
    if kind == "message" and isinstance(item.get("content"), list):
        allowed = _ROLE_PARTS.get(item.get("role", ""), set())
        for part in item["content"]:
            name = part.get("type")
            found.append(
                mismatch(_MESSAGE_PARTS[name], part, {}, f"item.content:{name}")
                if name in allowed
                else f"a part {name!r} in a message of {item.get('role')}"
            )
            if "audio" in part:
                found.append("audio bytes travel back inside an item")
    return [why for why in found if why]


def nulls(value: Any, path: str = "") -> list[str]:
    """The dotted paths of every null; a list counts as its elements."""
    if value is None:
        return [path]
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in nulls(inner, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list):
        return [found for inner in value for found in nulls(inner, path)]
    return []


_NULL_IN = {
    "error": ("error.code", "error.param", "error.event_id"),
    "session": (
        "session.tracing", "session.prompt", "session.audio.input.transcription",
        "session.audio.input.noise_reduction", "session.audio.input.turn_detection",
        "session.audio.input.turn_detection.idle_timeout_ms",
    ),
    "response": (
        "response.status_details", "response.usage", "response.metadata", "response.conversation_id",
    ),
}  # fmt: skip


def _may_be_null(kind: str, path: str) -> bool:
    if path in ("previous_item_id", "item.content.transcript"):
        return True
    return path in _NULL_IN.get(kind.partition(".")[0], ())
