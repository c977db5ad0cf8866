"""Decodes the JSON events of a chat stream, without I/O: payloads in, `ChatEvent`s out.

Knows every oddity of the events (docs/minimax/chat.md 3 to 7): thinking in three places, text on the last delta,
the whole answer repeated at the end, events that are damaged. Raises ProviderError for an error in the stream. Whose
fragment of a call is whose is `call_assembler`; what of `content` is visible, `visible_text`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, FinishReason
from realtime.core.writable import without_halves
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.call_assembler import Schemas, ToolCallAssembler, new_call_id
from realtime.minimax.codes import OUTPUT_SENSITIVE
from realtime.minimax.damaged_text import PiecewiseText
from realtime.minimax.errors import any_error, find_error, loose_error, trace_of
from realtime.minimax.json_text import count_of, objects_in
from realtime.minimax.native_events import as_choices
from realtime.minimax.reading import reading
from realtime.minimax.thinking import Accumulator
from realtime.minimax.visible_text import VisibleText, events_of
from realtime.minimax.written_calls import Piece

_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_output": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
# What no event of an answer is without, in any service: an object without them may be an error.
_ANSWER_FIELDS = frozenset({"choices", "usage", "base_resp", "delta"})
_NO_REFRAIN = 8  # characters that nobody says twice in a row
_CLOSING_TAG = re.compile(r"\s*</(?:mm:)?think(?:ing)?>\s*$")


class ChatDecoder:
    """One answer. `started` is true from the first content on (also thinking), `finished` from the finish reason on.

    `schemas` are the arguments of the tools that the request offered, by name: a call that the model writes as text
    counts only for these.
    """

    def __init__(
        self,
        *,
        service: str = "MiniMax",
        max_calls: int | None = None,
        new_id: Callable[[], str] = new_call_id,
        schemas: Schemas | None = None,
    ) -> None:
        self.finished = False
        self.started = False
        self.complete = False  # this dialect's last event, `[DONE]`, is not JSON
        self._service = service
        self._content = Accumulator()
        self._text = VisibleText(schemas or {})
        self._pieces = PiecewiseText()
        self._reasoning = Accumulator()
        self._reasoning_pieces = PiecewiseText()
        self._reasoning_text: list[str] = []
        self._details: dict[str, Any] | None = None
        self._calls = ToolCallAssembler(max_calls, new_id, schemas=schemas)
        self._index: int | None = None  # of the choice that is read
        self._in_deltas = False  # the text or the calls of this answer
        self._thought_in_deltas = False
        # The text of this answer, where whole messages come in place of deltas
        self._in_messages: list[str] = []
        self._damaged = False  # an event could not be read

    @reading("the chat stream")
    def feed(self, payload: str | bytes) -> list[ChatEvent]:
        """The events in one payload; what cannot be read is left out. Raises ProviderError for an error event."""
        objects = objects_in(payload)
        if objects is None:
            self._damaged = True
        return [event for item in objects or () for event in self._object(item)]

    @reading("the answer")
    def feed_whole(self, body: bytes) -> list[ChatEvent]:
        """An answer that came as JSON although a stream was requested: as one object, or all its events at once."""
        events = objects_in(body)
        if events is None:
            raise ProviderUnavailable(f"{self._service}: the answer is not JSON.")
        event = as_choices(events[0]) if events else {}
        choice = _first(event.get("choices"))
        message = _message_of(choice) if choice is not None else None
        if len(events) > 1 or (choice is not None and isinstance(choice.get("delta"), dict)):
            return [one for item in events for one in self._object(item)] + self.end()
        if choice is None or message is None:
            refused = any_error(without_halves(dict(event)), 200, self._service)
            trace = trace_of(event)
            raise refused or ProviderUnavailable(
                f"{self._service}: the answer holds no message.", trace_id=trace
            )
        reason = str(choice.get("finish_reason") or "stop")
        return self._message(message) + self._finish(reason) + self._usage(event)

    @reading("the end of the chat stream")
    def end(self) -> list[ChatEvent]:
        """The stream has ended regularly; a missing finish reason is added. Raises ProviderError if nothing came."""
        return [] if self.finished else self._finish("stop")

    def _object(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        event = as_choices(event)
        if loose := self._loose_error(event):
            raise loose
        if find_error(event) is not None and (
            refused := find_error(without_halves(event), service=self._service)
        ):
            if refused.upstream_code == OUTPUT_SENSITIVE and not self.finished:
                return self._finish("content_filter")
            raise refused
        return self._choice(event) + self._usage(event)

    def _loose_error(self, event: Mapping[str, Any]) -> ProviderError | None:
        """An error without an envelope: in the choice, or in an event that is none of an answer."""
        choice = _first(event.get("choices"))
        inner = choice if choice is not None and choice.get("error") else None
        if inner is not None:
            return find_error(without_halves({"error": inner["error"]}), service=self._service)
        if event.keys() & _ANSWER_FIELDS or find_error(event) is not None or self.finished:
            return None
        return loose_error(without_halves(dict(event)), service=self._service)

    def _choice(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        choice = self._first_choice(event)
        if choice is None or self.finished:
            return []
        delta, message = choice.get("delta"), _message_of(choice)
        events: list[ChatEvent] = []
        reason = choice.get("finish_reason")
        if isinstance(delta, dict):
            self._in_deltas = self._in_deltas or _says(delta)
            events = self._delta(delta)
            self._thought_in_deltas = bool(self._reasoning_text)
        elif message is not None:
            repeats = self._repeats(message, last=_is_reason(reason))
            events = self._message(_calls_of(message) if repeats else message)
        if reason == "error":
            raise ProviderUnavailable(f"{self._service}: the service ended the answer with an error.")
        return events + self._finish(reason) if _is_reason(reason) else events

    def _repeats(self, message: Mapping[str, Any], *, last: bool) -> bool:
        """Whether this message is what was said before: in deltas, or in the messages that came in their place."""
        text = read_content(message.get("content"))[0]
        if self._in_deltas or (last and text and self._was_said(text)):
            return True
        self._in_messages += [text] if text else []
        return False

    def _was_said(self, text: str) -> bool:
        """Whether the messages before this one were the same text. Joined at the end only: there may be thousands."""
        many = len(self._in_messages) > 1 or len(text) >= _NO_REFRAIN
        return many and text == "".join(self._in_messages)

    def _first_choice(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The choice that began first, where a service sends several answers."""
        choices = event.get("choices")
        for choice in (
            [choices] if isinstance(choices, dict) else choices if isinstance(choices, list) else ()
        ):
            if isinstance(choice, dict):
                index = count_of(choice.get("index"))
                self._index = index if self._index is None else self._index
                if index == self._index:
                    return choice
        return None

    def _message(self, message: Mapping[str, Any]) -> list[ChatEvent]:
        """A whole message: its calls are whole too, so each has an index of its own."""
        calls = [
            {**call, "index": index}
            for index, call in enumerate(_list(message, "tool_calls"))
            if isinstance(call, dict)
        ]
        if self._thought_in_deltas:  # the message repeats it
            message = {key: message[key] for key in ("content", "refusal", "function_call") if key in message}
        return self._delta({**message, "tool_calls": calls})

    def _delta(self, delta: Mapping[str, Any]) -> list[ChatEvent]:
        content, thought = read_content(delta.get("content") or delta.get("refusal"))
        reasoning = self._reasoning_of(delta) or thought
        if reasoning:
            self.started = True
            self._text.skip_blanks()
            self._reasoning_text.append(self._reasoning.feed(self._reasoning_pieces.feed(reasoning)))
        events: list[ChatEvent] = []
        if content and content != reasoning:
            self.started = True
            events += self._visible(self._text.feed(self._content.feed(self._pieces.feed(content))))
        calls = _list(delta, "tool_calls")
        if not calls and isinstance(delta.get("function_call"), dict):
            calls = [{"index": 0, "function": delta["function_call"]}]  # the older form, of one call
        calls = [*calls, *_calls_in(delta.get("content"))]
        for call in calls:
            if isinstance(call, dict):
                self.started = True
                events += self._calls.feed(call)
        return events

    def _visible(self, pieces: list[Piece]) -> list[ChatEvent]:
        return events_of(pieces, self._calls)

    def _reasoning_of(self, delta: Mapping[str, Any]) -> str:
        """The thinking in this delta, which may hold it twice. The details come first: they are sent back."""
        details = [item for item in _list(delta, "reasoning_details") if isinstance(item, dict)]
        if details and self._details is None:
            self._details = without_halves(dict(details[0]))
        text = "".join(str(item.get("text") or "") for item in details)
        if text:
            return text
        for key in ("reasoning_content", "reasoning"):
            value = delta.get(key)
            if isinstance(value, str) and value:
                return value
        return ""

    def _finish(self, reason: str) -> list[ChatEvent]:
        known = _REASONS.get(reason.strip().lower(), "stop")
        if self._damaged and not self.started and known != "content_filter":
            raise ProviderUnavailable(f"{self._service}: the answer holds broken JSON.")
        self.finished = True
        rest = self._content.feed(self._pieces.finish()) + self._content.finish()
        events = self._visible(self._text.feed(rest))
        events += self._visible(self._text.finish(cut=known != "stop", called=self._calls.any))
        self._reasoning_text += [
            self._reasoning.feed(self._reasoning_pieces.finish()),
            self._reasoning.finish(),
        ]
        events += self._calls.finish()
        if known == "stop" and self._calls.any:
            known = "tool_calls"
        events.append(ChatFinish(known, self._reasoning_to_return()))
        return events

    def _reasoning_to_return(self) -> dict[str, Any] | None:
        text = _CLOSING_TAG.sub("", "".join(self._reasoning_text))
        if text and self._details is not None:
            return {"reasoning_details": [{**self._details, "text": text}], "reasoning_content": text}
        if text:
            return {"reasoning_content": text}
        return {"think": self._text.thinking} if self._text.thinking else None

    def _usage(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        usage = event.get("usage")
        if not isinstance(usage, dict) or not self.finished:
            return []
        prompt, output = count_of(usage.get("prompt_tokens")), count_of(usage.get("completion_tokens"))
        if not (prompt or output):
            return []
        return [
            ChatUsage(
                input_tokens=prompt,
                output_tokens=output,
                cached_tokens=_detail(usage, "prompt_tokens_details", "cached_tokens"),
                reasoning_tokens=min(_detail(usage, "completion_tokens_details", "reasoning_tokens"), output),
            )
        ]


def _calls_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a message is of use although its text is known: calls that came before have the same ids."""
    return {key: message[key] for key in ("tool_calls", "function_call") if key in message}


def _says(delta: Mapping[str, Any]) -> bool:
    """Whether it holds more than thinking."""
    return any(delta.get(key) for key in ("content", "refusal", "tool_calls", "function_call"))


def read_content(content: object) -> tuple[str, str]:
    """The text and the thinking in `content`: a text, or a list of parts."""
    if isinstance(content, str):
        return content, ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and part.get("type") in ("thinking", "reasoning"):
            inner = part.get("thinking", part.get("text"))
            thoughts.append("".join(read_content(inner)))
        elif isinstance(part, dict):
            texts.append(_text_of_part(part))
    return "".join(texts), "".join(thoughts)


def _calls_in(content: object) -> list[Any]:
    """The calls among the parts of `content`, as gateways to Anthropic's models pass them on."""
    parts = content if isinstance(content, list) else ()
    return [
        part for part in parts if isinstance(part, dict) and part.get("type") in ("tool_use", "tool_call")
    ]


def _text_of_part(part: Mapping[str, Any]) -> str:
    for value in (part.get("text"), part.get("refusal")):
        inner = value.get("value") if isinstance(value, dict) else value
        if isinstance(inner, str):
            return inner
    return ""


def _message_of(choice: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The message of a choice; the older completions have a text in its place."""
    message, text = choice.get("message"), choice.get("text")
    if isinstance(message, dict):
        return message
    return {"content": text} if isinstance(text, str) and "delta" not in choice else None


def _list(delta: Mapping[str, Any], name: str) -> list[Any]:
    value = delta.get(name)
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else []


def _is_reason(value: object) -> TypeGuard[str]:
    """Some services write "null" while the answer goes on, and what is no text is damage: neither ends the answer."""
    return isinstance(value, str) and value.strip().lower() not in ("", "null", "none")


def _first(items: Any) -> Mapping[str, Any] | None:
    return next((item for item in items if isinstance(item, dict)), None) if isinstance(items, list) else None


def _detail(usage: Mapping[str, Any], group: str, key: str) -> int:
    details = usage.get(group)
    return count_of(details.get(key)) if isinstance(details, dict) else 0
