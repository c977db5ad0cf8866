"""How a reply begins in one conversation: what it goes by, what the model is asked, when its waiting began.

One that the client asks for while only the sound of another one is missing waits here; when it comes, or that it does
not, is decided by the rules (`core/turn_answers.py`).
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.turn_marks import Marks
from realtime.errors import ProtocolError
from realtime.listening.user_input import UserInput
from realtime.protocol.kept_options import differing
from realtime.protocol.response_options import (
    ResponseOptions,
    ResponseParams,
    read_response_params,
    response_options,
)
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
        self._context, self._user = context, user
        self.request = partial(question, context, user)  # replies keep it: it holds none of them
        self._responses = responses
        self._speculation = speculation
        self._asked: ResponseOptions | None = None  # by the client: it waits, see `core/turn_answers.py`

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
        """The client asks for a response. While only the sound of another one is missing, it waits for that. Raises
        ProtocolError."""
        options = with_items(self.options(params), self._context.conversation)
        if options.out_of_band:
            self._user.goes_on_otherwise()
            self._reply_to_client(options)
            return
        self._context.check_room()
        waits = self._responses.only_sounds and not self.waits
        if self._responses.active is not None and not waits:
            self._reply_to_client(options)  # which is refused
            return
        self._user.goes_on_otherwise()
        self._speculation.drop()
        self._responses.asked_by_client()
        if waits:
            self._asked = options
            self._context.turns.put(turns.ResponseAsked())
            return
        if self.waits and self._responses.active is None and options.input is None:
            # That one waits for the end of speech; this one is asked about the same, and more
            self.drop_asked(by_client=True)
            self._context.turns.put(turns.AskedUnwanted())
        self._reply_to_client(options)

    def _reply_to_client(self, options: ResponseOptions) -> None:
        marks = self.marks()
        marks.reach("turn_confirmed", marks.origin_s)
        self.reply(options, marks)

    # -- a response that waits for the end of another one ----------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether the client has asked for a response that waits."""
        return self._asked is not None

    @property
    def asked(self) -> dict[str, Any] | None:
        """What it asks, as in `response.create`, for a server that goes on; None: nothing waits."""
        if self._asked is None:
            return None
        return differing(self._asked, self.options(), self._responses.plans.ours(self._asked)) or {}

    def go_on(self, asked: dict[str, Any]) -> None:
        """Another server had it wait. Where this one cannot read its options, it is asked as usual."""
        try:
            self._asked = self.options(read_response_params(asked, "response"))
        except ProtocolError:
            self._asked = self.options()
        self._context.turns.put(turns.ResponseAsked())

    def begin_asked(self) -> None:
        """It is its turn. It is asked about what is there by now."""
        options, self._asked = self._asked, None
        if options is not None:
            self._speculation.drop()
            self._reply_to_client(options)

    def drop_asked(self, *, by_client: bool) -> None:
        """It does not come: told as of any response that is stopped before it has said something."""
        options, self._asked = self._asked, None
        if options is not None:
            response = self._responses.prepare(options, self.request(options), self.marks())
            self._responses.end_at_once(response, "client_cancelled" if by_client else "turn_detected")

    # -- answers -------------------------------------------------------------------------------------------------

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
