"""How complete a sentence looks."""

import time

import pytest

from realtime.core.completeness import Completeness, completeness_of
from tests.each import each


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("What time is it?", Completeness.COMPLETE),
        ("Stop!", Completeness.COMPLETE),
        ('He said "yes."', Completeness.COMPLETE),
        ("Yes, thank you. ", Completeness.COMPLETE),
        ("今天天气怎么样？", Completeness.COMPLETE),
        ("好的。", Completeness.COMPLETE),
        ("What time is it", Completeness.OPEN),
        ("I would like to.", Completeness.DANGLING),  # a full stop of the transcriber, not of the speaker
        ("今天天气很好", Completeness.OPEN),
        ("What are you looking at?", Completeness.COMPLETE),
        ("I would like to", Completeness.INCOMPLETE),
        ("because", Completeness.INCOMPLETE),
        ("First of all,", Completeness.INCOMPLETE),
        ("So I thought...", Completeness.INCOMPLETE),
        ("Well —", Completeness.INCOMPLETE),
        ("我想要", Completeness.INCOMPLETE),
        ("因为，", Completeness.INCOMPLETE),
        ("如果。", Completeness.OPEN),
        ("有没有？", Completeness.COMPLETE),
        ("对。", Completeness.COMPLETE),
        ("我没有。", Completeness.COMPLETE),
        ("", Completeness.INCOMPLETE),
        ("   ", Completeness.INCOMPLETE),
    ],
)
def test_how_complete_a_text_looks(text, completeness):
    assert completeness_of(text) is completeness


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("It was the.", Completeness.INCOMPLETE),
        ("I think, um.", Completeness.INCOMPLETE),
        ("Well, um", Completeness.INCOMPLETE),
        ("The what?", Completeness.COMPLETE),
        ("1, 2, 3.", Completeness.OPEN),
        ("My number is five, five, two.", Completeness.SHORT),
        ("Call 5 5 5", Completeness.SHORT),
        ("In 1984.", Completeness.COMPLETE),
        ("It is 10 30.", Completeness.COMPLETE),
        ("I need eggs, milk, tea.", Completeness.OPEN),
        ("I need eggs, milk, and tea.", Completeness.COMPLETE),
        ("I need eggs, milk and tea.", Completeness.COMPLETE),
        ("No, no, no.", Completeness.COMPLETE),
        ("Hello, John, how are you?", Completeness.COMPLETE),
        ("我的号码是一三五。", Completeness.SHORT),
        ("138-2256。", Completeness.OPEN),
        ("My number is 079.", Completeness.SHORT),
        ("My number is 079", Completeness.SHORT),
        ("My PIN is 47, ", Completeness.SHORT),
        ("Is my number 079?", Completeness.COMPLETE),
        ("079", Completeness.INCOMPLETE),
        ("It is spelled S-M-I.", Completeness.OPEN),
        ("Is it 079?", Completeness.COMPLETE),
        ("是138吗？", Completeness.COMPLETE),
        ("It costs 350.", Completeness.COMPLETE),
        ("现在三点。", Completeness.COMPLETE),
    ],
)
def test_fillers_lists_and_digits_go_on(text, completeness):
    assert completeness_of(text) is completeness


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("Yes, I do.", Completeness.COMPLETE),
        ("no, it isn't.", Completeness.COMPLETE),
        ("No, they are not.", Completeness.COMPLETE),
        ("Yes I would!", Completeness.COMPLETE),
        ("Yes, I do", Completeness.OPEN),
        ("Yes, please, thanks.", Completeness.COMPLETE),
        ("Turn it on.", Completeness.DANGLING),
        ("I like that.", Completeness.DANGLING),
        ("And they are.", Completeness.DANGLING),
        ("Turn it on", Completeness.INCOMPLETE),
    ],
)
def test_answers_are_whole_and_a_word_that_ends_few_sentences_dangles(text, completeness):
    assert completeness_of(text) is completeness


