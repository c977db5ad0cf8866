"""Structured answers: asks until the answer fits the shape, three times at most.

Knows which models obey `response_format` and what the others are told instead (docs/minimax/chat.md 5). The shapes are
`chat_schema`; the caller sends the calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from realtime.core.messages import ChatMessage
from realtime.errors import ProviderRejected
from realtime.minimax.chat_call import ChatCall, Dialect
from realtime.minimax.chat_checks import refuse
from realtime.minimax.chat_schema import Mismatch, Shape, shape_of
from realtime.minimax.chat_whole import ChatAnswer
from realtime.minimax.models import traits_of

TRIES = 3
_WORDS = (
    "Answer with one JSON value that fits the JSON schema below, and with nothing else: no explanation before or after "
    "it and no code fence.\n\n"
)


class ParseFailed(ProviderRejected):
    """No answer fitted the shape. `text` is what the model said last, `complaint` what was wrong with it, `tries` how
    often it was asked, `answer` the whole last answer."""

    def __init__(self, answer: ChatAnswer, complaint: str, tries: int) -> None:
        times = "one try" if tries == 1 else f"{tries} tries"
        super().__init__(
            f"The answer does not fit after {times}: {complaint}. It said: {answer.text[:300] or '(nothing)'}",
            trace_id=answer.trace_id,
        )
        self.answer = answer
        self.text = answer.text
        self.complaint = complaint
        self.tries = tries


async def parse(call: ChatCall, wanted: Any, ask: Callable[[ChatCall], Awaitable[ChatAnswer]]) -> Any:
    """The answer to `call` as a value of the wanted shape. Raises ParseFailed."""
    if call.response_format is not None:
        raise refuse("response_format", call.response_format, "None, the shape says it already")
    if call.tools:
        raise refuse("tools", [tool.name for tool in call.tools], "none, the answer has to be a value")
    shape = shape_of(wanted)
    call = _told(call, shape)
    for number in range(1, TRIES + 1):
        answer = await ask(call)
        try:
            _check_end(answer, call)
            return shape.read(answer.text)
        except _Useless as error:
            raise ParseFailed(answer, str(error), number) from None
        except Mismatch as error:
            if number == TRIES:
                raise ParseFailed(answer, str(error), number) from error
            call = _asked_again(call, answer, str(error))
    raise AssertionError("the loop returns or raises")


class _Useless(Exception):
    """Asking again with the same limits would bring the same."""


def _check_end(answer: ChatAnswer, call: ChatCall) -> None:
    if answer.finish == "length":
        limit = f" of {call.max_output_tokens} tokens" if call.max_output_tokens else ""
        raise _Useless(f"it was cut off at the limit{limit}, raise max_output_tokens (thinking counts too)")
    if answer.finish == "content_filter":
        raise _Useless("the platform refused the content as sensitive")


def _told(call: ChatCall, shape: Shape) -> ChatCall:
    """The call with the schema: in its field where the model obeys that, else in words."""
    if call.dialect is Dialect.MINIMAX and traits_of(call.model).takes_schema:
        inner = {"name": shape.name, "schema": shape.schema}
        return dataclasses.replace(call, response_format={"type": "json_schema", "json_schema": inner})
    words = ChatMessage("system", _WORDS + msgspec.json.encode(shape.schema).decode())
    return dataclasses.replace(call, messages=(*call.messages, words))


def _asked_again(call: ChatCall, answer: ChatAnswer, complaint: str) -> ChatCall:
    said = dataclasses.replace(answer.message, content=answer.text or "(nothing)", tool_calls=())
    wish = ChatMessage("user", f"This does not fit: {complaint}. Answer again with the JSON value alone.")
    return dataclasses.replace(call, messages=(*call.messages, said, wish))
