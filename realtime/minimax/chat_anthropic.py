"""Builds the body of a request in the Anthropic dialect, without I/O (docs/minimax/anthropic.md 1).

Knows blocks, the system field, tools, cache marks and how thinking is sent back. Decoding is `anthropic_stream`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from realtime.core.messages import ChatMessage, ToolCall
from realtime.minimax.chat_call import ChatCall, Message
from realtime.minimax.chat_request import (
    answered_calls_only,
    effort_of,
    parameters_of,
    sampling_fields,
    thinking_type,
    tools_to_offer,
)
from realtime.minimax.json_text import decode_json
from realtime.minimax.models import ModelTraits, traits_of

MESSAGES_PATH = "/anthropic/v1/messages"
COUNT_PATH = "/anthropic/v1/messages/count_tokens"
MODELS_PATH = "/anthropic/v1/models"
HEADERS: Mapping[str, str] = {"anthropic-version": "2023-06-01"}

_CACHED = {"type": "ephemeral"}
Block = dict[str, Any]


def anthropic_body(call: ChatCall, *, stream: bool = True) -> dict[str, Any]:
    """The JSON body for this call."""
    traits = traits_of(call.model)
    body = prompt_fields(call)
    body["stream"] = stream
    if call.max_output_tokens is not None:
        body["max_tokens"] = call.max_output_tokens
    body |= sampling_fields(call)
    effort = effort_of(call, traits)
    if effort is not None:
        body["output_config"] = {"effort": effort}
    return body | dict(call.extra)


def prompt_fields(call: ChatCall) -> dict[str, Any]:
    """The fields that count as input: model, messages, system, tools and thinking."""
    traits = traits_of(call.model)
    tools, hint = tools_to_offer(call)
    system, messages = _split(call, traits)
    if hint and tools:
        system.append({"type": "text", "text": hint})
    body: dict[str, Any] = {"model": call.model, "messages": messages}
    if system:
        body["system"] = system
    if call.tool_choice == "none" and call.tools:
        tools, body["tool_choice"] = call.tools, {"type": "none"}  # old calls need their tools to be known
    if tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": parameters_of(tool)}
            for tool in tools
        ]
    kind = thinking_type(call, traits)
    if kind is not None:
        body["thinking"] = {"type": kind}
    if call.cache:
        _mark_cacheable(body)
    return body


def _split(call: ChatCall, traits: ModelTraits) -> tuple[list[Block], list[dict[str, Any]]]:
    """The system blocks, and the other messages with neighbours of one role joined: results of tools, for example."""
    system: list[Block] = []
    messages: list[dict[str, Any]] = []
    for message in answered_calls_only(call.messages):
        role, blocks = _blocks(message, traits)
        if role == "system":
            system += blocks
        elif blocks and messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append({"role": role, "content": blocks})
    if system and not messages:  # a message is required: instructions alone are the question
        return [], [{"role": "user", "content": system}]
    return system, messages


def _blocks(message: Message, traits: ModelTraits) -> tuple[str, list[Block]]:
    if not isinstance(message, ChatMessage):
        content = message.get("content")
        blocks = [dict(block) for block in content] if isinstance(content, list | tuple) else _text(content)
        return str(message.get("role")), blocks
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}
        return "user", [result]
    images = message.images if traits.sees_images else ()
    reasoning = message.reasoning if message.role == "assistant" else None
    blocks = _thinking(reasoning) + _text(_with_think(message.content, reasoning))
    blocks += [_image(url) for url in images]
    return message.role, blocks + [_tool_use(tool_call) for tool_call in message.tool_calls]


def _text(content: object) -> list[Block]:
    """Empty texts are refused as blocks, so they are left out."""
    return [{"type": "text", "text": content}] if isinstance(content, str) and content.strip() else []


def _thinking(reasoning: Any) -> list[Block]:
    """The thinking blocks as they were received, with their signatures (see `ChatFinish.reasoning`)."""
    blocks = reasoning.get("blocks") if isinstance(reasoning, Mapping) else None
    return [dict(block) for block in blocks or ()]


def _with_think(content: str, reasoning: Any) -> str:
    """Thinking that was received inside a text goes back there."""
    think = reasoning.get("think") if isinstance(reasoning, Mapping) else None
    return f"<think>{think}</think>\n\n{content}" if think else content


def _image(url: str) -> Block:
    head, comma, data = url.partition(",")
    if url.startswith("data:") and comma:
        kind = head.removeprefix("data:").split(";")[0] or "image/jpeg"
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}
    return {"type": "image", "source": {"type": "url", "url": url}}


def _tool_use(call: ToolCall) -> Block:
    try:
        arguments = decode_json(call.arguments or "{}")
    except msgspec.DecodeError:
        arguments = {}  # a model's broken arguments would make every later request fail
    given = arguments if isinstance(arguments, dict) else {}
    return {"type": "tool_use", "id": call.call_id, "name": call.name, "input": given}


def _mark_cacheable(body: dict[str, Any]) -> None:
    """Marks the ends of the tools, of the system text and of the history; four marks are allowed."""
    last: list[list[Block]] = [body.get("tools") or [], body.get("system") or []]
    last += [body["messages"][-1]["content"]] if body["messages"] else []
    for blocks in last:
        if blocks and blocks[-1].get("type") != "thinking":
            blocks[-1]["cache_control"] = dict(_CACHED)
