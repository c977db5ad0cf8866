"""The memory of a conversation: places, limits, what was heard of a reply, and what the chat model is shown."""

from __future__ import annotations

import json
import random

import pytest

from realtime.core.conversation import (
    MAX_ITEMS,
    ROOT,
    Conversation,
    ConversationError,
    FunctionCall,
    InputSpeech,
    Message,
    OutputSpeech,
    transcript_of,
)
from realtime.core.history import history
from realtime.core.messages import ChatMessage, WordTime
from realtime.core.spoken import SpokenPart
from tests.core.conversation_kit import answer, assistant, call, filled, ids, refusal, user

# -- places -----------------------------------------------------------------------------------------------------------


def test_items_keep_their_order_and_name_their_predecessor():
    conversation = Conversation()
    assert conversation.add(user("a", "1")) is None
    assert conversation.add(user("b", "2")) == "a"
    assert conversation.add(user("front", "0"), ROOT) is None
    assert conversation.add(user("between", "1.5"), "a") == "a"
    assert ids(conversation) == ["front", "a", "between", "b"]
    assert len(conversation) == 4
    assert "between" in conversation


def test_ids_are_unique_until_deleted():
    conversation = filled(user("a", "1"))
    assert refusal(conversation.add, user("a", "2")) == ("item_create_duplicate_item_id", "item.id")
    conversation.remove("a")
    assert conversation.add(user("a", "2")) is None
    assert conversation.get("a") == user("a", "2")


def test_unknown_places_and_items_are_refused():
    conversation = filled(user("a", "1"))
    assert refusal(conversation.add, user("b", "2"), "x") == (
        "item_create_invalid_previous_item_id",
        "previous_item_id",
    )
    assert "b" not in conversation
    assert refusal(conversation.get, "x") == ("item_retrieve_invalid_item_id", "item_id")
    assert refusal(conversation.remove, "x") == ("item_delete_invalid_item_id", "item_id")
    assert refusal(conversation.truncate, "x", 5) == ("item_truncate_invalid_item_id", "item_id")


def test_an_output_needs_its_call():
    conversation = filled(call("f", "call_1"))
    assert refusal(conversation.add, answer("o", "call_2")) == ("invalid_value", "item.call_id")
    assert conversation.add(answer("o", "call_1")) == "f"


def test_a_full_conversation_takes_no_more_until_something_is_deleted():
    conversation = filled(*(user(str(number), "x") for number in range(MAX_ITEMS)))
    assert refusal(conversation.add, user("more", "x")) == ("conversation_full", None)
    conversation.remove("0")
    assert conversation.add(user("more", "x")) == str(MAX_ITEMS - 1)


def test_of_a_reply_that_broke_off_only_the_words_with_sound_are_kept():
    for status, words in (("incomplete", "It is noon."), ("completed", "It is noon. And warm.")):
        conversation = filled(user("u", "Hi"), Message("a", "assistant", status="in_progress"))
        part = reply(conversation, "a", "It is noon.")
        part.begin_chunk(1, " And warm.")
        conversation.update_speech("a", status)
        assert kept(conversation) == words


def test_news_about_a_deleted_item_is_ignored():
    conversation = filled(user("u", "Hi"), Message("a", "assistant", status="in_progress"))
    part = reply(conversation, "a", "It is noon.")
    conversation.remove("a")
    conversation.complete(assistant("a", "late"))
    conversation.update_speech("a", "completed")
    conversation.set_transcript("a", "late")
    conversation.speaks("a", part)
    assert conversation.cut("a", 100) is False
    assert ids(conversation) == ["u"]
    assert [message.content for message in history(conversation.items)] == ["Hi"]


def test_news_about_a_deleted_item_spares_the_one_a_client_made_with_its_id():
    conversation = filled(Message("a", "assistant", status="in_progress"))
    conversation.remove("a")
    conversation.add(user("a", "mine"))
    conversation.complete(assistant("a", "late"))
    assert conversation.get("a") == user("a", "mine")


