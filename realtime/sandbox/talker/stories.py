"""Stories of any length, jokes, a poem, and what the talker says about itself."""

from __future__ import annotations

import re

from .language import Language, sentences_of
from .numbers import with_digits

LONG_SENTENCES, LONG_CHARACTERS = 14, 700
MAX_SENTENCES = 400

_OPEN = {
    "en": "Once upon a time there was {hero} at the edge of a quiet sea.",
    "zh": "很久以前，在一片安静的海边，有{hero}。",
}
_MIDDLE = {
    "en": (
        "Every morning the wind brought news from places that nobody there had ever seen.",
        "One day a small boat came in with no one on board, only a lamp that was still burning.",
        "{Hero} carried the lamp home and set it in the window.",
        "That night the light showed a path across the water, thin and silver.",
        "Without a word to anyone, {hero} followed it, step after careful step.",
        "Beyond the first waves the air turned warm, and far away somebody was singing.",
        "The song came from an island that was not on any map.",
        "An old gardener lived there, growing flowers that opened only when it rained.",
        "You are late, the gardener said, but the tea is still hot.",
        "They talked until the stars grew pale, about lost things and how to find them.",
        "When a storm rose in the west, they tied down the roof together and laughed at the thunder.",
        "In the morning every flower on the island was open.",
        "The gardener gave away one seed and asked for nothing but a promise to return.",
        "The way home was longer, for now there was something to look after.",
        "At last the window with the lamp appeared between two clouds.",
        "The seed went into the ground beside the door, and the whole town came to look.",
        "For weeks nothing happened, and some people said that it had all been a dream.",
        "Then it rained, and a blue flower opened, and it sang the same song.",
        "Children learned the tune, and sailors steered by it on dark nights.",
        "Every spring {hero} crossed the silver path again, with bread and news from the town.",
    ),
    "zh": (
        "每天清晨，海风都会带来远方的消息。",
        "有一天，一只小船漂到岸边，船上没有人，只有一盏还亮着的灯。",
        "{hero}把灯带回家，轻轻放在窗前。",
        "那天夜里，灯光在水面上照出一条细细的银色小路。",
        "{hero}没有告诉任何人，一步一步地走了上去。",
        "走过第一道海浪，空气变得温暖，远处传来了歌声。",
        "歌声来自一座地图上没有的小岛。",
        "岛上住着一位老园丁，种着只在下雨时才开的花。",
        "老园丁笑着说：你来晚了，不过茶还是热的。",
        "他们聊到星星变淡，聊那些丢失的东西，也聊怎样把它们找回来。",
        "西边起了风暴，他们一起压住屋顶，对着雷声大笑。",
        "第二天早上，岛上所有的花都开了。",
        "老园丁送出一粒种子，只要一个约定：明年春天再来。",
        "回家的路变长了，因为手里有了要照顾的东西。",
        "终于，窗前的那盏灯出现在两片云之间。",
        "种子种在门边，全镇的人都来看热闹。",
        "好几个星期过去了，什么也没有发生，有人说那只是一场梦。",
        "后来下雨了，一朵蓝色的花开了，唱起了同一首歌。",
        "孩子们学会了这首歌，水手们在黑夜里靠它认路。",
        "从此每到春天，{hero}都会带着面包和消息，再走一次那条银色的小路。",
    ),
}
_CLOSE = {
    "en": "And if you listen on a quiet evening, you can still hear it today.",
    "zh": "如果你在安静的傍晚仔细听，今天还能听到那歌声。",
}
_NEXT = {"en": "But the next year brought something new.", "zh": "可是到了第二年，又有了新的事情。"}
_HERO = {"en": "a young lighthouse keeper", "zh": "一位年轻的守灯人"}

_STORY = re.compile(r"\b(?:story|stories|tale|fairy tale)\b|故事|童话")
_LENGTHY = re.compile(
    r"\blong (?:answer|text|speech|talk|monologue)\b|\btalk for a (?:long|while)\b|长篇|说很久"
)
_LONG = re.compile(r"\b(?:very |really )?long(?:er)?\b|\bdetailed\b|长|详细")
_VERY = re.compile(r"\b(?:very|really|super|extremely) long\b|\bendless\b|很长很长|非常长|超长")
_SHORT = re.compile(
    r"\b(?:short|brief|quick|tiny|little) (?:\w+ )?(?:story|tale)\b|\bbriefly\b|短|简短|小故事"
)
_ABOUT = re.compile(
    r"(?:story|tale|stories)(?: \w+)? about ((?:an? |the |my |some )?[\w' -]+?)"
    r"(?=[.,;!?]|\s+(?:in|with|of|that|and then)\b.*|$)",
    re.I,
)
_ABOUT_ZH = re.compile(
    r"(?:关于|讲(?!.*关于))(?:一?[个位只])?([^，。！？的长短一]{1,8})的(?:[长短小很]*的?)?故事"
)


def find_story(text: str, language: Language) -> str | None:
    """The requested story in the requested length (sentences, words or long, short), or None."""
    plain = text.lower()
    if not _STORY.search(plain) and not _LENGTHY.search(plain):
        return None
    hero = _hero_of(text, language)
    digits = with_digits(plain)
    if match := re.search(r"(\d+)[ -]*(?:sentences?|句)", digits):
        return story(hero, language, sentences=int(match[1]))
    if match := re.search(r"(\d+)[ -]*(?:words?|字)", digits):
        per_word = 5.5 if language == "en" else 1.0
        return story(hero, language, 1, int(int(match[1]) * per_word))
    if _VERY.search(plain):
        return story(hero, language, 2 * LONG_SENTENCES, 2 * LONG_CHARACTERS)
    if _SHORT.search(plain):
        return story(hero, language, 3)
    if _LONG.search(plain) or _LENGTHY.search(plain):
        return story(hero, language, LONG_SENTENCES, LONG_CHARACTERS)
    return story(hero, language, 6)


