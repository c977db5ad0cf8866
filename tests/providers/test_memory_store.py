"""What the store in memory drops, and that it counts what it holds."""

import gc
import tracemalloc

import pytest

from realtime.core.conversation import Conversation, Message, Text
from realtime.providers.memory_store import MemoryStore
from realtime.providers.store import FIRST_EPOCH, Changes
from realtime.server.persistence import Persistence, load_stored, take_stored


async def fill(store, conversations=5):
    """More than there is room for."""
    for number in range(conversations):
        await store.save("me", f"other_{number}", FIRST_EPOCH, Changes(["a"], {"a": bytes(20_000)}))


def said(conversation, *numbers):
    for number in numbers:
        conversation.add(Message(f"item_{number}", "user", (Text(f"Sentence {number}."),)))


async def ids_of(store):
    stored = await load_stored(store, "me", "conv")
    return None if stored is None else [item.id for item in stored.items]


@pytest.mark.parametrize("resumed", [False, True], ids=["new", "taken over from a session before"])
async def test_a_conversation_that_is_open_and_idle_is_never_dropped(resumed):
    store, conversation, stored = MemoryStore(max_bytes=50_000), Conversation(), None
    if resumed:
        said(conversation, 0)
        await Persistence(store, "me", "conv", conversation).save_all()
        stored = await take_stored(store, "me", "conv")
        conversation = stored.to_conversation()
    open_session = Persistence(store, "me", "conv", conversation, stored=stored)
    said(conversation, 1, 2)
    assert await open_session.save_all()
    await fill(store)
    said(conversation, 3)
    assert await open_session.save_all()
    assert await ids_of(store) == [item.id for item in conversation.items], "without a hole"
    assert await load_stored(store, "me", "other_0") is None
    assert await load_stored(store, "me", "other_4") is not None
    del open_session
    await fill(store)
    assert await ids_of(store) is None, "it is as old as any other one now"


async def test_open_ones_alone_may_need_more_than_there_is():
    store = MemoryStore(max_bytes=50_000, most=3)
    sessions = []
    for number in range(5):
        conversation = Conversation()
        said(conversation, number)
        sessions.append(Persistence(store, "me", f"conv_{number}", conversation))
        assert await sessions[-1].save_all()
    assert all([await load_stored(store, "me", f"conv_{number}") for number in range(5)])
    sessions.clear()
    await fill(store, 1)
    assert repr(store).startswith("<MemoryStore 3 conversations")


@pytest.mark.parametrize(("items", "size"), [(0, 0), (1, 150), (6, 150), (20, 2_000), (100, 10)])
async def test_the_memory_that_is_held_is_counted(items, size):
    store = MemoryStore(max_bytes=1 << 40)
    await fill(store, 1)
    gc.collect()
    counted = int(repr(store).split()[-2])
    tracemalloc.start()
    try:
        for number in range(20 if items > 10 else 300):
            items_now = {f"item_{number:08}_{each:08}": bytes(size) for each in range(items)}
            changes = Changes(list(items_now), items_now, set())
            await store.save("me", f"conv_{number:012}", FIRST_EPOCH, changes)
            del items_now, changes
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.8 < (int(repr(store).split()[-2]) - counted) / held < 1.25
