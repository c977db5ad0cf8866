"""Early answers while the chat model fails: one of a turn, and after a refusal none of any session for a while."""

import asyncio

import pytest

from realtime.core.guess_pause import PAUSE_S
from realtime.core.messages import ChatRequest
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.errors import error_for_code, error_for_status
from realtime.providers.base import ChatModel
from realtime.replying.gate import Gate
from realtime.replying.guessed_chat import GuessedChat
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech
from tests.session.early import NOON, Heard, outcomes, settings
from tests.session.test_turn_costs import SEMANTIC, sentences

BUSY = error_for_code(2064)


async def one_turn(talk: Talk) -> list[bool]:
    """Of each request that a turn of many guesses sends: whether it was a guess."""
    before, done = len(talk.chat.requests), len(talk.of("response.done"))
    await talk.speak(6.6)
    await talk.silence(2.0)
    await talk.until("response.done", done + 1)
    return [request.guess for request in talk.chat.requests[before:]]


@pytest.mark.parametrize(
    ("error", "for_all"),
    [
        (error_for_code(1002), True),
        (error_for_code(1008), True),
        (error_for_code(2049), True),
        (error_for_code(2056), True),
        (BUSY, True),
        (error_for_status(529), True),
        (error_for_code(1000), False),
        (error_for_code(1024), False),
        (error_for_status(500), False),
        (error_for_status(503), False),
        (error_for_code(1026), False),
        (error_for_code(2013), False),
        (ProviderUnavailable("The connection was lost."), False),
    ],
)
def test_a_guess_that_fails_is_the_last_one_of_its_turn_and_a_refusal_counts_for_all(
    error: ProviderError, for_all: bool
):
    @scripted
    async def run():
        chat = FakeChat([[(0.2, error)]] * 2 + [NOON] * 20)
        async with Talk(chat=chat, transcriber=sentences(0.6), settings=settings(), **SEMANTIC) as talk:
            assert await one_turn(talk) == [True, False]
            pause = talk.session._context.providers.guess_pause
            loop = asyncio.get_running_loop()
            assert pause.holds(loop.time() - 5.0) == for_all
            if for_all:
                chat.answers[:0] = [NOON]
                pause.refused(loop.time())
                assert await one_turn(talk) == [False], "not even in the next turn"
            await talk.silence(3 * PAUSE_S if for_all and error.upstream_code != 2056 else 70.0)
            assert len(await one_turn(talk)) > 2, "it is over"

    run()


@scripted
async def test_sessions_of_one_provider_learn_from_each_other():
    chat = FakeChat([[(0.2, BUSY)], [(0.2, BUSY)]] + [NOON] * 20)
    quick = {"transcriber": sentences(0.6), "settings": settings(), **SEMANTIC}
    async with Talk(chat=chat, **quick) as one, Talk(chat=chat, **quick) as two:
        shared = one.session._context.providers
        two.session._context.providers = shared
        await one_turn(one)
        shared.guess_pause.refused(asyncio.get_running_loop().time())
        assert await one_turn(two) == [False]


@scripted
async def test_a_failed_guess_is_not_waited_for():
    """The turn ends as early as without guesses."""
    ends = []
    for answer, speculate in (([(0.01, BUSY)], "chat"), ([(9.0, "Late.")], "off")):
        heard = Heard((1.3, "What time is it?"))
        chat = FakeChat([answer, NOON])
        async with Talk(chat=chat, transcriber=heard, settings=settings(speculate), **SEMANTIC) as talk:
            await talk.speak(1.28)
            await talk.silence(3.0)
            ends.append(talk.of("input_audio_buffer.speech_stopped")[0]["at"] - talk.events[0]["at"])
    assert ends[0] == pytest.approx(ends[1], abs=0.05)


@scripted
async def test_a_guess_whose_voice_fails_is_the_last_one_of_its_turn():
    speech = FakeSpeech(errors=[ProviderUnavailable("The voice is gone.")])
    chat = FakeChat([NOON] * 20)
    async with Talk(
        chat=chat, speech=speech, transcriber=sentences(0.9), settings=settings("speech"), **SEMANTIC
    ) as talk:
        assert await one_turn(talk) == [True, False]
        assert outcomes(talk) == {"wasted": 1}


@scripted
async def test_a_guess_that_is_refused_when_the_turn_is_over_is_asked_again():
    """The answer is wanted by then: what is refused is asked again, as for any reply."""
    heard = Heard((1.3, "What time is it?"))
    chat = FakeChat([[(1.5, BUSY)], NOON])
    async with Talk(chat=chat, transcriber=heard, settings=settings(), **SEMANTIC) as talk:
        await talk.speak(1.28)
        await talk.silence(3.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert [request.guess for request in chat.requests] == [True, False]
        assert outcomes(talk) == {"used": 1}


async def asked(chat: ChatModel, gate: Gate) -> tuple[list, list[ProviderError]]:
    failures: list[ProviderError] = []
    model = GuessedChat(chat, gate, failures.append)
    events: list = []
    try:
        async for event in model.stream(ChatRequest(())):
            events.append(event)
    except ProviderError as error:
        events.append(error)
    return events, failures


@scripted
async def test_behind_the_gate_nothing_is_asked_twice_and_before_it_only_what_may_succeed():
    unwanted, wanted = Gate(), Gate()
    wanted.open()
    refused = error_for_code(1026)
    for error, gate, requests, told in (
        (BUSY, unwanted, 1, True),
        (BUSY, wanted, 2, False),
        (refused, unwanted, 1, True),
        (refused, wanted, 1, False),
    ):
        chat = FakeChat([[(0.1, error)], NOON])
        events, failures = await asked(chat, gate)
        assert len(chat.requests) == requests
        assert bool(failures) == told
        assert (events[-1] is error) == (requests == 1)
    chat = FakeChat([[(0.1, "It is"), (0.1, BUSY)], NOON])
    events, _ = await asked(chat, wanted)
    assert (len(chat.requests), events[-1]) == (1, BUSY)