@pytest.mark.parametrize("arguments", ["Oslo, please", '{"degrees": NaN}', "[" * 100_000])
def test_arguments_that_are_no_json_reach_the_model_as_json(arguments: str):
    """A chat model would refuse every later request of the session for it."""
    conversation = filled(user("u", "Hi"), FunctionCall("f", "call_1", "look", arguments))
    (asked,) = [message for message in history(conversation.items) if message.tool_calls]
    assert json.loads(asked.tool_calls[0].arguments) == {"input": arguments}


# -- the user's speech ------------------------------------------------------------------------------------------------


def test_speech_is_part_of_the_history_once_it_is_transcribed():
    conversation = filled(Message("u", "user", (InputSpeech(),)))
    assert history(conversation.items) == ()
    conversation.set_transcript("u", "What time is it?")
    assert conversation.get("u").parts == (InputSpeech("What time is it?"),)
    assert history(conversation.items) == (ChatMessage("user", "What time is it?"),)


def test_noise_stays_out_of_the_history():
    conversation = filled(Message("u", "user", (InputSpeech(),)), user("v", "Hi"))
    conversation.set_transcript("u", "")
    assert history(conversation.items) == (ChatMessage("user", "Hi"),)
    assert ids(conversation) == ["u", "v"]


def test_a_known_transcript_is_not_overwritten():
    conversation = filled(Message("u", "user", (InputSpeech("Hi"), InputSpeech(None))))
    conversation.set_transcript("u", "there", 1)
    conversation.set_transcript("u", "You", 0)
    conversation.set_transcript("u", "nowhere", 2)
    assert transcript_of(conversation.get("u")) == "Hithere"
    assert transcript_of(call("f", "c")) == ""


def test_the_last_thing_the_user_said_is_known():
    conversation = filled(user("u", "Hi"), assistant("a", "Hello"))
    assert conversation.last_user_item_id == "u"
    conversation.remove("u")
    assert conversation.last_user_item_id is None


# -- what was heard of a reply ----------------------------------------------------------------------------------------


def reply(
    conversation: Conversation, item_id: str, text: str, *, ms_a_word: int = 200, status="completed"
) -> SpokenPart:
    """A spoken reply with a word every `ms_a_word` milliseconds, as the item `item_id`."""
    part, times, clock, begin = SpokenPart(), [], 0, 0
    conversation.speaks(item_id, part)
    for word in text.split():
        begin = text.index(word, begin)
        times.append(WordTime(begin, begin + len(word), clock, clock + ms_a_word))
        begin, clock = begin + len(word), clock + ms_a_word
    part.begin_chunk(0, text)
    part.add_audio(0, clock)
    part.set_words(0, times)
    part.finish_chunk(0)
    conversation.update_speech(item_id, status)
    return part


def talking(
    text: str = "Well, the history of Oslo is long.", status="completed"
) -> tuple[Conversation, SpokenPart]:
    conversation = filled(user("u", "Tell me."), Message("a", "assistant", status="in_progress"))
    return conversation, reply(conversation, "a", text, status=status)


def kept(conversation: Conversation) -> str:
    """The words that count, the same in the item and for the chat model."""
    text = conversation.heard_text("a")
    told = [message.content for message in history(conversation.items) if message.role == "assistant"]
    assert told == ([text] if text else [])
    return text


def test_an_undisturbed_reply_is_kept_whole():
    conversation, _ = talking()
    assert kept(conversation) == "Well, the history of Oslo is long."
    assert conversation.get("a").status == "completed"


def test_a_truncate_keeps_the_words_heard():
    conversation, _ = talking()
    assert conversation.truncate("a", 320) == 320
    assert kept(conversation) == "Well, the"
    assert conversation.get("a") == Message("a", "assistant", (OutputSpeech("Well, the"),), "incomplete")


