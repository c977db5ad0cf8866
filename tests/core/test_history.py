"""What the chat model is shown of a conversation, and what is left out when it is too long."""

from __future__ import annotations

import pytest

from realtime.core.conversation import (
    ROOT,
    Image,
    InputSpeech,
    Message,
    Text,
)
from realtime.core.history import NO_RESULT, Budget, ContextOverflow, history
from realtime.core.messages import ChatMessage, ToolCall
from realtime.core.shown_from import ShownFrom
from tests.core.conversation_kit import answer, assistant, call, filled, user


def test_the_instructions_come_first():
    assert history([user("u", "Hi")], "Be brief.") == (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Hi"),
    )
    assert history([], "") == ()


def test_parts_of_a_message_are_joined_and_empty_ones_left_out():
    message = Message("u", "user", (Text("Look."), InputSpeech(None), Text(" "), InputSpeech("Nice?")))
    assert history([message, assistant("a", "")]) == (ChatMessage("user", "Look.\nNice?"),)


def test_pictures_are_shown_to_those_who_see():
    items = [
        Message("u", "user", (Text("Look."), Image("data:image/png;base64,AA"))),
        Message("v", "user", (Image("b"),)),
    ]
    assert history(items, sees_images=True) == (
        ChatMessage("user", "Look.", images=("data:image/png;base64,AA",)),
        ChatMessage("user", "", images=("b",)),
    )
    assert history(items, sees_images=False) == (ChatMessage("user", "Look."),)


def tool(call_id: str, output: str) -> ChatMessage:
    return ChatMessage("tool", output, tool_call_id=call_id)


def test_a_call_follows_the_words_before_it_and_its_result_follows_the_call():
    items = [
        user("u", "Weather?"),
        assistant("a", "Let me look."),
        call("f", "c1", '{"city":"Oslo"}'),
        answer("o", "c1"),
    ]
    assert history(items)[1:] == (
        ChatMessage("assistant", "Let me look.", tool_calls=(ToolCall("c1", "weather", '{"city":"Oslo"}'),)),
        tool("c1", "4"),
    )


def test_parallel_calls_are_one_message_with_all_results():
    items = [
        user("u", "Weather?"),
        call("f", "c1"),
        call("g", "c2"),
        answer("p", "c2", "5"),
        answer("o", "c1", "4"),
    ]
    asked, *results = history(items)[1:]
    assert [tool_call.call_id for tool_call in asked.tool_calls] == ["c1", "c2"]
    assert results == [tool("c1", "4"), tool("c2", "5")]


def test_an_unanswered_call_has_a_placeholder_and_a_late_result_its_place():
    items = [user("u", "Weather?"), call("f", "c1"), user("v", "Hello?")]
    assert [message.content for message in history(items)] == ["Weather?", "", NO_RESULT, "Hello?"]
    late = [*items, answer("o", "c1", "4")]
    assert [message.content for message in history(late)] == ["Weather?", "", "4", "Hello?"]


def test_a_result_that_comes_after_the_model_has_spoken_stands_where_it_came():
    asked = [user("u", "Weather?"), call("f", "c1"), user("v", "Two plus two?")]
    late = [*asked, assistant("a", "Four."), answer("o", "c1", "31 degrees")]
    messages = history(late)
    assert [message.content for message in messages] == [
        "Weather?",
        "",
        NO_RESULT,
        "Two plus two?",
        "Four.",
        "",
        "31 degrees",
    ]
    assert messages[5].tool_calls[0].call_id == messages[6].tool_call_id == "c1_2"
    assert messages[: len(history(asked))] == history(asked), "what was shown before stays as it was"
    cut = [*asked, assistant("a", ""), answer("o", "c1", "31 degrees")]
    assert [message.content for message in history(cut)] == ["Weather?", "", "31 degrees", "Two plus two?"]


def test_the_second_of_two_parallel_results_may_come_after_an_answer_to_the_first():
    items = [user("u", "Both?"), call("f", "c"), call("g", "d"), answer("o", "c", "Paris 31")]
    items += [assistant("a", "Paris has 31."), answer("p", "d", "Berlin 20")]
    contents = [message.content for message in history(items)]
    assert contents == ["Both?", "", "Paris 31", NO_RESULT, "Paris has 31.", "", "Berlin 20"]


