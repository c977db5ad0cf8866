"""Phrases that answer a question for a yes or a no, and have neither word in them: "I think so", 以后再说.

Said elsewhere many of these begin a sentence ("Not today", 没事), so the question must have been asked. Chinese also
says a verb of the question again: 吃了 and 没吃 after 吃了吗？. What may as well go on is only likely: "Maybe" (later),
"I do", 应该是. Knows Chinese and English. Pure.
"""

from __future__ import annotations

import re
from enum import Enum

from realtime.core.characters import HAN

LONGEST = 40  # characters: an answer, and no sentence


class YesOrNo(Enum):
    """How much of an answer to such a question a text is."""

    NOT = 0
    PERHAPS = 1  # may go on
    WHOLE = 2


# -- what is asked --

_HELPS = (
    "do|does|did|is|are|was|were|am|has|have|had|can|could|will|would|should|shall|may|might|don't|doesn't|didn't|"
    "isn't|aren't|wasn't|weren't|haven't|hasn't|can't|couldn't|won't|wouldn't|shouldn't"
)
_ASKS_EN = re.compile(
    rf"^(?:(?:and|so|okay|ok|but|now|well|great|sure|alright|then|all right),? )*(?:{_HELPS})\b|"
    rf", (?:{_HELPS}) (?:you|i|we|it|that|this|they|he|she|there)\b|"
    r"\banything (?:else|more)\b|, (?:right|ok|okay|correct|yes|yeah)\W*$|\bready\?"
)
_ASKS_HAN = re.compile(r"吗|吧\W*$|怎么样\W*$|如何\W*$|(?<![不没])([^不没]{1,2})[不没]\1|[有是]没有|需不需要")

# -- English --


def _frame(*parts: str) -> str:
    """A pattern of one of each part; "|" at an end of a part: or nothing."""
    return "".join(f"(?:{part})" for part in parts)


