"""Pictures of a conversation: bounded in bytes, whatever is added, deleted and restored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.conversation import (
    FULL,
    Conversation,
    ConversationError,
    Image,
    Message,
    Text,
    pictures_bytes,
)
from realtime.core.picture_room import MAX_PICTURES_BYTES

MIB = 1024 * 1024


def photo(item_id: str, *sizes: int) -> Message:
    return Message(item_id, "user", (Text("Look."), *(Image("u" * size) for size in sizes)))


def held(conversation: Conversation) -> int:
    return sum(map(pictures_bytes, conversation.items))


def test_the_bound_is_reached_and_not_crossed_and_deleting_gives_room_back():
    conversation = Conversation()
    for number in range(12):
        conversation.add(photo(str(number), MIB // 2, MIB // 2))
    with pytest.raises(ConversationError) as caught:
        conversation.add(photo("more", 1))
    assert caught.value.code == FULL
    assert "pictures" in caught.value.message
    conversation.add(Message("text", "user", (Text("Hi"),)))
    conversation.remove("3")
    conversation.add(photo("more", MIB))
    assert held(conversation) == MAX_PICTURES_BYTES


def test_one_item_may_not_have_more_than_all():
    with pytest.raises(ConversationError) as caught:
        Conversation().add(photo("a", 7 * MIB, 6 * MIB), restored=True)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "item.content")


@given(
    st.lists(
        st.tuples(st.sampled_from("add restore delete".split()), st.integers(0, 9), st.integers(0, 5)),
        max_size=60,
    )
)
def test_room_is_counted_as_the_items_hold_it(steps: list[tuple[str, int, int]]):
    """The oldest that go are as few as possible, and what is counted is what is there."""
    conversation = Conversation()
    for what, number, size in steps:
        item = photo(str(number), size * MIB)
        if what == "delete" or item.id in conversation:
            if item.id in conversation:
                conversation.remove(item.id)
            continue
        if what == "add":
            gone = conversation.oldest_pictures(size * MIB)
            for item_id in gone:
                assert held(conversation) + size * MIB > MAX_PICTURES_BYTES
                conversation.remove(item_id)
            conversation.add(item)
            assert held(conversation) <= MAX_PICTURES_BYTES or not size
        else:
            conversation.add(item, restored=True)
    for item_id in conversation.oldest_pictures():
        conversation.remove(item_id)
    assert held(conversation) <= MAX_PICTURES_BYTES
