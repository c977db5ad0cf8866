"""The required fields of each server event, and which may be null (docs/wire.md 2.4, 3.1, 3.3).

Written from that page only, independently of the server's code.
"""

from __future__ import annotations

from typing import Any

from tests.conformance.script import NON_EMPTY, WHOLE_NUMBER, Is, mismatch

_TEXT = str
_ANY = ...


def _one_of(*names: str) -> Is:
    return Is(f"is one of {names}", lambda value: value in names)


def _or_null(pattern: Any) -> Is:
    return Is(f"is null or {pattern}", lambda value: value is None or mismatch(pattern, value, {}) is None)


STATUS = _one_of("in_progress", "completed", "incomplete")
_PART = {
    "response_id": NON_EMPTY,
    "item_id": NON_EMPTY,
    "output_index": WHOLE_NUMBER,
    "content_index": WHOLE_NUMBER,
}
_CALL = {"response_id": NON_EMPTY, "item_id": NON_EMPTY, "output_index": WHOLE_NUMBER, "call_id": NON_EMPTY}
_INPUT = {"item_id": NON_EMPTY, "content_index": WHOLE_NUMBER}
_PLACED = {"item": dict, "previous_item_id": _or_null(NON_EMPTY)}
_ERROR_TYPES = ("invalid_request_error", "server_error", "authentication_error", "rate_limit_error")

SESSION = {
    "id": NON_EMPTY, "object": "realtime.session", "type": "realtime", "model": NON_EMPTY, "instructions": _TEXT,
    "output_modalities": list, "tools": list, "tool_choice": _ANY, "max_output_tokens": _ANY, "truncation": _ANY,
    "tracing": _ANY, "prompt": _ANY,
    "audio": {
        "input": {
            "format": {"type": NON_EMPTY}, "transcription": _or_null(dict), "noise_reduction": _or_null({"type": NON_EMPTY}),
            "turn_detection": _or_null({"type": NON_EMPTY, "create_response": bool, "interrupt_response": bool}),
        },
        "output": {"format": {"type": NON_EMPTY}, "voice": NON_EMPTY, "speed": _ANY},
    },
}  # fmt: skip
RESPONSE = {
    "id": NON_EMPTY, "object": "realtime.response",
    "status": _one_of("in_progress", "completed", "cancelled", "incomplete", "failed"),
    "status_details": _or_null({"type": NON_EMPTY}), "output": list, "conversation_id": _or_null(NON_EMPTY),
    "output_modalities": list, "max_output_tokens": _ANY, "metadata": _or_null(dict), "usage": _or_null(dict),
}  # fmt: skip

EVENTS: dict[str, dict[str, Any]] = {
    "session.created": {"session": SESSION},
    "session.updated": {"session": SESSION},
    "conversation.created": {"conversation": {"id": NON_EMPTY, "object": "realtime.conversation"}},
    "error": {
        "error": {
            "type": _one_of(*_ERROR_TYPES), "code": _or_null(NON_EMPTY), "message": NON_EMPTY, "param": _or_null(NON_EMPTY),
            "event_id": _or_null(str),
        }
    },
    "input_audio_buffer.speech_started": {"audio_start_ms": WHOLE_NUMBER, "item_id": NON_EMPTY},
    "input_audio_buffer.speech_stopped": {"audio_end_ms": WHOLE_NUMBER, "item_id": NON_EMPTY},
    "input_audio_buffer.committed": {"item_id": NON_EMPTY, "previous_item_id": _or_null(NON_EMPTY)},
    "input_audio_buffer.cleared": {},
    "input_audio_buffer.timeout_triggered": {
        "audio_start_ms": WHOLE_NUMBER, "audio_end_ms": WHOLE_NUMBER, "item_id": NON_EMPTY,
    },
    "conversation.item.added": _PLACED,
    "conversation.item.done": _PLACED,
    "conversation.item.retrieved": {"item": dict},
    "conversation.item.deleted": {"item_id": NON_EMPTY},
    "conversation.item.truncated": {**_INPUT, "audio_end_ms": WHOLE_NUMBER},
    "conversation.item.input_audio_transcription.delta": {**_INPUT, "delta": _TEXT},
    "conversation.item.input_audio_transcription.completed": {
        **_INPUT, "transcript": _TEXT, "usage": {"type": NON_EMPTY},
    },
    "conversation.item.input_audio_transcription.failed": {
        **_INPUT, "error": {"type": NON_EMPTY, "code": NON_EMPTY, "message": NON_EMPTY},
    },
    "response.created": {"response": {**RESPONSE, "status": "in_progress"}},
    "response.done": {"response": RESPONSE},
    "response.output_item.added": {"response_id": NON_EMPTY, "output_index": WHOLE_NUMBER, "item": dict},
    "response.output_item.done": {"response_id": NON_EMPTY, "output_index": WHOLE_NUMBER, "item": dict},
    "response.content_part.added": {**_PART, "part": {"type": _one_of("audio", "text")}},
    "response.content_part.done": {**_PART, "part": {"type": _one_of("audio", "text")}},
    "response.output_text.delta": {**_PART, "delta": _TEXT},
    "response.output_text.done": {**_PART, "text": _TEXT},
    "response.output_audio_transcript.delta": {**_PART, "delta": _TEXT},
    "response.output_audio_transcript.done": {**_PART, "transcript": _TEXT},
    "response.output_audio.delta": {**_PART, "delta": NON_EMPTY},
    "response.output_audio.done": _PART,
    "response.function_call_arguments.delta": {**_CALL, "delta": _TEXT},
    "response.function_call_arguments.done": {**_CALL, "name": NON_EMPTY, "arguments": NON_EMPTY},
    "rate_limits.updated": {"rate_limits": list},
}  # fmt: skip

