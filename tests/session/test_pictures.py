"""Pictures in a session: the oldest make room, or the next one is refused; also in a conversation that goes on."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.core.conversation import Conversation, Image, Message, held_bytes
from realtime.core.item_room import MAX_HELD_BYTES
from realtime.server.persistence import StoredConversation
from tests.conversing import Talk, scripted

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
