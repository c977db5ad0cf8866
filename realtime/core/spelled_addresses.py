"""Whether a mail or a web address that is told may go on: "john dot", "john.smith@", wang艾特.

It is whole when its domain has an end (".com", "dot org", 点com). Before that people are silent between its parts, as
between the groups of a number. What joins two parts is known alone; a name ("john") where such an address was asked
for, and with a digit, a single letter or the sign where it was named ("my email is john99"). Knows English and Chinese.
Pure.
"""

from __future__ import annotations

import re

from realtime.core.han_variants import in_simple_characters
from realtime.core.number_requests import ADDRESSES, HAN_ADDRESSES, asks_for_address
from realtime.core.short_words import is_backchannel, is_whole_answer, takes_turn

# None that is a name as well ("jack dot ma"): those count after the sign alone
_ENDS = (
    "com|net|org|edu|gov|mil|int|io|co|info|biz|me|app|dev|ai|tv|eu|asia|cat|xyz|shop|store|online|site|website|web|tech|"
    "cloud|blog|club|live|news|life|world|space|email|link|agency|studio|design|pro|top|vip|icu|cc|fm|gg|ly|"
    "cn|hk|tw|sg|id|th|vn|ph|in|pk|bd|lk|jp|kr|kz|uz|ru|by|ua|uk|ie|de|at|ch|fr|be|nl|es|pt|it|gr|tr|cy|mt|"
    "dk|se|no|fi|is|ee|lv|lt|pl|cz|sk|ro|bg|hr|si|rs|il|ae|sa|qa|ir|eg|ke|za|us|ca|mx|br|ar|cl|pe|uy|ve|au|nz"
)
_WHOLE = re.compile(
    rf"\S@[\w-]+(?:\.[\w-]+)*\.[a-z]{{2,}}$|\w\.(?:{_ENDS})$|\bdot\s*(?:{_ENDS})$|点\s*(?:{_ENDS}|康姆?|靠姆)$|"
    # after the sign any domain: "mary at company dot jobs"
    r"\S(?:\s+at\s|\s*@|\s*艾特).*\w\s*dot\s+[a-z]{2,}$"
)
_NO_DOMAIN_YET = re.compile(r"[\w.+-]@[\w-]*$")
_JOINS = r"(?:dot|underscore|hyphen|dash|slash|colon|at sign|at symbol)"
_WORD = r"(?!(?:the|a|an|this|that|one|each|every|of|and|or|is|to|with|no|my|polka)\b)[\w.'-]+"
# Nothing but a few names before it: "john dot", "W W W dot". Not "Connect the dot"
_JOINED = re.compile(rf"^(?:(?:it's|it is|that's|so|okay|yes|sure) )*{_WORD}(?: {_WORD}){{0,5}} {_JOINS}$")
# A part after what joins it, too: "john dot smith", "support at gmail", 艾特163
_INSIDE = re.compile(
    r"^(?!.*\b(?:the|an|polka)\b)(?:.*\w (?:dot|underscore) \w|"
    r"(?:.*\w )?at (?:gmail|g mail|yahoo|outlook|hotmail|icloud|aol|protonmail)$)|艾特|下划线"
)
_JOINED_HAN = re.compile(r"[a-z]\s*(?:点|中?横?杠)$|^点$")
_NAMED = re.compile(
    rf"(?:\b(?:my|our|his|her|their|the|work|private) {ADDRESSES}(?: is|'s|:)|{HAN_ADDRESSES}\s*就?是) *"
)
_LEAD_IN = re.compile(
    r"^(?:(?:sure|yes|yeah|ok|okay|um+|uh+|well|so|all right|of course|it'?s|it is|that's|嗯|呃|好的?|行|可以|是)"
    r"(?![a-z])[\s,，.。]*)*"
)
# What is hardly anything else where nobody asked: a digit in a word, a single letter, the sign.
# Not "My email is broken.", "My domain is expiring at midnight."
_SURELY_PART = re.compile(
    r"[a-z]\d|(?<![\w'-])[b-z](?![\w'-])|(?:dot|underscore|hyphen|dash|slash)\b|"
    r"^[\w.+-]+(?<!ing) at\b(?! (?:midnight|noon|night|work|home|risk|capacity)\b)"
)
_SURELY_PART_HAN = re.compile(r"(?=.*[a-z\d])(?:[a-z\d\s._@+-]|艾特|下划线|中?横?杠|点|[大小]写的?)+")
_JOINT = re.compile(r"[\d@._-]|\b(?:at|dot|underscore|hyphen|dash|slash|[b-z])\b|艾特|下划线|杠|点")
_LONGEST_PART = 6  # words: names, letters and what joins them
_LONGEST_NAME = 3  # words, and nothing that joins them
_NO_PART = frozenset(  # of an address: somebody says something else
    "i i'm i'd i'll i've you we we're it they he she no none nothing not don't dont do does have haven't same as "
    "before sorry wait what why how which who hold please yes yeah sure okay ok thanks thank that this there is are "
    "can could will would should never mind one moment second let me my our your the an and or on by for from to "
    "since about of with again too very still already "
    # puts it off, or there are more of them
    "later pass next skip soon tomorrow today tonight now maybe perhaps probably several many both either neither "
    "any private secret confidential unknown nobody everybody question guess forgot bye goodbye "
    # what a mail box or a site is
    "down up off out full broken taken wrong gone dead offline hacked blocked slow old new hosted registered".split()
)
_NO_BEGINNING = frozenset(  # verbs: "Call my phone", "Use the old address"
    "use call send ask text check look find try tell give go open put take write type read see get phone ring "
    "leave forget cancel change keep come repeat say".split()
)
_NO_PART_HAN = re.compile(
    "[我你您他她没不跟和同还等吗呢吧了]|一样|微信|的$|^[发用换打问查看找算]|"
    "稍后|以后|晚点|待会|一会|回头|下次|改天|保密|隐私|秘密|跳过|下一个|忘|[老旧新这那]的?个|邮箱|公司|再见|随便|好几个|两个|手机|短信|电话"
)


def address_goes_on(text: str, asked: str) -> bool:
    """Whether such an address is not whole. `asked`: the last sentence of the other, perhaps a question for one."""
    told = in_simple_characters(" ".join(text.lower().replace("’", "'").split())).rstrip(" .,、。，")
    if _WHOLE.search(told):
        return False
    if _NO_DOMAIN_YET.search(told) or _JOINED.search(told) or _JOINED_HAN.search(told):
        return True
    if _INSIDE.search(told) and _is_part(told):
        return True
    named = list(_NAMED.finditer(told))
    requested = asks_for_address(asked)
    if named:
        part = told[named[-1].end() :]
        return _is_part(part) and (requested or _is_surely_part(part, named[-1].group()))
    # Asked last, as it takes longest
    if not requested or is_whole_answer(told) or is_backchannel(told) or takes_turn(told):
        return False
    return _is_part(_LEAD_IN.sub("", told, count=1))


def _is_part(told: str) -> bool:
    """Whether it is names, letters and what joins them, and nobody says anything else."""
    words = re.findall(r"[^\s,，]+", told)
    longest = _LONGEST_PART if _JOINT.search(told) else _LONGEST_NAME
    if not 0 < len(words) <= longest or words[0] in _NO_BEGINNING:
        return False
    return _NO_PART.isdisjoint(words) and not _NO_PART_HAN.search(told)


def _is_surely_part(told: str, name: str) -> bool:
    """Whether what follows the name of an address and "is" is a part of it, and not what it is like."""
    if name.isascii():
        return _SURELY_PART.search(told) is not None
    return _SURELY_PART_HAN.fullmatch(told) is not None
