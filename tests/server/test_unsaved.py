"""A store in trouble for hours: the log says so once, and again when it is well, or when something is lost.

And what is saved because somebody waits for it is not looked at again.
"""

import asyncio
import logging

from realtime.core.conversation import Conversation, Item, Message, Text
from realtime.errors import ProviderUnavailable
from realtime.providers.memory_store import MemoryStore
from realtime.server.persistence import KEEP_UP_S, RETRY_S, SAVE_TIMEOUT_S, Persistence
from tests import virtual_time

HOUR_S = 3600.0


class FullDisk(MemoryStore):
    full = True

    async def save(self, owner, conversation_id, epoch, changes):
        if self.full:
            raise ProviderUnavailable("The disk is full.")
        await super().save(owner, conversation_id, epoch, changes)


def test_a_full_disk_is_told_once_by_each_conversation_and_so_is_its_end(caplog):
    caplog.set_level(logging.INFO)

    async def run() -> None:
        store, conversation = FullDisk(), Conversation()
        conversation.add(Message("item_1", "user", (Text("Hello."),)))
        persistence = Persistence(store, "me", "conv", conversation)
        saving = asyncio.create_task(persistence.run())
        persistence._changed.set()
        await asyncio.sleep(HOUR_S)
        assert len(caplog.messages) == 1
        assert "is not saved" in caplog.messages[0]
        store.full = False
        await asyncio.sleep(HOUR_S)
        assert [message.split("conv ")[1] for message in caplog.messages[1:]] == ["is saved again"]
        store.full = True
        conversation.add(Message("item_2", "user", (Text("And goodbye."),)))
        saving.cancel()
        await persistence.finish()
        assert len(caplog.messages) == 4
        assert "lost" in caplog.messages[3]

    virtual_time.run(run())


class Silent(MemoryStore):
    """Its database is gone without a word, and back for the next connection."""

    silent = True

    async def save(self, owner, conversation_id, epoch, changes):
        if self.silent:
            self.silent = False
            await asyncio.Event().wait()
        await super().save(owner, conversation_id, epoch, changes)


def test_a_store_that_does_not_answer_is_told_and_asked_again(caplog):
    caplog.set_level(logging.INFO)

    async def run() -> None:
        store, conversation = Silent(), Conversation()
        conversation.add(Message("item_1", "user", (Text("Hello."),)))
        persistence = Persistence(store, "me", "conv", conversation)
        saving = asyncio.create_task(persistence.run())
        persistence._changed.set()
        await asyncio.sleep(SAVE_TIMEOUT_S + RETRY_S + 1.0)
        assert len(await store.load("me", "conv") or ()) == 1
        assert [message.split("conv ")[1] for message in caplog.messages] == [
            "is not saved: the store has not answered for 10 s",
            "is saved again",
        ]
        saving.cancel()

    virtual_time.run(run())


def test_what_happens_after_the_last_record_is_not_saved_unless_the_session_stays():
    async def run() -> None:
        store, conversation = MemoryStore(), Conversation()
        conversation.add(Message("item_1", "user", (Text("Hello."),)))
        persistence = Persistence(store, "me", "conv", conversation)
        persistence.freeze(frozen=True)
        conversation.add(Message("item_2", "user", (Text("And goodbye."),)))
        await persistence.finish()
        assert len(await store.load("me", "conv") or ()) == 1, "what counted by then was not saved yet"
        persistence.freeze(frozen=False)
        await persistence.finish()
        assert len(await store.load("me", "conv") or ()) == 2

    virtual_time.run(run())


class Watched(Conversation):
    looks = 0

    @property
    def items(self) -> tuple[Item, ...]:
        self.looks += 1
        return super().items


def test_what_was_saved_for_who_waits_for_it_is_not_looked_at_again() -> None:
    async def run() -> None:
        store, conversation, so_far = FullDisk(), Watched(), dict[str, Text]()
        store.full = False
        conversation.add(Message("item_1", "user", (Text("Hello."),)))
        persistence = Persistence(store, "me", "conv", conversation, so_far=lambda: so_far)
        saving = asyncio.create_task(persistence.run())
        for replying in (False, True):  # while a reply is not over it is, again and again
            if replying:
                so_far["item_2"] = Text("And")
            looks = conversation.looks
            persistence.look_again()
            await asyncio.sleep(0)
            await persistence.save_changes()
            assert persistence.saved == 1
            await asyncio.sleep(KEEP_UP_S)
            assert conversation.looks - looks == 1
        await asyncio.sleep(2 * KEEP_UP_S)
        assert conversation.looks - looks >= 3
        so_far.clear()
        await asyncio.sleep(2 * KEEP_UP_S)
        conversation.add(Message("item_3", "user", (Text("Goodbye."),)))
        persistence.look_again()
        await asyncio.sleep(KEEP_UP_S)
        assert persistence.saved == 2, "nobody waited for it"
        store.full = True
        conversation.add(Message("item_4", "user", (Text("Really."),)))
        persistence.look_again()
        await persistence.save_changes()
        store.full = False
        await asyncio.sleep(10 * KEEP_UP_S)
        assert persistence.saved == 3, "its save had failed"
        saving.cancel()

    virtual_time.run(run())
