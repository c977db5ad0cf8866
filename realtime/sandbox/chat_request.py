"""Reads a chat request, with every check of the platform before its answer (docs/minimax/chat.md 2 and 8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .chat_tokens import count_tokens
from .models import MODELS, Model
from .options import SandboxOptions
from .refusal import Refusal
from .schema import BadSchema, check_schema
from .talker import text_of

ROLES = frozenset(
    "system user assistant tool user_system group sample_message_user sample_message_ai".split()
)
HIDDEN_PROMPT_TOKENS = 40  # docs/minimax/chat.md 3: added when no system message is sent
PER_MESSAGE_TOKENS = 4
OBEYS_FORMAT = frozenset({"MiniMax-Text-01"})  # docs/minimax/chat.md 5: the others ignore `response_format`


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request that passed every check."""

    model: str
    messages: list[Mapping[str, Any]]
    tools: list[Mapping[str, Any]]
    tool_choice: Any
    parallel: bool
    stream: bool
    include_usage: bool
    split: bool  # thinking in its own fields
    thinks: bool
    max_tokens: int | None
    prompt_tokens: int
    schema: Mapping[str, Any] | None = None  # of `response_format`, for a model that obeys it

    @property
    def kind(self) -> Model:
        """The features of the model."""
        return MODELS[self.model]


def decode(raw: bytes) -> Any:
    """The JSON body. Raises Refusal with the platform's message for a broken one."""
    try:
        return json.loads(raw)
    except UnicodeDecodeError as error:
        raise Refusal(2013, f'invalid params, "Syntax error at index {error.start}: invalid utf-8"') from None
    except json.JSONDecodeError as error:
        at_end = not error.doc[error.pos :].strip()
        reason = "eof" if at_end else "invalid char"
        index = len(error.doc) if at_end else error.pos
        raise Refusal(2013, f'invalid params, "Syntax error at index {index}: {reason}"') from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or very deep
        raise Refusal(2013, f'invalid params, "Syntax error at index 0: {error}"') from None


