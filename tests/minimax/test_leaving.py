"""Who counts requests is told when one is written: not when it was queued, nor while its connection is being opened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from realtime.errors import ProviderError, ProviderRejected
from realtime.minimax import ChunkEnd, MiniMax, SpeechTimeouts, Transport
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

FAST = ("speech.connect_ms=0", "speech.first_ms=5", "speech.factor=2000", "speech.start_ms=0")
# This machine may be busy
TIMEOUTS = SpeechTimeouts(ready_s=20.0, first_audio_s=20.0, gap_s=20.0, finish_s=20.0)


def fast() -> Sandbox:
    return Sandbox(SandboxOptions.parse(sets=FAST))


class Told:
    """Writes down how many texts the service had seen when a request left."""

    def __init__(self, sandbox: Sandbox, error: ProviderError | None = None) -> None:
        self.sandbox, self.error = sandbox, error
        self.seen: list[int] = []

    async def leaving(self) -> None:
        self.seen.append(len(self.sandbox.state.requests))
        if self.error is not None:
            raise self.error


def client(sandbox: Sandbox) -> MiniMax:
    return MiniMax(api_key="k", base_url=sandbox.url, speech_timeouts=TIMEOUTS)


async def say_all(session: Any, told: Sequence[Told]) -> None:
    for text, one in zip(("Hello.", "Good bye."), told, strict=False):
        await session.say(text, one.leaving)


async def say_and_hear(session: Any, told: Told) -> None:
    await say_all(session, [told])
    await ends(session, 1)


async def ends(session: Any, number: int) -> None:
    while number:
        number -= sum(isinstance(result, ChunkEnd) for result in await session.receive())


@pytest.mark.parametrize(
    ("transport", "at_once"), [(Transport.ORDINARY, 2), (Transport.BIDI, 1), (Transport.HTTP, 0)]
)
async def test_a_text_leaves_when_it_is_written(transport: Transport, at_once: int) -> None:
    """A bidirectional socket sends it after the one before, HTTP when it is received."""
    async with fast() as sandbox, client(sandbox) as mm, mm.speech.session(transport=transport) as session:
        told = [Told(sandbox), Told(sandbox)]
        await say_all(session, told)
        assert sum(len(one.seen) for one in told) == at_once
        await ends(session, 2)
        assert [len(one.seen) for one in told] == [1, 1]


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_text_that_may_not_leave_is_not_sent(transport: Transport) -> None:
    async with fast() as sandbox:
        told = Told(sandbox, ProviderRejected("not now"))
        async with client(sandbox) as mm, mm.speech.session(transport=transport) as session:
            with pytest.raises(ProviderRejected, match="not now"):
                await say_and_hear(session, told)
        assert len(sandbox.state.speech_requests) == 0


async def test_a_chat_request_leaves_before_the_service_sees_it_and_not_if_it_may_not() -> None:
    async with fast() as sandbox, MiniMax(api_key="k", base_url=sandbox.url) as mm:
        told = Told(sandbox)
        async with aclosing(mm.chat.stream("Hello?", leaving=told.leaving)) as events:
            assert [event async for event in events]
        assert told.seen == [0]
        refused = Told(sandbox, ProviderRejected("not now"))
        seen = len(sandbox.state.requests)
        with pytest.raises(ProviderRejected, match="not now"):
            async with aclosing(mm.chat.stream("Hello?", leaving=refused.leaving)) as events:
                assert [event async for event in events]
        assert len(sandbox.state.requests) == seen


async def test_a_chat_request_without_a_connection_does_not_leave() -> None:
    told = Told(fast())
    async with MiniMax(api_key="k", base_url="http://127.0.0.1:9") as mm:
        with pytest.raises(ProviderError):
            async with aclosing(mm.chat.stream("Hello?", leaving=told.leaving)) as events:
                assert [event async for event in events]
    assert told.seen == []
