"""Reads a request of the Anthropic-compatible path, with its checks (docs/minimax/anthropic.md 1).

Translates it into the form of the other chat paths, so that one talker answers all of them. Does not know HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .chat_request import (
    ChatRequest,
    boolean,
    check_numbers,
    check_tool_history,
    count_prompt,
    missing,
    model_of,
    thinking_mode,
    wrong_type,
)
from .models import MODELS
from .options import SandboxOptions
from .refusal import Refusal

NOT_HERE = frozenset({"MiniMax-M1", "MiniMax-Text-01"})  # native path only (docs/minimax/chat.md 1)
ROLES = frozenset({"user", "assistant"})
HER_ROLES = ROLES | {"user_system", "group", "sample_message_user", "sample_message_ai"}
USER_BLOCKS = frozenset({"text", "image", "video", "tool_result", "mid_conv_system"})
ASSISTANT_BLOCKS = frozenset({"text", "thinking", "tool_use"})
MAX_CACHE_MARKS = 4  # M2.x; M3 ignores the marks

Block = Mapping[str, Any]


def check(body: Any, options: SandboxOptions) -> ChatRequest:
    """Every check, and the request as the talker reads it. Raises Refusal."""
    if not isinstance(body, Mapping):
        raise Refusal(2013, 'invalid params, "Mismatch type object"')
    model = model_of(body)
    if model in NOT_HERE:
        raise Refusal(2013, f"invalid params, unknown model '{model}'")
    messages = [*_system(body.get("system")), *_messages(body, model)]
    check_numbers(body, options)
    _check_output(body.get("output_config"))
    tools = _tools(body.get("tools"))
    check_tool_history(messages)
    mode = thinking_mode(body, model)
    if model.startswith("MiniMax-M2") and sum(1 for _ in cache_marks(body)) > MAX_CACHE_MARKS:
        raise Refusal(2013, f"invalid params, at most {MAX_CACHE_MARKS} blocks may have cache_control")
    return ChatRequest(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=_tool_choice(body.get("tool_choice")),
        parallel=True,
        stream=boolean(body, "stream"),
        include_usage=True,
        split=True,
        thinks=_thinks(model, mode),
        max_tokens=body.get("max_tokens"),
        prompt_tokens=count_prompt(messages, tools, model, options),
    )


def blocks_of(content: Any, path: str) -> list[Block]:
    """The blocks of a `content` or `system`, a string as one block. Raises Refusal."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise missing(path) if content is None else wrong_type(path, "string or array")
    for place, block in enumerate(content):
        if not isinstance(block, Mapping):
            raise wrong_type(f"{path}[{place}]", "object")
        if block.get("type") == "text" and not isinstance(block.get("text"), str):
            raise wrong_type(f"{path}[{place}].text", "string")
    return content


def cache_marks(body: Mapping[str, Any]) -> Iterator[Block]:
    """The blocks with a `cache_control`, in their order: tools, system, messages."""
    listed = [body.get("tools"), body.get("system"), *(m.get("content") for m in body.get("messages") or ())]
    for blocks in listed:
        for block in blocks if isinstance(blocks, list) else ():
            if isinstance(block, Mapping) and block.get("cache_control"):
                yield block


def _thinks(model: str, mode: str | None) -> bool:
    """M3 thinks only when told to; M2.x and M3.1 always do."""
    if model == "MiniMax-M3":
        return mode in ("adaptive", "enabled")
    return MODELS[model].thinks


def _check_output(output: Any) -> None:
    if isinstance(output, Mapping) and output.get("format") is not None:
        raise Refusal(2013, "invalid params, output_config.format is not supported")


def _tool_choice(choice: Any) -> str:
    """Only auto and none are documented; everything else is taken as auto."""
    return "none" if isinstance(choice, Mapping) and choice.get("type") == "none" else "auto"


def _tools(tools: Any) -> list[Mapping[str, Any]]:
    """The client's own tools as functions; a tool of the server's, such as web search, is accepted and not used."""
    if tools is None:
        return []
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        raise wrong_type("tools", "array of objects")
    return [_function(tool) for tool in tools if tool.get("type") in (None, "custom")]


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    if not tool.get("name"):
        raise Refusal(2013, "invalid params, function name is empty")
    if not isinstance(tool.get("input_schema"), Mapping):
        raise Refusal(2013, "invalid params, function parameters is empty")
    described = {"name": tool["name"], "description": tool.get("description") or ""}
    return {"type": "function", "function": {**described, "parameters": tool["input_schema"]}}


def _system(system: Any) -> list[Mapping[str, Any]]:
    if not system:
        return []
    texts = [block.get("text", "") for block in blocks_of(system, "system")]
    return [{"role": "system", "content": "\n".join(texts)}]


def _messages(body: Mapping[str, Any], model: str) -> Iterator[Mapping[str, Any]]:
    messages = body.get("messages")
    if not messages:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "array")
    for place, message in enumerate(messages):
        path = f"messages[{place}]"
        if not isinstance(message, Mapping):
            raise wrong_type(path, "object")
        role = message.get("role")
        if not isinstance(role, str) or role not in (HER_ROLES if model == "M2-her" else ROLES):
            raise Refusal(2013, f"invalid params, chat content has invalid message role: {role}")
        blocks = blocks_of(message.get("content"), f"{path}.content")
        allowed = ASSISTANT_BLOCKS if role == "assistant" else USER_BLOCKS
        for block in blocks:
            if str(block.get("type")) not in allowed:
                raise Refusal(
                    2013, f"invalid params, {path} has unsupported content type '{block.get('type')}'"
                )
        yield from [_assistant(blocks, path)] if role == "assistant" else _user(blocks, str(role))


def _assistant(blocks: list[Block], path: str) -> dict[str, Any]:
    """One message; its thinking is left out, whatever its signature says."""
    text = "\n".join(block["text"] for block in blocks if block["type"] == "text")
    calls = [_call(block, path) for block in blocks if block["type"] == "tool_use"]
    return {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})


def _call(block: Block, path: str) -> dict[str, Any]:
    for name in ("id", "name"):
        if not isinstance(block.get(name), str):
            raise missing(f"{path}.content.tool_use.{name}")
    if not isinstance(block.get("input"), Mapping):
        raise wrong_type(f"{path}.content.tool_use.input", "object")
    function = {"name": block["name"], "arguments": json.dumps(block["input"], ensure_ascii=False)}
    return {"id": block["id"], "type": "function", "function": function}


def _user(blocks: list[Block], role: str) -> Iterator[dict[str, Any]]:
    """A message for each run of blocks of one kind, in their order; pictures and films are not looked at."""
    said: list[Block] = []
    for block in blocks:
        if block["type"] in ("text", "image", "video"):
            said.append(block)
            continue
        if said:
            yield {"role": role, "content": said}
            said = []
        if block["type"] == "tool_result":
            yield _result(block)
        else:
            yield {"role": "system", "content": block.get("text") or block.get("content") or ""}
    if said or not blocks:
        yield {"role": role, "content": said}


def _result(block: Block) -> dict[str, Any]:
    """A tool message. A failed call says so in the form that the talker reads."""
    parts = blocks_of(block.get("content") or "", "tool_result.content")
    text = " ".join(part["text"] for part in parts if part.get("type") == "text")
    content = json.dumps({"error": text or "failed"}, ensure_ascii=False) if block.get("is_error") else text
    return {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": content}
