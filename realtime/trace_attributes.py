"""The attributes of the spans of a turn, by the names of the GenAI conventions where these have one.

Pure. What people say, what the model is told and what tools give is only in `content_of`, and in `of_tool` with
`content`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec

from realtime.core.messages import ChatMessage, ChatRequest
from realtime.core.writable import writable
from realtime.settings import Settings
from realtime.tools import is_error
from realtime.turn_report import ReplyReport, ToolRun

MAX_CONTENT = 8_000  # characters of one message
MAX_TEXT = 200  # characters of what others choose: the name of a model, the id of a request

Value = str | int | bool | tuple[str, ...]
Attributes = dict[str, Value]


def provider_name(settings: Settings) -> str:
    """Who answers: `minimax`, the host of another chat, or the name of an installed provider."""
    name = settings.chat_provider.partition(":")[0]
    if name in ("auto", "openai") and settings.chat_base_url is not None:
        return urlsplit(settings.chat_base_url).hostname or "openai"
    return "minimax" if name == "auto" else name


def of_turn(replies: Sequence[ReplyReport]) -> Attributes:
    """Of the span `turn`: the replies are those of one turn, in order."""
    first, last = replies[0], replies[-1]
    reasons = tuple(reply.finish_reason for reply in replies if reply.finish_reason is not None)
    trace_ids = tuple(_text(each) for reply in replies for each in reply.trace_ids)
    found: dict[str, Value] = {
        "session.id": first.session_id,
        "gen_ai.conversation.id": first.conversation_id,
        "gen_ai.request.model": _text(first.model),
        "gen_ai.output.type": "speech" if last.spoken else "text",
        "realtime.origin": first.marks.origin,
        "realtime.response_ids": tuple(reply.response_id for reply in replies),
        "realtime.status": last.status,
        **_usage(replies),
    }
    if reasons:
        found["gen_ai.response.finish_reasons"] = reasons
    if trace_ids:
        found["realtime.upstream_trace_ids"] = trace_ids
    if first.out_of_band:
        found["realtime.out_of_band"] = True
    return found


def _usage(replies: Sequence[ReplyReport]) -> Attributes:
    """The tokens of all replies together."""
    usages = [reply.usage for reply in replies if reply.usage is not None]
    if not usages:
        return {}
    always: Attributes = {
        "gen_ai.usage.input_tokens": sum(usage.input_tokens for usage in usages),
        "gen_ai.usage.output_tokens": sum(usage.output_tokens for usage in usages),
    }
    sometimes = {
        "gen_ai.usage.cache_read.input_tokens": sum(usage.cached_tokens for usage in usages),
        "gen_ai.usage.reasoning.output_tokens": sum(usage.reasoning_tokens for usage in usages),
    }
    return always | {name: tokens for name, tokens in sometimes.items() if tokens}


def of_tool(run: ToolRun, *, content: bool) -> Attributes:
    """Of the span of a tool."""
    found: dict[str, Value] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": run.name,
        "gen_ai.tool.call.id": _text(run.call_id),
        "gen_ai.tool.type": "function",
    }
    if content:
        found["gen_ai.tool.call.arguments"] = _text(run.arguments, MAX_CONTENT)
        found["gen_ai.tool.call.result"] = _text(run.output, MAX_CONTENT)
    return found


def tool_error(run: ToolRun) -> str:
    """Why there is no result of this tool; "" if there is one."""
    if run.ended_s is None:
        return "cancelled"
    return "tool_error" if is_error(run.output) else ""


def content_of(replies: Sequence[ReplyReport]) -> Attributes:
    """What was said in the turn: its new words, the instructions, and the answers as the model wrote them."""
    asked = replies[0].asked
    found: dict[str, Value] = {}
    if asked is not None:
        found["gen_ai.input.messages"] = _json([_message(new.role, new.content) for new in _new_in(asked)])
        if told := [each.content for each in asked.messages if each.role == "system"]:
            found["gen_ai.system_instructions"] = _json([_part(text) for text in told])
    if said := [reply for reply in replies if reply.said]:
        found["gen_ai.output.messages"] = _json(
            [
                _message("assistant", reply.said) | {"finish_reason": reply.finish_reason or "error"}
                for reply in said
            ]
        )
    return found


def _new_in(asked: ChatRequest) -> Iterator[ChatMessage]:
    """What was said since the last answer. All that came before is in the traces of earlier turns."""
    last = max((at for at, each in enumerate(asked.messages) if each.role == "assistant"), default=-1)
    return (each for each in asked.messages[last + 1 :] if each.role != "system")


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [_part(text)]}


def _part(text: str) -> dict[str, object]:
    return {"type": "text", "content": _text(text, MAX_CONTENT)}


def _text(text: str, most: int = MAX_TEXT) -> str:
    """The text, cut, as UTF-8 can carry it: half a pair of surrogates would cost the whole batch."""
    return writable(text[:most])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
