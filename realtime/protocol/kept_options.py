"""The options of one response as the JSON of `response.create`, for a server that goes on with it.

Only what differs from the session's own: `read_response_params` reads it again. Knows no server and no response.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from realtime.protocol.response_options import ResponseOptions
from realtime.protocol.voices import VoiceObject

MAX_INPUT_BYTES = 64 * 1024  # of the items it was asked about; a larger question is that of the conversation


def differing(
    options: ResponseOptions, usual: ResponseOptions, ours: Collection[str]
) -> dict[str, Any] | None:
    """What `response.create` would have to set so that `usual` becomes `options`; None if nothing.

    `ours`: names of tools that every server offers by itself.
    """
    audio: dict[str, Any] = {}
    if options.voice != usual.voice:
        audio["voice"] = {"id": options.voice.id} if isinstance(options.voice, VoiceObject) else options.voice
    if options.output_format is not usual.output_format:
        audio["format"] = options.output_format.to_wire()
    wire: dict[str, Any] = {"audio": {"output": audio}} if audio else {}
    if options.output_modality != usual.output_modality:
        wire["output_modalities"] = [options.output_modality]
    if options.tools != usual.tools:
        wire["tools"] = [tool.to_wire() for tool in options.tools if tool.name not in ours]
    if options.tool_choice != usual.tool_choice:
        wire["tool_choice"] = options.tool_choice.to_wire()
    if options.max_output_tokens != usual.max_output_tokens:
        wire["max_output_tokens"] = options.wire_max_output_tokens
    if options.reasoning_effort != usual.reasoning_effort:
        wire["reasoning"] = {"effort": options.reasoning_effort}
    for name in ("instructions", "temperature", "parallel_tool_calls", "metadata"):
        if (value := getattr(options, name)) != getattr(usual, name):
            wire[name] = value
    if options.input is not None:
        items = [_without_empty_ids(msgspec.to_builtins(item)) for item in options.input]
        if len(msgspec.json.encode(items)) <= MAX_INPUT_BYTES:
            wire["input"] = items
    return wire or None


def _without_empty_ids(item: dict[str, Any]) -> dict[str, Any]:
    """An item to which its client gave none."""
    return {key: value for key, value in item.items() if value or key not in ("id", "call_id")}
