"""Each node has an equal part of the account's speech connections: a smaller one at once, a larger one later."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from realtime.providers.connection_share import GROW_S, ConnectionShare, part_of
from realtime.providers.redis_quota import LOOK_S, UNKNOWN_NODES
from tests import virtual_time
from tests.providers.minimax.scripted_speech import ScriptedClient
from tests.providers.minimax.test_speech_losses import VOICE, provider


@given(limit=st.integers(1, 1000), nodes=st.integers(1, 100))
def test_the_parts_together_are_the_account_s_but_nobody_has_none(limit, nodes):
    assert part_of(limit, nodes) >= 1
    assert nodes * part_of(limit, nodes) <= max(limit, nodes)


def test_a_part_shrinks_at_once_and_grows_when_the_others_have_heard():
    async def conversation() -> None:
        parts: list[int] = []
        share = ConnectionShare(20, 10, parts.append)
        share.heard(2)
        await asyncio.sleep(GROW_S - 0.01)
        assert parts == [2]
        await asyncio.sleep(0.02)
        assert parts == [2, 10]
        share.heard(3)
        assert parts == [2, 10, 6]
        share.heard(1)
        share.heard(4)
        await asyncio.sleep(2 * GROW_S)
        assert parts == [2, 10, 6, 5], "what would have grown is forgotten"
        share.heard(1)
        share.close()
        await asyncio.sleep(2 * GROW_S)
        assert parts == [2, 10, 6, 5]

    virtual_time.run(conversation())


@given(
    limit=st.integers(10, 60),
    changes_s=st.lists(st.tuples(st.floats(0.0, 40.0), st.booleans()), min_size=1, max_size=8),
)
def test_nodes_that_come_and_go_never_have_more_than_the_account_together(limit, changes_s):
    """Each looks once a second. Until the others have looked, a new one adds the part of one of ten to theirs."""

    async def conversation() -> None:
        alive: list[int] = []
        parts: dict[int, int] = {}
        excess: list[int] = []

        async def node(number: int) -> None:
            share = ConnectionShare(limit, UNKNOWN_NODES, lambda part: parts.__setitem__(number, part))
            known = UNKNOWN_NODES
            await asyncio.sleep(0)
            try:
                while True:
                    if len(alive) != known:
                        known = len(alive)
                        share.heard(known)
                    await asyncio.sleep(LOOK_S)
            finally:
                share.close()
                del parts[number]

        tasks: list[asyncio.Task[None]] = []
        for number, (at_s, comes) in enumerate(sorted(changes_s)):
            await asyncio.sleep(max(0.0, 1000 + at_s - asyncio.get_running_loop().time()))
            if comes or not tasks:
                alive.append(number)
                tasks.append(asyncio.create_task(node(number)))
            else:
                tasks.pop(0).cancel()
                alive.pop(0)
            await asyncio.sleep(0.01)
            excess.append(sum(parts.values()) - limit - part_of(limit, UNKNOWN_NODES))
            await asyncio.sleep(LOOK_S)
            excess.append(sum(parts.values()) - limit)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert max(excess) <= 0

    virtual_time.run(conversation())


def test_a_pool_that_may_have_fewer_closes_idle_ones_and_those_in_use_when_they_come_back():
    async def conversation() -> None:
        client = ScriptedClient()
        speech = provider(client, connections=6)
        voices = [replace(VOICE, voice_id=name) for name in "abcd"]
        for voice in voices:
            speech.prewarm(voice)
            await asyncio.sleep(0.5)
        async with contextlib.AsyncExitStack() as stack:
            for voice in voices[2:]:
                utterance = await stack.enter_async_context(speech.open(voice))
                await utterance.say("bado fel.")
            await asyncio.sleep(0.5)
            assert client.open_now == 4, "two in use, two idle"
            speech.use_connections(3)
            await asyncio.sleep(0.1)
            left = [session._config.voice_id for session in client.sessions if not session.closed]
            assert left == ["b", "c", "d"], "the voices that were used last"
            speech.use_connections(1)
            await asyncio.sleep(0.1)
            assert client.open_now == 2, "nobody is cut off"
        await asyncio.sleep(1.0)
        assert client.open_now <= 1
        await speech.aclose()

    virtual_time.run(conversation())
