"""One good event of each kind, with every field that a client may send: the seeds of mutated ones."""

from __future__ import annotations

from typing import Any

FUNCTION = {
    "type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
}  # fmt: skip
OUTPUT = {"voice": "alloy", "format": {"type": "audio/pcm", "rate": 24_000}}
MESSAGE = {
    "type": "message", "id": "m", "role": "user", "status": "completed",
    "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_audio", "transcript": "Hi"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                {"type": "input_audio", "audio": "AAAAAAAA"}],
}  # fmt: skip
SESSION = {
    "type": "realtime", "model": "m", "instructions": "Be brief.", "output_modalities": ["audio"], "tools": [FUNCTION],
    "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": True, "max_output_tokens": 99, "temperature": 0.8,
    "truncation": {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 900}},
    "reasoning": {"effort": "low"}, "prompt": {"id": "p", "version": "1", "variables": {"a": 1}},
    "tracing": {"workflow_name": "w", "group_id": "g", "metadata": {"a": 1}},
    "include": ["item.input_audio_transcription.logprobs"], "extensions": ["playback", "words"],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "transcription": {"model": "m", "language": "en", "prompt": "p", "keywords": ["k"], "languages": ["en"]},
            "noise_reduction": {"type": "near_field", "strength": 0.5},
            "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
                               "idle_timeout_ms": 5_000, "create_response": True, "interrupt_response": True},
        },
        "output": {**OUTPUT, "speed": 1.0},
    },
}  # fmt: skip
SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}}}
RESPONSE = {
    "instructions": "Be brief.", "tools": [FUNCTION], "tool_choice": "none", "parallel_tool_calls": False,
    "max_output_tokens": "inf", "output_modalities": ["text"], "reasoning": {"effort": "low"}, "temperature": 1,
    "audio": {"output": OUTPUT}, "conversation": "none", "metadata": {"a": "b"}, "prompt": {"id": "p"},
    "input": [MESSAGE, {"type": "item_reference", "id": "m"}, {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"},
              {"type": "function_call_output", "call_id": "c", "output": "1"}],
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"type": "session.update", "session": SESSION},
    {"type": "session.update", "session": SEMANTIC},
    {"type": "input_audio_buffer.append", "audio": "AAAAAAAA" * 200},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "output_audio_buffer.clear"},
    {"type": "output_audio_buffer.played", "item_id": "m", "content_index": 0, "played_ms": 5, "state": "playing"},
    {"type": "conversation.item.create", "previous_item_id": "root", "item": MESSAGE},
    {"type": "conversation.item.create", "item": {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}},
    {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "1"}},
    {"type": "conversation.item.retrieve", "item_id": "m"},
    {"type": "conversation.item.truncate", "item_id": "m", "content_index": 0, "audio_end_ms": 500},
    {"type": "conversation.item.delete", "item_id": "m"},
    {"type": "response.create", "response": RESPONSE},
    {"type": "response.cancel", "response_id": "r"},
]  # fmt: skip
for event in EVENTS:
    event["event_id"] = "mine"
