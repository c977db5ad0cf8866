"""How a reply begins in one conversation: what it goes by, what the model is asked, when its waiting began."""

from __future__ import annotations

import asyncio
from functools import partial

from realtime.context import Context
from realtime.core.turn_marks import Marks
from realtime.listening.user_input import UserInput
from realtime.protocol.response_options import ResponseOptions, ResponseParams, response_options
from realtime.providers.base import ChatModel
from realtime.replying.chat_request import with_items
from realtime.replying.responses import Responses
from realtime.replying.speculation import Speculation
from realtime.session.question import question


class Answering:
    """Of one session."""

    def __init__(
        self, context: Context, user: UserInput, responses: Responses, speculation: Speculation
    ) -> None:
        self._context = context
        self.request = partial(question, context, user)  # replies keep it: it holds none of them
        self._responses = responses
        self._speculation = speculation

    def __repr__(self) -> str:
        return f"<Answering {self._responses!r}>"

    def options(self, params: ResponseParams | None = None) -> ResponseOptions:
        """What a response goes by; our own tools are offered beside the client's in the conversation."""
        return self._responses.plans.with_tools(response_options(self._context.config, params))

    def marks(self, speech_ended_s: float | None = None) -> Marks:
        """The waiting for an answer begins: where the speech ended, or now."""
        if speech_ended_s is None:
            return Marks("response_create", asyncio.get_running_loop().time())
        return Marks("speech_ended", speech_ended_s)

    def create(self, params: ResponseParams | None) -> None:
        """The client asks for a response. Raises ProtocolError."""
        marks = self.marks()
        marks.reach("turn_confirmed", marks.origin_s)
        options = with_items(self.options(params), self._context.conversation)
        if not options.out_of_band:
            self._context.check_room()
            self._speculation.drop()
            self._responses.asked_by_client()
        self.reply(options, marks)

    def answer(self, turn_marks: Marks | None) -> None:
        """The user's turn is over and its words are known. `turn_marks`: since the end of its speech."""
        marks = turn_marks or self.marks()
        marks.reach("transcript_final", asyncio.get_running_loop().time())
        options = self.options()
        if not self._speculation.redeem(options, marks):
            self.reply(options, marks)

    def reply_again(self, options: ResponseOptions) -> None:
        """Begin a reply of which nothing has come, here or on another server, as it was asked for."""
        self.reply(options, self.marks())

    def reply(self, options: ResponseOptions, marks: Marks, chat: ChatModel | None = None) -> None:
        """Begin a reply that is seen from the start. Raises ProtocolError while another one is active."""
        response = self._responses.prepare(options, self.request(options), marks, chat=chat)
        self._responses.begin(response)
