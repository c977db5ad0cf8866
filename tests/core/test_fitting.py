"""Messages within a budget: the oldest go first, calls keep their results, and what is still too long is cut."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.context_budgets import ContextBudgets, after_refusal, share_in
from realtime.core.conversation import FunctionCall, FunctionCallOutput, Image, Item, Message, Text
from realtime.core.cut_messages import MIN_TEXT
from realtime.core.cut_text import cut_bytes, cut_characters, size_of, size_of_json
from realtime.core.fitting import IMAGE_SIZE, MAX_CHARACTERS, Budget, grouped, shorten, size
from realtime.core.history import history
from realtime.core.messages import ChatMessage, ToolCall

SYSTEM = ChatMessage("system", "Be brief.")


def user(text: str) -> ChatMessage:
    return ChatMessage("user", text)


def said(text: str) -> ChatMessage:
    return ChatMessage("assistant", text)


def call(*call_ids: str, arguments: str = "{}") -> ChatMessage:
    return ChatMessage("assistant", tool_calls=tuple(ToolCall(each, "look", arguments) for each in call_ids))


def result(call_id: str, text: str) -> ChatMessage:
    return ChatMessage("tool", text, tool_call_id=call_id)


# -- cutting a text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["hm " * 100, "hm " * 100 + "\ud83d", "思" * 100 + "\ude00"])
def test_what_json_cannot_have_has_a_size_as_well(text):
    assert size_of(text) <= size_of_json({"thought": text}) <= size_of(text) + 25


def test_a_cut_text_says_how_much_is_missing():
    text = cut_characters("a" * 300_000 + "b" * 20_000, 200_000)
    assert len(text) <= 200_000
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert "\n[... 120,060 characters left out ...]\n" in text


@given(st.text(max_size=400), st.integers(0, 400))
def test_a_cut_text_is_never_longer_than_its_limit_or_the_sentence_alone(text, limit):
    assert cut_characters(text, limit) == text or len(cut_characters(text, limit)) <= max(limit, 60)
    assert cut_bytes(text, limit) == text or size_of(cut_bytes(text, limit)) <= max(limit, 60)


def test_no_character_is_halved_by_a_cut():
    assert "\ufffd" not in cut_bytes("日本語😀" * 1_000, 1_001)


# -- leaving out ------------------------------------------------------------------------------------------------------


def loop(*results: str) -> list[ChatMessage]:
    """A question, and what was called since then, one after the other."""
    steps = [(call(str(n)), result(str(n), text)) for n, text in enumerate(results)]
    return [
        SYSTEM,
        user("old " * 100),
        said("Yes."),
        user("Where?"),
        *(each for step in steps for each in step),
    ]


def test_the_question_and_all_results_since_stay_and_the_longest_are_cut():
    messages = loop("x" * 150_000, "booked, number 4711", "y" * 200_000, "z" * 150_000)
    shown = shorten(messages, Budget(400_000))
    assert size(shown) <= 400_000
    assert shown[:2] == (SYSTEM, messages[3])
    results = [message.content for message in shown if message.role == "tool"]
    assert results[1] == "booked, number 4711"
    assert {text[0]: size_of(text) // 10_000 for text in results} == {"x": 13, "b": 0, "y": 13, "z": 13}
    assert all("characters left out" in text for text in results if text[0] in "xyz")


def test_what_is_before_the_question_goes_before_anything_after_it_is_cut():
    messages = loop("x" * 700, "y" * 700)
    assert shorten(messages, Budget(1_430)) == (SYSTEM, *messages[3:])


def test_of_the_first_steps_of_a_long_loop_a_note_stays():
    shown = shorten(loop(*("x" * 900 for _ in range(8))), Budget(2_500))
    assert size(shown) <= 2_500
    results = [message.content.strip() for message in shown if message.role == "tool"]
    assert len(results) == 8
    assert results[:4] == ["[... 900 characters left out ...]"] * 4
    assert all(len(text) >= MIN_TEXT - 10 for text in results[-3:])


def test_what_a_model_thought_counts_and_goes_with_the_first_steps():
    def thinking(call_id: str) -> ChatMessage:
        return replace(call(call_id), reasoning={"reasoning_content": "t" * 1_000})

    messages = [user("Where?"), *(each for n in "123" for each in (thinking(n), result(n, "x" * 90)))]
    assert 3_000 < size(messages) - size([replace(message, reasoning=None) for message in messages]) < 3_200
    shown = shorten(messages, Budget(2_500))
    assert [message.reasoning is not None for message in shown if message.tool_calls] == [False, True, True]
    assert size(shown) <= 2_500


def test_a_loop_without_end_still_fits():
    shown = shorten(loop(*("x" * 900 for _ in range(500))), Budget(2_500))
    assert size(shown) <= 2_500
    assert shown[:2] == (SYSTEM, user("Where?"))
    assert [message.tool_call_id for message in shown if message.role == "tool"][-3:] == ["497", "498", "499"]
    assert untorn(shown)


def test_what_was_said_between_the_steps_stays_and_a_story_after_them_does_not_take_their_room():
    messages = [*loop("x" * 900), said("Booked."), call("7"), result("7", "y" * 900), *[said("z" * 300)] * 9]
    shown = shorten(messages, Budget(2_500))
    assert shown == (SYSTEM, *messages[3:9], *messages[-2:])


def test_calls_without_a_question_stay_too():
    messages = [said("Hello. " * 100), call("1"), result("1", "x" * 900), call("2"), result("2", "y" * 900)]
    shown = shorten(messages, Budget(1_200))
    assert [message.tool_call_id for message in shown if message.role == "tool"] == ["1", "2"]


def test_a_body_has_its_own_limit_which_counts_all_data_of_pictures():
    pictures = [
        ChatMessage("user", str(n), images=("data:image/png;base64," + "A" * 9_000,)) for n in range(9)
    ]
    assert shorten(pictures, Budget(body_bytes=30_000)) == tuple(pictures[-3:])
    assert shorten(pictures, Budget(9_500, body_bytes=30_000)) == tuple(pictures[-3:])
    assert shorten(pictures, Budget(3_500, body_bytes=30_000)) == tuple(pictures[-1:])
    (cut,) = shorten([user("x" * 9_000)], Budget(body_bytes=3_000))
    assert size_of(cut.content) <= 3_000


def test_two_calls_at_once_stay_with_both_results():
    messages = [user("a" * 600), call("1", "2"), result("1", "x" * 300), result("2", "y" * 300), user("And?")]
    assert shorten(messages, Budget(700)) == tuple(messages[1:])
    assert shorten(messages, Budget(500)) == (messages[4],)


def test_a_book_is_cut_and_the_model_is_told():
    (kept,) = shorten([user("word " * 100_000)], Budget(10_000))
    assert size_of(kept.content) <= 10_000
    assert "characters left out ...]" in kept.content


def test_only_the_longest_texts_are_cut():
    messages = [user("What is in it?"), call("1"), result("1", "x" * 3_000_000)]
    question, asked, answer = shorten(messages, Budget(50_000))
    assert (question, asked) == (messages[0], messages[1])
    assert size_of(answer.content) > 49_000


def test_arguments_stay_json():
    messages = [user("Write."), call("1", arguments=json.dumps({"text": "x" * 90_000})), result("1", "done")]
    _, asked, _ = shorten(messages, Budget(5_000))
    assert "left out" in json.loads(asked.tool_calls[0].arguments)["note"]


def test_pictures_count():
    message = ChatMessage("user", "Look.", images=("data:image/png;base64,AA",) * 3)
    assert size([message]) == 5 + 3 * IMAGE_SIZE


def test_of_many_photos_the_newest_are_sent():
    """A picture every second: the request stays within what a platform takes."""
    photo = "data:image/jpeg;base64," + "A" * 900_000
    shown = history([Message(str(n), "user", (Image(photo),)) for n in range(200)], sees_images=True)
    assert 20 <= len(shown) <= 40


def test_scripts_with_many_bytes_a_character_take_more():
    assert size([user("日本語")]) == 9


def test_instructions_that_are_too_long_alone_stay():
    messages = [ChatMessage("system", "x" * 9_000), user("old"), user("Hi")]
    assert shorten(messages, Budget(1_000)) == (messages[0], messages[2])


def test_nothing_is_no_message():
    assert shorten([], Budget(0)) == ()
    assert shorten([SYSTEM], Budget(0)) == (SYSTEM,)


def test_a_retention_ratio_counts_only_after_an_overflow():
    messages = [user(mark * 100) for mark in "0123456789"]
    assert len(shorten(messages, Budget(1_000, retention=0.3))) == 10
    assert len(shorten(messages, Budget(999, retention=0.3))) == 2


# -- the laws ---------------------------------------------------------------------------------------------------------

texts = st.integers(0, 3_000).map(lambda count: "ab cd 日" * (count // 6))


@st.composite
def conversations(draw) -> list[Item]:
    """Messages, calls at once or one after the other, results in any place after them or never."""
    items: list[Item] = []
    open_calls: list[str] = []
    for number in range(draw(st.integers(1, 14))):
        match draw(st.sampled_from(["user", "assistant", "system", "call", "result", "picture"])):
            case "call":
                open_calls.append(f"c{number}")
                items.append(FunctionCall(f"i{number}", f"c{number}", "look", json.dumps({"q": draw(texts)})))
            case "result" if open_calls:
                open_call = open_calls.pop(draw(st.integers(0, len(open_calls) - 1)))
                items.append(FunctionCallOutput(f"i{number}", open_call, draw(texts)))
            case "picture":
                items.append(
                    Message(f"i{number}", "user", (Image("data:image/png;base64,AA"), Text("Look.")))
                )
            case "user" | "assistant" | "system" as role:
                items.append(Message(f"i{number}", role, (Text(draw(texts)),)))
    return items


def untorn(messages) -> bool:
    """Every call is followed by its results at once, and no result stands without its call."""
    waiting: set[str] = set()
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                return False
            waiting.discard(message.tool_call_id)
        else:
            if waiting:
                return False
            waiting = {each.call_id for each in message.tool_calls}
    return not waiting


@given(conversations(), texts, st.integers(0, 20_000), st.sampled_from([0.0, 0.5, 1.0]))
def test_what_is_shown_fits_keeps_pairs_and_the_question(items, instructions, characters, retention):
    whole = history(items, instructions, sees_images=True)
    shown = history(items, instructions, sees_images=True, budget=Budget(characters, retention))
    assert untorn(whole)
    assert untorn(shown)
    users = [message for message in whole if message.role == "user"]
    if users:
        assert any(m.role == "user" and users[-1].content[:20] == m.content[:20] for m in shown)
    if instructions:
        assert shown[0] == ChatMessage("system", instructions)
    least = (
        size_of(instructions)
        + sum(
            min(size_of(text), MIN_TEXT)
            for m in shown[bool(instructions) :]
            for text in (m.content, *(c.arguments for c in m.tool_calls))
        )
        + sum(4 * len(m.tool_calls) + IMAGE_SIZE * len(m.images) for m in shown)
    )
    assert size(shown) <= max(characters, least)
    if size(whole) <= characters:
        assert shown == whole
    asked = max((place for place, message in enumerate(whole) if message.role == "user"), default=len(whole))
    if characters >= size_of(instructions) + sum(map(at_least, whole[asked:])):
        assert calls(whole[asked:]) <= calls(shown)


def at_least(message: ChatMessage) -> int:
    """What it takes when its texts are cut."""
    texts = [message.content, *(each.arguments for each in message.tool_calls)]
    return size([message]) - sum(max(0, size_of(text) - MIN_TEXT) for text in texts)


def calls(messages) -> set[str]:
    return {each.call_id for message in messages for each in message.tool_calls}


@given(conversations(), st.lists(st.integers(0, 20_000), min_size=1, max_size=4))
def test_shorter_and_shorter_stays_in_order_and_whole(items, budgets):
    messages = history(items, "Be brief.", sees_images=True)
    for characters in sorted(budgets, reverse=True):
        before, messages = messages, shorten(messages, Budget(characters))
        assert untorn(messages)
        assert size(messages) <= size(before)
        assert len(grouped(messages)) <= len(grouped(before))


# -- what a model takes -----------------------------------------------------------------------------------------------


def test_a_budget_is_the_least_of_what_is_known():
    budgets = ContextBudgets()
    assert budgets.of("m") == MAX_CHARACTERS
    assert budgets.of("m", 1_000_000) == MAX_CHARACTERS
    assert budgets.of("m", 64_000) == 160_000
    budgets.learn("m", 30_000)
    assert (budgets.of("m", 64_000), budgets.of("n")) == (30_000, MAX_CHARACTERS)


def test_a_body_that_was_too_large_says_nothing_about_the_context():
    budgets = ContextBudgets()
    budgets.learn_body("m", 30_000, beside=5_000)
    assert (budgets.of("m"), budgets.body_of("m"), budgets.body_of("n")) == (MAX_CHARACTERS, 35_000, None)
    assert (budgets.body_of("m", beside=10_000), budgets.body_of("m", beside=90_000)) == (25_000, 3_500)


def test_only_the_newest_models_are_remembered():
    budgets = ContextBudgets()
    for number in range(100):
        budgets.learn(str(number), 1_000)
    assert budgets.of("0") == MAX_CHARACTERS
    assert budgets.of("99") == 1_000


@pytest.mark.parametrize(
    ("message", "share"),
    [
        ("MiniMax: too long (code 2013). It said: invalid params, context window exceeds limit (2013)", None),
        ("MiniMax: the conversation is too long for the model (HTTP 400).", None),
        ("This model's maximum context length is 4096 tokens. However, you requested 8192 tokens (7168 in the messages, 1024 in the completion).", 0.5),
        ("This model's maximum context length is 128000 tokens. However, your messages resulted in 256000 tokens.", 0.5),
        ("prompt is too long: 400000 tokens > 200000 maximum", 0.5),
        ("The input token count (2,000,000) exceeds the maximum number of tokens allowed (1,000,000).", 0.5),
        ("This model's maximum prompt length is 131072 but the request contains 262144 tokens.", 0.5),
        ("Prompt contains 65536 tokens, too large for model with 32768 maximum context length", 0.5),
        ("the request exceeds the available context size (4096 tokens), it has 16384 tokens", 0.25),
        ("Range of input length should be [1, 30720]", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_numbers_of_a_refusal_say_how_much_would_fit(message, share):
    assert share_in(message) == (None if share is None else pytest.approx(share * 0.9))


def test_without_numbers_the_steps_get_longer():
    assert [after_refusal(1_000, "too long", refusals) for refusals in range(4)] == [500, 500, 250, 250]
