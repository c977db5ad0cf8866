"""What the chat model is asked: the conversation, once every committed item of the user has its text."""

from __future__ import annotations

from realtime.context import Context
from realtime.core.messages import ChatRequest
from realtime.listening.user_input import UserInput
from realtime.protocol.response_options import ResponseOptions
from realtime.replying.chat_request import build_request


async def question(context: Context, user: UserInput, options: ResponseOptions) -> ChatRequest:
    """Raises ProviderError."""
    if options.input is None:
        await user.settled()
    return build_request(options, context.conversation, sees_images=context.providers.chat.sees_images)