_POLITE = "(?: (?:please|thanks|thank you|then|actually|though|i think|i guess|for now|to me))*"
_YES_NO = "(?:(?:oh|well|um|yes|yeah|yep|no|nope|nah|sure|okay|ok|right) )*"
_HELP_AFTER = (
    "(?:do|does|did|am|is|are|was|were|will|would|can|could|should|must|may|might|have|has|had)(?:n't| not)?|"
    "can't|won't|cannot"
)
_WHO = "i|he|she|it|we|they|you|that|there"
_GOOD = (
    "fine|good|great|nice|ok|okay|alright|correct|perfect|lovely|wonderful|helpful|wrong|true|enough|awesome|excellent|"
    "incorrect|false|cool"
)
_IS = "'s| is|'d be| would be|'ll be| will be| sounds| seems| looks"
_SO_MUCH = " | very | really | just | perfectly | quite | not | all "
_NOT_WHEN = (
    "now|today|yet|really|at all|right now|at the moment|this time|just yet|for now|necessarily|quite|exactly|"
    "particularly|tonight|anymore|any more|usually|always|often|in the slightest|a chance|entirely|right away|just now|"
    "recently|lately|currently|presently|immediately|completely|totally|fully|remotely|especially|generally|normally|"
    "regularly|frequently|actually|directly|personally|intentionally|officially|specifically|terribly|likely"
)
_HOW_SURE = (
    "of course|certainly|definitely|absolutely|probably|maybe|perhaps|surely|preferably|hopefully|obviously"
)
_WHOLE_PHRASES = (
    _frame("i ", "|do |really |don't ", "think|guess|hope|suppose|believe|imagine|expect|assume", " so| not"),
    _frame("not ", _NOT_WHEN),
    _frame(f"{_HOW_SURE}|unfortunately|sadly", " not", "| now| yet| today| really"),
    _frame("that|it|this", _IS, _SO_MUCH, _GOOD, "| with me| by me| for me"),
    _frame("that|this", _IS, _SO_MUCH, "right|all|it|everything|me|mine"),
    _frame(
        "that|it|this",
        " works| will do|'ll do| would work| will work|'ll work| should work| helps",
        "| for me",
    ),
    _frame("fine|good|great|okay|ok|works|cool", " by| for| with", " me"),
    _frame("i'd |i would |we'd |we would ", "love|be happy|be glad|be delighted", " to"),
    _frame("i'd |i would |we'd |we would ", "like|love|prefer|appreciate", " that| it| not to"),
    "(?:i'd|i would|we'd) rather not",
    _frame("if you ", "like|want|want to|don't mind|insist|wish|say so|think so|would"),
    _frame("i'm |i am |we're |we are ", "|all |not |quite |pretty ", f"set|done|ready|sure|{_GOOD}"),
    "i wouldn't say so|i'm afraid (?:so|not)|i doubt (?:it|that)|i'll take it",
    "please (?:do|don't|go ahead|continue|go on|proceed)|keep going|carry on",
    "go for it|(?:let's )?do (?:it|that|so)|let's (?:go(?: for it| ahead)?|not|start)",
    "let's (?:do|try|keep|skip|leave|forget|book|cancel|take) (?:it|that)",
    "(?:happy|glad|delighted) to|with pleasure|go (?:right )?ahead|not that i know",
    "why not|no way|by all means|feel free|sure thing|you bet|be my guest|loud and clear",
    "all (?:set|good|done|right)|nothing (?:else|more)|that'll be (?:all|it)",
    "(?:maybe|perhaps) (?:later|another time|next time|some other time)|another time|next time|some other time",
    "correct|incorrect|true|false|wrong|exactly",
)
_WHOLE_EN = re.compile(f"{_YES_NO}(?:{'|'.join(_WHOLE_PHRASES)}){_POLITE}")
_PERHAPS_EN = re.compile(
    f"{_YES_NO}(?:maybe|perhaps|probably|possibly|later|please|i guess|i suppose|a (?:little|bit|little bit)|"
    "kind of|sort of|somewhat|barely|hardly|slightly|almost|sometimes|usually|often|always|never|rarely|occasionally|"
    "(?:once|twice|many times|a few times|several times|a couple of times)(?: before)?|"
    "if you (?:can|could|have to)|you (?:can|may|could)|"
    f"let's (?:move|change|push|set|have) (?:it|that)|"  # (to Friday)
    f"(?:now )?(?:{_WHO}) (?:{_HELP_AFTER})|(?:i'm|it's|that's|he's|she's|we're|they're) not){_POLITE}"
)

# -- Chinese --

