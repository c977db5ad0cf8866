"""The scripted talker: its answers to many messages."""

from __future__ import annotations

import re
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.replying.interrupted import CONTINUE
from realtime.sandbox.talker import Reply, reply
from realtime.sandbox.talker.language import language_of
from realtime.sandbox.talker.numbers import in_words, with_digits
from realtime.sandbox.talker.sums import find_sum

NOW = datetime(2026, 11, 21, 15, 4)


def talk(*turns: str, system: str = "") -> str:
    """The answer to a conversation whose first, third, ... turns are the user's."""
    roles = ["user", "assistant"]
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]
    return reply(messages, [], NOW).text


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("What is two plus two?", "Two plus two is four."),
        ("what's 12 * 7", "12 times 7 is 84."),
        ("Calculate ten divided by four.", "Ten divided by four is two point five."),
        ("What is 2+3*4?", "2 plus 3 times 4 is 14."),
        ("What is twenty percent of fifty?", "Twenty percent of fifty is ten."),
        ("What is seven squared?", "Seven squared is forty-nine."),
        ("What is minus three plus five?", "Minus three plus five is two."),
        ("Multiply six by seven, please.", "Six times seven is forty-two."),
        ("What is one divided by zero?", "You cannot divide by zero."),
        ("三加四等于几？", "三加四等于七。"),
        ("十二乘以三是多少", "十二乘以三等于三十六。"),
        ("20 除以 8 等于多少？", "20除以8等于2.5。"),
        ("Say the quick brown fox.", "The quick brown fox."),
        ("Please repeat after me: hello world", "Hello world."),
        ('Can you say "good morning everyone"?', "Good morning everyone."),
        ("Could you please say the word banana?", "Banana."),
        ("请说：今天天气很好", "今天天气很好。"),
        ("跟我说你好世界", "你好世界。"),
        ("Count from one to ten.", "One, two, three, four, five, six, seven, eight, nine, ten."),
        ("Please count from 3 to 6", "3, 4, 5, 6."),
        ("count down from three", "Three, two, one."),
        ("从一数到五", "一，二，三，四，五。"),
        ("What time is it?", "It is 3:04 PM."),
        ("What day is it today?", "Today is Saturday, November 21, 2026."),
        ("现在几点？", "现在是15点04分。"),
        ("今天星期几？", "今天是星期六。"),
        ("My name is Ada.", "Nice to meet you, Ada. I will remember that."),
        ("我叫小明。", "很高兴认识你，小明。我会记住的。"),
        ("Hello!", "Hello. How can I help you?"),
        ("你好", "你好，有什么可以帮你？"),
        ("Thank you very much.", "You are welcome."),
        ("谢谢", "不客气。"),
        ("Goodbye!", "Goodbye. It was nice talking with you."),
        ("再见", "再见，很高兴和你聊天。"),
        ("How are you?", "I am well, thank you. How are you?"),
    ],
)
def test_the_talker_answers_what_it_is_asked(said: str, answered: str) -> None:
    assert talk(said) == answered


@pytest.mark.parametrize(
    ("statement", "question", "answered"),
    [
        ("My name is Ada.", "What is my name?", "Your name is Ada."),
        ("Hi, I'm Ada and I live in Oslo.", "Do you remember my name?", "Your name is Ada."),
        ("I live in Oslo", "Where do I live?", "You live in Oslo."),
        ("my dog is called Rex", "What's my dog called?", "Your dog is Rex."),
        ("My dog's name is Rex.", "What is the name of my dog?", "Your dog is Rex."),
        ("I have a cat named Whiskers.", "What is my cat's name?", "Your cat is Whiskers."),
        ("My favorite color is blue.", "What is my favorite color?", "Your favorite color is blue."),
        ("I am thirty years old.", "How old am I?", "You are thirty years old."),
        ("Remember that the code is 4711.", "What is the code?", "Your code is 4711."),
        ("Hi, my name is Bob, what's yours?", "Do you know what my name is?", "Your name is Bob."),
        ("我叫小明", "我叫什么名字？", "你叫小明。"),
        ("我的狗叫旺财", "我的狗叫什么名字？", "你的狗是旺财。"),
        ("我住在上海", "我住在哪里？", "你住在上海。"),
    ],
)
def test_the_talker_answers_questions_about_stated_facts(
    statement: str, question: str, answered: str
) -> None:
    assert talk(statement, "Good.", question) == answered


def test_the_newest_statement_of_a_fact_counts() -> None:
    assert talk("My name is Ada.", "Hi.", "My name is Eve.", "Hi.", "Who am I?") == "Your name is Eve."


def test_a_fact_that_was_never_stated_is_not_known() -> None:
    assert talk("What is my name?") == "You have not told me your name yet."
    assert talk("我叫什么名字？") == "你还没有告诉我你的名字。"


def test_both_sides_can_be_quoted() -> None:
    assert talk("Hello there", "Good day", "What did I just say?") == "You said: Hello there."
    assert talk("Hello there", "Good day", "What did you say?") == "I said: Good day."


@pytest.mark.parametrize("said", ["Who are you?", "What is your name?", "Introduce yourself."])
def test_it_says_what_it_is(said: str) -> None:
    assert "scripted talker" in talk(said)


def test_it_takes_its_name_from_the_instructions() -> None:
    assert "Nova" in talk("What is your name?", system="You are Nova, a helpful voice.")


def test_one_word_when_the_instructions_ask_for_one() -> None:
    assert talk("What is two plus two?", system="Answer in one word.") == "Four."


