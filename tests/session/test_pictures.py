"""Pictures in a session: the oldest make room, or the next one is refused; also in a conversation that goes on."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.core.conversation import Conversation, Image, InputSpeech, Message, held_bytes
from realtime.core.item_room import MAX_HELD_BYTES
from realtime.server.persistence import StoredConversation
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, call

MIB = 1024 * 1024


def photo(item_id: str, size: int) -> dict[str, Any]:
    head = "data:image/png;base64,"
    part = {"type": "input_image", "image_url": head + "A" * (size - len(head))}
    return {"type": "message", "role": "user", "id": item_id, "content": [part]}


def held(conversation: Conversation) -> int:
    return sum(map(held_bytes, conversation.items))


@scripted
async def test_the_oldest_large_make_room_and_each_is_told():
    async with Talk() as talk:
        await talk.send("conversation.item.create", item={"type": "message", "role": "user", "id": "text", "content": [
            {"type": "input_text", "text": "Look at these."}]})  # fmt: skip
        for number in range(30):
            await talk.send("conversation.item.create", item=photo(f"p{number}", 5 * MIB))
        deleted = [event["item_id"] for event in talk.of("conversation.item.deleted")]
        assert deleted == [f"p{number}" for number in range(28)]
        assert [item.id for item in talk.session.conversation.items] == ["text", "p28", "p29"]
        assert not talk.of("error")


@scripted
async def test_with_truncation_disabled_the_client_has_to_delete_some():
    async with Talk(truncation="disabled") as talk:
        for number in range(3):
            await talk.send("conversation.item.create", item=photo(f"p{number}", 5 * MIB))
        error = (await talk.until("error"))["error"]
        assert error["code"] == "conversation_full"
        assert "pictures" in error["message"]
        await talk.send("conversation.item.delete", item_id="p0")
        await talk.send("conversation.item.create", item=photo("p3", 5 * MIB))
        assert [item.id for item in talk.session.conversation.items] == ["p1", "p3"]
        assert len(talk.of("error")) == 1


@pytest.mark.parametrize("size", [0, 1, 5 * MIB])
def test_a_stored_conversation_goes_on_within_the_bound(size: int):
    items = tuple(Message(str(number), "user", (Image("u" * size),)) for number in range(30))
    conversation = StoredConversation("conv_1", items).to_conversation()
    assert held(conversation) <= MAX_HELD_BYTES
    assert len(conversation) == (2 if size > 1 else 30)
    assert conversation.items[-1].id == "29"


QUESTION = [
    {"type": "input_text", "text": "Compare these."},
    *photo("", 6 * MIB)["content"],
    *photo("", 6 * MIB - 99)["content"],
]


async def ask_about_pictures(talk: Talk) -> None:
    item = {"type": "message", "role": "user", "id": "question", "content": QUESTION}
    await talk.send("conversation.item.create", item=item)


@pytest.mark.parametrize("noise", [False, True])
@scripted
async def test_the_question_stays_when_a_note_has_no_room(noise: bool):
    async with Talk() as talk:
        await talk.send("conversation.item.create", item=photo("old", MIB))
        await ask_about_pictures(talk)
        if noise:
            talk.session.conversation.add(Message("noise", "user", (InputSpeech(""),)))
        note = {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "y" * 150_000}],
        }
        await talk.send("conversation.item.create", item=note)
        error = (await talk.until("error"))["error"]
        assert (error["code"], "last message" in error["message"]) == ("conversation_full", True)
        assert [event["item_id"] for event in talk.of("conversation.item.deleted")] == ["old"], (
            "for the question"
        )
        await talk.send("conversation.item.create", item=photo("new", MIB))
        assert [event["item_id"] for event in talk.of("conversation.item.deleted")] == ["old", "question"]


@scripted
async def test_the_question_stays_when_tools_of_the_server_bring_much():
    async def look() -> str:
        """Look."""
        return "z" * 40_000

    chat = FakeChat([[(0.1, call("look", "{}", f"call_{n}"))] for n in range(3)] + [[(0.1, "Alike.")]])
    async with Talk(chat=chat, server_tools=Toolbox([look]), output_modalities=["text"]) as talk:
        await ask_about_pictures(talk)
        await talk.send("response.create")
        await talk.until("response.done", 4)
        assert all(request.messages[1].content == "Compare these." for request in chat.requests)
        assert talk.of("error") == []


@scripted
async def test_nothing_goes_in_vain():
    """What cannot be put in anyway pushes nothing out."""
    async with Talk() as talk:
        short = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "y" * 40}]}
        await talk.send("conversation.item.create", item={**short, "id": "old"})
        await ask_about_pictures(talk)
        note = {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "y" * 150_000}],
        }
        await talk.send("conversation.item.create", item=note)
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        assert [item.id for item in talk.session.conversation.items] == ["old", "question"]