_HAN_YES_NO = "(?:嗯|哦|啊|好的?|行|对|是的?|不是?|没有?|那|呃)*"
_WHEN_LATER = "下次|改天|回头|晚点|晚些|以后|下回"
_WHOLE_HAN_PHRASES = (
    _frame(f"{_WHEN_LATER}|一会儿?|过会儿?|待会儿?|之后|有空|明天|过两天", "再[说看弄聊来]", "吧|"),
    _frame(_WHEN_LATER, "吧"),
    _frame("先|暂时|暂时先|现在|目前|还", "不用|不要|不需要|不了|不急|不必", "了|吧|"),
    _frame("就|", "麻烦|辛苦|拜托|有劳", "你|您|", "了|啦"),
    "(?:请|你|您)(?:说|讲|继续)",
    _frame("就|", "你|您|请|", "来|开始|说|继续|讲|订|走|弄|做|查|办|试试|帮我|发|改|取消", "吧"),
    _frame("不必|免|算|不|没事|够|好|行|可以|没别的|没其他的?|没有其他的|没什么|没啥", "了|啦"),
    "没事[儿的]?|没关系|不碍事|没别的|没什么|没啥|就这么[多办定]|就这样|就?先这样吧?|就这样吧",
    _frame("我|", "能|会|可以|得", "啊|的|呀|呢"),
    _frame(
        "我|",
        "不太|不怎么|不大|不是很",
        "会|好|行|能|懂|想|清楚|确定|方便|舒服|需要|满意|愿意|喜欢|记得|习惯",
    ),
    _frame("还", "可以|行|好|不错|凑合", "吧|啦|呢|"),
    _frame("应该|好像|可能|也许|大概|估计|似乎", "是|不是|会|不会|可以|有|没有|对|能|行|", "吧|的"),
    _frame("完全|很|基本|都|", "正确|准确|符合", "的|"),
    _frame("不|不太|不完全|不全", "正确|准确|是|对", "的|"),
    _frame("就|确实|不|", "是这样", "的|"),
    "差不多了?|没呢|还没呢|还没有呢|从不|从来不|从来没有|必须的",
)
_WHOLE_HAN = re.compile(f"{_HAN_YES_NO}(?:{'|'.join(_WHOLE_HAN_PHRASES)})(?:(?:谢谢|多谢)[你您]?了?)?")
_PERHAPS_HAN = re.compile(
    f"{_HAN_YES_NO}(?:有时候?|偶尔|经常|常常|很少|不常|(?:有?一|[会懂能]一?)点点?|[会懂]一些|(?:待|等一?)会儿?吧|"
    "应该是|好像是|可能是|应该会|应该可以|差不多吧|能|一般般?)"
)
# A verb of the question, said again: 吃了, 没吃, 去过, 听得到
_AGAIN_HAN = re.compile(
    rf"{_HAN_YES_NO}(?:(?:我|还|都|刚|已经|早就|也|好像|应该)*(?P<done>[{HAN}])"
    r"(?:过了?|了|吧|[完到]了?|好了|(?:清楚?|见|懂)了|[得不]太?(?:[到见懂了起住]|清楚?))|"
    rf"(?:我|还|都|从来?|先|就|暂时|好像|应该)*(?:没有?|不(?:[用必]再?)?)(?P<undone>[{HAN}])(?:[过完到见懂呢了吧]|清楚?)?|"
    rf"(?:可以|能够?)(?P<can>[{HAN}])[到见清懂完]?)[啊呀呢的]?"
)
_NO_VERB = frozenset("的地得着了过吗呢吧啊呀我你您他她它这那不没有是要想在再也都就还很太")
_HAS_HAN = re.compile(f"[{HAN}]")
_MARKS = re.compile(r"[\s,，、;；。.!！]+")


def yes_or_no(text: str, asked: str) -> YesOrNo:
    """How much of a yes or a no the text, in small letters and simple characters, is after this question."""
    if len(text) > LONGEST:
        return YesOrNo.NOT
    if _HAS_HAN.search(text):
        return _in_chinese(_MARKS.sub("", text), asked) if _ASKS_HAN.search(asked) else YesOrNo.NOT
    if not _ASKS_EN.search(asked.lower().replace("’", "'")):
        return YesOrNo.NOT
    words = " ".join(_MARKS.split(text)).strip()
    if _WHOLE_EN.fullmatch(words):
        return YesOrNo.WHOLE
    return YesOrNo.PERHAPS if _PERHAPS_EN.fullmatch(words) else YesOrNo.NOT


def _in_chinese(words: str, asked: str) -> YesOrNo:
    if _WHOLE_HAN.fullmatch(words):
        return YesOrNo.WHOLE
    if _PERHAPS_HAN.fullmatch(words):
        return YesOrNo.PERHAPS
    again = _AGAIN_HAN.fullmatch(words)
    verb = next(filter(None, again.groups()), "") if again else ""
    if not verb or verb in _NO_VERB or verb not in asked:
        return YesOrNo.NOT
    # After 收到了吗 more of the verb is to come: 没收 (到)
    more = words.endswith(verb) and re.search(f"{verb}[到见完懂清好]", asked)
    return YesOrNo.NOT if more else YesOrNo.WHOLE
