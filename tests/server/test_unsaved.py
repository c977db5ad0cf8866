"""A store in trouble for hours: the log says so once, and again when it is well, or when something is lost."""

import asyncio
import logging

from realtime.core.conversation import Conversation, Message, Text
from realtime.errors import ProviderUnavailable
from realtime.providers.memory_store import MemoryStore
from realtime.server.persistence import Persistence
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