# Beta names, extensions that must be requested, and events of other transports.
NEVER_SENT = (
    "conversation.item.created", "response.audio.", "response.text.", "response.audio_transcript.",
    "mcp_list_tools.", "response.mcp_call", "input_audio_buffer.dtmf_event_received", "output_audio_buffer.",
    "response.output_audio_words.", "response.latency.", "session.resumed",
)  # fmt: skip

_MESSAGE_PARTS = {
    "input_text": {"text": _TEXT}, "input_audio": {"transcript": _or_null(str)}, "input_image": {"image_url": NON_EMPTY},
    "output_text": {"text": _TEXT}, "output_audio": {"transcript": _TEXT},
}  # fmt: skip
_ITEMS: dict[str, dict[str, Any]] = {
    "message": {"role": _one_of("system", "user", "assistant"), "content": list},
    "function_call": {"name": NON_EMPTY, "call_id": NON_EMPTY, "arguments": _TEXT},
    "function_call_output": {"call_id": NON_EMPTY, "output": _TEXT},
}
_ROLE_PARTS = {
    "system": {"input_text"},
    "user": {"input_text", "input_audio", "input_image"},
    "assistant": {"output_text", "output_audio"},
}


def event_problems(event: dict[str, Any]) -> list[str]:
    """The problems of a single event."""
    kind = event.get("type", "")
    if kind.startswith(NEVER_SENT):
        return [f"{kind} must not be sent to a client that did not request it"]
    if kind not in EVENTS:
        return [f"{kind} is not an event of the protocol"]
    found = [mismatch({"event_id": NON_EMPTY, **EVENTS[kind]}, event, {}), *_item_problems_in(event)]
    found += [f"{path} is null" for path in nulls(event) if not _may_be_null(kind, path)]
    return [f"{kind}: {problem}" for problem in found if problem]


def _item_problems_in(event: dict[str, Any]) -> list[str]:
    items = [event["item"]] if isinstance(event.get("item"), dict) else []
    response = event.get("response")
    if isinstance(response, dict) and isinstance(response.get("output"), list):
        items += response["output"]
    return [problem for item in items for problem in item_problems(item)]


def item_problems(item: dict[str, Any]) -> list[str]:
    """The problems of a conversation item."""
    kind = item.get("type")
    if kind not in _ITEMS:
        return [f"an item of type {kind!r}"]
    found = [
        mismatch(
            {"id": NON_EMPTY, "object": "realtime.item", "status": STATUS, **_ITEMS[kind]}, item, {}, "item"
        )
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
                found.append("audio bytes inside an item")
    return [problem for problem in found if problem]


def nulls(value: Any, path: str = "") -> list[str]:
    """The dotted paths of all nulls; list indexes are left out."""
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
