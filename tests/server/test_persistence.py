"""Conversations that outlive their session or the server."""

import sqlite3
from typing import Any

import pytest

from realtime.core.conversation import MAX_ITEMS, FunctionCall, FunctionCallOutput, Item, Message, Text
from realtime.server.persistence import StoredConversation
from tests.eventually import eventually
from tests.server.harness import Harness, WireClient, open_harness

NAME = "My name is Ada."


def conversation_id(wire: WireClient) -> str:
    return str(wire.of("conversation.created")[0]["conversation"]["id"])


async def talk(harness: Harness) -> tuple[str, list[dict[str, Any]]]:
    """Hold a conversation; returns its id, and the items that the client received."""
    async with harness.connect() as wire:
        await wire.say(NAME)
        await wire.ask("What is two plus three?")
        items = [event["item"] for event in wire.of("conversation.item.done")]
        found = conversation_id(wire)
    await harness.no_sessions()
    return found, items


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_a_new_session_continues_a_stored_conversation(store: str, tmp_path):
    async with open_harness(store="memory" if store == "memory" else f"sqlite:{tmp_path}/c.db") as harness:
        found, items = await talk(harness)
        async with harness.connect(f"?conversation={found}") as wire:
            await wire.until("conversation.item.done", len(items))
            assert wire.types[:2] == ["session.created", "conversation.created"]
            assert conversation_id(wire) == found
            assert [event["item"] for event in wire.of("conversation.item.added")] == items
            previous = [event["previous_item_id"] for event in wire.of("conversation.item.added")]
            assert previous == [None, *(item["id"] for item in items[:-1])]
            answer = await wire.ask("What is my name?")
            assert "Ada" in answer["output"][0]["content"][0]["transcript"]


async def test_a_conversation_outlives_the_server(tmp_path):
    setting = f"sqlite:{tmp_path}/c.db"
    async with open_harness(store=setting) as harness:
        found, items = await talk(harness)
    async with open_harness(store=setting) as harness, harness.connect(f"?conversation={found}") as wire:
        await wire.until("conversation.item.done", len(items))
        assert [event["item"] for event in wire.of("conversation.item.done")] == items
        await wire.say("Something new.")
        await wire.until("conversation.item.done", len(items) + 1)
    async with open_harness(store=setting) as harness, harness.connect(f"?conversation={found}") as wire:
        await wire.until("conversation.item.done", len(items) + 1)


async def test_it_is_saved_during_the_session_and_without_audio(tmp_path):
    path = tmp_path / "c.db"
    async with open_harness(store=f"sqlite:{path}") as harness, harness.connect() as wire:
        await wire.ask("What is two plus three?")

        def bodies() -> list[bytes]:
            with sqlite3.connect(path) as file:
                rows = file.execute("SELECT body FROM item").fetchall()
            file.close()
            return [body for (body,) in rows]

        await eventually(lambda: len(bodies()) == 2)
        assert sum(map(len, bodies())) < 1_000
        assert len(wire.audio()) > 10_000


async def test_a_deleted_item_stays_deleted(harness: Harness):
    async with harness.connect() as wire:
        await wire.say(NAME)
        item_id = (await wire.until("conversation.item.done"))["item"]["id"]
        store = harness.server.runtime.store
        assert store is not None
        await eventually(lambda: store.load("open", conversation_id(wire)), "the saved message")
        await wire.send("conversation.item.delete", item_id=item_id)
        await wire.until("conversation.item.deleted")
        found = conversation_id(wire)
    await harness.no_sessions()
    async with harness.connect(f"?conversation={found}") as wire:
        await wire.say("Hello again.")
        assert (await wire.until("conversation.item.added"))["item"]["content"][0]["text"] == "Hello again."


async def test_an_unknown_id_is_an_error_and_a_new_conversation_starts(harness: Harness):
    async with harness.open_socket("?conversation=conv_none") as wire:
        error = await wire.error()
        assert wire.types == ["session.created", "conversation.created", "error"]
        assert (error["code"], error["param"]) == ("invalid_value", "conversation")
        assert conversation_id(wire) != "conv_none"
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"


async def test_another_key_cannot_load_it():
    async with open_harness(api_keys=("one", "two")) as harness:
        one, two = ({"Authorization": f"Bearer {key}"} for key in ("one", "two"))
        async with harness.connect(headers=one) as wire:
            await wire.say(NAME)
            await wire.until("conversation.item.done")
            found = conversation_id(wire)
        await harness.no_sessions()
        async with harness.open_socket(f"?conversation={found}", headers=two) as other:
            assert (await other.error())["param"] == "conversation"
        async with harness.open_socket(f"?conversation={found}", headers=one) as wire:
            assert (await wire.until("conversation.item.added"))["item"]["content"][0]["text"] == NAME


async def test_images_sent_as_data_are_not_stored(harness: Harness):
    async with harness.connect() as wire:
        image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
        content = [{"type": "input_text", "text": "Look."}, image]
        await wire.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await wire.until("conversation.item.done")
        found = conversation_id(wire)
    await harness.no_sessions()
    async with harness.open_socket(f"?conversation={found}") as wire:
        item = (await wire.until("conversation.item.added"))["item"]
        assert item["content"] == [{"type": "input_text", "text": "Look."}]


async def test_a_failing_store_does_not_affect_the_conversation(tmp_path, caplog):
    path = tmp_path / "c.db"
    async with open_harness(store=f"sqlite:{path}") as harness, harness.connect() as wire:
        with sqlite3.connect(path) as file:
            file.execute("DROP TABLE item")
        file.close()
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"
        await eventually(lambda: "is not saved" in caplog.text)
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"


def test_of_too_many_stored_items_the_newest_stay():
    """Replies and stores of other versions may have saved more than a conversation takes."""
    items: list[Item] = [Message("rules", "system", (Text("Be kind."),))]
    items += [FunctionCall("call", "c", "f"), FunctionCallOutput("result", "c", "4")]
    items += [Message(f"m{number}", "user") for number in range(MAX_ITEMS + 300)]
    conversation = StoredConversation("conv", tuple(items)).to_conversation()
    kept = [item.id for item in conversation.items]
    assert len(kept) == MAX_ITEMS
    assert kept[0] == "rules"
    assert kept[1:] == [f"m{number}" for number in range(301, MAX_ITEMS + 300)]
    conversation.remove("m400")
    conversation.add(Message("new", "user"))


def test_outputs_without_their_call_are_not_restored():
    items = (FunctionCallOutput("result", "c", "4"), Message("m", "user"))
    assert [item.id for item in StoredConversation("conv", items).to_conversation().items] == ["m"]
