"""What kind of reply is wanted: made by `plans.py`, carried out by `response.py`. It knows nothing of either."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from realtime.core.messages import ChatRequest
from realtime.providers.base import Voice
from realtime.replying.turn_replies import TurnReplies
from realtime.tools import ServerTools


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """What kind of reply is wanted."""

    spoken: bool
    voice: Voice
    request: Callable[[], Awaitable[ChatRequest]]  # may wait for transcripts; raises ProviderError
    parallel_tool_calls: bool
    silent_timeout_s: float
    # Whether the voice may prepare the first chunk behind a closed gate, once `Response.speak_ahead` was called
    may_speak_ahead: Callable[[], bool]
    tools: ServerTools | None  # what the server runs itself
    server_tools: frozenset[str]  # those of them that were offered
    offered: tuple[str, ...] | None  # all functions that the model may call; None: it must not call any
    # Said for an answer that can only be seen; None: a phrase in the user's language, "": nothing
    stand_in: str | None
    language: str | None  # of the user, ISO-639-1, where it is known
    tool_round: int  # how often the model was asked again in this turn of the user, with what tools gave
    turn: TurnReplies = field(default_factory=TurnReplies)
    resumes: bool = False  # it says what nobody has heard of the reply before, which may be nothing
