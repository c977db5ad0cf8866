"""Loops of a decoder: seen in every script, also beside blanks, and never in what people repeat."""

import pytest
from hypothesis import given
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
        ("So we go home. So we go home.", 0.9, True),
        ("So we go home. So we go home.", 1.1, False),
        ("不知道不知道不知道", 0.7, True),
        ("不知道不知道不知道", 0.9, False),
        ("今天 我们去吃饭吧 我们去吃饭吧", 0.5, False),  # something stands before it
        ("我们去吃饭吧", 0.1, False),
        ("\ufffd", 0.1, False),
        ("", 0.0, False),
    ],
)
def test_what_nobody_can_say_twice_in_this_time_was_said_once(text, sounding_s, surely):
    assert is_surely_once(text, sounding_s) is surely


@given(st.text(alphabet="ab c.,!我们去吃\ufffd1", max_size=40), st.floats(0.0, 10.0))
def test_only_a_loop_is_surely_said_once_and_the_more_time_the_less(text, sounding_s):
    assert not is_surely_once(text, sounding_s) or loops(text)
    assert is_surely_once(text, sounding_s / 2) or not is_surely_once(text, sounding_s)


@given(st.text(alphabet="ab c.,!“” 我们去吃\ufffd1İ", max_size=40))
def test_what_is_said_once_is_the_beginning_of_the_text_and_no_loop(text):
    once = said_once(text)
    assert text.startswith(once)
    assert not loops(once)
    assert loops(text) or once == text.rstrip()
