"""Where a mail or a web address that is told may go on."""

import time

import pytest

from realtime.core.backchannels import BACKCHANNELS
from realtime.core.completeness import Completeness, completeness_of
from realtime.core.leading_words import ANSWERS
from realtime.core.number_requests import asks_for_address
from realtime.core.spelled_addresses import address_goes_on
from realtime.core.turn_end import Evidence, silence_ms
from realtime.core.turn_words import TURN_WORDS

ASKED = "What's your email address?"
GOES_ON = (
    "peter dot|Peter dot.|peter_k@|peter.king@|contact@firm.|W W W dot.|It's kate underscore|h t t p colon|kate dash|"
    "my email is kate9|My email address is kate99.|our website is example dot|my email is k king|my email is kate at firm|我的邮箱是wang|邮箱就是abc123。|li艾特|zhao下划线|www点|qq点|"
    "peter dot king|kate dot king 88|hello at hotmail|k underscore king|王艾特163"
).split("|")
GOES_ON_ASKED = (
    "kate|Kate King|peter k at|It's peter|k king 77|k a king|sure, it's kate|sales at|hello at outlook".split(
        "|"
    )
)
GOES_ON_ASKED_IN_CHINESE = "王小明|wang|小写的z|数字|abc123艾特|是wang".split("|")
WHOLE = (
    "peter.king@firm.com|peter@firm.co.uk|peter at gmail dot com|my email is kate@firm.de|kate at firm dot org.|example.com|"
    "www dot example dot net|我的邮箱是wang@qq.com|wang艾特qq点com|Connect the dots.|Every dot.|He made a dash|"
    "Look at the dot|a polka dot dress|I work at Yahoo|We met at Outlook|the dot matrix|你可以艾特他|My email is not working|我的邮箱是他的|三点|下午三点|kate|Kate King|王小明"
).split("|")
# What a mail box or a site is like, and what is told of it
TOLD_OF_ONE = (
    "My email is broken.|My email is kate|My website is down.|My email is full.|The domain is taken.|The url is wrong.|My email's broken.|"
    "The website is offline.|My website is 5 years old.|My website is down at work|My domain is expiring at midnight.|Our website is number 1.|My email is 20 gigabytes|"
    "我的邮箱是对的。|这个网站是真的。|网址是错的。|我的邮箱是QQ邮箱|网站是2020年做的|邮箱是王小明"
).split("|")
HAS_AN_END = (
    "mary at company dot shop.|mary at company dot online|mary at company dot dk|mary at company dot mx|"
    "mary at company dot tv|mary at company dot nz.|mary at company dot jobs|jack@firm dot ma|My domain is example dot shop."
).split("|")
SAYS_SOMETHING_ELSE = "Later.|Pass.|Next question.|Call my phone.|Use my old address.|It's on file|Several.|My work one.|Goodbye.|公司邮箱。|忘记。|稍后再说。|保密。|发短信。|换手机号。|算。|I don't have one|No|None.|The same as before|One moment|Why do you need it|没有|我没有邮箱|stop|Cancel.|go back|yeah|next|help|取消|停|好的|明白|跟以前一样|等等".split(
    "|"
)


def test_what_joins_two_parts_of_an_address_goes_on_whatever_was_asked() -> None:
    assert [text for text in GOES_ON if not address_goes_on(text, "")] == []
    assert [text for text in (*WHOLE, *TOLD_OF_ONE, *HAS_AN_END) if address_goes_on(text, "")] == []


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        (ASKED, GOES_ON_ASKED),
        ("Could you spell your website for me?", ("example", "shop 24")),
        ("What email should I use?", GOES_ON_ASKED),
        ("您的邮箱是多少？", GOES_ON_ASKED_IN_CHINESE),
        ("请说一下您的电子邮箱地址。", GOES_ON_ASKED_IN_CHINESE),
    ],
)
def test_a_name_goes_on_where_an_address_was_asked_for(asked, texts) -> None:
    assert [text for text in texts if not address_goes_on(text, asked)] == []
    whole = [text for text in WHOLE if "@" in text or text.endswith(("com", "net", "org."))]
    assert [
        text for text in (*whole, *HAS_AN_END, *SAYS_SOMETHING_ELSE) if address_goes_on(text, asked)
    ] == []


@pytest.mark.parametrize("asked", [ASKED, "您的邮箱是多少？"])
def test_no_command_and_no_murmur_is_a_part_of_an_address(asked: str) -> None:
    said = "|".join(
        table[code] for table in (TURN_WORDS, BACKCHANNELS, ANSWERS) for code in ("en", "zh")
    ).split("|")
    assert [text for text in said if address_goes_on(text, asked)] == []


@pytest.mark.parametrize(
    "sentence",
    "Did you get my email?|Should I send you an email?|Is your email working?|Check your email.|I'll send an email.|"
    "What's your email provider?|您收到邮件了吗？|我给您发邮件。|How is your website?|Where is the website?|"
    "What website should I open?|Which website would you like?|What's your favorite website?|Please say the website you want to visit.|"
    "Do you have an email address?|您要打开什么网站？|您喜欢的网站是什么？".split("|"),
)
def test_what_only_mentions_one_asks_for_none(sentence: str) -> None:
    assert not asks_for_address(sentence)


def test_between_its_parts_is_more_time_than_after_what_may_be_told_more_exactly() -> None:
    for text in ("john", "maria lopez"):
        assert completeness_of(text, ASKED) is Completeness.SHORT
        assert silence_ms(Evidence(text, 0.9, None, 0.5, before=ASKED), "auto") > 1_000
    sure = Evidence("Maria dot.", 0.95, 0.9, 0.8)
    assert silence_ms(sure, "auto") > 900
    assert silence_ms(Evidence("maria at gmail dot com.", 0.95, 0.9, 0.8, before=ASKED), "auto") < 450


def test_a_long_text_is_judged_at_once() -> None:
    begun = time.process_time()
    for text in ("a " * 60, "a." * 60, "@" * 120, "my email is " * 10, "W " * 59 + "x", "so " * 40):
        address_goes_on(text, ASKED)
    assert time.process_time() - begun < 0.05


def test_what_takes_long_is_not_asked_where_no_address_is_talked_of(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("is_whole_answer", "is_backchannel", "takes_turn"):
        monkeypatch.setattr(f"realtime.core.spelled_addresses.{name}", lambda _text: pytest.fail("was asked"))
    assert not address_goes_on("I would like a table for two.", "What can I do for you?")
