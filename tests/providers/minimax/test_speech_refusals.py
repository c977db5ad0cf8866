"""What a voice that refuses or drops everything costs the account: a few requests, with pauses where they may help."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.errors import error_for_code
from realtime.minimax.speech import Transport
from realtime.providers.memory_quota import MemoryQuota, now_ms
from realtime.providers.minimax.utterance import MAX_TRIES
from tests import virtual_time
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient
from tests.providers.minimax.test_speech_losses import VOICE, provider, speak

REFUSALS = [1000, 1001, 1002, 1013, 1024, 1033, 1039, 1041, 2045, 2064, 2205]
CHUNKS = ["Good evening.", "What a nice day.", "Good bye."]


def asked_before_it_fails(
    *fates: Fate, hosts: tuple[str, ...] = ("one",), **more
) -> tuple[ScriptedClient, int]:
    """The client after a reply of three chunks that fails, and the requests that it cost the account."""

    async def reply() -> tuple[ScriptedClient, int]:
        client = ScriptedClient(*fates, hosts=hosts)
        speech, quota = provider(client, **more), MemoryQuota("speech", 1000)
        speech.use_quota(quota)
        with pytest.raises(ProviderError):
            await speak(speech, CHUNKS)
        await speech.aclose()
        paid = len(quota.log.places(now_ms()))
        return client, paid

    return virtual_time.run(reply())


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_costs_three_requests_for_a_chunk_with_pauses_between_them(code: int) -> None:
    client, paid = asked_before_it_fails(*[Fate(frames=0, error=error_for_code(code))] * 50)
    asked_s = [at_s for at_s, text in zip(client.sent_at_s, client.texts, strict=True) if text == CHUNKS[0]]
    assert len(asked_s) == MAX_TRIES
    assert len(client.texts) == paid <= MAX_TRIES + 2, "the other chunks wait for the first one"
    # From one answer to the next request; the answer took 0.2 s. A refused socket tells nothing of HTTP.
    pauses_s = [later - before - client.first_s for before, later in pairwise(asked_s)]
    assert all(pause_s >= 0.14 for pause_s in pauses_s[code == 1041 :]), pauses_s
    assert sum(pauses_s) < 5.5


def test_pauses_stay_within_what_a_reply_may_wait() -> None:
    client, _ = asked_before_it_fails(*[Fate(frames=0, error=error_for_code(2064))] * 50, budget_wait_s=0.1)
    assert client.texts.count(CHUNKS[0]) == 1


def test_dropped_sockets_cost_three_requests_and_no_time() -> None:
    client, paid = asked_before_it_fails(*[Fate(frames=0)] * 50, hosts=("one", "two"))
    assert client.texts.count(CHUNKS[0]) == MAX_TRIES
    assert len(client.texts) == paid <= MAX_TRIES + 2
    assert client.sent_at_s[-1] - client.sent_at_s[0] < 3 * client.first_s + 0.3


def test_the_same_lost_way_is_not_taken_again_without_a_pause() -> None:
    """Only HTTP, and one host: there is nowhere else to go."""
    client, _ = asked_before_it_fails(*[Fate(frames=0)] * 50, transport="http")
    first_s = [at_s for at_s, text in zip(client.sent_at_s, client.texts, strict=True) if text == CHUNKS[0]]
    assert len(first_s) == MAX_TRIES
    assert all(b - a > client.first_s + 0.14 for a, b in pairwise(first_s))


def test_a_refused_socket_goes_on_over_http_at_once() -> None:
    async def reply() -> None:
        client = ScriptedClient(Fate(frames=0, error=error_for_code(1041)))
        speech = provider(client)
        await speak(speech, ["Good evening."])
        assert client.sent_at_s[1] - client.sent_at_s[0] == pytest.approx(client.first_s, abs=0.01)
        ways = [way for way, _, _ in client.opened]
        assert client.sessions[ways.index(Transport.HTTP)].texts == ["Good evening."]
        await speech.aclose()

    virtual_time.run(reply())


def test_the_last_try_goes_to_another_host_over_http() -> None:
    """The sockets of all hosts lose every text; a host that is not reached over sockets may do over HTTP."""

    async def reply() -> None:
        client = ScriptedClient(*[Fate(frames=0)] * 2, hosts=("one", "two"))
        speech = provider(client)
        speech.prewarm(VOICE)
        await asyncio.sleep(1.0)
        pcm, _ = await speak(speech, ["Good evening."])
        assert pcm[0]
        assert client.opened[-1][:2] == (Transport.HTTP, "two")
        assert len(client.texts) == MAX_TRIES
        await speech.aclose()

    virtual_time.run(reply())


def test_a_chunk_with_progress_is_tried_as_often_as_it_goes_on() -> None:
    async def reply() -> None:
        client = ScriptedClient(*[Fate(frames=12)] * 8)
        speech = provider(client)
        pcm, _ = await speak(speech, ["Good evening to all of you, my dear friends, and to everybody else."])
        words = [word for word, _ in client.lexicon.runs(pcm[0], 24_000)]
        assert {"good", "else"} <= set(words)
        assert len(client.texts) > MAX_TRIES
        await speech.aclose()

    virtual_time.run(reply())


def test_an_account_that_is_unreachable_is_asked_again_with_pauses() -> None:
    """No request was paid for, but neither does it help to try a dead network in a tight loop."""
    gone = ProviderUnavailable("gone", sent=False)
    client, paid = asked_before_it_fails(*[Fate(connect=gone, connect_s=0.0)] * 50)
    assert (client.texts, paid) == ([], 0)
    assert len(client.opened) <= 2 * MAX_TRIES + 1
