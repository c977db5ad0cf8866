"""How the natural voice reads Chinese: characters and words, tones, numbers, phonemes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.natural import mandarin, numbers, pinyin
from realtime.sandbox.natural.kokoro import PHONEMES


def read(text: str) -> str:
    return " ".join(one or "-" for one in pinyin.syllables(text))


def test_the_table_has_the_common_characters_and_only_syllables_of_mandarin():
    table = pinyin.readings()
    assert len(table.single) > 8000
    every = {*table.single.values(), *(one for said in table.words.values() for one in said)}
    unknown = {
        one for one in every if not mandarin.phonemes(one) or set(mandarin.phonemes(one)) - PHONEMES.keys()
    }
    assert not unknown
    assert all(len(word) == len(said) for word, said in table.words.items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("银行", "yin2 hang2"),
        ("行人", "xing2 ren2"),
        ("重新", "chong2 xin1"),
        ("重要", "zhong4 yao4"),
        ("长大", "zhang3 da4"),
        ("很长", "hen3 chang2"),
        ("家长", "jia1 zhang3"),
        ("一切", "yi2 qie4"),
        ("谁", "shei2"),
        ("音乐", "yin1 yue4"),
        ("快乐", "kuai4 le4"),
        ("觉得", "jue2 de5"),
        ("得到", "de2 dao4"),
        ("睡觉", "shui4 jiao4"),
        ("慢慢地走", "man4 man4 de5 zou3"),
        ("土地", "tu3 di4"),
        ("東西", "dong1 xi1"),
        ("A座", "- zuo4"),
    ],
)
def test_a_character_is_read_as_in_its_word(text, said):
    assert read(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("你好", "ni2 hao3"),
        ("我也很好", "wo2 ye3 hen2 hao3"),
        ("不是", "bu2 shi4"),
        ("不好", "bu4 hao3"),
        ("一样", "yi2 yang4"),
        ("一天", "yi4 tian1"),
        ("一个", "yi2 ge4"),
        ("第一", "di4 yi1"),
        ("第一天", "di4 yi1 tian1"),
        ("十一月", "shi2 yi1 yue4"),
        ("二零一六", "er4 ling2 yi1 liu4"),
        ("一百", "yi4 bai3"),
        ("你，好", "ni3 - hao3"),
    ],
)
def test_tones_change_before_others(text, said):
    assert read(text) == said


@pytest.mark.parametrize(
    ("syllable", "phonemes"),
    [
        ("zhong1", "ꭧʊ→ŋ"), ("guo2", "kwo↗"), ("ni3", "ni↓"), ("qu4", "ʨʰy↘"), ("de5", "tɤ"), ("yuan2", "ɥɛ↗n"),
        ("you3", "jou↓"), ("jiu3", "ʨjou↓"), ("wei4", "wei↘"), ("gui4", "kwei↘"), ("lun2", "lwə↗n"), ("lv4", "ly↘"),
        ("lve4", "lɥe↘"), ("shi4", "ʂɨ↘"), ("zi3", "ʦɨ↓"), ("er2", "ɚ↗"), ("o2", "ɔ↗"), ("bo1", "pwo→"), ("yi1", "i→"),
        ("wu3", "u↓"), ("yong4", "jʊ↘ŋ"), ("xiong2", "ɕjʊ↗ŋ"), ("weng1", "wə→ŋ"), ("yun2", "y↗n"), ("ying2", "i↗ŋ"),
    ],
)  # fmt: skip
def test_a_syllable_is_what_the_model_was_trained_on(syllable, phonemes):
    assert mandarin.phonemes(syllable) == phonemes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026年11月26日", "二零二六年十一月二十六日"),
        ("下午3:05", "下午三点零五分"),
        ("14:00", "十四点整"),
        ("2:30", "两点三十分"),
        ("涨了12.5%", "涨了百分之十二点五"),
        ("10203", "一万零二百零三"),
        ("1010", "一千零一十"),
        ("110", "一百一十"),
        ("15", "十五"),
        ("215", "二百一十五"),
        ("1,234,567", "一百二十三万四千五百六十七"),
        ("100,000,000", "一亿"),
        ("10000001", "一零零零零零零一"),
        ("13800138000", "一三八零零一三八零零零"),
        ("007", "零零七"),
        ("0", "零"),
        ("2个人", "两个人"),
        ("2楼", "二楼"),
        ("三加 4", "三加 四"),
    ],
)
def test_numbers_are_said_as_people_say_them(text, said):
    assert "".join(char for char, _ in numbers.written_out(text)) == said


@given(st.text("0123456789.,:%年个 好-", max_size=30))
def test_no_digit_is_left_and_places_rise(text):
    spelled = numbers.written_out(text)
    assert not any(char.isascii() and char.isdigit() for char, _ in spelled)
    places = [at for _, at in spelled]
    assert places == sorted(places)
    assert all(0 <= at < len(text) for at in places)


@given(st.integers(0, 10**16 - 1))
def test_a_whole_number_can_be_read_back(value):
    assert read_back(numbers.whole(str(value))) == value


def read_back(said: str) -> int:
    """The value of a number in Chinese, by the definition of its signs."""
    places = {"十": 10, "百": 100, "千": 1000}
    total = section = digit = 0
    for char in said.replace("万亿", "兆"):
        if char in places:
            section += (digit or 1) * places[char]
            digit = 0
        elif char in "万亿兆":
            total += (section + digit) * {"万": 10**4, "亿": 10**8, "兆": 10**12}[char]
            section = digit = 0
        else:
            digit = numbers.DIGITS.index(char)
    return total + section + digit
