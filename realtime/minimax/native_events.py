"""Events of Ollama's own `/api/chat` as those of the OpenAI form, without I/O.

They come as lines of JSON without "data:" (docs/minimax/chat.md 4, "Other services"). The request to that address has
another form, so nobody is sent there; but gateways pass its answers on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


def comes_as_lines(content_type: str | None) -> bool:
    """Whether a body of this `Content-Type` is a stream of JSON, a line each."""
    return (content_type or "").lower().startswith(_LINES)


def as_choices(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event with `choices` and `usage`; as it is where it is none of Ollama's."""
    message, done = event.get("message"), event.get("done")
    if "choices" in event or not isinstance(message, Mapping) or not isinstance(done, bool):
        return event
    delta = {**message, "reasoning_content": message.get("thinking")}
    reason = event.get("done_reason") or "stop"
    usage = {"prompt_tokens": event.get("prompt_eval_count"), "completion_tokens": event.get("eval_count")}
    choice = {"index": 0, "delta": delta, "finish_reason": reason if done else None}
    return {**event, "choices": [choice], "usage": usage if done else None}
