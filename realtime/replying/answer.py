"""What a chat model has said in one reply, also what nobody has heard yet: kept so that it can be said again.

It is filled by the reply that asked (`response.py`), and may grow on after that one was stopped. It knows no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from realtime.core.messages import ChatFinish, ChatRequest, ChatUsage, ToolCallDelta


class Answer:
    """`asked` is the request, once there is one; `finish` and `usage` come at the end.

    `calls` are fragments of calls that nobody was told of. `ended`: no more comes, perhaps because it broke off.
    """

    def __init__(self) -> None:
        self.asked: ChatRequest | None = None
        self.finish: ChatFinish | None = None
        self.usage: ChatUsage | None = None
        self.calls: list[ToolCallDelta] = []
        self.characters = 0
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
