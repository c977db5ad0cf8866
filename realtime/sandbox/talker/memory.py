"""The facts that the user stated in a conversation, and questions about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .language import Language, language_of, words_of

Facts = dict[str, str]  # topic ("name", "home", "dog") -> value

_STOP = r"(?=[.,;!?]|\s+(?:and|but|so)\s+(?:i|my|what|where|who|how|can|please|it|the|we)\b|$)"
_NOT_A_NAME = frozenset(
    "sorry fine good great here back ready happy sad tired hungry not just going sure afraid glad okay ok done "
    "very so really trying looking from in at a an the your my well still also only always never".split()
)
_STATED = (  # pattern, fact's name ("" : group 1), group of the value
    (re.compile(r"\bmy name(?:'s| is) (?:called )?(.+?)" + _STOP, re.I), "name"),
    (re.compile(r"\b(?:call me|i am called|i'm called) (.+?)" + _STOP, re.I), "name"),
    (re.compile(r"\bi(?: now)? live (?:in|at|on|near) (.+?)" + _STOP, re.I), "home"),
    (re.compile(r"\bi(?: am|'m| come) from (.+?)" + _STOP, re.I), "origin"),
    (re.compile(r"\bi was born (?:in|on) (.+?)" + _STOP, re.I), "birth"),
    (re.compile(r"\bi work (?:as|at|for|in) (.+?)" + _STOP, re.I), "work"),
    (re.compile(r"\bi(?: am|'m) ([\w-]+(?: [\w-]+)?) years old", re.I), "age"),
    (re.compile(r"\bi (?:really )?(?:like|love) (.+?)" + _STOP, re.I), "liking"),
    (re.compile(r"我(?:的名字)?(?:叫做?|名叫)(.+?)(?=[，。！？,.!?\s]|$)"), "name"),
    (re.compile(r"我的名字是(.+?)(?=[，。！？,.!?\s]|$)"), "name"),
    (re.compile(r"我住在(.+?)(?=[，。！？,.!?\s]|$)"), "home"),
    (re.compile(r"我来自(.+?)(?=[，。！？,.!?\s]|$)"), "origin"),
    (re.compile(r"我今年(.+?)岁"), "age"),
    (re.compile(r"我(?:很)?(?:喜欢|爱)(.+?)(?=[，。！？,.!?\s]|$)"), "liking"),
)
_MY = (
    re.compile(r"\bmy ((?:[\w-]+ ){0,2}?[\w-]+?)(?:'s name)? is (?:called |named )?(.+?)" + _STOP, re.I),
    re.compile(r"\bi have (?:an?|one) ((?:[\w-]+ ){0,2}?[\w-]+?) (?:called|named) (.+?)" + _STOP, re.I),
    re.compile(
        r"\bremember (?:that |this: ?)?(?:the|my|our) ((?:[\w-]+ ){0,2}?[\w-]+?) is (.+?)" + _STOP, re.I
    ),
    re.compile(r"我(?:的)?([^，。！？叫是名住来]{1,6}?)(?:的名字)?(?:叫做?|是)([^，。！？,.!?\s]+)"),
)
_SELF = re.compile(r"\b[Ii](?: am|'m) ([A-Z][\w-]+(?: [A-Z][\w-]+)?)(?=[.,;!?]|\s+and\b|$)")
_USER_NAME = re.compile(r"\b(?:the )?user(?:'s name is| is (?:called|named)) (\w[\w-]*)", re.I)
_PARTS = re.compile(
    r"(?<=[.!?])\s+|(?<=[。！？])|"
    r",\s*(?=(?:and )?(?:what|who|where|how|which|do you|can you)\b)",
    re.I,
)
_ASKING = re.compile(
    r"^(?:what|who|where|how|which|why|when|do|does|did|can|could|is|are)\b|什么|谁|哪|几|多少|吗"
)


def facts_in(messages: Iterable[str]) -> Facts:
    """The facts stated in these messages; the newest one of each topic counts. Questions state no facts."""
    facts: Facts = {}
    for message in messages:
        for part in _PARTS.split(message.replace("’", "'")):
            if part.strip() and not part.rstrip().endswith(("?", "？")) and not _ASKING.search(part.lower()):
                facts.update(_facts_of(part.strip()))
    return facts


def facts_of_system(text: str) -> Facts:
    """The user's name, if the instructions contain it."""
    match = _USER_NAME.search(text.replace("’", "'"))
    return {"name": match[1]} if match else {}


def _facts_of(part: str) -> Facts:
    found: Facts = {}
    for pattern in _MY:
        for match in pattern.finditer(part):
            found[match[1].strip().lower()] = _clean(match[2])
    for pattern, key in _STATED:
        if stated := pattern.search(part):
            found[key] = _clean(stated[1])
    if "name" not in found and (me := _SELF.search(part)) and me[1].lower() not in _NOT_A_NAME:
        found["name"] = me[1]
    return {key: value for key, value in found.items() if value and key}


def _clean(value: str) -> str:
    return re.sub(r"(?:^(?:the name )|(?:\s+(?:now|too|please|by the way))$)", "", value.strip(" \"'“”"))


def answer_statement(facts: Facts, language: Language) -> str | None:
    """The answer to a message that states these facts; None without facts."""
    if not facts:
        return None
    key, value = next(iter(facts.items()))
    if "name" in facts:
        name = facts["name"]
        if language == "zh":
            return f"很高兴认识你，{name}。我会记住的。"
        more = [_phrase(k, v, "en") for k, v in facts.items() if k != "name"][:1]
        return f"Nice to meet you, {name}. " + (f"And {more[0]}." if more else "I will remember that.")
    phrase = _phrase(key, value, language)
    return f"好的，我记住了：{phrase}。" if language == "zh" else f"I will remember that {phrase}."


