"""What a conversation holds of pictures and texts: bounded in bytes, whatever is added, deleted and restored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.conversation import (
    FULL,
    Conversation,
    ConversationError,
    FunctionCall,
    FunctionCallOutput,
    Image,
    InputSpeech,
    Item,
    Message,
    Text,
    held_bytes,
)
from realtime.core.item_room import MAX_HELD_BYTES

MIB = 1024 * 1024


def photo(item_id: str, *sizes: int) -> Message:
    return Message(item_id, "user", tuple(Image("u" * size) for size in sizes))


def held(conversation: Conversation) -> int:
    return sum(map(held_bytes, conversation.items))


def test_the_bound_is_reached_and_not_crossed_and_deleting_gives_room_back():
    conversation = Conversation()
    for number in range(12):
        conversation.add(photo(str(number), MIB // 2, MIB // 2))
    with pytest.raises(ConversationError) as caught:
        conversation.add(photo("more", 1))
    assert caught.value.code == FULL
    assert "pictures" in caught.value.message
    conversation.add(Message("nothing", "user", (Text(""),)))
    conversation.remove("3")
    conversation.add(photo("more", MIB))
    assert held(conversation) == MAX_HELD_BYTES


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
            gone = conversation.oldest_large(size * MIB)
            for item_id in gone:
                assert held(conversation) + size * MIB > MAX_HELD_BYTES
                conversation.remove(item_id)
            conversation.add(item)
            assert held(conversation) <= MAX_HELD_BYTES or not size
        else:
            conversation.add(item, restored=True)
    for item_id in conversation.oldest_large():
        conversation.remove(item_id)
    assert held(conversation) <= MAX_HELD_BYTES


LONG = "ä" * (MIB // 4)  # half a MiB of UTF-8


def long_items(number: int) -> list[Item]:
    """One message, or a call with its output."""
    if number % 2:
        return [Message(f"m{number}", "user", (Text(LONG),))]
    return [
        FunctionCall(f"c{number}", f"call{number}", "f", "{}"),
        FunctionCallOutput(f"o{number}", f"call{number}", LONG),
    ]


def test_long_texts_and_outputs_count_like_pictures_and_calls_go_with_their_outputs():
    conversation = Conversation()
    conversation.add(Message("short", "user", (Text("Remember this."),)))
    for number in range(60):
        items = long_items(number)
        for item in items:
            for gone in conversation.oldest_large(held_bytes(item), keep=[f"call{number}"]):
                conversation.remove(gone)
            conversation.add(item)
        assert held(conversation) <= MAX_HELD_BYTES
    left = [item.id for item in conversation.items]
    assert left[0] == "short"
    calls = {item.call_id for item in conversation.items if isinstance(item, FunctionCall)}
    assert calls == {item.call_id for item in conversation.items if isinstance(item, FunctionCallOutput)}
    with pytest.raises(ConversationError):
        conversation.add(Message("more", "user", (Text(LONG),)))


def test_what_grows_later_is_counted_and_a_reply_may_always_end():
    conversation = Conversation()
    conversation.add(photo("photo", MAX_HELD_BYTES))
    conversation.add(Message("reply", "assistant", (Text(""),), status="in_progress"), by_reply=True)
    conversation.complete(Message("reply", "assistant", (Text(LONG),)))
    conversation.add(Message("heard", "user", (InputSpeech(None),)))
    conversation.set_transcript("heard", LONG)
    assert held(conversation) == MAX_HELD_BYTES + MIB
    assert conversation.oldest_large() == ["photo"]


def test_a_call_that_waits_for_its_output_stays():
    conversation = Conversation()
    conversation.add(FunctionCall("c", "call", "f", "", status="in_progress"), by_reply=True)
    conversation.complete(FunctionCall("c", "call", "f", "x" * (11 * MIB)))
    conversation.add(photo("photo", MIB // 2))
    assert conversation.oldest_large(MIB) == ["photo"]