def test_a_second_truncate_may_only_shorten():
    conversation, _ = talking()
    conversation.truncate("a", 720)
    assert conversation.truncate("a", 1000) == 720
    assert kept(conversation) == "Well, the history of"
    assert conversation.truncate("a", 320) == 320
    assert kept(conversation) == "Well, the"


def test_a_client_replaces_the_estimate_also_upwards():
    conversation, _ = talking()
    assert conversation.cut("a", 320)
    assert kept(conversation) == "Well, the"
    assert conversation.truncate("a", 720) == 720
    assert kept(conversation) == "Well, the history of"


def test_an_estimate_does_not_overrule_a_client():
    conversation, _ = talking()
    conversation.truncate("a", 320)
    assert conversation.cut("a", 720) is False
    assert kept(conversation) == "Well, the"


def test_a_better_estimate_replaces_an_earlier_one():
    conversation, _ = talking()
    conversation.cut("a", 320)
    conversation.cut("a", 720)
    assert kept(conversation) == "Well, the history of"


def test_nothing_heard_is_left_out_of_the_history():
    conversation, _ = talking()
    conversation.truncate("a", 0)
    assert kept(conversation) == ""
    assert conversation.get("a").parts == (OutputSpeech(""),)


@pytest.mark.parametrize("end_ms", [1400, 1401, 2400])
def test_a_second_beyond_the_end_is_a_rounding_error(end_ms):
    conversation, _ = talking()
    assert conversation.truncate("a", end_ms) == 1400
    assert kept(conversation) == "Well, the history of Oslo is long."


def test_more_than_that_is_refused_and_changes_nothing():
    conversation, _ = talking()
    before = conversation.items
    with pytest.raises(
        ConversationError, match="Audio content of 1400ms is already shorter than 2401ms"
    ) as caught:
        conversation.truncate("a", 2401)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "audio_end_ms")
    assert conversation.items == before


def test_while_a_reply_is_being_sent_any_value_is_clamped():
    conversation, _ = talking(status="in_progress")
    assert conversation.truncate("a", 57_340) == 1400


def test_a_cut_is_never_beyond_the_audio_that_left():
    """Audio that was made but never sent was not heard."""
    conversation, _ = talking()
    conversation.cut("a", 5000, 500)
    assert kept(conversation) == "Well, the history"
    assert conversation.truncate("a", 1000) == 500


def test_a_reply_truncated_while_it_is_made_stays_cut():
    conversation, part = talking(status="in_progress")
    conversation.truncate("a", 320)
    part.begin_chunk(1, " More.")
    part.add_audio(1, 500)
    part.finish_chunk(1)
    conversation.update_speech("a", "completed")
    assert kept(conversation) == "Well, the"
    assert conversation.get("a").status == "incomplete"


def test_only_speech_of_the_model_can_be_truncated():
    conversation = filled(
        user("u", "Hi"), assistant("a", "Hello"), call("f", "c"), Message("v", "user", (InputSpeech("x"),))
    )
    for item_id in ("u", "a", "f", "v"):
        assert refusal(conversation.truncate, item_id, 5)[0] == "unsupported_content_type"
        assert conversation.cut(item_id, 5) is False


def test_any_order_of_estimates_and_truncates_keeps_a_beginning_of_the_text():
    """Whatever is said about a reply in whatever order, only words of its beginning are kept, never beyond a cut."""
    for seed in range(200):
        dice = random.Random(seed)
        conversation, part = talking()
        allowed = None
        for _ in range(dice.randint(1, 6)):
            ms = dice.randint(0, 2000)
            if dice.random() < 0.5:
                conversation.cut("a", ms)
            else:
                in_force = conversation.truncate("a", ms)
                assert in_force <= min(ms, 1400)
                assert allowed is None or in_force <= allowed
                allowed = in_force
            text = kept(conversation)
            assert part.text.startswith(text)
            if allowed is not None:
                assert text == part.heard(allowed)
