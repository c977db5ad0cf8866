"""Builds the body of a chat request, without I/O: our messages in, the platform's JSON out.

Knows the platform's rules about messages, tools, thinking and temperature (docs/minimax/chat.md 2) and the simpler
ones of other OpenAI-compatible services. Knows nothing of streaming.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from realtime.core.messages import ChatMessage, Tool
from realtime.minimax.chat_call import ChatCall, Dialect, Message
from realtime.minimax.models import ModelTraits, traits_of

_THINKING_EFFORTS = ("medium", "high", "xhigh", "max")


def request_body(call: ChatCall, *, stream: bool = True) -> dict[str, Any]:
    """The JSON body for this call, in the two OpenAI-style dialects."""
    own = call.dialect is Dialect.MINIMAX
    traits = traits_of(call.model) if own else ModelTraits(sees_images=True)
    tools, hint = _offered_tools(call) if traits.takes_tools else ([], "")
    body: dict[str, Any] = {
        "model": call.model,
        "messages": _wire_messages(call.messages, hint, traits, call.dialect),
        "stream": stream,
    }
    if stream:
        body["stream_options"] = {"include_usage": True}
    if tools:
        body["tools"] = tools
    if call.max_output_tokens is not None:
        body[call.token_field] = call.max_output_tokens
    if call.response_format is not None:
        body["response_format"] = dict(call.response_format)
    body |= sampling_fields(call)
    if own:
        body |= _thinking_fields(call, traits)
    else:
        body |= _openai_fields(call, bool(tools))
    return body | dict(call.extra)


def sampling_fields(call: ChatCall) -> dict[str, Any]:
    """Temperature, top_p and the service tier, the same in every dialect.

    The platform documents two ranges for temperature, (0, 1] and [0, 2], and two for top_p, (0, 1] and [0, 1]: what is
    sent fits both.
    """
    own = call.dialect is not Dialect.OPENAI
    fields: dict[str, Any] = {}
    if call.temperature is not None:
        fields["temperature"] = min(max(call.temperature, 0.01), 1.0) if own else call.temperature
    if call.top_p is not None:
        fields["top_p"] = max(call.top_p, 0.01) if own else call.top_p
    if call.service_tier is not None:
        fields["service_tier"] = call.service_tier
    return fields


def thinking_type(call: ChatCall, traits: ModelTraits) -> str | None:
    """The value of `thinking.type`. M3 thinks only on request: with it, words may be lost (docs/minimax/chat.md 4)."""
    if call.thinking is not None:
        return call.thinking
    if traits.thinking_choice:
        return "adaptive" if call.reasoning_effort in _THINKING_EFFORTS else "disabled"
    return "adaptive" if traits.thinking_required else None


def effort_of(call: ChatCall, traits: ModelTraits) -> str | None:
    """How hard the model is to think, where it takes a degree (M3.1): low, medium, high, xhigh or max."""
    effort = call.reasoning_effort
    if effort is None or not traits.thinking_required:
        return None
    return effort if effort in _THINKING_EFFORTS else "low"


def _thinking_fields(call: ChatCall, traits: ModelTraits) -> dict[str, Any]:
    fields: dict[str, Any] = {"reasoning_split": True}
    kind, effort = thinking_type(call, traits), effort_of(call, traits)
    if kind is not None:
        fields["thinking"] = {"type": kind}
    if effort is not None:
        fields["reasoning_effort"] = effort
    return fields


def _openai_fields(call: ChatCall, offers_tools: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if offers_tools:
        choice = call.tool_choice
        plain = choice in ("auto", "none", "required")
        fields["tool_choice"] = choice if plain else {"type": "function", "function": {"name": choice}}
        if not call.parallel_tool_calls:
            fields["parallel_tool_calls"] = False
    if call.reasoning_effort is not None:
        fields["reasoning_effort"] = call.reasoning_effort
    return fields


def _offered_tools(call: ChatCall) -> tuple[list[dict[str, Any]], str]:
    """The tools to offer, and a sentence for the model where the platform has no field for the choice.

    The platform ignores `tool_choice` on some models, so `none` offers nothing and a named tool is offered alone.
    """
    tools, hint = tools_to_offer(call) if call.dialect is Dialect.MINIMAX else (call.tools, "")
    offered = [_wire_tool(tool) for tool in tools]
    return offered, hint if offered else ""


def tools_to_offer(call: ChatCall) -> tuple[Sequence[Tool], str]:
    """The tools for this choice, and the sentence that makes the choice known to the model."""
    if call.tool_choice == "none":
        return (), ""
    if call.tool_choice == "required":
        return call.tools, "Answer by calling one of the functions."
    if call.tool_choice == "auto":
        return call.tools, ""
    named = tuple(tool for tool in call.tools if tool.name == call.tool_choice)
    return named, f"Answer by calling the function {call.tool_choice}."


def parameters_of(tool: Tool) -> dict[str, Any]:
    """The schema of a tool's arguments; the platform refuses a tool without one."""
    return dict(tool.parameters) if tool.parameters else {"type": "object", "properties": {}}


