"""Speech whose connection, host, account or budget fails: the next way is taken, and no word is lost or said twice."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core import quota
from realtime.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.providers.base import (
    Voice,
)
from realtime.providers.minimax import speech_pool
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
        speaking(bad, good, speech_timeout_s=2.0) as speech,
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
    assert len(texts(bad)) >= 2
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
    monkeypatch.setattr(quota, "WINDOW_MS", 400)
    async with sandbox() as host, speaking(host, speech_rpm=1) as speech:
        await say(speech, "One.", "Two.", "Three.")
        first, second, third = (request.at_s for request in host.state.speech_requests)
        assert second - first > 0.2
        assert third - second > 0.2


async def test_an_idle_socket_that_was_closed_is_replaced() -> None:
    async with sandbox(sets=(*FAST, "speech.idle_s=0.8")) as host, speaking(host) as speech:
        await say(speech, "Hello.")
        await until(lambda: host.state.connections_open == 0)
        await say(speech, "Hello again.")
        async with speech.open(VOICE) as utterance:
            receiving = asyncio.create_task(receive_all(utterance))
            await utterance.say("One.")
            await asyncio.sleep(1.2)
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
