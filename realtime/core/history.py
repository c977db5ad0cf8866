"""What a chat model is shown of a conversation: messages, calls with their results, within a budget of characters.

Pure: items in, messages out. Leaves out what nobody said or heard: speech that turned out to be noise, replies
cut before their first word, pictures for a model that cannot see.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from realtime.core.conversation import (
    FunctionCall,
    FunctionCallOutput,
    Image,
    InputSpeech,
    Item,
    Message,
    OutputSpeech,
    Text,
)
from realtime.core.cut_text import size_of
from realtime.core.fitting import MAX_CHARACTERS, WHOLE, Budget, ContextOverflow, fit
from realtime.core.messages import ChatMessage, ToolCall

__all__ = ["MAX_CHARACTERS", "NO_RESULT", "WHOLE", "Budget", "ContextOverflow", "history"]

NO_RESULT = "no result yet"


def history(
    items: Sequence[Item],
    instructions: str = "",
    *,
    sees_images: bool = False,
    budget: Budget = WHOLE,
    reasoning: Mapping[str, object] | None = None,
) -> tuple[ChatMessage, ...]:
    """The messages for a chat request, oldest first. Raises ContextOverflow if nothing may be dropped."""
    groups = list(_groups(items, sees_images, reasoning or {}))
    kept = fit(groups, budget, size_of(instructions))
    system = [ChatMessage("system", instructions)] if instructions else []
    return tuple(system + [message for group in kept for message in group])


def _groups(
    items: Sequence[Item], sees_images: bool, reasoning: Mapping[str, object]
) -> Iterable[list[ChatMessage]]:
    """Messages that stay or go together: a message alone, calls with their results."""
    outputs = {item.call_id: item.output for item in items if isinstance(item, FunctionCallOutput)}
    last_user = max((n for n, item in enumerate(items) if _is_user(item)), default=-1)
    position = 0
    while position < len(items):
        item = items[position]
        position += 1
        match item:
            case Message():
                message = _message(item, sees_images)
                calls, position = _calls_from(items, position) if item.role == "assistant" else ([], position)
                if calls:
                    yield _call_group(calls, outputs, message, position > last_user, reasoning)
                elif message is not None:
                    yield [message]
            case FunctionCall():
                calls, position = _calls_from(items, position - 1)
                if calls:
                    yield _call_group(calls, outputs, None, position > last_user, reasoning)
            case FunctionCallOutput():
                continue  # shown with its call


def _is_user(item: Item) -> bool:
    return isinstance(item, Message) and item.role == "user"


def _calls_from(items: Sequence[Item], position: int) -> tuple[list[FunctionCall], int]:
    """The run of finished calls from here. A result ends it: what is called after it is the next step."""
    calls: list[FunctionCall] = []
    while position < len(items) and isinstance(items[position], FunctionCall):
        call = items[position]
        assert isinstance(call, FunctionCall)
        if call.status == "completed":
            calls.append(call)
        position += 1
    return calls, position


def _call_group(
    calls: list[FunctionCall],
    outputs: Mapping[str, str],
    said: ChatMessage | None,
    in_open_loop: bool,
    reasoning: Mapping[str, object],
) -> list[ChatMessage]:
    thought = (
        next((reasoning[call.id] for call in calls if call.id in reasoning), None) if in_open_loop else None
    )
    asked = ChatMessage(
        "assistant",
        said.content if said is not None else "",
        tool_calls=tuple(ToolCall(call.call_id, call.name, _as_json(call.arguments)) for call in calls),
        reasoning=thought,
    )
    answers = [
        ChatMessage("tool", outputs.get(call.call_id, NO_RESULT), tool_call_id=call.call_id) for call in calls
    ]
    return [asked, *answers]


def _as_json(arguments: str) -> str:
    """Arguments as a JSON text: a chat model refuses the whole conversation for one call without."""
    try:
        json.loads(arguments)
    except ValueError:
        return json.dumps({"input": arguments} if arguments.strip() else {})
    return arguments


def _message(item: Message, sees_images: bool) -> ChatMessage | None:
    """One message, or None if there is nothing in it for the model."""
    texts: list[str] = []
    images: list[str] = []
    for part in item.parts:
        match part:
            case Text(text):
                texts.append(text)
            case InputSpeech(transcript) | OutputSpeech(transcript):
                texts.append(transcript or "")
            case Image(url) if sees_images:
                images.append(url)
    content = "\n".join(text for text in texts if text.strip())
    if not content and not images:
        return None
    return ChatMessage(item.role, content, images=tuple(images))
