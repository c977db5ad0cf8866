"""Two sessions and one conversation, in every order of what they may do: no item is lost, and the older one is refused.

A session here is the real `Persistence` over the real store, without a server: it says sentences, deletes its own and
saves at any moment, and the other one may take the conversation at any moment, as a session of another process does.
"""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from realtime.core.conversation import Conversation, Message, Text
from realtime.errors import ConversationTakenOver
from realtime.providers import redis_store
from realtime.providers.memory_store import MemoryStore
from realtime.providers.redis_store import RedisStore
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes, LateItem, Store
from realtime.providers.stored_order import merged
from realtime.server.persistence import Persistence, take_stored

SESSIONS = 2
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
STEPS = st.lists(
    st.tuples(st.integers(0, SESSIONS - 1), st.sampled_from(["say", "say", "save", "delete", "open", "end"])),
    max_size=10,
)
NUMBERS = itertools.count()


class Talk:
    """What the sessions do, and what must be in the history after it."""

    def __init__(self, store: Store) -> None:
        self.store, self.name = store, f"conv_{next(NUMBERS)}"
        self.sessions: list[tuple[Persistence, Conversation] | None] = [None] * SESSIONS
        self.refused: list[str] = []
        self.expected: list[str] = []
        self._said = 0

    async def begin(self) -> None:
        conversation = Conversation()
        self.sessions[0] = (Persistence(self.store, "me", self.name, conversation), conversation)
        await self.say(0)
        await self.save(0)

    async def step(self, who: int, what: str) -> None:
        if what == "open":
            await self.open(who)
        elif self.sessions[who] is not None:
            await getattr(self, what)(who)

    async def open(self, who: int) -> None:
        """The newest session has the conversation; one that opens it again has ended before."""
        await self.end(who)
        stored = await take_stored(self.store, "me", self.name)
        assert stored is not None
        conversation = stored.to_conversation()
        persistence = Persistence(self.store, "me", self.name, conversation, stored=stored)
        self.sessions[who] = (persistence, conversation)

    async def say(self, who: int) -> None:
        _, conversation = self._of(who)
        item_id = f"item_{self._said}"
        self._said += 1
        conversation.add(Message(item_id, "user", (Text(item_id),)))
        self.expected.append(item_id)

    async def delete(self, who: int) -> None:
        """Only a session that has the conversation may: the store refuses the deletions of others."""
        persistence, conversation = self._of(who)
        if len(conversation) and await persistence.save_all():
            item_id = conversation.items[-1].id
            conversation.remove(item_id)
            assert await persistence.save_all()
            self.expected.remove(item_id)

    async def save(self, who: int) -> None:
        await self._of(who)[0].save_all()

    async def end(self, who: int) -> None:
        if self.sessions[who] is not None:
            await self._of(who)[0].finish()
            self.sessions[who] = None

    def _of(self, who: int) -> tuple[Persistence, Conversation]:
        session = self.sessions[who]
        assert session is not None
        return session

    async def history(self) -> list[str]:
        for who in range(SESSIONS):
            await self.end(who)
        stored = await take_stored(self.store, "me", self.name)
        assert stored is not None
        return [item.id for item in stored.items]


async def nothing_is_lost(store: Store, steps: list[tuple[int, str]]) -> None:
    talk = Talk(store)
    await talk.begin()
    for who, what in steps:
        await talk.step(who, what)
    assert sorted(await talk.history()) == sorted(talk.expected)


class InPlace(SqliteStore):
    """Without the hop to its thread: hundreds of conversations take seconds."""

    async def _do(self, work):
        return self._in_transaction(work, 0.0)

    async def aclose(self) -> None:
        self._file.close()
        self._thread.shutdown()


def in_redis(request: pytest.FixtureRequest, prefix: str) -> RedisStore:
    link = redis_store.open_link(request.getfixturevalue("redis_url"), "conversations")
    return RedisStore(link, prefix, own=True)


