"""Conversations that outlive their session, and the server."""

import asyncio
import sqlite3
from typing import Any

import pytest

from tests.server.wire import House, Wire, eventually
from tests.server.wire import house as open_house

NAME = "My name is Ada."


def conversation_id(wire: Wire) -> str:
    return str(wire.of("conversation.created")[0]["conversation"]["id"])


async def talk(house: House) -> tuple[str, list[dict[str, Any]]]:
    """A conversation of two items; its id, and the items as the client saw them."""
    async with house.wire() as wire:
        await wire.say(NAME)
        await wire.ask("What is two plus three?")
        items = [event["item"] for event in wire.of("conversation.item.done")]
        found = conversation_id(wire)
    await house.empty()
    return found, items


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_a_new_session_goes_on_with_a_stored_conversation(store: str, tmp_path):
    async with open_house(store="memory" if store == "memory" else f"sqlite:{tmp_path}/c.db") as house:
        found, items = await talk(house)
        async with house.wire(f"?conversation={found}") as wire:
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
    async with open_house(store=setting) as house:
        found, items = await talk(house)
    async with open_house(store=setting) as house, house.wire(f"?conversation={found}") as wire:
        await wire.until("conversation.item.done", len(items))
        assert [event["item"] for event in wire.of("conversation.item.done")] == items
        await wire.say("Something new.")
        await wire.until("conversation.item.done", len(items) + 1)
    async with open_house(store=setting) as house, house.wire(f"?conversation={found}") as wire:
        await wire.until("conversation.item.done", len(items) + 1)


async def test_it_is_saved_while_the_session_lives_and_without_a_byte_of_sound(tmp_path):
    path = tmp_path / "c.db"
    async with open_house(store=f"sqlite:{path}") as house, house.wire() as wire:
        await wire.ask("What is two plus three?")

        def bodies() -> list[bytes]:
            with sqlite3.connect(path) as file:
                rows = file.execute("SELECT body FROM item").fetchall()
            file.close()
            return [body for (body,) in rows]

        await eventually(lambda: len(bodies()) == 2)
        assert sum(map(len, bodies())) < 1_000
        assert len(wire.audio()) > 10_000


async def test_a_deleted_item_stays_deleted(house: House):
    async with house.wire() as wire:
        await wire.say(NAME)
        item_id = (await wire.until("conversation.item.done"))["item"]["id"]
        await asyncio.sleep(0.5)
        await wire.send("conversation.item.delete", item_id=item_id)
        await wire.until("conversation.item.deleted")
        found = conversation_id(wire)
    await house.empty()
    async with house.wire(f"?conversation={found}") as wire:
        await wire.say("Hello again.")
        assert (await wire.until("conversation.item.added"))["item"]["content"][0]["text"] == "Hello again."


async def test_what_is_unknown_is_told_and_a_new_conversation_begins(house: House):
    async with house.dial("?conversation=conv_none") as wire:
        error = await wire.error()
        assert wire.types == ["session.created", "conversation.created", "error"]
        assert (error["code"], error["param"]) == ("invalid_value", "conversation")
        assert conversation_id(wire) != "conv_none"
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"


async def test_another_key_does_not_find_it():
    async with open_house(api_keys=("one", "two")) as house:
        one, two = ({"Authorization": f"Bearer {key}"} for key in ("one", "two"))
        async with house.wire(headers=one) as wire:
            await wire.say(NAME)
            await wire.until("conversation.item.done")
            found = conversation_id(wire)
        await house.empty()
        async with house.dial(f"?conversation={found}", headers=two) as stranger:
            assert (await stranger.error())["param"] == "conversation"
        async with house.dial(f"?conversation={found}", headers=one) as wire:
            assert (await wire.until("conversation.item.added"))["item"]["content"][0]["text"] == NAME


async def test_pictures_sent_as_data_are_not_stored(house: House):
    async with house.wire() as wire:
        picture = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
        content = [{"type": "input_text", "text": "Look."}, picture]
        await wire.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await wire.until("conversation.item.done")
        found = conversation_id(wire)
    await house.empty()
    async with house.dial(f"?conversation={found}") as wire:
        item = (await wire.until("conversation.item.added"))["item"]
        assert item["content"] == [{"type": "input_text", "text": "Look."}]


async def test_a_store_in_trouble_does_not_disturb_the_conversation(tmp_path, caplog):
    path = tmp_path / "c.db"
    async with open_house(store=f"sqlite:{path}") as house, house.wire() as wire:
        with sqlite3.connect(path) as file:
            file.execute("DROP TABLE item")
        file.close()
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"
        await eventually(lambda: "is not saved" in caplog.text)
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"
