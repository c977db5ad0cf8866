"""Which short texts answer what was asked just before, and how much of an answer they are."""

import time
from dataclasses import replace

import pytest

from realtime.core.asked_answers import Answers, answers
from realtime.core.completeness import Completeness, completeness_of
from realtime.core.turn_end import Evidence, silence_ms

WHOLE, PERHAPS, NOT, PART = Answers.WHOLE, Answers.PERHAPS, Answers.NOT, Answers.PART
CASES = (  # the question, what is said, and how much of an answer each is
    (
        "你在哪个城市？",
        "北京|上海|成都|呼和浩特|三亚|我在北京|我在南京|北京吧|上海市|纽约|嗯，北京|北京。",
        WHOLE,
    ),
    ("你叫什么名字？", "张伟|李小龙|我叫张伟|玛丽|小明|我是王芳|王先生", WHOLE),
    ("请问您贵姓？", "我姓欧阳|欧阳", WHOLE),
    ("您想哪天来？", "明天下午|下周一|明天|这个周五", WHOLE),
    ("你喜欢什么颜色？", "红色|蓝色的|我喜欢绿色|粉红", WHOLE),
    ("你要哪个？", "都可以|随便|都行|大的|无所谓|随便吧|你决定吧|第一个", WHOLE),
    ("你好！请告诉我您的名字。", "张伟", WHOLE),
    ("請問您在哪個城市？", "臺北|台北", WHOLE),
    ("你在哪个城市？我帮你查天气。", "北京", WHOLE),
    ("什么时候？", "明天下午|下周一|明天|周末|下个月|晚上", PERHAPS),
    ("你想吃什么？", "火锅|牛肉面|我想吃火锅|两碗牛肉面|红烧肉", PERHAPS),
    ("你住在哪里？", "北京|海淀区|我住在上海", PERHAPS),
    ("您的地址呢？", "中山路", PERHAPS),
    ("你叫什么名字，住在哪个城市？", "张伟", PERHAPS),
    (
        "你在哪个城市？",
        "那个北京|那个|我在|北京的|我想|因为|呃，那个|我觉得北京|但是|就是|北京有|明天|你|京",
        NOT,
    ),
    ("几点？", "明天下午|北京|下午", NOT),
    ("你想喝什么？", "两杯|一个|我要两杯|我想喝|来一杯|我想", NOT),
    ("有什么可以帮您？", "上海|音乐", NOT),  # a sentence begins
    ("还有什么需要吗？", "上海|音乐", NOT),
    ("明天见。", "北京|随便", NOT),
    ("", "北京|随便|Boston", NOT),
    (
        "What city are you in?",
        "Boston|New York|San Francisco|I'm in Boston|In London.|Paris|Oh, Paris",
        WHOLE,
    ),
    ("What is your name?", "John|John Smith|My name is John.|I'm Mary|It’s Tom", WHOLE),
    ("Tell me your name.", "John", WHOLE),
    ("Which day?", "tomorrow|next Friday|on Monday", WHOLE),
    ("What color do you like?", "Blue.|red|I like green|the red one", WHOLE),
    (
        "Which one?",
        "either one|anything|whatever|I don't mind|both of them|the first one|Anything is fine.",
        WHOLE,
    ),
    ("Which one?", "either|any|both|neither|the last|the first", PERHAPS),
    ("When?", "tomorrow|tomorrow afternoon|next Monday", PERHAPS),
    ("What would you like to eat?", "pizza|a burger|some noodles", PERHAPS),
    ("What is your name and where do you live?", "John", PERHAPS),
    (
        "What city are you in?",
        "New|San|I live in|um|the|I am in the|well|I want to go|I was in Boston|I think",
        NOT,
    ),
    # Who keeps the turn, and names that look like it
    *(
        (
            asked,
            "Erm.|Hm.|Ah.|Oh, um|One second.|Just a sec|Half a minute|Excuse me.|Good question.|Pardon me|Lemme see|"
            "My name's|The city's|Everyone calls me|They call me|I'm called|We're|First name|My favorite color|The city|"
            "Honestly|Currently|Possibly|Somewhere near|Around|Before|Close|Far|Several|Every|Kind of|Oh gosh|Thinking|"
            "Let me check|In fact|Legal name|Fort|Port|Cape|Salt Lake|Buenos|Navy|Sky|Pale|Doctor|Miss",
            NOT,
        )
        for asked in ("What's your name?", "What city are you in?", "What would you like to eat?")
    ),
    *(
        (
            asked,
            "等一下|稍等|请稍等片刻|等等|等会儿|我想想|考虑一下|让我看看|查一下|抱歉|不好意思|麻烦您|名字叫|叫做|姓名|我的名字|目前|目前住|"
            "一般|一般来说|基本上|毕竟|老实说|附近|就在附近|靠近|接近|刚刚|刚搬到|最近|打算|准备|下个|第一|第二|这个嘛|嗯嗯嗯|"
            "好的，稍等|一个叫|靠近一个|离北京|暂住|最喜欢|最喜欢的颜色|正准备|下一|许多",
            NOT,
        )
        for asked in ("你叫什么名字？", "你在哪个城市？", "您要哪个？")
    ),
    (
        "What's your name?",
        "Emily|Kelly|Mark|Grace|Rose|Sally|Beverly|Brian|Anna|Noah|Ali|Uma|Call me Al",
        WHOLE,
    ),
    (
        "What city are you in?",
        "Reading|Beijing|Fort Worth|Cape Town|Salt Lake City|Hanoi|Omaha|El Paso",
        WHOLE,
    ),
    ("What color do you like?", "navy blue|sky blue|pale green|honestly blue", WHOLE),
    ("Where do you live?", "near Boston", PERHAPS),
    ("你叫什么名字？", "张等等|李准|陈希望|丽丽|高兴|刘畅|江上青|江希文|计春华|安静|林查理|马等", WHOLE),
    ("你在哪个城市？", "目前北京|大概南京|宁波|离岛|来宾", WHOLE),
    ("What is your full name?", "John", NOT),
    ("How can I help you?", "music|Boston", NOT),
    ("What else would you like?", "Boston", NOT),
    ("Can you name a city?", "Boston", NOT),
    ("What time?", "tomorrow afternoon", NOT),
    ("Thank you for your name.", "John", NOT),
    # Half of an answer, and what is told of somebody
    ("What's your name?", "My last|My first|Well legally|Officially|I'm working", NOT),
    ("Who is calling?", "I'm calling|I'm wondering|It's my first|My own", NOT),
    ("Who is calling?", "The owner|It's the nurse|A neighbor", PERHAPS),
    ("Which size do you need?", "The bigger|The largest", PERHAPS),
    ("Which size do you need?", "the larger one|medium", WHOLE),
    ("您叫什么名字？", "李女士叫|大家|免贵|我名为|王总称", NOT),
    ("您做什么工作？", "我是卖保险|我是做餐饮|高级|资深|我是管仓库", NOT),
    ("您做什么工作？", "我是会计|厨师|我是司机", WHOLE),
    ("您在哪个城市？", "哈尔|乌鲁|呼和", NOT),
    ("您在哪个城市？", "哈尔滨|乌鲁木齐|呼和浩特|石家庄", WHOLE),
    # How somebody pays or travels
    ("How would you like to pay?", "cash|by card|with my phone|i'll pay cash|credit card", PERHAPS),
    ("How are you getting home?", "by bus", PERHAPS),
    ("How do you get to work?", "by bus|on foot|the train", PERHAPS),
    ("您怎么付款？", "微信|支付宝|刷卡", PERHAPS),
    ("How old are you?", "cash", NOT),
    # More of it is likely, though it is whole elsewhere
    *(
        (asked, "一九九二年|八八年|七月|十月份|二零零三年七月", PART)
        for asked in ("您的出生日期是？", "您想订哪天的？", "什么时候搬家？", "您的生日是几月几号？")
    ),
    ("What's your date of birth?", "June 2nd|the ninth of June|August 11.", PART),
    ("When were you born?", "May 3rd", PART),
    ("When would you like to come?", "Next", PART),
    ("请问您的地址是？", "八号楼|二十六号|五楼", PART),
    ("您是哪一年出生的？", "一九九二年", NOT),
    *(
        (asked, "一九九零年|九零年三月|三月", PART)
        for asked in (
            "您的出生年月日是？",
            "您要什么时候的票？",
            "您什么时候取您的车？",
            "您是什么时候出生的？",
        )
    ),
    ("您的地址是几号楼几楼？", "三号楼", PART),
    ("您几月份来？", "七月", NOT),
    ("When is your birthday?", "June 2nd", NOT),
    ("What's your date of birth?", "June 2nd 1990", NOT),
    ("您的出生日期是？", "七月五号|三个月", NOT),
    ("您在几楼？", "五楼", NOT),
)


