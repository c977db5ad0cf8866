"""What an answer depends on: words and questions; of Chinese, what was heard of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.essence import LONGEST_NUMBER, essence


def test_an_answer_depends_on_words_and_questions_not_on_capitals_and_commas():
    assert essence("Well, what time is it in Rome?") == essence("well what time is it in rome?")
    assert essence("It’s noon.") == essence("it's noon")
    assert essence("你好，今天好吗？") == essence("你好 今天好吗?") == essence("你好今天好吗?")
    assert essence("我用 iPhone 13。") == essence("我用iPhone 13")
    assert essence("My iPhone 13.") != essence("my iPhone13")
    assert essence("You are coming?") != essence("You are coming.")
    assert essence("three dogs") != essence("three dots")
    assert essence("...") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("达摩院推出的语音识别模型。", "达摩愿推出的语音识别模型"),
        ("开放时间早上9点。", "开放时间早上九点"),
        ("今天是2026年11月27日。", "今天是二零二六年十一月二十七日"),
        ("一共350块。", "一共三百五十块"),
        ("要10005个。", "要一万零五个。"),
        ("这里有3万人。", "这里有三万人。"),
        ("我要兩張票。", "我要2张票"),
        ("有一億兩千萬人。", "有120000000人"),
        ("第十五号。", "第15号"),
        ("一百五。", "150。"),
        ("要三万五。", "要35000。"),
        ("两千零五年。", "2005年"),
        ("一万亿。", "1000000000000"),
        ("这件衣服多少钱？", "这件衣服多少钱。"),
        ("现在几点了？", "现在几点了"),
        ("我喜欢 iPhone 13。", "我喜欢iPhone十三"),
        ("她在家。", "他在家。"),
    ],
)
def test_chinese_that_sounds_the_same_has_one_answer(one, other):
    assert essence(one) == essence(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("我要买房。", "我要卖房。"),  # a tone is another word
        ("他在那里。", "他在哪里。"),
        ("你去？", "你去。"),  # only the mark asks
        ("我买了几个苹果？", "我买了几个苹果。"),
        ("十五个。", "五十个。"),
        ("一百零五。", "一百五十。"),
        ("一百零五块。", "一百五块。"),
        ("三万零五。", "三万五。"),
        ("一万亿。", "一亿零一万。"),
        ("我喜欢你。", "我喜欢你们。"),
        ("橋を渡る。", "喬を渡る。"),  # one reading in Chinese, two in Japanese
        ("我有9", "我有99"),
        ("我要10%。", "我要10。"),
        ("How much is 10% of 80?", "How much is 10 of 80?"),
        ("It costs $20.", "It costs 20."),
        ("What is 10 - 5?", "What is 10 5?"),
        ("What is 2+2?", "What is 2 2?"),
        ("I write in C++.", "I write in C."),
        ("Play F#.", "Play F."),
        ("我要10％。", "我要10。"),
        ("6 × 2", "6 ÷ 2"),
        ("It is -5°.", "It is 5°."),
        ("-5 times 3", "5 times 3"),
        ("10% - 5%", "10%, 5%"),
    ],
)
def test_what_sounds_otherwise_has_another(one, other):
    assert essence(one) != essence(other)


@given(st.text("0123456789零一二三十百千万亿两点年我。? ab", max_size=60))
def test_any_number_is_read_and_reading_it_again_changes_nothing(text):
    assert essence(essence(text)) == essence(text)
    assert essence(text + "。") == essence(text)


def test_a_number_that_nobody_says_costs_nothing():
    assert essence(f"我{'九' * (LONGEST_NUMBER + 1)}") == "wo3" + " jiu3" * (LONGEST_NUMBER + 1)
    assert essence(f"我{'9' * 100_000}") == f"wo3 {'9' * 100_000}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My number is 555-1234.", "my number is 555 1234"),
        ("What is 2+2?", "What is 2 + 2?"),
        ("It is 10 %.", "It is 10%."),
        ("10 − 5", "10 - 5"),
        ("A ten-year plan.", "A ten year plan"),
        ("Well - what time is it?", "Well, what time is it?"),
        ("“Stop!”", "Stop."),
    ],
)
def test_marks_that_nobody_speaks_change_no_question(one, other):
    assert essence(one) == essence(other)
