"""What a chat model has said in one reply, also what nobody has heard yet: kept so that it can be said again.

It is filled by the reply that asked (`response.py`), and may grow on after that one was stopped. How long an answer may
be is said here. It knows no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import msgspec

from realtime.core.messages import ChatEvent, ChatFinish, ChatRequest, ChatUsage, TextDelta, ToolCallDelta

MAX_ANSWER_CHARACTERS = 200_000  # of the text and the calls (wire 1.4)
CALL_CHARACTERS = 200  # that each call counts for, beside its name, its id and its arguments
# Of a text that goes on at once: the voice's side takes some milliseconds for it
MAX_DELTA_CHARACTERS = 2_000


class Answer:
    """`asked` is the request, once there is one; `finish` and `usage` come at the end.

    `calls` are fragments of calls that nobody was told of. `said_all`: the chat model says no more. `ended`: its tools
    have ended too, or it broke off.
    """

    def __init__(self) -> None:
        self.asked: ChatRequest | None = None
        self.finish: ChatFinish | None = None
        self.usage: ChatUsage | None = None
        self.calls: list[ToolCallDelta] = []
        self.characters = 0
        self.said_all = False
        self.ended = False
        self._texts: list[str] = []
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Answer of {self.characters} characters{', ended' if self.ended else ''}>"

    @property
    def text(self) -> str:
        """The whole text so far."""
        return "".join(self._texts)

    @property
    def was_cut(self) -> bool:
        """A limit or a filter has ended it."""
        return self.finish is not None and self.finish.reason in ("length", "content_filter")

    @property
    def broke_off(self) -> bool:
        """It ended before the model had."""
        return self.ended and self.finish is None

    def ask(self, request: ChatRequest) -> None:
        """The model is asked this."""
        self.asked = request
        self._news.set()

    def add(self, text: str) -> None:
        """The model goes on."""
        self._texts.append(text)
        self.characters += len(text)
        self._news.set()

    def end(self) -> None:
        """No more comes."""
        self.ended = True
        self._news.set()

    async def request(self) -> ChatRequest:
        """What was asked, once it is known; an empty request if it never was."""
        while self.asked is None and not self.ended:
            self._news.clear()
            await self._news.wait()
        return self.asked or ChatRequest(())

    async def follow(self, start: int) -> AsyncGenerator[str, None]:
        """The text from this character on, as it comes, to its end."""
        given = len(self._texts)
        if rest := self.text[start:]:
            yield rest
        while True:
            while given < len(self._texts):
                given += 1
                yield self._texts[given - 1]
            if self.ended:
                return
            self._news.clear()
            await self._news.wait()


def is_whole(call: ToolCallDelta) -> bool:
    """Whether its arguments have come to their end. Those that have not begun have not."""
    try:
        msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


async def in_bounds(events: AsyncGenerator[ChatEvent, None]) -> AsyncGenerator[ChatEvent, None]:
    """These events of a chat model, up to the length that an answer may have: there it ends as at a limit of tokens.

    A long text comes in pieces, and the event loop has its turn between them.
    """
    left, calls = MAX_ANSWER_CHARACTERS, set[int]()
    async for event in events:
        if isinstance(event, TextDelta):
            for start in range(0, max(1, min(len(event.text), left)), MAX_DELTA_CHARACTERS):
                if start:
                    await asyncio.sleep(0)
                yield TextDelta(event.text[start : min(start + MAX_DELTA_CHARACTERS, left)])
            left -= len(event.text)
        elif isinstance(event, ToolCallDelta):
            if event.index not in calls:
                calls.add(event.index)
                left -= CALL_CHARACTERS + len(event.name) + len(event.call_id)
            yield replace(event, arguments=event.arguments[: max(0, left)])
            left -= len(event.arguments)
        else:
            yield event
        if left <= 0 and not isinstance(event, ChatFinish | ChatUsage):
            yield ChatFinish("length")
            return
