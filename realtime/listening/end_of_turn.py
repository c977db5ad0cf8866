"""How long the user may be silent before the turn is over, under `semantic_vad`: by what was said and how it sounded.

Asks the judge of turns once in each pause, where there is one, and tells the endpointer the length of silence each time
something new is known. It ends no turn itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from realtime.core.completeness import Eagerness, silence_ms
from realtime.core.endpointing import Endpointer
from realtime.errors import ProviderError
from realtime.providers.base import EndOfTurnModel, Samples

JUDGE_PATIENCE_S = 1.0


class EndOfTurnDelay:
    """Of one session. `eagerness` None: the silence is fixed, and nobody is asked."""

    def __init__(
        self,
        judge: EndOfTurnModel | None,
        endpointer: Endpointer,
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
    ) -> None:
        self._judge = judge
        self._endpointer = endpointer
        self._spawn = spawn
        self._text: str | None = None
        self._acoustic: float | None = None
        self._speech: Callable[[], Samples] | None = None  # not judged yet
        self._judging: asyncio.Task[None] | None = None
        self.eagerness: Eagerness | None = None

    def __repr__(self) -> str:
        return f"<EndOfTurnDelay {self._endpointer.silence_ms:.0f} ms, sounds {self._acoustic}, text {self._text!r}>"

    def pause_began(self, speech: Callable[[], Samples], *, text_comes: bool) -> None:
        """The user fell silent after this speech. If its text comes soon, the judge listens after that: whatever
        shares the cores with the decode delays the answer.
        """
        self.pause_ended()
        self._text = self._acoustic = None
        if self.eagerness is None:
            return
        self._speech = speech
        self._apply()
        if not text_comes:
            self._judge_now()

    def pause_ended(self) -> None:
        """The user goes on, or the turn is over: whatever the judge still says is late."""
        self._speech = None
        if self._judging is not None:
            self._judging.cancel()
            self._judging = None

    def text_known(self, text: str) -> None:
        """What was said before this pause."""
        self._text = text
        self._apply()
        self._judge_now()

    def _judge_now(self) -> None:
        if self._judge is not None and self._speech is not None:
            self._judging = self._spawn(self._ask(self._judge, self._speech()), "end of turn")
            self._speech = None  # once in each pause

    async def _ask(self, judge: EndOfTurnModel, speech: Samples) -> None:
        try:
            async with asyncio.timeout(JUDGE_PATIENCE_S):
                self._acoustic = await judge.finished(speech)
        except (ProviderError, TimeoutError):
            return  # the text will do
        self._apply()

    def _apply(self) -> None:
        if self.eagerness is not None:
            self._endpointer.silence_ms = silence_ms(self._text, self.eagerness, self._acoustic)
