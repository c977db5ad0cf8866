"""Which phrases answer a question for a yes or a no."""

import time

import pytest

from realtime.core.completeness import Completeness, completeness_of
from realtime.core.turn_end import Evidence, silence_ms
from realtime.core.yes_or_no import YesOrNo, yes_or_no

ASKED = ("Shall I send it to you?", "Okay, do you want the receipt by mail?", "The blue one, is that right?")
ASKED_IN_CHINESE = ("要我发给您吗？", "这样好不好？", "您要不要发票？")
WHOLE = (
    "i hope so|i suppose so|i don't believe so|i guess not|not tonight|not necessarily|certainly not|perhaps not|"
    "that sounds great|that'd be lovely|that is perfect|this is wrong|that's all, thanks|that would work for me|"
    "okay with me|good for me|i'd be happy to|i'd prefer not to|i'd rather not|if you don't mind|if you insist|"
    "i'm done|we're all set|i'm afraid so|i doubt it|please don't|carry on|let's go ahead|no, not now|sure, why not|"
    "yes, that's correct|by all means|not recently|unfortunately not|probably not today|that's okay by me|let's cancel it|let's try that|not really|glad to|maybe another time|keep going"
).split("|")
WHOLE_IN_CHINESE = (
    "改天再说|晚点再说吧|回头吧|暂时不需要|先不用了|现在不用|辛苦您了|好的，麻烦您了|继续吧|算了|够了|没关系|能啊|您说|好的请讲|"
    "会的|不太方便|我不太确定|还行|还不错吧|应该可以吧|可能吧|好像是的|完全正确|不完全对|就是这样|没呢|差不多了|不发|可以发完"
).split("|")
PERHAPS = (
    "maybe|probably|later|please|yes i do|i would|it is|i'm not|i guess|sometimes|a little|if you can|"
    "let's move it|let's push it|let's change that"
).split("|")
PERHAPS_IN_CHINESE = "有时候|偶尔|应该是|会一点|等会儿吧".split("|")
NOT = (
    "i think|i'd like to|i'd like|not|not the|not for|that's|that would be|only if|yes but|no not|let's make it|if you|let's|let me|"
    "please send|works|i'm|all|maybe for|send it|the|when i|i hope|"
    "not only|not early|not italy|not july|not family|not reply|let's see it|let's call it"
).split("|")
NOT_IN_CHINESE = "先|暂时|麻烦你|下次|那就|我可能|明天|但是|不太|还|就|发一|是因为|没来".split("|")


@pytest.mark.parametrize("asked", ASKED)
def test_english(asked: str) -> None:
    for texts, how_much in ((WHOLE, YesOrNo.WHOLE), (PERHAPS, YesOrNo.PERHAPS), (NOT, YesOrNo.NOT)):
        assert [text for text in texts if yes_or_no(text, asked) is not how_much] == []


@pytest.mark.parametrize("asked", ASKED_IN_CHINESE)
def test_chinese(asked: str) -> None:
    for texts, how_much in (
        (WHOLE_IN_CHINESE, YesOrNo.WHOLE),
        (PERHAPS_IN_CHINESE, YesOrNo.PERHAPS),
        (NOT_IN_CHINESE, YesOrNo.NOT),
    ):
        known = (text for text in texts if not ("发" in text and "发" not in asked))
        assert [text for text in known if yes_or_no(text, asked) is not how_much] == []


@pytest.mark.parametrize(
    ("asked", "text", "how_much"),
    [
        ("您吃饭了吗？", "吃了", YesOrNo.WHOLE),
        ("您吃饭了吗？", "还没吃呢", YesOrNo.WHOLE),
        ("您吃饭了吗？", "去了", YesOrNo.NOT),
        ("您去过上海吗？", "没去过", YesOrNo.WHOLE),
        ("能看见屏幕吗？", "看得见", YesOrNo.WHOLE),
        ("能看见屏幕吗？", "看不清", YesOrNo.WHOLE),
        ("您收到短信了吗？", "收到了", YesOrNo.WHOLE),
        ("您收到短信了吗？", "没收", YesOrNo.NOT),
        ("需要给您改签吗？", "改吧", YesOrNo.WHOLE),
        ("需要给您改签吗？", "先不改了", YesOrNo.WHOLE),
        ("需要给您改签吗？", "可以改", YesOrNo.WHOLE),
        ("需要给您改签吗？", "不用改了", YesOrNo.WHOLE),
        ("您看清楚了吗？", "看清了", YesOrNo.WHOLE),
        ("您看清楚了吗？", "没看清", YesOrNo.WHOLE),
        ("您看清楚了吗？", "没看", YesOrNo.NOT),
        ("您收到短信了吗？", "没收到", YesOrNo.WHOLE),
        ("您几点收到短信？", "收到了", YesOrNo.NOT),
    ],
)
def test_chinese_says_the_verb_again(asked: str, text: str, how_much: YesOrNo) -> None:
    assert yes_or_no(text, asked) is how_much


@pytest.mark.parametrize("asked", ["What would you like?", "Where is it?", "你叫什么名字？", "Hello.", ""])
def test_after_other_questions_and_after_none_they_are_nothing(asked: str) -> None:
    for text in (*WHOLE, *WHOLE_IN_CHINESE):
        assert yes_or_no(text, asked) is YesOrNo.NOT, text


def test_they_end_a_turn_without_a_mark() -> None:
    for text, asked in (("I don't believe so", ASKED[0]), ("改天再说", ASKED_IN_CHINESE[0])):
        assert completeness_of(text, asked) is Completeness.COMPLETE
        assert silence_ms(Evidence(text, 0.85, None, 0.8, before=asked), "auto") <= 600
    likely = silence_ms(Evidence("Maybe", 0.85, None, 0.6, before=ASKED[0]), "auto")
    assert 750 < likely < 900, "later"


@pytest.mark.parametrize(
    "text", ["no " * 13, "是的" * 20, "maybe or " * 4, "还都" * 20, "yes okay right " * 2]
)
def test_a_word_said_again_and_again_is_judged_at_once(text: str) -> None:
    begun = time.process_time()
    for asked in (*ASKED, *ASKED_IN_CHINESE):
        yes_or_no(text, asked)
    assert time.process_time() - begun < 0.05
