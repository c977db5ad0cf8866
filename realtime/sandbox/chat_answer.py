"""What the sandbox answers to a chat request: the talker's words, or JSON where a schema is asked for.

Knows `response_format`, a schema that stands in the prompt's own words, a complaint about an earlier answer, and the
faults `chat.bad_json`, `chat.bad_json_always`, `chat.words_before_calls` and `chat.written_call`. Does not know tokens
or the wire.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zlib import crc32

from .chat_request import ChatRequest
from .faults import Faults
from .schema import Schema, resolve, schema_in
from .schema_fill import fill
from .schema_words import Words
from .talker import Reply, reply, text_of
from .written import written

Message = Mapping[str, Any]
_COMPLAINT = re.compile(
    r"\b(?:not valid|invalid|(?:does|did|do)(?: not|n't) (?:fit|match|conform|validate|parse|decode)|cannot be|"
    r"could not|not (?:fit|match|json)|validat\w+|missing|expected|wrong|errors?|try again|again|once more|fix|"
    r"correct(?:ed)?|rejected|refused)\b|不符|不合|无效|错误|缺少|重新|再试|修正|改正",
    re.I,
)
_ANSWERED_WITH = re.compile(r"[{\[`]")
_DATA = re.compile(r"json", re.I)
_SENTENCE = re.compile(r"[^.!?:\n。！？：]+(?:[.!?:\n。！？：]+|$)(?=\s|$|[^\w])", re.ASCII)
# A sentence about the form of the answer says nothing about its content.
_FORM = re.compile(r"\b(?:json|schema)\b", re.I)
_OF_FORM = re.compile(
    r"\b(?:answer|reply|respond|response|return|output|fit|fits|match|matches|schema|format|valid|only|object|nothing)\b",
    re.I,
)
_CONTENT = re.compile(r"[\d\"“”「」]")
MAX_TEXT = 20_000  # characters of a question that are read


@dataclass(frozen=True, slots=True)
class _Wish:
    """JSON is wanted. `text` is what it is about; `complaint`: an earlier answer was complained about."""

    schema: Schema
    text: str
    complaint: bool
    in_words: bool  # the schema stands in the prompt, not in `response_format`


def answer(chat: ChatRequest, faults: Faults, now: datetime) -> Reply:
    """The reply to one request."""
    wish = _wish(chat)
    messages = _without_schema(chat.messages, wish) if wish else chat.messages
    announces = faults.has("chat.words_before_calls")
    choice, parallel = chat.tool_choice, chat.parallel
    said = reply(messages, chat.tools, now, tool_choice=choice, parallel=parallel, announces=announces)
    if said.calls and (form := faults.get("chat.written_call")) is not None:
        return replace(said, text=f"{said.text or 'One moment.'}\n{written(said.calls, form)}", calls=())
    if wish is None or said.calls:
        return said
    made = fill(wish.schema, Words(wish.text, said.text, now))
    spoiled = faults.has("chat.bad_json_always") or (faults.has("chat.bad_json") and not wish.complaint)
    text = _spoiled(made, wish.schema) if spoiled else _written(made)
    return replace(said, text=_fenced(text, wish.text) if wish.in_words else text)


def _wish(chat: ChatRequest) -> _Wish | None:
    asked, complaint = _question(chat.messages)
    if chat.schema is not None:
        return _Wish(chat.schema, _about(asked), complaint, in_words=False)
    stated = [text_of(m) for m in chat.messages if m.get("role") in ("system", "user_system")]
    texts = [*stated, *asked, *([_newest(chat.messages)] if complaint else [])]
    if not any(_DATA.search(text) for text in texts):
        return None
    found = [hit[0] for text in texts if "{" in text and (hit := schema_in(text))]
    return _Wish(found[-1], _about(asked), complaint, in_words=True) if found else None


def _newest(messages: Sequence[Message]) -> str:
    return next((text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")


def _question(messages: Sequence[Message]) -> tuple[list[str], bool]:
    """The user's newest texts that are no complaint, with the tool results after them; and whether one followed."""
    complaint = False
    end = len(messages)
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.get("role") != "user":
            continue
        if place and _is_complaint(messages[place - 1], message):
            complaint, end = True, place
            continue
        first = place
        while first and messages[first - 1].get("role") == "user":
            first -= 1
        kept = [m for m in messages[first:end] if m.get("role") in ("user", "tool")]
        return [text_of(m) for m in kept], complaint
    return [], complaint


def _is_complaint(before: Message, message: Message) -> bool:
    answered = before.get("role") == "assistant" and not before.get("tool_calls")
    empty_or_data = not text_of(before) or _ANSWERED_WITH.search(text_of(before)) is not None
    return answered and empty_or_data and _COMPLAINT.search(text_of(message)) is not None


def _about(texts: Sequence[str]) -> str:
    """The content of the question: without schemas and without sentences about JSON."""
    bare = [found[1] if (found := schema_in(text)) else text for text in texts]
    joined = "\n".join(bare).replace("```json", "").replace("```", "")[:MAX_TEXT]
    return (
        _SENTENCE.sub(lambda match: "" if _is_form(match[0]) else match[0], joined).strip() or joined.strip()
    )


def _is_form(sentence: str) -> bool:
    return bool(_FORM.search(sentence) and _OF_FORM.search(sentence) and not _CONTENT.search(sentence))


def _without_schema(messages: list[Message], wish: _Wish) -> list[Message]:
    """The conversation as the talker should see it: the question without the schema and the complaints."""
    kept = [m for m in messages if m.get("role") == "system" and not schema_in(text_of(m))]
    past = [m for m in messages if m.get("role") in ("tool",) or m.get("tool_calls")]
    return [*kept, {"role": "user", "content": wish.text}, *past]


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fenced(text: str, about: str) -> str:
    """As models write JSON when merely asked for it: mostly in a fence, now and then with words around it."""
    match crc32(about.encode()) % 8:
        case 0:
            return text
        case 1:
            return f"Here is the JSON:\n\n```json\n{text}\n```"
        case 2:
            return f"```json\n{text}\n```\n\nLet me know if you need anything else."
        case _:
            return f"```json\n{text}\n```"


def _spoiled(value: Any, schema: Schema) -> str:
    """JSON that does not fit: without a required property if there is one, else cut in the middle."""
    required = resolve(schema, schema).get("required", ())
    if isinstance(value, dict) and required:
        return _written({key: inner for key, inner in value.items() if key != required[0]})
    text = _written(value)
    return "{" + text[: len(text) // 2]
