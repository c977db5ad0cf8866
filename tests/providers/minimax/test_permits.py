"""Every try waits for its place in the account's minute: chat requests, and chunks that are sent again after a loss."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from realtime.core.messages import ChatFinish, ChatMessage, ChatRequest
from realtime.core.quota import HOLD_MS, WINDOW_MS
from realtime.errors import ProviderError, ProviderRejected
from realtime.minimax.errors import error_for_code
from realtime.providers.base import SpeechPaused, Voice
from realtime.providers.catalog import find
from realtime.providers.memory_quota import MemoryQuota, now_ms
from realtime.providers.minimax.chat import ChatProvider
from realtime.providers.quota import Tally
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings
from tests import virtual_time
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient
from tests.providers.minimax.test_speech_losses import provider

QUESTION = ChatRequest((ChatMessage("user", "Hello?"),))


class Asked:
    """A chat service that knows when it was asked, and refuses if it is told to."""

    model = "m"

    def __init__(self, refusal: ProviderError | None = None, connect_s: float = 0.0) -> None:
        self.refusal = refusal
        self.connect_s = connect_s
        self.at_s: list[float] = []

    async def stream(self, leaving, before_retry=None, **options: Any):
        await asyncio.sleep(self.connect_s)
        await leaving()
        self.at_s.append(asyncio.get_running_loop().time())
        if self.refusal is not None:
            raise self.refusal
        yield ChatFinish("stop")


def chat_of(service: Any, quota: MemoryQuota) -> ChatProvider:
    chat = ChatProvider(
        service, sees_images=False, rpm=1, budget_wait_s=5.0, first_timeout_s=15.0, gap_timeout_s=8.0
    )
    chat.use_quota(quota)
    return chat


async def ask(chat: ChatProvider) -> list[Any]:
    async with aclosing(chat.stream(QUESTION)) as events:
        return [event async for event in events]


def full(limit: int, free_in_s: float, kind: str = "chat") -> MemoryQuota:
    """A quota whose next place is free after so long."""
    quota = MemoryQuota(kind, limit)
    for number in range(limit):
        quota.log.write(f"earlier {number}", now_ms() - WINDOW_MS + int(free_in_s * 1000))
    return quota


def test_what_became_of_every_permit_is_counted():
    async def conversation() -> None:
        quota = full(2, 3.0)
        quota.log.give_back("earlier 0")
        at_once = quota.ask(0.0)
        await at_once.use()
        await at_once.leaves()
        with pytest.raises(ProviderRejected):
            await quota.ask(1.0).use()
        given_up = asyncio.create_task(quota.ask(5.0).use())
        await asyncio.sleep(1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        after_a_wait = quota.ask(5.0)
        await after_a_wait.use()
        await after_a_wait.leaves()
        unused = quota.ask(5.0)
        unused.give_back()
        unused.give_back()
        quota.ask(5.0)  # in hand
        assert quota.tally == Tally(asked=6, granted=1, waited=1, refused=1, returned=2)

    virtual_time.run(conversation())


def test_a_chat_request_over_the_budget_waits_and_fails_with_the_wait_if_that_is_too_long():
    async def conversation() -> None:
        service, began_s = Asked(), asyncio.get_running_loop().time()
        chat = chat_of(service, full(1, 3.0))
        assert await ask(chat) == [ChatFinish("stop")]
        assert service.at_s == [pytest.approx(began_s + 3.0, abs=0.01)]
        with pytest.raises(
            ProviderRejected, match=r"chat requests of this minute .* Try again in 61 s"
        ) as caught:
            await ask(chat)
        assert (caught.value.code, len(service.at_s)) == ("rate_limit_exceeded", 1)

    virtual_time.run(conversation())


def test_a_chat_request_that_is_given_up_while_it_waits_takes_no_place():
    async def conversation() -> None:
        service, quota = Asked(), full(1, 3.0)
        waiting = asyncio.create_task(ask(chat_of(service, quota)))
        await asyncio.sleep(1.0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.sleep(2.5)
        assert (quota.left(), service.at_s) == (1, [])

    virtual_time.run(conversation())


def test_a_reply_that_is_closed_while_a_chunk_waits_for_its_place_gives_it_back():
    async def conversation() -> None:
        speech, quota = provider(ScriptedClient()), full(1, 3.0, "speech")
        speech.use_quota(quota)
        async with speech.open(Voice("v")) as utterance:
            saying = asyncio.create_task(utterance.say("bado fel."))
            await asyncio.sleep(1.0)
        await saying
        assert (quota.left(), quota.tally.waited) == (1, 1)
        await speech.aclose()

    virtual_time.run(conversation())


def test_a_refusal_that_the_count_did_not_foresee_lowers_the_limit():
    async def conversation() -> None:
        quota = MemoryQuota("chat", 60)
        with pytest.raises(ProviderError):
            await ask(chat_of(Asked(error_for_code(1002)), quota))
        assert quota.left() == 48 - 1
        speech, spoken = (
            provider(ScriptedClient(Fate(frames=0, error=error_for_code(1002)))),
            MemoryQuota("speech", 60),
        )
        speech.use_quota(spoken)
        async with speech.open(Voice("v")) as utterance:
            await utterance.say("bado fel.")
            utterance.finish()
            assert [event async for event in utterance.events()]
        assert spoken.left() == 48 - 2, "it was sent twice"
        await speech.aclose()

    virtual_time.run(conversation())


def test_a_chunk_that_is_sent_again_after_a_loss_waits_for_its_place():
    """The pause is no silence of the service, so it is announced."""

    async def conversation() -> None:
        speech = provider(ScriptedClient(Fate(frames=0), Fate()))
        quota = full(2, 3.0, "speech")
        quota.log.give_back("earlier 0")
        speech.use_quota(quota)
        began_s = asyncio.get_running_loop().time()
        async with speech.open(Voice("v")) as utterance:
            await utterance.say("bado fel.")
            utterance.finish()
            events = [event async for event in utterance.events()]
        assert [event.over for event in events if isinstance(event, SpeechPaused)] == [False, True]
        assert asyncio.get_running_loop().time() - began_s > 3.0
        assert quota.left() == 0
        await speech.aclose()

    virtual_time.run(conversation())


@pytest.mark.parametrize(("connect_s", "again_s"), [(4.0, 0.2), (0.2, 4.0)])
def test_a_request_whose_connection_comes_late_has_its_place_when_it_leaves(connect_s: float, again_s: float):
    """The first one, and the one after a loss: the service counts what arrives."""

    async def conversation() -> None:
        client = ScriptedClient(Fate(connect_s=connect_s, frames=0), *[Fate(connect_s=again_s)] * 9)
        speech, quota = provider(client), MemoryQuota("speech", 20)
        speech.use_quota(quota)
        async with speech.open(Voice("v")) as utterance:
            await utterance.say("bado fel.")
            utterance.finish()
            async for _ in utterance.events():
                pass
        sent_ms = [int(at_s * 1000) for at_s in client.sent_at_s]
        places_ms = [at_ms for _, at_ms in quota.log.places(now_ms())]
        assert len(sent_ms) == len(places_ms) == 2
        assert all(abs(one - other) <= 1 for one, other in zip(sent_ms, places_ms, strict=True))
        await speech.aclose()

    virtual_time.run(conversation())


def test_a_chat_request_whose_connection_comes_late_has_its_place_when_it_leaves():
    async def conversation() -> None:
        service, quota = Asked(connect_s=4.0), MemoryQuota("chat", 20)
        assert await ask(chat_of(service, quota))
        assert [at_ms for _, at_ms in quota.log.places(now_ms())] == [int(service.at_s[0] * 1000)]

    virtual_time.run(conversation())


def test_a_chat_request_that_is_given_up_before_it_leaves_takes_no_place():
    async def conversation() -> None:
        service, quota = Asked(connect_s=4.0), MemoryQuota("chat", 20)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await ask(chat_of(service, quota))
        assert (quota.left(), service.at_s) == (20, [])

    virtual_time.run(conversation())


def test_a_permit_is_good_for_one_request_and_for_some_time():
    """What leaves too late, or a second time, is a request more, and waits for its place."""

    async def conversation() -> None:
        quota = MemoryQuota("speech", 2)
        first, second = quota.ask(5.0), quota.ask(5.0)
        await first.use()
        await asyncio.sleep(HOLD_MS / 1000 + 1)
        await first.leaves()
        await second.leaves()
        left_s = asyncio.get_running_loop().time()
        with pytest.raises(ProviderRejected):
            await second.leaves()
        await asyncio.sleep(WINDOW_MS / 1000 - 3.0)
        await second.leaves()
        assert asyncio.get_running_loop().time() - left_s == pytest.approx(WINDOW_MS / 1000, abs=0.01)
        assert (first.over, second.over, quota.left()) == (True, True, 1)

    virtual_time.run(conversation())


def test_a_reply_that_is_over_gives_back_what_was_not_sent():
    async def conversation() -> None:
        speech, quota = provider(ScriptedClient(Fate(connect_s=9.0))), MemoryQuota("speech", 20)
        speech.use_quota(quota)
        async with speech.open(Voice("v")) as utterance:
            await utterance.say("bado fel.")
            await utterance.say("gan dor.")
            assert quota.left() == 18
        assert quota.left() == 20
        await speech.aclose()

    virtual_time.run(conversation())


async def test_a_try_more_of_the_chat_client_is_a_request_more() -> None:
    """Two tries that the platform refuses, then an answer: three places, and a limit that was lowered once."""
    async with Sandbox(SandboxOptions.parse(faults=("chat.error=1002",))) as sandbox:
        chat = find("chat", "minimax").create(Settings(api_key="k", base_url=sandbox.url, chat_rpm=60))
        chat._chat._jitter = lambda: -0.49  # no long pauses
        with pytest.raises(ProviderError):
            await ask(chat)
        tries = [request for request in sandbox.state.requests if "chat" in request.path]
        assert chat.requests_left() == 48 - len(tries)
        assert len(tries) == 3
        await chat.aclose()