def check(body: Any, options: SandboxOptions) -> ChatRequest:
    """Every check of the platform, in its order. Raises Refusal."""
    if not isinstance(body, Mapping):
        raise Refusal(2013, 'invalid params, "Mismatch type object"')
    model = model_of(body)
    messages = _messages(body)
    if body.get("n") not in (None, 1):
        raise Refusal(2013, "invalid params, n must be 1")
    check_numbers(body, options)
    tools = _tools(body)
    check_tool_history(messages)
    mode = thinking_mode(body, model)
    schema = schema_of(body.get("response_format")) if model in OBEYS_FORMAT else None
    prompt_tokens = count_prompt(messages, tools, model, options)
    stream_options = body.get("stream_options")
    return ChatRequest(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=body.get("tool_choice") or "auto",
        parallel=body.get("parallel_tool_calls") is not False,
        stream=boolean(body, "stream"),
        include_usage=isinstance(stream_options, Mapping) and stream_options.get("include_usage") is True,
        split=boolean(body, "reasoning_split") or model.startswith(("MiniMax-M3.1", "MiniMax-M1")),
        thinks=MODELS[model].thinks and not (model == "MiniMax-M3" and mode == "disabled"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        prompt_tokens=prompt_tokens,
        schema=schema,
    )


def thinking_mode(body: Mapping[str, Any], model: str) -> str | None:
    """The value of `thinking.type`, None if it is not sent. Raises Refusal."""
    thinking = body.get("thinking")
    mode = thinking.get("type") if isinstance(thinking, Mapping) else None
    if mode is not None and mode not in ("adaptive", "enabled", "disabled"):
        raise Refusal(2013, f"invalid params, thinking.type '{mode}' is not supported")
    if model.startswith("MiniMax-M3.1") and mode == "disabled":
        raise Refusal(2013, f'invalid params, model "{model}" requires adaptive thinking')
    return mode


def schema_of(response_format: Any) -> Mapping[str, Any] | None:
    """The JSON schema of a `response_format`, None if it asks for none. Raises Refusal (docs/minimax/chat.md 5)."""
    if response_format is None:
        return None
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if kind in ("text", "json_object"):
        return None
    if kind != "json_schema":
        raise Refusal(2013, f"invalid params, response_format.type '{kind}' is not supported")
    wanted = response_format.get("json_schema")
    for name in ("name", "schema"):
        if not isinstance(wanted, Mapping) or not wanted.get(name):
            raise missing(f"response_format.json_schema.{name}")
    try:
        check_schema(wanted["schema"])
    except BadSchema as error:
        raise Refusal(2013, f"invalid params, response_format.json_schema.schema: {error}") from None
    schema: Mapping[str, Any] = wanted["schema"]
    return schema


def missing(name: str) -> Refusal:
    """The refusal of a request without the field `name`."""
    return Refusal(2013, f"invalid params, binding: expr_path={name}, cause=missing required parameter")


def wrong_type(name: str, wanted: str) -> Refusal:
    """The refusal of a field of another type."""
    return Refusal(2013, f"invalid params, binding: expr_path={name}, cause=expected {wanted}")


def boolean(body: Mapping[str, Any], name: str) -> bool:
    """A field that is false if it is missing. Raises Refusal."""
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong_type(name, "bool")
    return value


def model_of(body: Mapping[str, Any]) -> str:
    """The id of a known model. Raises Refusal."""
    model = body.get("model")
    if not model:
        raise missing("model")
    if not isinstance(model, str) or model not in MODELS:
        raise Refusal(2013, f"invalid params, unknown model '{model}'")
    return str(model)


def _messages(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = body.get("messages")
    if not messages:
        raise missing("messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "array")
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping):
            raise wrong_type(f"messages[{place}]", "object")
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            raise Refusal(2013, f"invalid params, chat content has invalid message role: {role}")
        if not isinstance(message.get("content"), str | list | None):
            raise wrong_type(f"messages[{place}].content", "string or array")
    return messages


def check_numbers(body: Mapping[str, Any], options: SandboxOptions) -> None:
    """The ranges of the sampling fields and of the length limits. Raises Refusal."""
    strict = bool(options["chat.strict_temperature"])
    _check_range(body, "temperature", 1.0 if strict else 2.0, above_zero=strict)
    _check_range(body, "top_p", 1.0, above_zero=False)
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise Refusal(2013, f"invalid params, {name} must be an integer of at least 1")


def _check_range(body: Mapping[str, Any], name: str, maximum: float, *, above_zero: bool) -> None:
    value = body.get(name)
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= maximum or (above_zero and value == 0):
        raise Refusal(2013, f"invalid params, {name} must be in {'(' if above_zero else '['}0, {maximum:g}]")


def _tools(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tools = body.get("tools")
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise wrong_type("tools", "array")
    for tool in tools:
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind != "function":
            raise Refusal(2013, f"invalid params, unsupported tool type '{kind}'")
        function = tool.get("function")
        if not isinstance(function, Mapping) or not function.get("name"):
            raise Refusal(2013, "invalid params, function name is empty")
        if not isinstance(function.get("parameters"), Mapping):
            raise Refusal(2013, "invalid params, function parameters is empty")
    return tools


def check_tool_history(messages: list[Mapping[str, Any]]) -> None:
    """Every tool result has its call before it, and old arguments are JSON. Raises Refusal."""
    known: set[str | None] = set()
    for message in messages:
        calls = message.get("tool_calls")
        if message.get("role") == "assistant":
            known = set()
        for call in calls if isinstance(calls, list) else ():
            if not isinstance(call, Mapping) or not isinstance(call.get("function"), Mapping | None):
                raise wrong_type("tool_calls", "objects with a function")
            if not isinstance(call.get("id"), str | None):
                raise wrong_type("tool_calls.id", "string")
            known.add(call.get("id"))
            try:
                json.loads((call.get("function") or {}).get("arguments") or "{}")
            except (ValueError, TypeError, RecursionError):
                reason = f"invalid function arguments json string, tool_call_id: {call.get('id')}"
                raise Refusal(2013, f"invalid params, {reason}") from None
        wanted = message.get("tool_call_id")
        if not isinstance(wanted, str | None):
            raise wrong_type("tool_call_id", "string")
        if message.get("role") == "tool" and wanted not in known:
            raise Refusal(2013, f"invalid params, tool result's tool id({wanted}) not found")


def count_prompt(
    messages: list[Mapping[str, Any]], tools: list[Mapping[str, Any]], model: str, options: SandboxOptions
) -> int:
    """The tokens of the prompt. Raises Refusal if it is longer than the model's context.

    Old thinking is not counted: `text_of` leaves it out, as the platform does (docs/minimax/chat.md 2).
    """
    total = sum(count_tokens(text_of(message)) + PER_MESSAGE_TOKENS for message in messages)
    total += sum(count_tokens(json.dumps(m["tool_calls"])) for m in messages if m.get("tool_calls"))
    total += count_tokens(json.dumps(tools)) if tools else 0
    if not any(m.get("role") == "system" for m in messages):
        total += HIDDEN_PROMPT_TOKENS
    if total > (options["chat.context_tokens"] or MODELS[model].context):
        raise Refusal(2013, "invalid params, context window exceeds limit")
    return total
