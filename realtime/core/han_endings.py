"""Whether a Chinese text stops at a word that ends few sentences: 那个, 但是, 比如, 的话.

At such a place people hesitate, and transcribers misread what stands alone before the pause: 那个 is written 纳格,
但是 诞士. So words of two syllables are compared by their readings, without tones, unless what is written is likely
another word that is read so (尹伟 is a name, 哪个 is a question). Where sentences end with a word of that sound
(他还活着 and 或者, 我考了九十 and 就是), it is compared as it is written. Texts are in simplified characters, without
the marks at the end. Pure.
"""

from __future__ import annotations

import re

from realtime.core.han_readings import READINGS

_WORDS = (  # as they are written
    "的|地|得|和|跟|与|或|在|把|被|对|给|从|向|是|有|要|想|嗯|呃|那个|这个|但是|但|因为|所以|如果|然后|还有|就是|"
    "或者|或是|可是|而是|只是|并且|甚至|由于|关于|(?<![不何])至于|对于|为了|除非|即使|尽管|假如|要不|另外|首先|比如说|例如说|比方说|譬如|"
    "以及|即便|既然|无论|哪怕|因此|此外|总之|(?<![副过符])其实|尤其|(?<![得们俩都真])好像|就像|按照|随着|非常|的时候|"
    "我认为|我希望|我感觉|我想说|我是说|我叫|我姓|那就|那我|就是说|我觉得吧|那个什么|(?<![有的])意味"
)
_CLAUSE = r"(?:^|[\s，,。！？、]|[但可]是|因为|然后|而且|所以|不过)"
# These end sentences as well (帮我做个比较, 就这个吧, 我跟他说), so only where a clause begins with them
_BEGINNINGS = (
    "同时|包括|除了|作为|我作为|根据|我们?根据|[这那]个嘛|怎么说呢|想问一?下|"
    "(?:我|他|她|它|我觉得)?特别|(?:我觉得)?比较|"
    "(?:昨天|今天|刚才)?(?:[他她它]们?|老师|妈妈|爸爸|老板|朋友|医生|同事)(?:[跟和对]我们?)?说"
)
_NO_MORE = (  # before 不过: 打不过, 再好不过
    "好打说比气跑赢争敌瞒骗拗逃躲熬绕抵胜斗吵抢拼信放过通透吃受活挨避越迈挤考玩看游唱喝撑度忍扛踢下"
)
_NO_PLACE = "中此来没未不都能会可就也"  # 从来没到, 从中学到
_DONE = (  # before 到 it says that something succeeded: 从网上买到
    "想听看买找做见学觉得拿收遇碰感达来飞走跑开借取读查搜问弄摸抓等轮捡拍录记考猜订约租闻梦"
    "说谈提讲办领用长数游搬爬送传寄赚抄爱体"
)
_PHRASES = (
    rf"(?<![{_NO_MORE}])不过|"
    r"(?<![下上这那同坐换])[一两二三四五六七八九十\d][张班趟辆列][去到]|"  # 订一张去
    rf"从(?:[^{_NO_PLACE}][^{_NO_PLACE}{_DONE}]|..[站馆场店院校区园楼里点号日月年]|[A-Za-z\d:：.]+[点号日月年]?)到|"
    r"(?:我[就还也只]?想|请)问(?:问|一?下|[你您](?:一?下)?)?|我[就还也]?要问[你您]?一?下"  # the question follows
)
_DANGLING = re.compile(rf"(?:{_WORDS}|{_PHRASES}|{_CLAUSE}(?:{_BEGINNINGS}))$")
_FILLER = re.compile(r"(?:^|[\s，。、,.说是要想我])额$")  # 呃; but 余额
_ANSWERS = re.compile(  # end in a dangling character and are whole all the same
    r"^(?:对|是|有|要|想|嗯)$|"
    r"(?:[好是对真会行]的|可以的|没有|不是|是不是|有没有|不要|要不要|不对|谢谢你的|说[的得]对|也[是有要想在])$"
)
_IF = re.compile(r"的话$")
_THE_WORDS_OF = re.compile(  # 话 is what was said: 听妈妈的话, 这是他说的话
    r"^(?!.*(?:如果|要是|假如|万一|的话.)).*(?:(?:[听信懂]|记[住得]|忘[记了]|明白|理解|同意|转[告达]).{0,8}|[说讲]过.{1,6}|[说讲骂写别])的话$"
)
# Readings of words that are misread, and the characters that make likely another word of it
_READ: dict[str, str] = {
    "na ge": "哪歌哥鸽阁",
    "zhe ge": "着者歌哥鸽阁",
    "dan shi": "胆单郸史诗食",
    "yin wei": "尹殷音淫阴",
    "suo yi": "衣",
    "ru guo": "过入辱",
    "ran hou": "",
    "bi ru": "",
    "li ru": "",
    "er qie": "",
    "na me": "",
    "sui ran": "",
}
_NASAL_LOST = re.compile("[带代待戴][事士世氏]$")  # of 但是
_HUMS = frozenset(("an", "en", "e"))  # 这个，嗯 is read 这个案


def dangles(text: str) -> bool:
    """Whether it ends with a word that ends few sentences."""
    if _ANSWERS.search(text) or text.endswith("哪个"):
        return False
    if _IF.search(text):
        return not _THE_WORDS_OF.search(text)
    if _DANGLING.search(text) or _FILLER.search(text) or _NASAL_LOST.search(text) or _is_misread(text):
        return True
    return _reading(text[-1:]) in _HUMS and _is_misread(text[:-1])


def _is_misread(text: str) -> bool:
    """Whether the last two characters are read as such a word, and are hardly another one."""
    ending = text[-2:]
    others = _READ.get(" ".join(map(_reading, ending)))
    return others is not None and not any(char in others for char in ending)


def _reading(char: str) -> str:
    """The syllable without its tone; nothing for what is no Chinese character."""
    syllable: str = READINGS.get(char, "")
    return syllable[:-1]
