"""An answer begun before the user's turn is certain to be over, unseen until it is (shared/design.md 2.3).

The rules: one guess at a time; it is begun at a pause, from the transcript so far, or on a whole sentence that stays
the same while the user may still be speaking; it is used only if the words of the final transcript, the session's
options and the conversation are exactly those it was begun with; else nobody ever learns of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.core.conversation import Item
from realtime.core.messages import ChatRequest
from realtime.metrics import Marks, Metrics
from realtime.protocol.response_options import ResponseOptions
from realtime.providers.base import Providers
from realtime.replying.response import Response
from realtime.replying.responses import Responses
from realtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Premise:
    """What an early answer takes for granted."""

    words: str  # of the user, see `core/agreement.essence`
    options: ResponseOptions
    items: tuple[Item, ...]  # of the conversation before the user's turn


class Speculation:
    """At most one early answer of one session."""

    def __init__(
        self, replies: Responses, providers: Providers, settings: Settings, metrics: Metrics
    ) -> None:
        self._responses = replies
        self._chat, self._speech = providers.chat, providers.speech
        self._settings = settings
        self._outcomes = metrics.speculations
        self._premise: Premise | None = None
        self._response: Response | None = None

    def __repr__(self) -> str:
        return f"<Speculation {self._premise.words!r}>" if self._premise else "<Speculation idle>"

    def holds(self, premise: Premise) -> bool:
        """Whether an answer to exactly this is under way."""
        return self._premise == premise

    def wants(self, premise: Premise) -> bool:
        """Whether an answer to this should be begun. One that is not wanted leaves no other one either."""
        if self.holds(premise):
            return False
        allowed = self._settings.speculate != "off"
        # A guess may cost a request in vain: the second half of the budget is kept for turns that are certain.
        if allowed and self._chat.requests_left() > self._settings.chat_rpm / 2:
            return True
        self.drop()
        return False

    def begin(self, premise: Premise, request: ChatRequest, marks: Marks) -> None:
        """Ask the chat model now; where that is wanted and half of its budget is left, the voice prepares the first
        chunk as well."""
        self.drop()
        left = self._speech.requests_left()
        speak_ahead = self._settings.speculate == "speech" and left > self._settings.speech_rpm / 2

        async def given() -> ChatRequest:
            return request

        self._premise = premise
        self._response = self._responses.prepare(premise.options, given, marks, speak_ahead=speak_ahead)
        self._responses.start(self._response)

    def redeem(self, premise: Premise, marks: Marks) -> bool:
        """The turn is over: show the early answer if it answers what was really said."""
        response = self._response
        if response is None or not self.holds(premise) or response.failed:
            self.drop()
            return False
        self._premise = self._response = None
        response.marks.origin, response.marks.origin_s = marks.origin, marks.origin_s
        response.marks.reached_s.update(marks.reached_s)  # where the user seemed to end, it only looked so
        self._responses.open(response)
        self._outcomes.labels("used").inc()
        return True

    def drop(self) -> None:
        """It was a wrong guess, or something changed."""
        if self._response is not None:
            self._outcomes.labels("wasted").inc()
            self._responses.discard(self._response)
        self._premise = self._response = None