def test_exact_words_when_the_instructions_give_them() -> None:
    assert talk("Hello", system="Always reply with exactly 'Banana boat'.") == "Banana boat"


def test_instructions_choose_the_language() -> None:
    assert language_of(talk("Tell me a joke", system="Always answer in Chinese.")) == "zh"


def test_jokes_are_not_repeated() -> None:
    first = talk("Tell me a joke.")
    assert talk("Tell me a joke.", first, "Another joke, please.") != first


@pytest.mark.parametrize(
    "said", ["Tell me a long story.", "Please tell me a very long story about a cat.", "讲一个很长的故事"]
)
def test_a_long_story_is_long(said: str) -> None:
    story = talk(said)
    assert len(re.findall(r"[.!?。！？]", story)) >= 8
    assert len(story) >= 400


@pytest.mark.parametrize("count", [1, 2, 3, 10, 100])
def test_a_story_has_as_many_sentences_as_asked(count: int) -> None:
    assert talk(f"Tell me a story of {count} sentences.").count(".") == count


def test_a_story_is_about_what_was_asked() -> None:
    assert "a brave cat" in talk("Tell me a story about a brave cat.")
    assert "小猫" in talk("讲一个关于小猫的故事")


@pytest.mark.parametrize(
    "said",
    [
        "It was my reports from the north which chiefly induced people to buy.",
        "has never been surpassed.",
        "Drop the two when you add the figures.",
        "Yes.",
        "What is the capital of France?",
        "one two three",
        "广州市房地产中介协会分析",
        "砸自己的脚",
    ],
)
def test_any_other_message_is_repeated_in_the_answer(said: str) -> None:
    answer = talk(said)
    assert said.rstrip(".?").lower() in answer.lower()
    assert language_of(answer) == language_of(said)


def test_a_long_message_is_repeated_in_part() -> None:
    answer = talk("It was the best of times and the worst of times. " * 20)
    assert "It was the best of times" in answer
    assert len(answer) < 400


@pytest.mark.parametrize("said", ["call 555-1234", "on 2024-05-01", "open 24/7", "version 3.11"])
def test_not_every_number_is_arithmetic(said: str) -> None:
    assert find_sum(said) is None


@given(st.integers(0, 999_999_999))
def test_numbers_in_words_are_read_back(value: int) -> None:
    assert with_digits(in_words(value, "en")) == str(value)
    assert with_digits(in_words(value, "zh")) == str(value)


@given(st.integers(-999, 999), st.sampled_from("+-*"), st.integers(0, 999))
def test_sums_are_right(a: int, operator: str, b: int) -> None:
    found = find_sum(f"What is {a} {operator} {b}?")
    assert found is not None
    assert found.value == Fraction({"+": a + b, "-": a - b, "*": a * b}[operator])


@given(st.text(max_size=200))
def test_any_text_gets_an_answer_and_always_the_same(text: str) -> None:
    answers = [talk(text), talk(text)]
    assert answers[0] == answers[1]
    assert answers[0].strip()


@pytest.mark.parametrize(
    "repeated", ["(", "1+", "hello - ", "call 5-", "my dog is ", "in Paris, ", "三加", "-"]
)
def test_a_very_long_message_is_answered(repeated: str) -> None:
    assert talk(repeated * 20_000 + "1+1" + ")" * 20_000).strip()


@pytest.mark.parametrize("content", [None, "", [], [{"type": "image_url", "image_url": {"url": "x"}}]])
def test_a_message_without_text_is_answered(content: object) -> None:
    assert isinstance(reply([{"role": "user", "content": content}], [], NOW), Reply)


def test_without_a_user_it_opens_the_conversation() -> None:
    assert "How can I help you?" in reply([{"role": "system", "name": "MiniMax AI"}], [], NOW).text


def test_content_parts_and_old_thinking_are_read_as_text() -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hello there"}]},
        {"role": "assistant", "content": "<think>\nsecret\n</think>\n\nGood day"},
        {"role": "user", "content": "What did you say?"},
    ]
    assert reply(messages, [], NOW).text == "I said: Good day."


@pytest.mark.parametrize(
    ("asked", "go_on"),
    [
        ("Tell me a long story about a fox.", "Go on."),
        ("Tell me a long story about a fox.", "Please continue."),
        ("Count from one to twenty.", "Okay, keep going"),
        ("Count from one to twenty.", CONTINUE),
        ("给我讲一个很长的故事", "继续"),
        ("给我讲一个很长的故事", "好的，请继续说。"),
    ],
)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_goes_on_where_its_answer_was_cut(asked: str, go_on: str, share: float) -> None:
    whole = talk(asked)
    heard = whole[: int(len(whole) * share)].rstrip()
    rest = talk(asked, heard, go_on)
    assert rest == whole[len(heard) :].lstrip()

    again = rest[: len(rest) // 2].rstrip()
    assert talk(asked, heard, go_on, again, go_on) == rest[len(again) :].lstrip()


def test_after_a_whole_answer_there_is_nothing_left() -> None:
    whole = talk("Count from one to three.")
    assert talk("Count from one to three.", whole, "go on") == "That was all."


@pytest.mark.parametrize("said", ["I will continue to learn.", "My talks go on for hours", "他继续工作。"])
def test_words_about_going_on_do_not_ask_for_it(said: str) -> None:
    story = talk("Tell me a long story about a fox.")
    assert talk("Tell me a long story about a fox.", story[:80], said) not in story