@pytest.mark.parametrize(
    "text",
    "yes|no|okay|No, thank you|stop|好的|不要|是的|没有|不|停|好的谢谢|是|要|はい|いいえ|네|아니요|ja bitte|non|да|نعم|हाँ|ใช่".split(
        "|"
    ),
)
def test_a_yes_or_a_no_alone_is_whole_without_a_mark(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@pytest.mark.parametrize(
    "text",
    "wait|hold on|等一下|hello|why|me|嗯|是不是|对不对|待って|aber|yes I do|好的我|I'm|不要再|yes,|no but".split(
        "|"
    ),
)
def test_what_people_go_on_after_is_not(text: str) -> None:
    assert completeness_of(text) is not Completeness.COMPLETE


@pytest.mark.parametrize(
    "text",
    ["नमस्ते। ", "كيف حالك؟", "میں ٹھیک ہوں۔", "Τι κάνεις;", "Բարև։", "ሰላም።", "សួស្តី។", "I live in the U.S."],
)
def test_the_marks_of_other_scripts_complete_a_sentence(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@pytest.mark.parametrize("text", ["I need to see Dr.", "مرحبا،", "ሰላም፣", "Quiero ver a la Sra."])
def test_a_clause_mark_or_a_title_leaves_a_sentence_open(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [("我要這個。", "我要这个。"), ("我想說，還有", "我想说，还有"), ("是對的。", "是对的。")],
)
def test_chinese_in_traditional_characters_is_as_complete_as_in_simplified_ones(traditional, simplified):
    assert completeness_of(traditional) is completeness_of(simplified)


HESITATES = (  # with a full stop of the transcriber
    "我想买一件那个|我想买一件纳格|帮我拆一下那格|我昨天去了那隔|我喜欢吃水果币如|我喜欢吃水果比如|我本来想去诞士|我本来想去带事|"
    "我不太舒服意味|我不太舒服因为|如果明天下雨的话|要是有时间的话|我想定一张去|他跟我说|老师跟我说|她说|不过|我想去不过|而且|比如说|"
    "例如|那么|除了|关于|為了|關於|雖然|那个什么|额|呃|我想说额|或者|我认为|我叫|下雨的时候|我觉得非常|特别|其实|怎么说呢|我想订一张从北京到|那就|我觉得吧|那个嘛|包括|我想问一下|请问|同时|我觉得比较|昨天老师说|我好像|从三点到|一张从火车站到|从9点到|I want to 那个|I think 纳格|OK, so 那个|OK然后"
).split("|")
HESITATES_IN_ENGLISH = (
    "我觉得 um.|我觉得um.|那个 um.|我要 because.|我想 book a.|我想book a.|配 the.|然后 and.|我喜欢 my.|买 eggs, milk, tea.|买eggs，milk，tea.|"
    "他说 or.|我要 go to.|帮我check一下the|用 Python 写 um|我找 Dr."
).split("|")
ENDS = (
    "你要哪个。|你要哪个？|你要那个？|我喜欢这首歌。|我喜欢这歌。|他还活着。|我考了九十。|我打不过。|再好不过了。|再好不过。|这是他说的话。|听妈妈的话。|"
    "我听不懂你的话。|我把它删除了。|从来没有加入过。|我叫尹伟。|他很有胆识。|我看近代史。|好的。|会的。|行的。|我也是。|我也要。|说得对。|你说的对。|余额。|"
    "我喜欢关羽。|听他说。|请跟我说。|别跟我说。|他要去上海。|为什么。|做什么。|有一位。|找大使。|早安。|这个很特别。|他什么时候来。|不包括。|有所作为。|你没有说过别的话。|我从家里来了。|你要那个吗？|做成就好。|销售额。|资本额。|名副其实。|我撒手不管。|没有根据。|不至于。|我比较一下。|这个方案。|那个答案。|帮我问一下。|多少金额。|"
    "就这个吧。|我要这个吧。|那个吧。|那个呢。|我从来没有想到。|从来没听到。|从网上都能买到。|从这里可以看到。|我从书里学到。|从中得到。|从东京飞到。|从我这感觉到。|"
    "我有话对你说。|我有事跟他说。|我跟他说。|叫他跟我说。|请他说。|帮我做个比较。|给我一个比较。|他来比较。|我不管。|不管。|妈妈不管。|让小张去。|叫老张去。|我坐下一班去。|"
    "没什么特别。|没有任何根据。|全部包括。|没什么作为。|我们长得好像。|你先接着。|用英语怎么说。|不要问。|你要问。|我要问你。|我吃不过他，也考不过。|别有意味。|"
    "对, I do.|对，I do.|不是, it isn't.|我用 Python。|明天有 meeting。|这个 API 的 response 太慢了。|我要买eggs, milk and tea.|我要那两个。|昨天下雨了。|"
    "東京に行きます。|りんご、バナナ、牛乳。"
).split("|")


@each(HESITATES)
def test_chinese_that_stops_at_a_word_that_leads_on_is_not_complete(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE
    assert completeness_of(f"{text}。") is Completeness.OPEN


@each(HESITATES_IN_ENGLISH)
def test_the_rules_are_those_of_the_script_of_the_last_word(text: str) -> None:
    assert completeness_of(text) is not Completeness.COMPLETE


@each(ENDS)
def test_words_that_sound_or_look_like_those_end_a_sentence(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@each("三点|12月25号|五十块|尾号是6688。|身份证后四位1234。|Fifty dollars|at 5 a.m.|Three o'clock".split("|"))
def test_an_amount_a_time_or_a_date_is_whole_without_a_mark(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@each(
    [
        ("九二年", "您的出生日期是？"),
        ("七月", "您想订哪天的？"),
        ("June 2nd", "What's your date of birth?"),
        ("八号楼", "您的地址是？"),
        ("Next", "When would you like to come?"),
    ]
)
def test_what_is_whole_elsewhere_is_likely_where_it_is_a_part_of_what_was_asked_for(
    text: str, asked: str
) -> None:
    assert completeness_of(text) is Completeness.COMPLETE
    assert completeness_of(text, asked) is Completeness.LIKELY
    assert completeness_of(text, "Yes.") is Completeness.COMPLETE


@each("三点，|三点...|三点去|五十|一个|fifty|one day|ten dollars and|我的电话是138|一三八".split("|"))
def test_a_number_that_may_go_on_is_not(text: str) -> None:
    assert completeness_of(text) is not Completeness.COMPLETE


@pytest.mark.parametrize(
    "text",
    [
        "a" * 16_000,
        "我想去北京吃火锅" * 2_000,
        "I would like to go to Boston " * 550,
        "h" * 16_000,
        "yes " * 4_000,
    ],
)
def test_of_a_long_text_the_end_alone_is_judged(text):
    begun = time.process_time()
    for end in ("", "Dr.", "然后"):
        completeness_of(text + end, "What's your name?")
    assert time.process_time() - begun < 0.15
    assert completeness_of(f"{text} because") is Completeness.INCOMPLETE