def test_late_results_have_ids_of_their_own():
    items = [user("u", "x"), call("f", "c"), call("g", "c_2"), assistant("a", "Wait.")]
    items += [answer("o", "c", "1"), answer("p", "c", "one"), answer("q", "c_2", "2"), assistant("b", "So.")]
    items += [answer("r", "c", "uno")]
    messages = history(items)
    assert [message.content for message in messages if message.role == "tool"] == [
        NO_RESULT,
        NO_RESULT,
        "one",
        "2",
        "uno",
    ]
    called = [each.call_id for message in messages for each in message.tool_calls]
    assert called == ["c", "c_2", "c_3", "c_2_2", "c_4"]
    assert [message.tool_call_id for message in messages if message.role == "tool"] == called


def test_a_late_result_stays_however_small_the_budget_is():
    items = [user("u", "Weather?"), call("f", "c1"), user("v", "Tell me a story.")]
    items += [assistant("a", "Once " * 200), answer("o", "c1", "31 degrees")]
    messages = history(items, budget=Budget(300))
    assert messages[-1].content == "31 degrees"
    assert "Tell me a story." in [message.content for message in messages]


def test_steps_of_a_tool_loop_stay_apart():
    items = [user("u", "x"), call("f", "c1"), answer("o", "c1"), call("g", "c2"), answer("p", "c2")]
    assert [len(message.tool_calls) for message in history(items)] == [0, 1, 0, 1, 0]


def test_calls_of_one_id_have_their_own_results():
    items = [
        user("u", "x"),
        call("f", "c", "1"),
        answer("o", "c", "one"),
        user("v", "y"),
        call("g", "c", "2"),
    ]
    assert [message.content for message in history(items)] == ["x", "", "one", "y", "", NO_RESULT]
    items.append(answer("p", "c", "two"))
    assert [message.content for message in history(items)] == ["x", "", "one", "y", "", "two"]
    at_once = [
        user("u", "x"),
        call("f", "c"),
        call("g", "c"),
        answer("o", "c", "one"),
        answer("p", "c", "two"),
    ]
    assert [message.content for message in history(at_once)] == ["x", "", "one", "two"]


def test_a_second_output_of_a_call_replaces_the_first():
    items = [user("u", "x"), call("f", "c"), answer("o", "c", "wrong"), answer("p", "c", "right")]
    assert [message.content for message in history(items)] == ["x", "", "right"]


def test_unfinished_calls_and_orphaned_results_are_not_shown():
    items = [
        user("u", "x"),
        call("f", "c1", '{"ci', "incomplete"),
        call("g", "c2", "", "in_progress"),
        answer("o", "gone"),
    ]
    assert history(items) == (ChatMessage("user", "x"),)


def test_thoughts_go_back_only_inside_an_open_tool_loop():
    items = [user("u", "x"), call("f", "c1"), answer("o", "c1")]
    thoughts = {"f": "hmm"}
    assert [message.reasoning for message in history(items, reasoning=thoughts)] == [None, "hmm", None]
    items += [assistant("a", "Four."), Message("noise", "user", (InputSpeech(""),))]
    assert [message.reasoning for message in history(items, reasoning=thoughts)][1] == "hmm"
    items += [user("v", "Thanks.")]
    assert all(message.reasoning is None for message in history(items, reasoning=thoughts))


# -- too long ---------------------------------------------------------------------------------------------------------


def long_talk(count: int = 10) -> list[Message]:
    return [user(str(number), f"{number}" * 10) for number in range(count)]


def test_the_oldest_go_first_and_the_newest_always_stays():
    kept_messages = history(long_talk(), "", budget=Budget(35))
    assert [message.content[0] for message in kept_messages] == ["7", "8", "9"]
    assert len(history(long_talk(), "", budget=Budget(3))) == 1


def test_the_instructions_count_and_stay():
    kept_messages = history(long_talk(), "x" * 15, budget=Budget(35))
    assert [message.content[0] for message in kept_messages] == ["x", "8", "9"]


def test_what_fits_is_not_touched():
    assert len(history(long_talk(), "", budget=Budget(100, may_drop=False))) == 10