def _wire_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": parameters_of(tool)}
    return {"type": "function", "function": function}


def _wire_messages(
    messages: Sequence[Message], hint: str, traits: ModelTraits, dialect: Dialect
) -> list[dict[str, Any]]:
    """One leading system message (the platform refuses more), then the rest in order."""
    system: list[str] = []
    rest: list[dict[str, Any]] = []
    for message in answered_calls_only(messages):
        if isinstance(message, ChatMessage):
            wire = _wire_message(message, traits, dialect)
        else:
            wire = dict(message)
        if wire.get("role") == "system" and isinstance(wire.get("content"), str):
            system.append(wire["content"])
        else:
            rest.append(wire)
    if hint:
        system.append(hint)
    head = "\n\n".join(text for text in system if text.strip())
    return ([{"role": "system", "content": head}] if head else []) + rest


def answered_calls_only(messages: Sequence[Message]) -> list[Message]:
    """The history with every tool call directly followed by its result.

    A call without a result and a result without a call make the platform refuse the whole request
    (docs/minimax/chat.md 2), so both are left out. Messages given as mappings are not changed.
    """
    results: dict[str | None, deque[ChatMessage]] = defaultdict(deque)
    for message in messages:
        if isinstance(message, ChatMessage) and message.role == "tool":
            results[message.tool_call_id].append(message)
    ordered: list[Message] = []
    for message in messages:
        if not isinstance(message, ChatMessage):
            ordered.append(message)
        elif message.role != "tool":
            # ids should be unique; a client may still send the same one twice
            answered = [
                (call, results[call.call_id].popleft())
                for call in message.tool_calls
                if results[call.call_id]
            ]
            calls = tuple(call for call, _ in answered)
            if message.tool_calls and not calls and not message.content:
                continue
            ordered.append(_with_calls(message, calls))
            ordered += [result for _, result in answered]
    return ordered


def _with_calls(message: ChatMessage, calls: tuple[Any, ...]) -> ChatMessage:
    if calls == message.tool_calls:
        return message
    return ChatMessage(
        role=message.role,
        content=message.content,
        images=message.images,
        tool_calls=calls,
        reasoning=message.reasoning,
    )


def _wire_message(message: ChatMessage, traits: ModelTraits, dialect: Dialect) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images and traits.sees_images:
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": image}} for image in message.images
        ]
        if message.content:
            parts.insert(0, {"type": "text", "text": message.content})
        wire["content"] = parts
    if message.tool_calls:
        wire["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        wire["tool_call_id"] = message.tool_call_id
    if dialect is Dialect.MINIMAX and message.role == "assistant" and isinstance(message.reasoning, Mapping):
        _add_reasoning(wire, message.reasoning)
    return wire


def _add_reasoning(wire: dict[str, Any], reasoning: Mapping[str, Any]) -> None:
    """Send thinking back in the form in which it was received (see `ChatFinish.reasoning`)."""
    for key in ("reasoning_details", "reasoning_content"):
        if reasoning.get(key):
            wire[key] = reasoning[key]
    think = reasoning.get("think")
    if think and isinstance(wire["content"], str):
        wire["content"] = f"<think>{think}</think>\n\n{wire['content']}"
