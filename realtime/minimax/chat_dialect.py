"""What differs between the dialects of a chat: path, headers, body and decoder. Everything else is shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from realtime.core.messages import ChatEvent, Tool
from realtime.minimax.anthropic_stream import AnthropicDecoder
from realtime.minimax.chat_anthropic import HEADERS, MESSAGES_PATH, anthropic_body
from realtime.minimax.chat_call import ChatCall, Dialect
from realtime.minimax.chat_request import request_body, tools_to_offer
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.models import traits_of


class Decoder(Protocol):
    """One answer. `started`: content has come. `finished`: its end has come. `complete`: nothing follows."""

    started: bool
    finished: bool
    complete: bool

    def feed(self, payload: str | bytes) -> list[ChatEvent]:
        """The events in one payload of a stream. Raises ProviderError."""

    def feed_whole(self, body: bytes) -> list[ChatEvent]:
        """The events of an answer that is one JSON body. Raises ProviderError."""

    def end(self) -> list[ChatEvent]:
        """What is still missing at the regular end of a stream."""


def path_of(call: ChatCall) -> str:
    """The platform's address for this call; other services have one address, which the caller knows."""
    if call.dialect is Dialect.ANTHROPIC:
        return MESSAGES_PATH
    return (call.endpoint or traits_of(call.model).endpoint).value


def headers_of(call: ChatCall) -> Mapping[str, str] | None:
    """The headers besides the key."""
    return HEADERS if call.dialect is Dialect.ANTHROPIC else None


def body_of(call: ChatCall, *, stream: bool) -> dict[str, Any]:
    """The JSON body of the request."""
    build = anthropic_body if call.dialect is Dialect.ANTHROPIC else request_body
    return build(call, stream=stream)


def decoder_for(call: ChatCall, service: str) -> Decoder:
    """A decoder for one answer to this call."""
    limit = None if call.parallel_tool_calls else 1
    schemas = {tool.name: tool.parameters or {} for tool in _offered(call)}
    if call.dialect is Dialect.ANTHROPIC:
        return AnthropicDecoder(service=service, max_calls=limit, schemas=schemas)
    return ChatDecoder(service=service, max_calls=limit, schemas=schemas)


def _offered(call: ChatCall) -> Sequence[Tool]:
    """The tools that the model may call in this answer."""
    if call.tool_choice == "none" or (
        call.dialect is Dialect.MINIMAX and not traits_of(call.model).takes_tools
    ):
        return ()
    return call.tools if call.dialect is Dialect.OPENAI else tools_to_offer(call)[0]