def test_an_overflow_leaves_only_the_ratio_asked_for():
    assert len(history(long_talk(), "", budget=Budget(90, retention=0.5))) == 4


def test_the_ratio_is_of_what_the_instructions_leave():
    assert len(history(long_talk(), "x" * 500, budget=Budget(590, retention=0.5))) == 1 + 4


# -- where a conversation is shown from -------------------------------------------------------------------------------

HALF = Budget(105, retention=0.5)  # ten messages, or five


def first_shown(shown: ShownFrom, items: list[Message], budget: Budget = HALF) -> str:
    messages = history(items, "", budget=budget, shown=shown)
    assert messages == tuple(ChatMessage("user", f"{item.parts[0].text}") for item in items[-len(messages) :])
    return items[-len(messages)].id


def test_after_a_cut_a_conversation_grows_to_the_limit_again():
    shown, items = ShownFrom(), [user(str(n), f"{n:010}") for n in range(30)]
    begins = [first_shown(shown, items[:count]) for count in range(1, 31)]
    assert begins == ["0"] * 10 + ["6"] * 6 + ["12"] * 6 + ["18"] * 6 + ["24"] * 2


def test_where_it_is_shown_from_is_forgotten_with_that_item_and_where_it_has_to_be():
    items = [user(str(n), f"{n:010}") for n in range(12)]
    conversation = filled(*items)
    shown = conversation.shown_from
    assert first_shown(shown, items) == "7"
    assert first_shown(shown, items, Budget(100)) == "7"
    shown.forget()
    assert first_shown(shown, items, Budget(100)) == "2"
    conversation.remove("2")
    assert first_shown(shown, items[3:], Budget(100)) == "3"


def test_an_item_with_the_id_of_one_that_was_deleted_hides_nothing():
    items = [user(str(n), f"{n:010}") for n in range(12)]
    conversation = filled(*items)
    assert first_shown(conversation.shown_from, items) == "7"
    for item in items[3:9]:
        conversation.remove(item.id)
    conversation.add(user("7", "seven"))
    shown = history(conversation.items, budget=HALF, shown=conversation.shown_from)
    assert [message.content for message in shown] == [*(f"{n:010}" for n in (0, 1, 2, 9, 10, 11)), "seven"]


def test_what_is_put_before_what_is_shown_is_seen():
    """A client that replaces the oldest items by a summary of them."""
    items = [user(str(n), f"{n:010}") for n in range(12)]
    conversation = filled(*items)
    assert first_shown(conversation.shown_from, items) == "7"
    conversation.add(user("behind", "behind"), "10")
    assert conversation.shown_from.item_id == "7"
    for item in items[:6]:
        conversation.remove(item.id)
    conversation.add(user("summary", "in short"), ROOT)
    assert history(conversation.items, budget=HALF, shown=conversation.shown_from)[0].content == "in short"


def test_the_words_of_an_early_answer_are_no_item_to_begin_with():
    shown, items = ShownFrom(), [user("0", "x" * 100), user("", "y" * 60)]
    assert first_shown(shown, items) == ""
    assert shown.item_id is None


def test_a_question_before_what_is_shown_stays():
    items = [user("u", "Where?"), *(assistant(str(n), f"{n:010}") for n in range(12))]
    messages = history(items, budget=HALF, shown=ShownFrom("9"))
    assert [message.content for message in messages] == ["Where?", "0000000009", "0000000010", "0000000011"]


def test_nothing_is_dropped_where_that_is_forbidden():
    with pytest.raises(ContextOverflow, match="100 characters"):
        history(long_talk(), "", budget=Budget(99, may_drop=False))


def test_a_call_and_its_result_go_together():
    items = [user("u", "x" * 50), call("f", "c1", "{}"), answer("o", "c1", "y" * 30), user("v", "z" * 10)]
    for characters in range(1, 110):
        kept_messages = history(items, "", budget=Budget(characters))
        asked = [tool_call.call_id for message in kept_messages for tool_call in message.tool_calls]
        answered = [message.tool_call_id for message in kept_messages if message.role == "tool"]
        assert asked == answered
        assert kept_messages[-1].content == "z" * 10
