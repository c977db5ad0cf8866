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
    assert conversation.oldest_large(MIB, asks_anew=True) == ["photo"]


def test_the_users_last_message_stays_unless_a_new_one_comes():
    conversation = Conversation()
    for item in (photo("old", MIB), photo("last", 10 * MIB), Message("noise", "user", (InputSpeech(""),))):
        conversation.add(item)
    conversation.add(Message("heard", "user", (InputSpeech(None),)))
    assert conversation.oldest_large(5 * MIB) == ["old"]
    assert not conversation.has_room_without(["old"], 5 * MIB)
    assert conversation.oldest(9) == ["old", "noise"]
    assert conversation.oldest_large(5 * MIB, asks_anew=True) == ["old", "last"]
    assert conversation.has_room_without(["old", "last"], 5 * MIB)


def test_what_asks_anew_is_a_message_of_the_user_behind_the_last_one():
    conversation = Conversation()
    new = photo("new", 1)
    assert conversation.asks_anew(new)
    for item in (photo("first", 1), photo("last", 1), Message("a", "assistant", (Text("Yes."),))):
        conversation.add(item)
    assert [conversation.asks_anew(new, after) for after in (None, "a", "last", "first")] == [
        True,
        True,
        True,
        False,
    ]
    assert not conversation.asks_anew(Message("note", "system", (Text("It rains."),)))
    assert not conversation.asks_anew(Message("noise", "user", (InputSpeech(""),)))


def test_calls_of_one_id_go_with_their_own_outputs():
    conversation = Conversation()
    for number in range(2):
        conversation.add(FunctionCall(f"c{number}", "call", "f", "{}"))
        conversation.add(FunctionCallOutput(f"o{number}", "call", LONG))
    assert conversation.oldest(1) == ["c0", "o0"]
    assert conversation.oldest_large(MAX_HELD_BYTES) == ["c0", "o0", "c1", "o1"]


def test_of_two_calls_of_one_id_each_waits_for_its_own_output():
    conversation = Conversation()
    for item_id in ("c0", "c1"):
        conversation.add(FunctionCall(item_id, "call", "f", "", status="in_progress"), by_reply=True)
        conversation.complete(FunctionCall(item_id, "call", "f", "{}"))
    conversation.add(FunctionCallOutput("o0", "call", "1"))
    assert conversation.awaits_output
    assert conversation.oldest(9) == ["c0", "o0"]
    conversation.add(FunctionCallOutput("o1", "call", "2"))
    assert not conversation.awaits_output


# -- what a model thought ---------------------------------------------------------------------------------------------


def thinking() -> Conversation:
    conversation = Conversation()
    conversation.add(Message("asked", "user", (Text("Go."),)))
    for number in range(3):
        conversation.add(FunctionCall(f"c{number}", f"call{number}", "f", "{}"))
        conversation.keep_reasoning(f"c{number}", {"reasoning_content": "t" * (4 * MIB)})
    return conversation


def test_thoughts_take_room_until_the_user_says_something():
    conversation = thinking()
    with pytest.raises(ConversationError):
        conversation.add(photo("photo", MIB))
    assert conversation.oldest_large(MIB) == ["c0"]
    conversation.add(Message("noise", "user", (InputSpeech(None),)))
    conversation.set_transcript("noise", "")
    assert len(conversation.reasoning) == 3
    conversation.add(Message("heard", "user", (InputSpeech(None),)))
    conversation.add(FunctionCall("late", "late", "f", "{}"), by_reply=True)
    conversation.keep_reasoning("late", "hm")
    conversation.set_transcript("heard", "And now?")
    assert conversation.reasoning == {"late": "hm"}
    conversation.add(photo("photo", 11 * MIB))


def test_thoughts_of_a_call_that_is_gone_are_not_kept():
    conversation = thinking()
    conversation.remove("c1")
    conversation.keep_reasoning("c1", "late")
    assert set(conversation.reasoning) == {"c0", "c2"}
