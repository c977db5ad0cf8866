"""Items, and conversations of them."""

from __future__ import annotations

import pytest

from realtime.core.conversation import (
    Conversation,
    ConversationError,
    FunctionCall,
    FunctionCallOutput,
    Message,
    Text,
)


def user(item_id: str, text: str) -> Message:
    return Message(item_id, "user", (Text(text),))


def assistant(item_id: str, text: str) -> Message:
    return Message(item_id, "assistant", (Text(text),))


def call(item_id: str, call_id: str, arguments: str = "{}", status="completed") -> FunctionCall:
    return FunctionCall(item_id, call_id, "weather", arguments, status)


def answer(item_id: str, call_id: str, output: str = "4") -> FunctionCallOutput:
    return FunctionCallOutput(item_id, call_id, output)


def filled(*items) -> Conversation:
    conversation = Conversation()
    for item in items:
        conversation.add(item)
    return conversation


def ids(conversation: Conversation) -> list[str]:
    return [item.id for item in conversation.items]


def refusal(action, *arguments) -> tuple[str, str | None]:
    with pytest.raises(ConversationError) as caught:
        action(*arguments)
    return caught.value.code, caught.value.param
