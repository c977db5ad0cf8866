"""The speech provider over the sandbox: connections, interruptions, losses, the account's budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from realtime.core.playback_clock import Latency
from realtime.errors import ConfigError, ProviderError
from realtime.providers.base import (
    SpeechAudio,
    SpeechEvent,
    Voice,
)
from realtime.providers.catalog import find
from realtime.providers.minimax.speech import create
from realtime.settings import Settings
from tests.providers.minimax.speech_kit import (
    FAST,
    LONG,
    SLOW,
    VOICE,
    plain,
    receive_all,
    sandbox,
    say,
    speaking,
    spoken,
    texts,
    until,
)


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