def _phrase(key: str, value: str, language: Language) -> str:
    if language == "zh":
        known = {
            "home": "你住在{}",
            "origin": "你来自{}",
            "age": "你今年{}岁",
            "liking": "你喜欢{}",
            "name": "你叫{}",
        }
        return known.get(key, f"你的{key}是{{}}").format(value)
    known = {
        "name": "your name is {}",
        "home": "you live in {}",
        "origin": "you are from {}",
        "birth": "you were born in {}",
        "work": "you work as {}",
        "age": "you are {} years old",
        "liking": "you like {}",
    }
    return known.get(key, f"your {key} is {{}}").format(value)


_QUESTIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"\bmy name\W*\?|\bwhat my name is\b|"
            r"\b(?:what's|what is|tell me|say|know|remember|recall|what was) my name\b"
        ),
        "name",
    ),
    (re.compile(r"\bwho am i\b|\bwhat am i called\b|\bknow who i am\b"), "name"),
    (re.compile(r"\bwhere (?:do|did) i live\b|\bwhere i live\b|\bwhich city do i live\b"), "home"),
    (re.compile(r"\bwhere (?:am i|do i come) from\b|\bwhere i (?:am|come) from\b"), "origin"),
    (re.compile(r"\b(?:where|when) was i born\b"), "birth"),
    (re.compile(r"\b(?:where do i work|what do i do|what is my job)\b"), "work"),
    (re.compile(r"\bhow old am i\b|\bhow old i am\b"), "age"),
    (re.compile(r"\bwhat (?:do|did i say) i (?:like|love)\b"), "liking"),
    (re.compile(r"我(?:的名字)?叫什么|我的名字是(?:什么|啥)|我是谁|(?:知道|记得)我的名字"), "name"),
    (re.compile(r"我住在?(?:哪|什么地方)|(?:知道|记得)我住"), "home"),
    (re.compile(r"我(?:是)?(?:来自|从)(?:哪|什么)"), "origin"),
    (re.compile(r"我(?:今年)?(?:多大|几岁|多少岁)"), "age"),
    (re.compile(r"我喜欢(?:什么|啥)"), "liking"),
)
_ASKED = (
    re.compile(
        r"\b(?:what is|what's|what was|who is|who's|tell me|which is) the name of my ([\w -]+?)(?: again)?\s*[?.!]*$"
    ),
    re.compile(
        r"\b(?:what|who|which|how)\b.*?\b(?:is|was|are) my ([\w -]+?)"
        r"(?:'s name)?(?: called| named)?(?: again)?\s*[?.!]*$"
    ),
    re.compile(r"\b(?:what's|who's) my ([\w -]+?)(?:'s name)?(?: called| named)?(?: again)?\s*[?.!]*$"),
    re.compile(
        r"\b(?:remember|recall|know|tell me)\b.*?\bmy ([\w -]+?)(?:'s name)?(?: is| is called)?\s*[?.!]*$"
    ),
    re.compile(r"\b(?:what is|what's|tell me) the ([\w -]+?)(?: again)?\s*[?.!]*$"),
    re.compile(r"我的?([^，。！？叫是名住来]{1,6}?)(?:的名字)?(?:叫|是)(?:什么|啥|谁|多少|几)"),
)
_ABOUT_ME = re.compile(r"\bknow about me\b|\bremember about me\b|(?:知道|记得)我(?:的)?(?:什么|哪些)|了解我")


def answer_question(text: str, facts: Facts) -> tuple[str, str] | None:
    """The answer to a question about these facts, and its single word; None if `text` is no such question."""
    language = language_of(text)
    plain = text.lower().replace("’", "'").strip()
    if _ABOUT_ME.search(plain):
        return _everything(facts, language)
    for pattern, key in _QUESTIONS:
        if pattern.search(plain):
            return _known(facts, key, language)
    for pattern in _ASKED:
        if match := pattern.search(plain):
            known = _closest(facts, match[1].strip())
            if known or " my " in f" {plain}" or language == "zh":
                return _known(facts, known or match[1].strip(), language)
    return None


def _closest(facts: Facts, asked: str) -> str | None:
    if asked in facts:
        return asked
    wanted = set(words_of(asked)) or {asked}
    shares: Callable[[str], bool] = lambda key: bool(wanted & (set(words_of(key)) or {key}))  # noqa: E731
    return next((key for key in facts if shares(key)), None)


_SUBJECTS = {
    "en": {
        "home": "where you live",
        "origin": "where you are from",
        "birth": "when you were born",
        "work": "what you do",
        "liking": "what you like",
    },
    "zh": {"name": "名字", "home": "住在哪里", "origin": "来自哪里", "age": "年龄", "liking": "喜好"},
}


def _known(facts: Facts, key: str, language: Language) -> tuple[str, str]:
    if key in facts:
        phrase = _phrase(key, facts[key], language)
        return (phrase + "。" if language == "zh" else phrase[0].upper() + phrase[1:] + "."), facts[key]
    if language == "zh":
        return f"你还没有告诉我你的{_SUBJECTS['zh'].get(key, key)}。", "不知道"
    return f"You have not told me {_SUBJECTS['en'].get(key) or f'your {key}'} yet.", "unknown"


def _everything(facts: Facts, language: Language) -> tuple[str, str]:
    if not facts:
        return (
            ("你还没有告诉我什么。", "没有")
            if language == "zh"
            else ("You have not told me anything yet.", "nothing")
        )
    phrases = [_phrase(key, value, language) for key, value in facts.items()][:5]
    if language == "zh":
        return "，".join(phrases) + "。", next(iter(facts.values()))
    line = " and ".join(phrases)
    return line[0].upper() + line[1:] + ".", next(iter(facts.values()))