@pytest.mark.parametrize(("kind", "examples"), [("memory", 1000), ("sqlite", 200), ("redis", 200)])
def test_no_item_is_lost_in_hundreds_of_interleavings(
    kind: str, examples: int, tmp_path: Path, request: pytest.FixtureRequest
):
    async def opened() -> Store:
        return in_redis(request, "thousand:")

    with asyncio.Runner() as runner:
        store: Store = MemoryStore() if kind == "memory" else InPlace(str(tmp_path / "talk.db"))
        if kind == "redis":
            store = runner.run(opened())

        @settings(max_examples=examples, phases=PHASES)
        @given(STEPS)
        def every(steps: list[tuple[int, str]]) -> None:
            runner.run(nothing_is_lost(store, steps))

        every()
        runner.run(store.aclose())


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(request, tmp_path):
    if request.param == "redis":
        made: Store = in_redis(request, f"{tmp_path.name}:")
    else:
        made = MemoryStore() if request.param == "memory" else SqliteStore(str(tmp_path / "talk.db"))
    yield made
    await made.aclose()


async def test_what_an_older_session_saves_is_refused_whole(store: Store):
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a", "b"], {"a": b"1", "b": b"2"}))
    taken = await store.take("me", "conv")
    assert taken is not None
    assert (taken.items, taken.epoch > FIRST_EPOCH) == ((b"1", b"2"), True)
    for changes in (Changes(["c"], {"c": b"3"}), Changes(["b"], {"b": b"two"}), Changes(["b"], {}, {"a"})):
        with pytest.raises(ConversationTakenOver):
            await store.save("me", "conv", FIRST_EPOCH, changes)
    assert await store.load("me", "conv") == (b"1", b"2")
    await store.save("me", "conv", taken.epoch, Changes(["b", "d"], {"d": b"4"}, {"a"}))
    assert await store.load("me", "conv") == (b"2", b"4")


async def test_nobody_else_can_take_a_conversation(store: Store):
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    assert await store.take("you", "conv") is None
    assert await store.take("me", "conv_none") is None
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"one"}))


async def test_late_items_come_to_their_place_and_undo_nothing(store: Store):
    before = {"a": b"1", "b": b"2", "c": b"3"}
    await store.save("me", "conv", FIRST_EPOCH, Changes(list(before), before))
    taken = await store.take("me", "conv")
    assert taken is not None
    await store.save("me", "conv", taken.epoch, Changes(["a", "b", "new"], {"b": b"two", "new": b"n"}, {"c"}))
    late = {
        "a": LateItem(b"1", b"one"),  # nobody changed it
        "b": LateItem(b"2", b"lost"),
        "c": LateItem(b"3", b"lost"),
        "late": LateItem(None, b"l"),
        "new": LateItem(None, b"lost"),
    }
    await store.add_late("me", "conv", ["a", "late", "b", "c"], late)
    assert await store.load("me", "conv") == (b"one", b"l", b"two", b"n")
    await store.save("me", "conv", taken.epoch, Changes(["a", "b", "new", "last"], {"last": b"x"}))
    assert await store.load("me", "conv") == (b"one", b"l", b"two", b"n", b"x")
    await store.add_late("me", "conv_none", ["a"], {"a": LateItem(None, b"1")})
    assert await store.load("me", "conv_none") is None


IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(IDS, IDS, st.sets(st.sampled_from("abcdefgh")))
def test_a_merged_order_has_every_item_once_and_keeps_both_orders(order, others, gone):
    found = merged(order, others, gone)
    assert len(found) == len(set(found))
    assert set(found) == set(order) | (set(others) - gone)
    assert [each for each in found if each in set(order)] == order
    rest = [each for each in others if each not in order and each not in gone]
    for one, two in itertools.pairwise(rest):  # neighbours stay so
        if others.index(two) == others.index(one) + 1:
            assert found.index(one) < found.index(two)