def story(hero: str, language: Language, sentences: int, characters: int = 0) -> str:
    """Exactly `sentences` sentences, or more until there are `characters` characters."""
    middle = _MIDDLE[language]
    gap = " " if language == "en" else ""
    lines = [_OPEN[language]]
    at = 0
    while len(lines) < MAX_SENTENCES:
        closed = [*lines, _CLOSE[language]] if sentences > 1 else lines
        if len(closed) >= sentences and len(_fill(gap.join(closed), hero)) >= characters:
            break
        turn = at and at % len(middle) == 0 and lines[-1] != _NEXT[language]
        lines.append(_NEXT[language] if turn else middle[at % len(middle)])
        at += 0 if turn else 1
    return _fill(gap.join(closed), hero)


def _fill(text: str, hero: str) -> str:
    """Put in the hero: the first time as new (a cat), then as known (the cat)."""
    text = text.replace("{hero}", hero, 1)
    known = re.sub(r"^(?:an?|some) ", "the ", hero).replace("一位", "那位", 1)
    return text.replace("{hero}", known).replace("{Hero}", known[0].upper() + known[1:])


def _hero_of(text: str, language: Language) -> str:
    pattern = _ABOUT if language == "en" else _ABOUT_ZH
    match = pattern.search(text)
    if match is None:
        return _HERO[language]
    hero = match[1].strip()
    return hero if language == "en" else f"一位叫{hero}的朋友"


_JOKES = {
    "en": (
        "Why did the microphone go to school? It wanted to be a better listener.",
        "I told my echo a joke. It laughed last, and it laughed loudest.",
        "What do you call a clock on the moon? A lunar tick.",
    ),
    "zh": (
        "麦克风为什么去上学？因为它想学会好好听。",
        "我给回声讲了个笑话，它笑得比我晚，还笑得比我响。",
        "钟表为什么从不迟到？因为它一直在走。",
    ),
}
_POEM = {
    "en": "A lamp, a sea, a silver thread, a song that no one ever read. I hum it low, I hum it clear, "
    "for anyone who stops to hear.",
    "zh": "一盏灯，一片海，一条银色的小路在等待。轻轻唱，慢慢听，风里有你熟悉的声音。",
}


def joke(language: Language, earlier: int) -> str:
    """The next joke, after this many earlier ones."""
    return _JOKES[language][earlier % len(_JOKES[language])]


def jokes_told(answers: list[str]) -> int:
    """How many of our jokes are in these answers."""
    known = [*_JOKES["en"], *_JOKES["zh"]]
    return sum(answer.startswith(sentences_of(line)[0]) for answer in answers for line in known)


def poem(language: Language) -> str:
    """The only poem."""
    return _POEM[language]


SELF = {
    "en": {
        "who": "I am {name}, the voice of the MiniMax sandbox. I am a small scripted talker, not a language model.",
        "can": "I can tell the time, do arithmetic, count, repeat after you, remember what you tell me, and tell "
        "jokes and stories. When tools are offered, I call them.",
        "product": "This is MiniMax Realtime, a way to talk with MiniMax in real time. You are talking to its "
        "sandbox, which needs no key.",
        "human": "No, I am not a person. I am a scripted talker in the MiniMax sandbox.",
    },
    "zh": {
        "who": "我是{name}，MiniMax 沙盒里的声音。我是一个按脚本说话的小助手，不是大语言模型。",
        "can": "我可以报时间、做算术、数数、跟着你说话、记住你告诉我的事，还会讲笑话和故事。",
        "product": "这是 MiniMax Realtime，可以和 MiniMax 实时对话。你现在用的是本地沙盒，不需要密钥。",
        "human": "不是，我不是真人。我是 MiniMax 沙盒里的小助手。",
    },
}
_SELF_ASKED = (
    (
        "human",
        re.compile(
            r"\bare you (?:a )?(?:human|real|robot|person|an? ai|alive|machine)\b|你是(?:真人|人类|机器人|人)吗"
        ),
    ),
    (
        "who",
        re.compile(
            r"\bwho are you\b|\bwhat are you\b(?! (?:doing|up))|\byour name\b|\bintroduce yourself\b|"
            r"\babout yourself\b|\bwho am i (?:talking|speaking) (?:to|with)\b|"
            r"你是谁|你叫什么|你的名字|介绍.{0,2}你?自己"
        ),
    ),
    (
        "can",
        re.compile(
            r"\bwhat (?:can|could) you do\b|\bhow can you help\b|\bwhat do you do\b|\bcan you help\b|^help\W*$|"
            r"你(?:会|能|可以)(?:做|干)?(?:什么|些什么|啥)|帮助"
        ),
    ),
    (
        "product",
        re.compile(
            r"\bmini ?max\b|\bthis (?:product|project|program|app|software|sandbox)\b|\bwhat is this\b|"
            r"\bthe sandbox\b|这是什么|这个(?:产品|项目|软件|程序)"
        ),
    ),
)


def about_self(text: str, language: Language, name: str) -> str | None:
    """An answer about the talker or the product, or None if `text` does not ask for one."""
    plain = text.lower()
    for key, pattern in _SELF_ASKED:
        if pattern.search(plain):
            return SELF[language][key].format(name=name)
    return None
