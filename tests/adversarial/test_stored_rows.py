"""Rows that nobody can read, and stores that break: the client is told, and the session goes on without them."""

from __future__ import annotations

import logging
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from realtime.core.conversation import Conversation, Message, Text
from realtime.errors import ProviderError
from realtime.providers.memory_store import MemoryStore
from realtime.providers.store import Taken
from realtime.server.persistence import Persistence, take_stored
from tests.adversarial.client_events import MESSAGE
from tests.adversarial.mutations import mutated
from tests.server.harness import open_harness

ROWS: list[Any] = [b"", b"{", b"\xff\xfe", b"null", b"[]", b"7", None, 7, 1.5, "text", b"[" * 5_000,
                   b'{"type":"message"}', b'{"type":"message","id":7,"role":"user","content":[]}',
                   b'{"type":"message","id":"a","role":"user","content":[{"type":"input_text","text":7}]}']  # fmt: skip
GOOD = b'{"type":"message","id":"good","role":"user","content":[{"type":"input_text","text":"Hi"}]}'


class Rows(MemoryStore):
    """Gives these rows for every conversation."""

    def __init__(self, rows: Any) -> None:
        super().__init__()
        self.rows = rows

    async def take(self, owner: str, conversation_id: str) -> Any:
        if isinstance(self.rows, Exception):
            raise self.rows
        return Taken(self.rows)


async def test_a_row_that_cannot_be_read_is_left_out_and_counted(caplog):
    stored = await take_stored(Rows((*ROWS, GOOD)), "me", "conv")
    assert stored is not None
    assert [item.id for item in stored.items] == ["good"]
    assert stored.unreadable == len(ROWS)
    assert len([record for record in caplog.records if record.exc_info]) == len(ROWS)


async def test_mutated_rows_are_read_or_left_out(caplog):
    caplog.set_level(logging.CRITICAL)
    dice = random.Random("rows 1")
    for _ in range(500):
        row = mutated(MESSAGE, dice)
        raw = row.encode("utf-8", "surrogatepass") if isinstance(row, str) else row
        stored = await take_stored(Rows((raw, GOOD)), "me", "conv")
        assert stored is not None
        assert len(stored.items) + stored.unreadable == 2
        assert len(stored.to_conversation()) >= 1


@pytest.mark.parametrize("bug", [ValueError("odd"), OSError("disk"), RecursionError()], ids=repr)
async def test_a_store_that_breaks_is_a_store_that_failed(bug: Exception):
    with pytest.raises(ProviderError):
        await take_stored(Rows(bug), "me", "conv")


class BrokenSaves(MemoryStore):
    saved = 0

    async def save(self, *args: Any) -> None:
        self.saved += 1
        raise ValueError("odd")


async def test_a_store_that_breaks_while_saving_is_tried_again_and_ends_nothing(caplog):
    conversation = Conversation()
    conversation.add(Message("a", "user", (Text("Hi"),)))
    store = BrokenSaves()
    await Persistence(store, "me", "conv", conversation).finish()
    assert store.saved == 1
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"]


@pytest.mark.parametrize(
    ("change", "why", "kept"),
    [
        ("UPDATE item SET body = X'FF7B'", "2 stored items", 0),
        ("UPDATE item SET body = 7 WHERE id = 'a'", "1 stored items", 1),
        ("UPDATE conversation SET item_order = X'7B'", "cannot be loaded", 0),
        ("UPDATE conversation SET item_order = 7", "cannot be loaded", 0),
    ],
)
async def test_a_changed_file_is_an_error_and_the_session_goes_on(
    tmp_path: Path, change: str, why: str, kept: int
):
    path = tmp_path / "c.db"
    async with open_harness(store=f"sqlite:{path}") as harness:
        async with harness.connect() as wire:
            for name in ("a", "b"):
                content = [{"type": "input_text", "text": "Hi"}]
                item = {"type": "message", "id": name, "role": "user", "content": content}
                await wire.send("conversation.item.create", item=item)
            await wire.until("conversation.item.done", 2)
            found = wire.of("conversation.created")[0]["conversation"]["id"]
        await harness.no_sessions()
        with sqlite3.connect(path) as file:
            file.execute(change)
        async with harness.connect(f"?conversation={found}") as wire:
            error = await wire.error()
            assert (error["code"], error["param"]) == ("invalid_value", "conversation")
            assert why in error["message"]
            assert wire.count("conversation.item.added") == kept
            assert (await wire.ask("Hello?", output_modalities=["text"]))["status"] == "completed"
