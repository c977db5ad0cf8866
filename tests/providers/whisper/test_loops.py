"""Loops of a decoder: seen in every script, also beside blanks, and never in what people repeat."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from realtime.providers.whisper.loops import is_surely_once, loops, said_once


@pytest.mark.parametrize(
    "text",
    [
        "so we go home. So we go home.",
        "thank you thank you thank you",
        "no no no no",
        "half a \ufffd character",
        "我们去吃饭吧我们去吃饭吧",
        "不知道不知道不知道",
        "It was the end, it was the end, and so on.",
        "今天 我们去吃饭吧 我们去吃饭吧",
        "好的 是的是的是的",
        "谢谢 谢谢 谢谢",
        "我用 iPhone 付款 我用 iPhone 付款",
        "ฉันไม่รู้ ฉันไม่รู้",
        "嗯" * 5,
        "1" * 80,
        "1,5,5,5,5,5,5,5,5,5",
    ],
)
def test_a_decoder_in_a_loop_is_detected(text):
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes.",
        "no no no",
        "thank you, thank you",
        "It was the best of times, it was the worst of times.",
        "ask not what your country can do for you ask what you can do for your country",
        "谢谢",
        "试试看试试看",
        "我看看",
        "谢谢 谢谢",
        "对对对对",
        "我的电话是13800008888。",
        "房间号是 8888 不是 8886",
        "他说 no no no 不要",
        "我用 iPhone 我用 iPad",
        "密西西比 Mississippi",
        "一点一点地做",
    ],
)
def test_natural_repetition_is_not_taken_for_a_loop(text):
    assert not loops(text)


@pytest.mark.parametrize(
    ("looped", "once"),
    [
        ("Drop the two. Drop the two.", "Drop the two."),
        ("Produced the block books, produced the block books, produced", "Produced the block books,"),
        ("The child on the child on the child on", "The child on"),
        ("1, 2. 1, 2. 1, 2. 1,", "1, 2."),
        ("We went home. 1 2 2 2 2 2 2", "We went home. 1 2"),
        ("“Go home now.” “Go home now.”", "“Go home now.”"),
        ("half a \ufffd character", "half a"),
        ("\ufffd", ""),
        ("我们去吃饭吧。我们去吃饭吧。", "我们去吃饭吧。"),
        ("今天《我们去吃饭吧》《我们去吃饭吧》", "今天《我们去吃饭吧》"),
        ("İstanbul İstanbul İstanbul İstanbul", "İstanbul"),
        ("A thin stripe runs down.", "A thin stripe runs down."),
    ],
)
def test_what_a_decoder_repeats_is_said_once(looped, once):
    assert said_once(looped) == once


@pytest.mark.parametrize(
    ("text", "sounding_s", "surely"),
    [
        ("公司附近哪里可以停车。公司附近哪里可以停车。", 2.2, True),
        ("公司附近哪里可以停车。公司附近哪里可以停车。公司附近", 2.2, True),
        ("公司附近哪里可以停车。公司附近哪里可以停车。公司\ufffd", 2.2, True),
        ("350加280等于多少? 350加280等于多少?", 1.9, True),
        ("公司附近哪里可以停车。公司附近哪里可以停车。", 2.6, False),
        ("公司附近哪里可以停车。公司附近哪里可以停车。", 0.6, False),  # not even once
        ("不知道。不知道。不知道。", 0.7, True),
        ("不知道。不知道。不知道。", 0.9, False),
        ("不知道，不知道，不知道。", 0.5, False),  # no sentence
        ("why why why why why", 0.2, False),
        ("明天天气怎么样？明天天气怎么样？后天呢？", 1.7, False),  # more was said
        ("我们公司附近我们公司附近有停车场吗？", 1.5, False),
        ("今天 我们去吃饭吧。 我们去吃饭吧。", 0.9, False),  # something stands before it
        ("今天。\ufffd今天。天气怎么样", 0.3, False),  # loops only because of half a character
        ("我们去吃饭吧。", 0.1, False),
        ("\ufffd", 0.1, False),
        ("", 0.0, False),
    ],
)
def test_what_hardly_anybody_can_say_twice_in_this_time_was_said_once(text, sounding_s, surely):
    assert is_surely_once(text, sounding_s) is surely


@given(
    st.text(alphabet="我们去吃停车", min_size=4, max_size=9), st.integers(2, 4), st.text("我们", max_size=3)
)
def test_a_sentence_is_surely_said_once_between_twice_as_fast_as_people_speak_and_too_fast_for_once(
    sentence, rounds, rest
):
    text, syllables = f"{sentence}。" * rounds, len(sentence)
    assume(said_once(text) == f"{sentence}。")
    assert is_surely_once(text, syllables / 6)
    assert not is_surely_once(text, syllables / 3)
    assert is_surely_once(text + rest, syllables / 6) is sentence.startswith(rest)


@given(st.text(alphabet="ab c.,!“” 我们去吃\ufffd1İ", max_size=40))
def test_what_is_said_once_is_the_beginning_of_the_text_and_no_loop(text):
    once = said_once(text)
    assert text.startswith(once)
    assert not loops(once)
    assert loops(text) or once == text.rstrip()
