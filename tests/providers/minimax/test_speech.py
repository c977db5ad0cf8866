"""The speech provider over the sandbox: connections, interruptions, losses, the account's budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from realtime.core.messages import WordTime
from realtime.core.playback_clock import Latency
from realtime.errors import ConfigError, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.providers.base import (
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechPaused,
    SpeechWords,
    Utterance,
    Voice,
)
from realtime.providers.catalog import find
from realtime.providers.minimax import budget, speech_pool
from realtime.providers.minimax.speech import MiniMaxSpeech, create
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings

VOICE = Voice("English_Graceful_Lady")
FAST = (
    "speech.connect_ms=0",
    "speech.connected_ms=0",
    "speech.start_ms=0",
    "speech.first_ms=5",
    "speech.factor=500",
)
SLOW = (*FAST, "speech.factor=4")  # slow enough to be interrupted
LONG = (
    "The quick brown fox jumps over the lazy dog while seven wizards quietly watch the evening sun go down."
)


def sandbox(*faults: str, sets: tuple[str, ...] = FAST) -> Sandbox:
    return Sandbox(SandboxOptions.parse(sets=sets, faults=faults))


@asynccontextmanager
async def speaking(*hosts: Sandbox | str, **settings: Any) -> AsyncIterator[MiniMaxSpeech]:
    urls = tuple(host if isinstance(host, str) else host.url for host in hosts)
    speech = create(Settings(api_key="k", base_url=urls[-1], speech_urls=urls, **settings))
    try:
        yield speech
    finally:
        await speech.aclose()


@dataclass
class Received:
    pcm: dict[int, bytes] = field(default_factory=dict)
    words: dict[int, tuple[WordTime, ...]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)  # the chunk of every event
    done: list[int] = field(default_factory=list)
    pauses: list[bool] = field(default_factory=list)  # whether each begins (False) or is over

    def take(self, event: SpeechEvent) -> None:
        if isinstance(event, SpeechPaused):
            self.pauses.append(event.over)
            return
        assert event.chunk not in self.done
        self.order.append(event.chunk)
        match event:
            case SpeechAudio(chunk, pcm):
                assert pcm
                assert len(pcm) % 2 == 0
                self.pcm[chunk] = self.pcm.get(chunk, b"") + pcm
            case SpeechWords(chunk, words):
                self.words[chunk] = words
            case SpeechChunkDone(chunk):
                self.done.append(chunk)


async def receive_all(utterance: Utterance, received: Received | None = None) -> Received:
    received = received or Received()
    async with aclosing(utterance.events()) as events:
        async for event in events:
            received.take(event)
    return received


async def say(speech: MiniMaxSpeech, *texts: str, voice: Voice = VOICE) -> Received:
    """One whole reply."""
    async with speech.open(voice) as utterance:
        receiving = asyncio.create_task(receive_all(utterance))
        numbers = [await utterance.say(text) for text in texts]
        utterance.finish()
        received = await receiving
    assert numbers == list(range(len(texts)))
    assert received.done == numbers
    assert received.order == sorted(received.order)
    return received


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


def spoken(text: str, words: tuple[WordTime, ...]) -> list[str]:
    return [text[word.begin : word.end] for word in words]


def plain(text: str) -> list[str]:
    return text.replace(".", "").replace(",", "").split()


def texts(host: Sandbox, transport: str | None = None) -> list[str]:
    return [request.text for request in host.state.speech_requests if transport in (None, request.transport)]


@pytest.fixture(params=["ordinary", "bidi", "http"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_chunks_are_received_in_order_with_their_words(transport: str) -> None:
    chunks = ("Hello there, my friend.", "This is the second chunk.", "And this the third.")
    async with sandbox() as host, speaking(host, speech_socket=transport) as speech:
        received = await say(speech, *chunks)
        for chunk, text in enumerate(chunks):
            assert spoken(text, received.words[chunk]) == plain(text)
            assert received.words[chunk][-1].end_ms <= len(received.pcm[chunk]) / 48 + 1
        assert texts(host) == list(chunks)


@pytest.mark.parametrize("socket", ["ordinary", "bidi"])
async def test_replies_share_one_connection(socket: str) -> None:
    async with sandbox() as host, speaking(host, speech_socket=socket) as speech:
        speech.prewarm(VOICE)
        await until(lambda: host.state.connections_open == 1)
        for _ in range(3):
            speech.prewarm(VOICE)
            await say(speech, "Hello there.", "Good bye.")
        assert host.state.connections_opened == 1


async def test_a_barge_in_closes_the_connection_and_a_spare_is_ready() -> None:
    async with sandbox(sets=SLOW) as host, speaking(host) as speech:
        speech.prewarm(VOICE)
        await until(lambda: host.state.connections_open == 1)
        async with speech.open(VOICE) as utterance:
            await utterance.say(LONG)
            async with aclosing(utterance.events()) as events:
                async for event in events:
                    if isinstance(event, SpeechAudio):
                        break
        await until(lambda: host.state.connections_opened == 2 and host.state.connections_open == 1)
        await say(speech, "Yes.")
        assert host.state.connections_opened == 2
        assert [request.connection for request in host.state.speech_requests] == [1, 2]


async def test_a_barge_in_on_bidi_keeps_the_connection() -> None:
    async with sandbox(sets=SLOW) as host, speaking(host, speech_socket="bidi") as speech:
        for _ in range(2):
            async with speech.open(VOICE) as utterance:
                await utterance.say(LONG)
                async with aclosing(utterance.events()) as events:
                    async for event in events:
                        if isinstance(event, SpeechAudio):
                            break
            await until(lambda: speech._pool.sockets == 1 and not speech._pool._closing)
        received = await say(speech, "Yes.")
        assert spoken("Yes.", received.words[0]) == ["Yes"]
        assert host.state.connections_opened == 1


async def test_closing_a_reply_does_not_wait_for_a_silent_service() -> None:
    async with sandbox("speech.stall") as host, speaking(host) as speech:
        loop = asyncio.get_running_loop()
        async with speech.open(VOICE) as utterance:
            await utterance.say("Hello.")
            receiving = asyncio.create_task(receive_all(utterance))
            await until(lambda: texts(host))
            receiving.cancel()
            await asyncio.wait([receiving])
            ticks: list[float] = []
            loop.call_soon(lambda: ticks.append(loop.time()))
        assert not ticks, "closing must not wait for the loop"
        assert receiving.cancelled()


async def test_a_receiver_in_another_task_ends_when_the_reply_is_closed(transport: str) -> None:
    async with sandbox("speech.stall") as host, speaking(host, speech_socket=transport) as speech:
        async with speech.open(VOICE) as utterance:
            await utterance.say("Hello.")
            receiving = asyncio.create_task(receive_all(utterance))
            await until(lambda: texts(host))
        received = await asyncio.wait_for(receiving, speech._client.timeouts.first_audio_s / 2)
        assert received.done == []


async def test_closing_a_reply_without_text_keeps_the_connection() -> None:
    async with sandbox() as host, speaking(host) as speech:
        speech.prewarm(VOICE)
        await until(lambda: host.state.connections_open == 1)
        for _ in range(3):
            async with speech.open(VOICE):
                pass
        await say(speech, "Hello.")
        assert host.state.connections_opened == 1


async def test_chunks_with_nothing_to_speak_are_done_and_never_sent(transport: str) -> None:
    async with sandbox() as host, speaking(host, speech_socket=transport) as speech:
        received = await say(speech, "😀", "Hello.", "...", "<#0.5#>", "Good bye.", "!")
        assert sorted(received.pcm) == [1, 4]
        assert texts(host) == ["Hello.", "Good bye."]
    async with speaking("http://127.0.0.1:9") as unreachable:
        assert (await say(unreachable, "…", "\n")).pcm == {}


async def test_later_text_is_spoken_on_the_same_connection() -> None:
    async with sandbox() as host, speaking(host) as speech:
        async with speech.open(VOICE) as utterance:
            receiving = asyncio.create_task(receive_all(utterance))
            await utterance.say("First.")
            await asyncio.sleep(0.3)
            await utterance.say("Second.")
            utterance.finish()
            assert (await receiving).done == [0, 1]
        assert host.state.connections_opened == 1


async def test_a_reply_without_text_ends() -> None:
    async with speaking("http://127.0.0.1:9") as speech:
        assert (await say(speech)).order == []


async def test_the_next_host_is_used_and_the_bad_one_is_skipped() -> None:
    async with sandbox("speech.start_error=1000") as bad, sandbox() as good, speaking(bad, good) as speech:
        for _ in range(2):
            await say(speech, "Hello.")
            async with speech.open(VOICE) as utterance:
                await utterance.say(LONG)
        assert bad.state.connections_opened == 1
        assert texts(bad) == []
        assert len(texts(good)) >= 2


async def test_http_is_the_fallback() -> None:
    async with sandbox("speech.start_error=1000") as host, speaking("http://127.0.0.1:9", host) as speech:
        await say(speech, "Hello there.", "Good bye.")
        await say(speech, "Hello again.")
        assert texts(host, "http") == ["Hello there.", "Good bye.", "Hello again."]
        assert host.state.connections_opened == 1


async def test_an_unreachable_host_is_raised() -> None:
    async with speaking("http://127.0.0.1:9") as speech:
        with pytest.raises(ProviderUnavailable):
            await say(speech, "Hello.")


@pytest.mark.parametrize(
    "fault", ["speech.drop_at=text", "speech.error=1000", "speech.error=2064", "speech.soft=2205"]
)
async def test_a_loss_before_any_audio_repeats_all_chunks_in_order(fault: str) -> None:
    chunks = ("First chunk.", "Second chunk.", "Third chunk.")
    async with sandbox(fault) as bad, sandbox() as good, speaking(bad, good) as speech:
        # Two lost connections open the breaker of the bad host; only then the good one is used.
        received = await say(speech, *chunks)
        assert texts(good) == list(chunks)
        assert all(spoken(text, received.words[n]) == plain(text) for n, text in enumerate(chunks))


async def test_a_stall_moves_on_to_the_next_host() -> None:
    async with (
        sandbox("speech.stall") as bad,
        sandbox() as good,
        speaking(bad, good, speech_timeout_s=0.3) as speech,
    ):
        received = await say(speech, "First chunk.", "Second chunk.")
        assert texts(good) == ["First chunk.", "Second chunk."]
        assert sorted(received.pcm) == [0, 1]
    async with sandbox("speech.stall") as host, speaking(host, speech_timeout_s=0.1) as speech:
        with pytest.raises(ProviderTimeout):
            await say(speech, "Hello.")


@pytest.mark.parametrize("frames", [3, 12, 20])
@pytest.mark.parametrize("socket", ["ordinary", "bidi"])
async def test_a_loss_inside_a_chunk_never_repeats_or_loses_a_word(frames: int, socket: str) -> None:
    chunks = ("Good evening.", LONG, "Good bye.")
    async with sandbox(f"speech.drop_after={frames}") as bad, sandbox() as good:
        async with speaking(bad, good, speech_socket=socket) as speech:
            received = await say(speech, *chunks)
        async with speaking(good, speech_socket=socket) as speech:
            clean = await say(speech, *chunks)
    for chunk, text in enumerate(chunks):
        assert spoken(text, received.words[chunk]) == plain(text)
        assert received.words[chunk][-1].end_ms <= len(received.pcm[chunk]) / 48 + 1
    assert len(texts(bad)) >= 3
    assert texts(good)
    # Two words at most were cut and repeated.
    longer_ms = (sum(map(len, received.pcm.values())) - sum(map(len, clean.pcm.values()))) / 48
    assert -300 < longer_ms < 1500


@pytest.mark.parametrize("frames", [6, 9])
async def test_a_connection_that_always_fails_is_replaced_again_and_again(frames: int) -> None:
    async with sandbox(f"speech.drop_after={frames}") as host, speaking(host, speech_rpm=1000) as speech:
        received = await say(speech, LONG)
        assert spoken(LONG, received.words[0]) == plain(LONG)
        again = texts(host)
        assert all(LONG.endswith(text) for text in again)
        assert again == sorted(again, key=len, reverse=True)


async def test_a_connection_that_fails_at_the_end_of_a_chunk_repeats_nothing() -> None:
    async with sandbox("speech.drop_at=final") as host, speaking(host) as speech:
        received = await say(speech, "Good evening.", "Good bye.")
        assert [spoken(t, received.words[n]) for n, t in enumerate(("Good evening.", "Good bye."))] == [
            ["Good", "evening"],
            ["Good", "bye"],
        ]
        assert texts(host).count("Good evening.") == 1
        assert texts(host)[-1] == "Good bye."


async def test_broken_audio_counts_as_a_loss() -> None:
    async with sandbox("speech.bad_hex") as bad, sandbox() as good, speaking(bad, good) as speech:
        received = await say(speech, LONG)
        assert spoken(LONG, received.words[0]) == plain(LONG)


@pytest.mark.parametrize(
    ("code", "wire"), [(2054, "invalid_voice"), (1008, "insufficient_quota"), (2049, "invalid_api_key")]
)
@pytest.mark.parametrize("moment", ["speech.error", "speech.start_error"])
async def test_a_refusal_is_raised_at_once(moment: str, code: int, wire: str) -> None:
    async with sandbox(f"{moment}={code}") as host, sandbox() as unused, speaking(host, unused) as speech:
        with pytest.raises(ProviderRejected) as caught:
            await say(speech, "Hello.")
        assert caught.value.code == wire
        assert texts(unused) == []


async def test_a_chunk_that_is_too_long_is_refused() -> None:
    async with speaking("http://127.0.0.1:9") as speech, speech.open(VOICE) as utterance:
        with pytest.raises(ProviderRejected):
            await utterance.say("x" * 10_000)


async def test_a_rate_limit_that_stays_is_raised_with_the_time_to_wait() -> None:
    async with sandbox("speech.error=1002") as host, speaking(host, budget_wait_s=0.5) as speech:
        with pytest.raises(ProviderRejected) as caught:
            await say(speech, "Hello.")
        assert caught.value.code == "rate_limit_exceeded"
        assert "Try again" in caught.value.message


async def test_a_rate_limit_that_passes_is_waited_for() -> None:
    sets = (*FAST, "limit.speech_rpm=1", "limit.window_s=0.5")
    async with sandbox(sets=sets) as host, speaking(host, budget_wait_s=10) as speech:
        received = await say(speech, "First chunk.", "Second chunk.")
        assert sorted(received.pcm) == [0, 1]
        assert texts(host).count("First chunk.") == 1
        assert received.pauses
        assert received.pauses == [False, True] * (len(received.pauses) // 2)


async def test_the_budget_of_a_minute_is_respected() -> None:
    async with sandbox() as host, speaking(host, speech_rpm=3, budget_wait_s=0.2) as speech:
        assert speech.requests_left() == 3
        await say(speech, "One.", "Two.", "!")
        assert speech.requests_left() == 1
        await say(speech, "Three.")
        async with speech.open(VOICE) as utterance:
            with pytest.raises(ProviderRejected, match=r"Try again in \d+ s") as caught:
                await utterance.say("Four.")
        assert caught.value.code == "rate_limit_exceeded"
        assert caught.value.retry_after_s is not None
        assert texts(host) == ["One.", "Two.", "Three."]


async def test_a_reply_waits_a_short_time_for_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "WINDOW_S", 0.4)
    async with sandbox() as host, speaking(host, speech_rpm=1) as speech:
        await say(speech, "One.", "Two.", "Three.")
        first, second, third = (request.at_s for request in host.state.speech_requests)
        assert second - first > 0.2
        assert third - second > 0.2


async def test_an_idle_socket_that_was_closed_is_replaced() -> None:
    async with sandbox(sets=(*FAST, "speech.idle_s=0.2")) as host, speaking(host) as speech:
        await say(speech, "Hello.")
        await until(lambda: host.state.connections_open == 0)
        await say(speech, "Hello again.")
        async with speech.open(VOICE) as utterance:
            receiving = asyncio.create_task(receive_all(utterance))
            await utterance.say("One.")
            await asyncio.sleep(0.5)
            await utterance.say("Two.")
            utterance.finish()
            assert (await receiving).done == [0, 1]
        assert texts(host, "http") == []


async def test_an_idle_connection_is_replaced_before_the_platform_closes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speech_pool, "RENEW_S", 0.2)
    monkeypatch.setattr(speech_pool, "MAX_IDLE_S", 0.3)
    async with sandbox() as host, speaking(host) as speech:
        speech.prewarm(VOICE)
        await until(lambda: host.state.connections_opened >= 3)
        assert host.state.connections_open <= 2
        monkeypatch.setattr(speech_pool, "REPLACE_FOR_S", 0.0)
        await until(lambda: host.state.connections_open == 0)


async def test_the_account_limit_is_respected_and_the_rest_uses_http() -> None:
    async with sandbox(sets=SLOW) as host, speaking(host, speech_connections=2, speech_rpm=100) as speech:
        replies = [say(speech, f"This is reply number {number}.") for number in range(6)]
        received = await asyncio.gather(*replies)
        assert all(reply.done == [0] for reply in received)
        assert host.state.connections_opened == 2
        assert len(texts(host, "http")) == 4


async def test_a_refused_connection_halves_the_limit() -> None:
    async with (
        sandbox(sets=(*SLOW, "limit.connections=1")) as host,
        speaking(host, speech_connections=8, speech_rpm=100) as speech,
    ):
        received = await asyncio.gather(*(say(speech, f"Reply number {number}.") for number in range(3)))
        assert all(reply.done == [0] for reply in received)
        assert speech._pool.limit < 8
        assert texts(host, "ordinary")


async def test_voices_have_their_own_connections_and_share_the_limit() -> None:
    other = Voice("English_Trustworthy_Man", rate=16_000)
    async with sandbox() as host, speaking(host, speech_connections=1) as speech:
        await say(speech, "Hello.")
        received = await say(speech, "Hello there my friend.", voice=other)
        assert received.words[0][-1].end_ms <= len(received.pcm[0]) / 32 + 1
        await until(lambda: host.state.connections_opened == 2)
        await until(lambda: speech._pool.sockets == 1 and not speech._pool._closing)
        await say(speech, "Hello again.", voice=other)
        assert host.state.speech_requests[-1].transport == "ordinary"


async def test_many_replies_at_once() -> None:
    async with sandbox() as host, speaking(host, speech_connections=4, speech_rpm=1000) as speech:
        received = await asyncio.gather(*(say(speech, "One chunk.", f"Number {n}.") for n in range(24)))
        assert all(reply.done == [0, 1] for reply in received)
        await until(lambda: host.state.connections_open <= 4)


async def test_latency_is_measured() -> None:
    async with sandbox(sets=(*FAST, "speech.first_ms=80")) as host, speaking(host) as speech:
        latency = speech.latency(VOICE)
        assert latency == Latency()
        await say(speech, "Hello.")
        assert latency.mean_s >= 0.07
        assert latency != Latency()
        assert speech.latency(Voice("other")) == Latency()


async def test_a_cancelled_reply_leaves_its_connection_to_the_next() -> None:
    async with sandbox(sets=(*FAST, "speech.start_ms=200")) as host, speaking(host) as speech:
        replying = asyncio.create_task(say(speech, "Hello."))
        await until(lambda: host.state.connections_open == 1)
        replying.cancel()
        await asyncio.wait([replying])
        await say(speech, "Good bye.")
        assert host.state.connections_opened == 1
        assert texts(host) == ["Good bye."]


async def test_no_task_or_connection_is_left() -> None:
    before = asyncio.all_tasks()
    async with sandbox(sets=SLOW) as host:
        async with speaking(host) as speech:
            speech.prewarm(VOICE)
            speech.prewarm(Voice("English_Trustworthy_Man"))
            async with speech.open(VOICE) as utterance:
                await utterance.say(LONG)
                events: AsyncGenerator[SpeechEvent, None] = utterance.events()
                await anext(events)
                await events.aclose()
        await until(lambda: host.state.connections_open == 0)
        assert not [
            task
            for task in asyncio.all_tasks() - before
            if "speech" in task.get_name() and "sandbox" not in task.get_name()
        ]


async def test_closing_the_provider_in_a_reply_raises_and_does_not_hang() -> None:
    async with sandbox(sets=(*FAST, "speech.start_ms=60000")) as host:
        async with speaking(host) as speech:
            replying = asyncio.create_task(say(speech, "Hello."))
            await until(lambda: host.state.connections_open == 1)
        with pytest.raises(ProviderError):
            await asyncio.wait_for(replying, 5)


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="ordinary, bidi or http"):
        create(Settings(api_key="k", speech_socket="pigeon"))
    with pytest.raises(ConfigError, match="MINIMAX_API_KEY"):
        create(Settings())
    speech = create(Settings(api_key="sk-secret", base_url="https://api.minimax.io"))
    assert "sk-secret" not in repr(speech)
    assert "api-uw" in repr(speech)
    assert type(find("speech", "minimax").create(Settings(api_key="k"))) is type(speech)