@pytest.mark.parametrize(("asked", "texts", "how_much"), CASES)
def test_a_short_answer_counts_where_such_a_thing_was_asked_for(asked, texts, how_much):
    found = {text: answers(text, asked) for text in texts.split("|")}
    no_answer = {text: NOT if answer is Answers.TIME else answer for text, answer in found.items()}
    assert no_answer == dict.fromkeys(found, how_much)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("您的出生年份是？", "一九九零年"),
        ("您是几几年出生的？", "九零年"),
        ("请问您的出生月份？", "三月"),
        ("您的出生年月是？", "九零年三月"),
        ("您什么时候毕业的？", "2018年"),
        ("这栋楼什么时候建的？", "一九八五年"),
        ("您是什么时候买的车？", "2020年"),
        ("您啥时候去了上海？", "三月"),
        ("请问您的收货地址是哪一栋？", "三号楼"),
        ("您的地址是几号楼？", "三号楼"),
        ("地址是几楼？", "三楼"),
    ],
)
def test_a_part_is_whole_where_that_part_was_asked_for(asked, text):
    assert answers(text, asked) is not PART
    assert silence_ms(Evidence(f"{text}。", 0.95, 0.9, 0.6, before=asked), "auto") < 400


@pytest.mark.parametrize("asked", ["What's your name?", "你在哪个城市？", "What time?"])
def test_who_asks_for_time_goes_on_after_a_full_stop_too(asked):
    for text in (
        "Oh.|Hm.|One second.|Sorry, one sec.|Just a moment please.|Excuse me.|Good question.|Let me check.|"
        "嗯。|等一下。|好的，稍等。|我想想。|不好意思。"
    ).split("|"):
        assert answers(text, asked) is Answers.TIME, text
        assert completeness_of(text, asked) is not Completeness.COMPLETE, text
        assert silence_ms(Evidence(text, before=asked), "auto") > 1_100, text
    assert completeness_of("Erm.", asked) is Completeness.INCOMPLETE, "no mark ends it"
    for text in ("Excuse me?", "Sorry!", "Tomorrow.", "Nearby.", "Home.", "Great."):
        assert completeness_of(text, asked) is Completeness.COMPLETE, text


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ("你好！有什么可以帮您？", "你好。|早上好。"),
        ("How can I help you today?", "Hello.|Good evening.|Thanks.|Of course."),
        ("需要确认订单吗？", "确认。|要确认。|好的，确认。"),
        ("要我帮您查一下吗？", "查一下。|帮我查一下。|查吧。"),
        ("你想看电影吗？", "看。|想看。|我想看。"),
        ("您想试试吗？", "试试。|想试试。"),
        ("您知道密码吗？", "知道。|我知道。|清楚。|还好。"),
        ("How long should the timer run?", "Half a minute.|A few minutes.|One minute."),
        ("What do you think?", "I understand.|I know."),
    ],
)
def test_what_was_asked_about_is_no_asking_for_time(asked, texts):
    for text in texts.split("|"):
        assert answers(text, asked) is not Answers.TIME, text
        assert completeness_of(text, asked) is Completeness.COMPLETE, text


