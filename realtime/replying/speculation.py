"""An answer begun before the user's turn is certain to be over, unseen until it is (docs/architecture.md 2.3).

The rules: one guess at a time; it is begun at a pause, from the transcript so far, or on a sentence that is likely
whole while the user may still be speaking; the voice begins when the silence makes the end likely, or at once where
that is wanted; the answer is used only if the final transcript says the same (`core/essence.py`), and the session's
options and the conversation are exactly those it was begun with; else nobody ever learns of it. A guess that fails is
the last one of its turn, and one refused for a limit, an empty account, a wrong key or an overload the last one of all
sessions for some seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from realtime.context import Context
from realtime.core.conversation import InputSpeech, Item, Message, transcript_of
from realtime.core.essence import essence
from realtime.core.messages import ChatRequest
from realtime.core.turn_end import MOST_QUESTIONS, EarlyAnswer
from realtime.core.turn_marks import Marks
from realtime.errors import ProviderError, ProviderRejected
from realtime.minimax.codes import is_dry, is_overload
from realtime.protocol.response_options import ResponseOptions
from realtime.replying.chat_request import request_about
from realtime.replying.response import Response
from realtime.replying.responses import Responses
from realtime.weak_calls import weak_call

MOST_SPEECH_IN_VAIN = 2  # a turn; after that, the voice waits for the end of the turn


@dataclass(frozen=True, slots=True)
class Premise:
    """What an early answer takes for granted."""

    words: str  # of the user, see `core/essence.py`
    options: ResponseOptions
    items: tuple[Item, ...]  # of the conversation before the user's turn


@dataclass(slots=True)
class TurnCosts:
    """What early answers have cost in one turn of the user."""

    questions: int = 0
    in_vain: int = 0  # speech requests
    failed: bool = False  # one could not be answered


class Speculation:
    """At most one early answer of one session."""

    def __init__(
        self, context: Context, responses: Responses, progress: Callable[[EarlyAnswer], None]
    ) -> None:
        """`progress` is told how far the early answer is."""
        self._context = context
        self._progress = progress
        self._responses = responses
        self._outcomes = context.metrics.speculations
        self._costs = TurnCosts()  # of this turn
        self._spent = self._costs  # of the turn that the early answer was begun in
        self._premise: Premise | None = None
        self._response: Response | None = None

    def __repr__(self) -> str:
        return f"<Speculation {self._premise.words!r}>" if self._premise else "<Speculation idle>"

    def turn_began(self) -> None:
        """Somebody speaks: the limits count anew. The turn before it may have had no answer, and had its questions."""
        if self._costs.questions:
            self._turn_over(0)

    def suppose(self, text: str, options: ResponseOptions, marks: Marks) -> None:
        """The user may have said this and no more: begin the answer, where that is wanted and not under way."""
        conversation = self._context.conversation
        premise = Premise(essence(text), options, conversation.items)
        if self._premise == premise:
            return
        self._discard()
        if self._affordable():
            with suppress(ProviderRejected):  # too long a conversation: the answer to the turn will say so
                items = [*premise.items, Message("", "user", (InputSpeech(text),))]
                self._begin(premise, request_about(self._context, options, items), marks)
        if self._response is None:
            self._progress(EarlyAnswer.NONE)

    def _affordable(self) -> bool:
        """An early answer may cost a request in vain: half of the budget is kept for turns that are certain,
        no turn costs more than so many, and where one has failed, the next one would as well."""
        costs, settings, providers = self._costs, self._context.settings, self._context.providers
        if costs.failed or costs.questions >= MOST_QUESTIONS or self._context.careful():
            return False
        if providers.guess_pause.holds(_now()):
            return False
        enough = providers.chat.requests_left() > settings.chat_rpm / 2
        return settings.speculate != "off" and enough

    def _begin(self, premise: Premise, request: ChatRequest, marks: Marks) -> None:
        """Ask the chat model now."""

        async def given() -> ChatRequest:
            return request

        self._costs.questions += 1
        self._spent = self._costs
        self._premise = premise
        self._response = self._responses.prepare(
            premise.options, given, marks, may_speak_ahead=self._may_speak_ahead
        )
        self._response.on_prepared = partial(self._prepared, self._response.id)
        self._response.guess(partial(weak_call(self._failed), self._response.id))
        if self._context.settings.speculate == "speech":
            self._response.speak_ahead()
        self._progress(EarlyAnswer.IN_THE_MAKING)
        self._responses.start(self._response)

    def _may_speak_ahead(self) -> bool:
        """Whether the voice may prepare a first chunk that may be in vain: half of its budget is kept, too."""
        enough = self._context.providers.speech.requests_left() > self._context.settings.speech_rpm / 2
        return enough and self._spent.in_vain < MOST_SPEECH_IN_VAIN

    def speak_ahead(self) -> None:
        """The turn is likely over: the voice need not wait until it is."""
        if self._response is not None:
            self._response.speak_ahead()

    def hold_voice(self) -> None:
        """It is not: there is sound again. The question may still be all; the voice waits for another pause."""
        if self._response is not None:
            self._response.hold_voice()

    def _prepared(self, response_id: str) -> None:
        if self._response is not None and self._response.id == response_id:
            self._progress(EarlyAnswer.NONE if self._response.failed else EarlyAnswer.READY)

    def _failed(self, response_id: str, error: ProviderError) -> None:
        """The chat model could not answer: nothing is worth waiting for, and the turn asks anew when it is over."""
        if _refuses_all(error):
            self._context.providers.guess_pause.refused(_now(), error.retry_after_s)
        if self._response is not None and self._response.id == response_id:
            self._spent.failed = True
            self._progress(EarlyAnswer.NONE)

    def redeem(self, options: ResponseOptions, marks: Marks) -> bool:
        """The turn is over and its item is the last one: show the early answer if it answers what was really said."""
        response = self._response
        *before, last = self._context.conversation.items
        premise = Premise(essence(transcript_of(last)), options, tuple(before))
        if response is None or self._premise != premise or response.failed:
            self.drop()
            self._turn_over(1)
            return False
        self._premise = self._response = None
        self._turn_over(0)
        self._progress(EarlyAnswer.NONE)
        response.marks.origin, response.marks.origin_s = marks.origin, marks.origin_s
        response.marks.reached_s.update(marks.reached_s)  # where the user seemed to end, it only looked so
        self._responses.open(response)
        self._outcomes.labels("used").inc()
        return True

    def drop(self) -> None:
        """It was a wrong guess, or something changed."""
        if self._response is not None:
            self._discard()
            self._progress(EarlyAnswer.NONE)

    def close(self) -> None:
        """The session is over: no turn waits for an answer, so none ends for want of one."""
        self._discard()

    def _turn_over(self, more: int) -> None:
        """The turn is over, with so many questions more."""
        self._context.metrics.turn_questions.observe(self._costs.questions + more)
        self._costs = TurnCosts()

    def _discard(self) -> None:
        if self._response is not None:
            self._response.hold_voice()
            self._spent.failed = self._spent.failed or self._response.failed
            if "first_chunk" in self._response.marks.reached_s:
                self._spent.in_vain += 1
                self._context.metrics.speech_in_vain.inc()
            self._outcomes.labels("wasted").inc()
            self._responses.discard(self._response)
        self._premise = self._response = None


def _refuses_all(error: ProviderError) -> bool:
    """Whether the next guess, of any session, would be refused as well: a limit, an empty account, an overload. Any
    other fault may be that of one request."""
    return error.code == "rate_limit_exceeded" or is_dry(error) or is_overload(error)


def _now() -> float:
    return asyncio.get_running_loop().time()
