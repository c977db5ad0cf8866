"""Which texts take one of what a question offers."""

import pytest

from realtime.core.choices import takes_choice
from realtime.core.completeness import Completeness, completeness_of

TAKES = (
    ("Beef, chicken or fish?", "beef|chicken|fish|the fish|i'll have the chicken|fish please|just beef"),
    ("Would you like a single or a double room?", "single|a double|the double room|a single, please"),
    ("Do you need it today or tomorrow?", "today|tomorrow|tomorrow would be great"),
    ("Is that for here or takeaway?", "takeaway|here|for here"),
    ("Boston or New York?", "boston|new york"),
    ("Before or after lunch?", "before|after|after lunch"),
    ("Should I send it by mail or by courier?", "by mail|courier|by courier please"),
    ("How would you like it, hot or iced?", "hot|iced|iced please"),
    ("单人间还是双人间？", "单人间|双人间吧|我要双人间|单人"),
    ("您是坐飞机还是坐火车？", "坐火车|火车|飞机吧|飞机"),
    ("有糖的还是无糖的？", "无糖的|有糖|无糖吧"),
    ("送到学校还是家里？", "送到家里|家里吧|学校"),
    ("去虹桥机场还是浦东机场？", "虹桥|浦东|去浦东机场|虹桥机场"),
    ("線上還是線下？".replace("線", "线").replace("還", "还"), "线上|线下吧"),
)
TAKES_NOT = (
    ("Boston or New York?", "new|boston and|or boston|london"),
    ("San Diego or Los Angeles?", "los|san"),
    ("San Jose or Santa Fe?", "san|santa"),
    ("Is it for your mother or your father?", "your|for your|it|is"),
    ("Red or white wine?", "not the red|red and|the|i'd like|red but"),
    ("Should I call the bank or the hotel?", "call|call the|should i"),
    ("Do you want coffee, or should I make tea?", "should|i"),
    ("Do you want coffee?", "coffee"),
    ("要大杯还是小杯？", "大|小|要|要大|两个|要一个"),
    ("是前门还是后门？", "前|后|是"),
    ("喝大杯还是喝小杯？", "大|喝"),
    ("去北京还是哈尔滨？", "哈尔|去|上海"),
    ("要大杯吗？", "大杯"),
)


@pytest.mark.parametrize(("asked", "texts"), TAKES)
def test_what_stands_in_the_question_as_one_of_several_is_taken(asked: str, texts: str) -> None:
    assert [text for text in texts.split("|") if not takes_choice(text, asked)] == []
    assert {completeness_of(text, asked) for text in texts.split("|")} == {Completeness.COMPLETE}


@pytest.mark.parametrize(("asked", "texts"), TAKES_NOT)
def test_a_part_of_it_or_what_was_not_offered_is_not(asked: str, texts: str) -> None:
    assert [text for text in texts.split("|") if takes_choice(text, asked)] == []
