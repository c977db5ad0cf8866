"""Makes a checked call of the options that a user gives by name: the one way for `mm.chat` and for batches.

Knows the forms of tools and of `tool_choice` at OpenAI and at Anthropic. What the platform refuses is in `chat_checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime.errors import InvalidArgument
from realtime.minimax.chat_call import ChatCall, ChatOptions, Dialect, Messages
from realtime.minimax.chat_checks import as_messages, as_tools, check, refuse
from realtime.minimax.fields import check_names
from realtime.minimax.models import Endpoint

_CHOICES = "auto, none, required, or the name of a tool"
_ANTHROPIC = {
    "auto": "auto",
    "none": "none",
    "any": "required",
}  # the types of its tool_choice, beside `tool`
_ONE_CALL = "disable_parallel_tool_use"  # in Anthropic's tool_choice; an option of its own at OpenAI


def call_of(
    messages: Messages,
    options: Mapping[str, Any],
    *,
    model: str,
    dialect: Dialect = Dialect.MINIMAX,
    token_field: str = "max_completion_tokens",
) -> ChatCall:
    """The checked call. None stands for an option that was left out. Raises InvalidArgument."""
    check_names(
        options, ChatOptions.__annotations__, "Fields that this package does not know go into `extra`."
    )
    fields = {name: value for name, value in options.items() if value is not None and name != "dialect"}
    fields["model"] = options.get("model") or model
    if not isinstance(fields["model"], str):
        raise refuse("model", fields["model"], "the name of a model")
    fields["tools"] = as_tools(options.get("tools") or ())
    fields["tool_choice"] = as_tool_choice(options.get("tool_choice"))
    if _asks_for_one_call(options.get("tool_choice"), options.get("parallel_tool_calls")):
        fields["parallel_tool_calls"] = False
    fields["extra"] = options.get("extra") or {}
    if not isinstance(fields["extra"], Mapping):
        raise refuse("extra", fields["extra"], "a mapping of fields to values")
    _check_types(fields)
    call = ChatCall(messages=as_messages(messages), dialect=dialect, token_field=token_field, **fields)
    check(call)
    return call


def as_tool_choice(choice: object) -> str:
    """`auto`, `none`, `required` or a name; a mapping may be OpenAI's or Anthropic's. Raises InvalidArgument."""
    if choice is None:
        return "auto"
    found = _choice_of(choice) if isinstance(choice, Mapping) else choice
    if not isinstance(found, str) or not found:
        raise refuse("tool_choice", choice, _CHOICES)
    return found


def _choice_of(choice: Mapping[str, Any]) -> object:
    kind = choice.get("type")
    if kind == "function":
        inner = choice.get("function", choice)  # the Responses and Realtime APIs have the name outside
        if not isinstance(inner, Mapping):
            return None
        _check_keys(choice, "tool_choice", "type", "name" if inner is choice else "function")
        _check_keys(inner, "tool_choice.function", "name", *(("type",) if inner is choice else ()))
        return inner.get("name")
    if kind == "tool":
        _check_keys(choice, "tool_choice", "type", "name", _ONE_CALL)
        return choice.get("name")
    found = _ANTHROPIC.get(kind) if isinstance(kind, str) else None
    if found is not None:
        _check_keys(choice, "tool_choice", "type", _ONE_CALL)
    return found


def _check_keys(given: Mapping[str, Any], where: str, *known: str) -> None:
    """Nothing is dropped without a word. None stands for what was left out."""
    for key, value in given.items():
        if value is not None and key not in known:
            raise InvalidArgument(
                f"There is no {key} in a {where} like this one. Known are {', '.join(known)}.",
                param=f"{where}.{key}",
            )


def _asks_for_one_call(choice: object, parallel: object) -> bool:
    """Whether a checked `tool_choice` in Anthropic's form wants one call at most in an answer."""
    asked = choice.get(_ONE_CALL) if isinstance(choice, Mapping) else None
    if not isinstance(asked, bool | None):
        raise refuse(f"tool_choice.{_ONE_CALL}", asked, "True or False")
    if asked and parallel is True:
        raise refuse("parallel_tool_calls", parallel, f"False, as {_ONE_CALL} of tool_choice says")
    return bool(asked)


def _check_types(fields: Mapping[str, Any]) -> None:
    for name in ("parallel_tool_calls", "cache"):
        if not isinstance(fields.get(name, False), bool):
            raise refuse(name, fields[name], "True or False")
    if not isinstance(fields.get("reasoning_effort", ""), str):
        raise refuse("reasoning_effort", fields["reasoning_effort"], "a text")
    if not isinstance(fields.get("endpoint", Endpoint.NATIVE), Endpoint):
        raise refuse("endpoint", fields["endpoint"], "Endpoint.COMPLETIONS or Endpoint.NATIVE")
