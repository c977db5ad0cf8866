"""Refuses what the platform would refuse, or drop without a word, before it is sent: ranges, words, roles, tools.

Knows the rules of docs/minimax/chat.md 2 and anthropic.md 1. Other services have rules of their own, so their calls are
not checked. Every refusal is an InvalidArgument that says what was given and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from realtime.core.messages import ChatMessage, Tool
from realtime.errors import InvalidArgument
from realtime.minimax.chat_call import AnyTool, ChatCall, Dialect, Message, Messages
from realtime.minimax.models import ModelTraits, traits_of

_ROLE_PLAY = ("user_system", "group", "sample_message_user", "sample_message_ai")  # M2-her
_ROLES = ("system", "user", "assistant", "tool")
_ANTHROPIC_ROLES = ("system", "user", "assistant")
TOOL_CHOICES = ("auto", "none", "required")
SERVICE_TIERS = ("standard", "priority")
EFFORTS = (
    "none",
    "minimal",
    "low",
    "medium",
    "high",
    "xhigh",
    "max",
)  # the first three think as little as can be
_SEEN = ("image", "video")
_NOT_TAKEN = frozenset({"document", "audio", "input_audio", "file", "image_url", "video_url"})
_ONLY_FROM = {"tool_use": "assistant", "thinking": "assistant", "tool_result": "user"}


def refuse(param: str, given: object, allowed: str) -> InvalidArgument:
    """The error for one wrong argument."""
    shown = repr(given)
    shown = shown if len(shown) <= 120 else shown[:117] + "..."
    return InvalidArgument(f"{param} is {shown}; allowed: {allowed}.", param=param)


def as_messages(messages: Messages) -> Sequence[Message]:
    """The messages of a call. A text is one message of the user. Raises InvalidArgument if there are none."""
    if isinstance(messages, str):
        messages = (ChatMessage("user", messages),)
    if not _is_sequence(messages) or not messages:
        raise refuse("messages", messages, "one message or more")
    return messages


def as_tools(tools: Sequence[AnyTool]) -> Sequence[Tool]:
    """The tools of a call; mappings may be in OpenAI's or Anthropic's form. Raises InvalidArgument without a schema."""
    if not _is_sequence(tools):
        raise refuse("tools", tools, "a list of tools")
    if all(isinstance(tool, Tool) for tool in tools):
        return tools  # type: ignore[return-value]  # a conversation gives these: no copy
    return [
        tool if isinstance(tool, Tool) else _tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)
    ]


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def check(call: ChatCall) -> None:
    """Raises InvalidArgument for a call that the platform would refuse."""
    if call.dialect is Dialect.OPENAI:
        return
    traits = traits_of(call.model)
    _check_numbers(call)
    _check_words(call)
    _check_choice(call)
    _check_thinking(call, traits)
    _check_response_format(call, traits)
    for index, tool in enumerate(call.tools):
        _check_schema(tool.parameters, f"tools[{index}].parameters")
    for index, message in enumerate(call.messages):
        if not isinstance(message, ChatMessage):
            _check_message(message, f"messages[{index}]", call, traits)


def _check_numbers(call: ChatCall) -> None:
    _check_range("temperature", call.temperature, 0, 2)
    _check_range("top_p", call.top_p, 0, 1)
    most = call.max_output_tokens
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise refuse("max_output_tokens", most, "a whole number of 1 or more")
    if call.extra.get("n", 1) != 1:
        raise refuse("n", call.extra["n"], "1, the platform gives one answer")


def _check_words(call: ChatCall) -> None:
    if call.service_tier not in (None, *SERVICE_TIERS):
        raise refuse("service_tier", call.service_tier, ", ".join(SERVICE_TIERS))
    if call.reasoning_effort not in (None, *EFFORTS):
        raise refuse("reasoning_effort", call.reasoning_effort, ", ".join(EFFORTS))


def _check_choice(call: ChatCall) -> None:
    names = [tool.name for tool in call.tools]
    if call.tool_choice not in (*TOOL_CHOICES, *names):
        raise refuse("tool_choice", call.tool_choice, ", ".join((*TOOL_CHOICES, *names)))
    if call.tool_choice == "required" and not names:
        raise refuse("tool_choice", call.tool_choice, "auto or none, there are no tools")


def _check_range(param: str, value: object, least: float, most: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise refuse(param, value, f"a number from {least:g} to {most:g}")


def _check_thinking(call: ChatCall, traits: ModelTraits) -> None:
    if call.thinking not in (None, "adaptive", "disabled"):
        raise refuse("thinking", call.thinking, "adaptive or disabled")
    if call.thinking == "disabled" and traits.thinking_required:
        raise refuse("thinking", call.thinking, f"adaptive, {call.model} always thinks")


def _check_response_format(call: ChatCall, traits: ModelTraits) -> None:
    if call.response_format is None:
        return
    if call.dialect is Dialect.ANTHROPIC or not traits.takes_schema:
        raise refuse(
            "response_format",
            call.response_format,
            "None; MiniMax-Text-01 alone obeys it, others want `parse`",
        )


def _check_schema(schema: object, param: str) -> None:
    if schema is not None and not isinstance(schema, Mapping):
        raise refuse(param, schema, "a JSON schema of an object, as a mapping")
    if schema and isinstance(schema, Mapping) and schema.get("type", "object") != "object":
        raise refuse(f"{param}.type", schema["type"], "object, a function takes named arguments")


def _tool(tool: Mapping[str, Any], param: str) -> Tool:
    inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str) or not inner["name"]:
        raise refuse(f"{param}.name", tool, "a name")
    schema = inner.get("parameters", inner.get("input_schema"))
    if not schema:
        raise refuse(f"{param}.parameters", schema, "a JSON schema of an object, even without properties")
    return Tool(inner["name"], str(inner.get("description") or ""), schema)


def _check_message(message: object, param: str, call: ChatCall, traits: ModelTraits) -> None:
    if not isinstance(message, Mapping):
        raise refuse(param, message, "a ChatMessage or a mapping with role and content")
    anthropic = call.dialect is Dialect.ANTHROPIC
    roles: tuple[str, ...] = _ANTHROPIC_ROLES if anthropic else _ROLES
    if call.model.startswith("M2-her"):
        roles += _ROLE_PLAY
    role = message.get("role")
    if role not in roles:
        hint = "; results of tools are tool_result blocks, or ChatMessage" if anthropic else ""
        raise refuse(f"{param}.role", role, ", ".join(roles) + hint)
    content = message.get("content")
    if anthropic and isinstance(content, list | tuple):
        for index, block in enumerate(content):
            _check_block(block, f"{param}.content[{index}]", str(role), call.model, traits)


def _check_block(block: object, param: str, role: str, model: str, traits: ModelTraits) -> None:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(kind, str):
        raise refuse(param, block, "a mapping with a type, such as {'type': 'text', 'text': …}")
    if kind in _NOT_TAKEN:
        raise refuse(f"{param}.type", kind, "text, image, video, thinking, tool_use, tool_result")
    if kind in _SEEN and not traits.sees_images:
        raise refuse(f"{param}.type", kind, f"text, {model} sees no pictures and films; MiniMax-M3 does")
    if _ONLY_FROM.get(kind, role) != role:
        raise refuse(f"{param}.type", kind, f"it in a message of the role {_ONLY_FROM[kind]} alone")
