"""What a store from anywhere gives: what is clear is changed, all else is one error, as if the store had failed."""

import asyncio
import sqlite3

import pytest

from realtime.errors import ProviderError
from realtime.providers.memory_store import MemoryStore
from realtime.providers.store import Changes, Store, StoredSummary, Taken
from realtime.server import conversations
from realtime.server.callers import RetryLater
from realtime.server.observed_store import ObservedStore
from realtime.server.persistence import load_stored, take_stored
from realtime.server.wrapped import Later
from tests import virtual_time

ITEM = b'{"id":"a","type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}'
READ = (load_stored, take_stored)


class Own(Store):
    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple] = []

    async def save(self, *asked):
        self.asked.append(asked)

    async def load(self, owner, conversation_id):
        return self.answer

    async def forget(self, *asked):
        self.asked.append(asked)


class Plain:
    """No subclass, and no coroutine."""

    def __init__(self) -> None:
        self.kept = {}

    def save(self, owner, conversation_id, epoch, changes):
        self.kept[owner, conversation_id] = tuple(changes.changed.values())

    def load(self, owner, conversation_id):
        return self.kept.get((owner, conversation_id))

    def forget(self, owner, conversation_id):
        del self.kept[owner, conversation_id]


def row(value: object) -> tuple:
    return sqlite3.connect(":memory:").execute("SELECT ?", (value,)).fetchone()


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize(
    "answer",
    [(ITEM,), [ITEM], [ITEM.decode()], (bytearray(ITEM),), (memoryview(ITEM),), row(ITEM)],
    ids=lambda each: f"{type(each).__name__} of {type(each[0]).__name__}",
)
async def test_items_in_any_sequence_and_type_of_bytes_are_read(read, answer):
    stored = await read(ObservedStore(Own(answer)), "me", "conv_1")
    assert [item.id for item in stored.items] == ["a"]


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"a": ITEM}, "The store's load() gave a dict; a tuple of bytes is needed."),
        (ITEM, "The store's load() gave a bytes; a tuple of bytes is needed."),
        ("[]", "The store's load() gave a str; a tuple of bytes is needed."),
        (7, "The store's load() gave 7; a tuple of bytes is needed."),
        (iter([ITEM]), "The store's load() gave a list_iterator; a tuple of bytes is needed."),
        ([{"id": "a"}], "The store's load() gave a dict as an item; bytes are needed."),
        ([row(ITEM)], "The store's load() gave a tuple as an item; bytes are needed."),
    ],
)
async def test_another_answer_is_refused_by_name_and_told_once(read, answer, said, caplog):
    store = ObservedStore(Own(answer))
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            await read(store, "me", "conv_1")
        assert caught.value.message == said
    assert [record.getMessage() for record in caplog.records] == [said]


async def test_a_damaged_row_costs_its_item_only():
    stored = await load_stored(ObservedStore(Own([None, 7, b"{", "\ud800", ITEM])), "me", "conv_1")
    assert ([item.id for item in stored.items], stored.unreadable) == (["a"], 4)


async def test_a_store_of_plain_methods_without_the_optional_ones_is_enough():
    store = ObservedStore(Plain())
    assert await take_stored(store, "me", "conv_1") is None
    await store.save("me", "conv_1", 1, Changes(["a"], {"a": ITEM}))
    await store.add_late("me", "conv_1", ["a"], {})
    stored = await take_stored(store, "me", "conv_1")
    assert ([item.id for item in stored.items], stored.epoch) == (["a"], 1)
    await store.forget("me", "conv_1")
    assert await store.load("me", "conv_1") is None
    assert (store.listing, store.hold) == (None, None)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((ITEM,), "The store's take() gave a tuple; a Taken with a tuple of bytes is needed."),
        (Taken(None), "The store's take() gave a Taken; a Taken with a tuple of bytes is needed."),
        (Taken((ITEM,), "2"), "The store's take() gave a str; Taken.epoch needs whole numbers."),
    ],
)
async def test_what_is_taken_has_items_and_an_epoch(answer, said):
    class Takes(Own):
        def take(self, owner, conversation_id):
            return self.answer

    with pytest.raises(ProviderError) as caught:
        await take_stored(ObservedStore(Takes(answer)), "me", "conv_1")
    assert caught.value.message == said
    stored = await take_stored(ObservedStore(Takes(Taken([ITEM.decode()], 3.0))), "me", "conv_1")
    assert (stored.epoch, [item.id for item in stored.items]) == (3, ["a"])


async def test_a_hold_that_is_a_coroutine_runs_and_ends_with_the_server():
    held = []

    class Holds(Own):
        async def hold(self, owner, conversation_id, holder):
            held.append(conversation_id)

    later = Later()
    store = ObservedStore(Holds(None), later)
    store.hold("me", "conv_1", store)
    await asyncio.sleep(0)
    assert held == ["conv_1"]
    await later.aclose()


def test_no_hold_is_left_out_however_many_come_at_once_and_however_long_they_take(caplog):
    """As when all sessions of a server come back while the store's service is away."""
    held = []

    class Holds(Own):
        async def hold(self, owner, conversation_id, holder):
            await asyncio.sleep(600)
            held.append(conversation_id)

    async def come_back() -> None:
        later = Later()
        store = ObservedStore(Holds(None), later)
        for number in range(150):
            store.hold("me", f"conv_{number}", store)
        await asyncio.sleep(601)
        await later.aclose()

    virtual_time.run(come_back())
    assert set(held) == {f"conv_{number}" for number in range(150)}
    assert not caplog.records


@pytest.mark.parametrize("answer", [{}, [("conv_1", 1.0, 2.0)], [StoredSummary("c", "now", 1.0)], "raises"])
async def test_a_wrong_list_of_conversations_is_no_answer_of_the_store(answer, caplog):
    class Lists(MemoryStore):
        async def listing(self, owner, limit):
            if answer == "raises":
                raise KeyError("a")
            return answer

    store = ObservedStore(Lists())
    with pytest.raises(RetryLater):
        await conversations._asked(store.listing("me", 3))
    assert caplog.records, "the operator learns why"
