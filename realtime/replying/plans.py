"""What kind of reply the wire's options ask for, with this session's settings and the server's tools.

Makes plans and names who is asked; runs nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from realtime.context import Context
from realtime.core.messages import ChatRequest
from realtime.protocol.response_options import ResponseOptions
from realtime.protocol.voices import platform_voice
from realtime.providers.base import ChatModel, Speech, Voice
from realtime.replying.at_accounts import AccountsChat, AccountsSpeech
from realtime.replying.chat_request import budget_of, known_limits
from realtime.replying.fitting_chat import FittingChat
from realtime.replying.reply_plan import ReplyPlan
from realtime.replying.turn_replies import TurnReplies
from realtime.tools import ServerTools


def _offered(options: ResponseOptions) -> tuple[str, ...] | None:
    """The names of the functions that the model may call; None: it must not call any."""
    choice = options.tool_choice
    if choice.mode == "none":
        return None
    return tuple(tool.name for tool in options.tools if choice.name in (None, tool.name))


def never() -> bool:
    """The voice waits for the gate."""
    return False


class Plans:
    """Of one session."""

    def __init__(self, context: Context, tools: ServerTools | None) -> None:
        self._context = context
        self._tools = tools  # what the server runs itself

    def __repr__(self) -> str:
        return f"<Plans with {self._tools!r}>"

    def plan(
        self,
        options: ResponseOptions,
        request: Callable[[], Awaitable[ChatRequest]],
        may_speak_ahead: Callable[[], bool],
        *,
        tool_round: int,
        turn: TurnReplies | None,
        resumes: bool,
    ) -> ReplyPlan:
        return ReplyPlan(
            spoken=options.spoken,
            voice=self.voice(options),
            request=request,
            parallel_tool_calls=options.parallel_tool_calls,
            silent_timeout_s=self._context.settings.silent_turn_timeout_s,
            may_speak_ahead=may_speak_ahead,
            tools=self._tools,
            server_tools=self.ours(options),
            offered=_offered(options),
            stand_in=self._context.settings.stand_in,
            language=self._language(),
            tool_round=tool_round,
            turn=turn or TurnReplies(),
            resumes=resumes,
        )

    def chat(self, options: ResponseOptions) -> ChatModel:
        """The chat model, which is shown as much as these options allow."""
        context = self._context
        chat = context.providers.chat
        if context.seat is not None:
            chat = AccountsChat(context, self.voice(options) if options.spoken else None)
        return FittingChat(chat, known_limits(context), budget_of(options))

    def speech(self, plan: ReplyPlan) -> Speech:
        """Who speaks, if the reply is spoken. From now on the chat is of the same account."""
        speech = self._context.providers_for(plan.voice.voice_id if plan.spoken else None).speech
        return speech if self._context.seat is None else AccountsSpeech(self._context)

    def voice(self, options: ResponseOptions) -> Voice:
        """The platform's voice these options ask for."""
        return Voice(
            voice_id=platform_voice(options.voice, self._context.settings.voice_id),
            rate=options.output_format.rate,
            speed=max(0.5, options.speed),
        )

    def ours(self, options: ResponseOptions) -> frozenset[str]:
        """The names of the tools in these options that the server runs."""
        return frozenset() if self._tools is None else self._tools.ours(options.tools)

    def with_tools(self, options: ResponseOptions) -> ResponseOptions:
        """Our own tools are offered beside the client's in the conversation."""
        if self._tools is None or options.out_of_band:
            return options
        return replace(options, tools=self._tools.beside(options.tools))

    def _language(self) -> str | None:
        """What the user speaks, as far as client or operator said so."""
        transcription = self._context.config.transcription
        return (transcription.language if transcription else None) or self._context.settings.language