@pytest.mark.parametrize(
    "text", ["刚" * 48, "等" * 47 + "王", "想到" * 24, "一般" * 24, "wait " * 9, "one " * 11 + "x"]
)
def test_a_word_said_again_and_again_is_judged_at_once(text):
    begun = time.process_time()
    answers(text, "What's your name?")
    assert time.process_time() - begun < 0.05


def test_an_answer_to_a_question_needs_no_mark_and_has_time_where_it_may_be_told_more_exactly():
    asked, unasked = "你在哪个城市？", "好的。"
    assert completeness_of("北京", asked) is Completeness.COMPLETE
    assert completeness_of("北京", unasked) is Completeness.OPEN
    assert completeness_of("北京，", asked) is Completeness.INCOMPLETE
    assert completeness_of("明天下午", "什么时候？") is Completeness.LIKELY
    assert completeness_of("明天下午。", "什么时候？") is Completeness.COMPLETE, (
        "its mark is believed as far as always"
    )
    assert silence_ms(Evidence("北京", 0.85, None, 0.8, before=asked), "auto") <= 600
    assert silence_ms(Evidence("北京", 0.85, None, 0.8, before=unasked), "auto") > 1_200
    assert 800 <= silence_ms(Evidence("明天下午", 0.85, None, 0.5, before="什么时候？"), "auto") < 900
    for text, question in (("明天下午", "什么时候？"), ("pizza", "What would you like to eat?")):
        sure = Evidence(text, 0.99, None, 0.99)
        wait_ms = silence_ms(replace(sure, before=question), "auto")
        assert wait_ms == silence_ms(sure, "auto") < 800, "never longer than what answers nothing"
    doubted = Evidence("Boston.", 0.6, 0.4, before="Which city?")
    assert silence_ms(doubted, "auto") <= 600 < silence_ms(Evidence("Boston.", 0.6, 0.4), "auto")
