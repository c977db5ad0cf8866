"""Designed voices: a description in English or Chinese in, the traits of a voice and its id out.

Reads gender, age, pitch, speed, roughness and liveliness from words; the rest of the text decides by its hash, so equal
descriptions give equal voices and different ones differ (docs/minimax/voices.md 3). Knows no HTTP.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime

from .voice_traits import CREATED_VARIANTS, Traits, pitch_for, pitch_range

__all__ = ["Description", "designed_traits", "new_voice_id", "read_description"]

AGES = ("child", "young", "adult", "old")


@dataclass(frozen=True, slots=True)
class Description:
    """What the words of a description say."""

    gender: str | None  # female, male; None: the text does not say
    age: str | None  # one of AGES; None: the text does not say
    pitch: int  # -2 (deep) to 2 (high)
    speed: int  # -1 slow, 0, 1 fast
    roughness: float  # 0 clear, 0.5, 1 hoarse
    liveliness: int  # -2 (calm) to 2 (lively)


# English words are whole words, Chinese ones are found anywhere.
_GENDERS = {
    "female": "female woman women lady ladies girl girls she her mother mom grandmother grandma granny aunt queen "
    "princess actress heroine sister daughter wife witch hostess waitress soprano "
    "女 姐 妹 妈 奶奶 阿姨 婆 少妇 姑娘 公主",
    "male": "male man men gentleman boy boys guy he his father dad grandfather grandpa uncle king prince captain "
    "sailor pirate knight brother son husband wizard baritone bass bloke "
    "男 哥 弟 爸 爷爷 叔 伯 公子 少爷 先生 船长 大汉 国王 王子",
}
_AGES = {
    "child": "child children kid kids boy girl baby toddler childlike 孩 童 萌 宝宝 小学生",
    "young": "young youth youthful teen teenage teenager student twenties 年轻 青年 少年 少女 学生 学姐 学弟 学妹",
    "adult": "adult mature middle-aged thirties forties 成熟 中年 御姐",
    "old": "old elder elderly aged senior ancient grandmother grandma granny grandfather grandpa "
    "老 年迈 奶奶 爷爷 大爷",
}
_PITCH = {
    -2: "deep bass booming low-pitched 浑厚 低音",
    -1: "low dark heavy baritone 低沉 低 沉稳 厚重",
    1: "bright light sweet clear 清脆 明亮 甜 清亮",
    2: "high shrill squeaky high-pitched soprano 尖 高音 高亢",
}
_SPEED = {
    -1: "slow slowly unhurried leisurely measured 慢 缓 从容",
    1: "fast quick rapid hurried brisk 快 急",
}
_ROUGHNESS = {
    0.5: "rough husky smoky breathy weathered magnetic 粗 烟嗓 磁性 沧桑",
    1.0: "hoarse raspy gravelly croaky growling 沙哑 嘶哑",
}
_LIVELINESS = {
    -2: "monotone robotic flat cold emotionless 机械 冷 单调",
    -1: "calm gentle soft kind warm soothing quiet serious 平静 温柔 温和 温暖 沉稳 严肃 轻柔",
    1: "cheerful lively playful happy friendly bright 活泼 开朗 俏皮 欢乐 阳光",
    2: "energetic excited dramatic exuberant passionate enthusiastic 激动 激昂 热情 兴奋 夸张",
}
# The median pitch in Hertz that an age speaks at.
_HERTZ = {
    "female": {"child": 290.0, "young": 230.0, "adult": 195.0, "old": 175.0},
    "male": {"child": 158.0, "young": 130.0, "adult": 108.0, "old": 96.0},
}
# Words that hold another one by chance: a teacher is not old, and happy is not fast.
_CHANCE = {"老师": "教师", "老板": "店主", "快乐": "欢乐", "愉快": "欢乐"}
_AGE_SPEED = {"child": 1.04, "young": 1.03, "adult": 1.0, "old": 0.86}


def read_description(text: str) -> Description:
    """What a description says, in English or Chinese."""
    found = text.casefold()
    for word, plain in _CHANCE.items():
        found = found.replace(word, plain)
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)*", found))
    words |= {part for word in words for part in word.split("-")}
    return Description(
        gender=_first(_GENDERS, found, words),
        age=_age(found, words),
        pitch=_strongest(_PITCH, found, words),
        speed=_strongest(_SPEED, found, words),
        roughness=max(
            (value for value, known in _ROUGHNESS.items() if _has(known, found, words)), default=0.0
        ),
        liveliness=_strongest(_LIVELINESS, found, words),
    )


def designed_traits(text: str) -> Traits:
    """The traits of the voice that a description asks for; what it does not say follows from its hash."""
    described = read_description(text)
    seed = zlib.crc32(" ".join(text.split()).casefold().encode(errors="replace"))
    gender = described.gender or ("female", "male")[seed & 1]
    age = described.age or AGES[1 + (seed >> 1) % 2]
    seed, variant = divmod(seed >> 2, len(CREATED_VARIANTS[gender]))
    name = CREATED_VARIANTS[gender][variant]
    seed, nuance = divmod(seed, 13)
    hertz = _HERTZ[gender][age] * 2 ** ((3 * described.pitch + (nuance - 6) / 8) / 12)
    low, high = pitch_range(name)
    seed, liveliness = divmod(seed, 9)
    return Traits(
        variant=name,
        pitch=pitch_for(name, min(high, max(low, hertz))),
        liveliness=44 + 16 * described.liveliness + liveliness - 4,
        speaking_rate=_AGE_SPEED[age] * (1 + 0.18 * described.speed) + 0.005 * (seed % 7 - 3),
        roughness=max(described.roughness, 0.25 if age == "old" else 0.0),
    )


def new_voice_id(now: datetime) -> str:
    """A fresh id of a designed voice: `ttv-voice-YYYYMMDDhhmmssSS-xxxxxxxx`."""
    end = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))
    return f"ttv-voice-{now:%Y%m%d%H%M%S}{now.microsecond // 10_000:02d}-{end}"


def _has(known: str, text: str, words: set[str]) -> bool:
    return any(word in words if word.isascii() else word in text for word in known.split())


def _first(table: dict[str, str], text: str, words: set[str]) -> str | None:
    return next((value for value, known in table.items() if _has(known, text, words)), None)


def _age(text: str, words: set[str]) -> str | None:
    """The age; `boy` and `girl` alone mean a child, `young girl` is young and `old boy` old."""
    ages = [age for age, known in _AGES.items() if _has(known, text, words)]
    return next((age for age in ages if age != "child"), ages[0] if ages else None)


def _strongest(table: dict[int, str], text: str, words: set[str]) -> int:
    """The value that is farthest from 0 among the words that are in the text."""
    return max((value for value, known in table.items() if _has(known, text, words)), key=abs, default=0)
