"""What a session keeps for a lost connection, as time goes by."""

from __future__ import annotations

import asyncio

import pytest

from realtime.metrics import Metrics
from realtime.protocol.client_events import ConversationItemCreate, ResponseCreate
from realtime.protocol.objects import InputText, MessageItem
from realtime.providers import FakeChat, FakeSpeech
from realtime.providers.base import Providers
from realtime.server.access import Caller
from realtime.server.beginning import Beginning
from realtime.server.live_session import LiveSession
from realtime.server.replay import ResumeRequest
from realtime.server.runtime import Runtime
from realtime.settings import Settings
from tests.virtual_time import run

STORY = "Once there was a small dog, and it lived by the sea. Every day it ran along the beach. " * 3
ANSWER_S = 60.0  # it was played long before
DROPPED_S = 50.0  # both kinds of players must have it by then


class NoSocket:
    """A connection that takes what is to be sent."""

    def close_soon(self, closing: object) -> None: ...


async def opened(extensions: str) -> tuple[LiveSession, asyncio.Task[None]]:
    """A session and the task that reads its messages."""
    providers = Providers(
        chat=FakeChat([[(0.0, STORY)]]), speech=FakeSpeech(first_s=0.0), vad=None, transcriber=None
    )
    beginning = Beginning(caller=Caller("me"), extensions=extensions)
    live = LiveSession(Runtime(Settings(port=0), providers), Metrics(), beginning)
    live.start(lambda _: None)
    await live.attach(NoSocket())
    return live, asyncio.create_task(read(live))


async def read(live: LiveSession) -> None:
    while await live.take() is not None:
        pass


async def ask(live: LiveSession) -> None:
    item = MessageItem(role="user", content=[InputText(text="Tell me a story.")])
    await live.receive(ConversationItemCreate(item=item))
    await live.receive(ResponseCreate())


@pytest.mark.parametrize("extensions", ["resume", "resume,playback"])
def test_sound_that_was_sent_again_is_not_kept_for_the_rest_of_the_session(extensions: str):
    """The client comes back, and nothing is said any more; or its player does not tell of this sound."""

    async def main() -> None:
        live, reading = await opened(extensions)
        await ask(live)
        await asyncio.sleep(1.0)
        assert live.numbering.replay.audio_ms
        live.detach()
        await asyncio.sleep(20.0)
        kept_ms = live.numbering.replay.audio_ms
        assert kept_ms
        await live.attach(NoSocket())
        await live.resume_messages(ResumeRequest(live.id, last_seq=2))
        await asyncio.sleep(1.0)
        assert live.numbering.replay.audio_ms >= kept_ms
        await asyncio.sleep(ANSWER_S + DROPPED_S)
        assert live.numbering.replay.audio_ms == 0
        live.close_soon(1000, "over")
        live.detach()
        await live.gone()
        await reading

    run(main())
