"""Language and gender of a system voice by its id (docs/minimax/voices.md 6). Pure; None where the id does not tell.

Ids of cloned and designed voices are their owners' words and say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Gender = Literal["female", "male"]

# what an id begins with, in small letters → language code
_PREFIXES: Mapping[str, str] = {
    "chinese": "zh", "cantonese": "yue", "english": "en", "japanese": "ja", "korean": "ko", "spanish": "es",
    "portuguese": "pt", "french": "fr", "indonesian": "id", "german": "de", "russian": "ru", "italian": "it",
    "arabic": "ar", "turkish": "tr", "ukrainian": "uk", "dutch": "nl", "vietnamese": "vi", "thai": "th",
    "polish": "pl", "romanian": "ro", "greek": "el", "czech": "cs", "finnish": "fi", "hindi": "hi",
    "socialmedia": "en", "voice": "en",
}  # fmt: skip
_MANDARIN = frozenset(
    (
        "male-qn-qingse male-qn-jingying male-qn-badao male-qn-daxuesheng female-shaonv female-yujie "
        "female-chengshu female-tianmei clever_boy cute_boy lovely_girl cartoon_pig bingjiao_didi junlang_nanyou "
        "chunzhen_xuedi lengdan_xiongzhang badao_shaoye tianxin_xiaoling qiaopi_mengmei wumei_yujie diadia_xuemei "
        "danya_xuejie arrogant_miss robot_armor"
    ).split()
)
_ENGLISH = frozenset(
    (
        "santa_claus grinch rudolph arnold charming_santa charming_lady sweet_girl cute_elf attractive_girl "
        "serene_woman wise_woman friendly_person inspirational_girl deep_voice_man calm_woman casual_guy lively_girl "
        "patient_man young_knight determined_man lovely_girl decent_boy imposing_manner elegant_man abbess "
        "sweet_girl_2 exuberant_girl"
    ).split()
)
_MOSS: Mapping[str, str] = {
    "ce44fc67": "zh", "aaa1346a": "zh", "6dc281eb": "en", "570551b1": "en", "ad5baf92": "en", "24875c4a": "ja",
    "7f4ee608": "ja", "c1a6a3ac": "ja",
}  # fmt: skip
_FEMALE = (
    "female", "woman", "women", "lady", "girl", "girlfriend", "princess", "queen", "sister", "maiden", "belle",
    "hostess", "heroine", "miss", "antie", "abbess", "shaonv", "yujie", "xuemei", "xuejie", "mengmei", "xiaoling",
)  # fmt: skip
_MALE = (
    "male", "man", "gentleman", "boy", "boyfriend", "guy", "bloke", "husband", "butler", "godfather", "claus",
    "santa", "didi", "nanyou", "xuedi", "xiongzhang", "shaoye",
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def voice_language(voice_id: str) -> str | None:
    """The language code (ISO 639-1, `yue` for Cantonese) that the id of a system voice names."""
    plain = voice_id.strip().lower()
    if plain.removesuffix("-jingpin") in _MANDARIN:
        # one spelling is in both lists: the capital letters are the older international one
        return "zh" if plain != "lovely_girl" or voice_id.islower() else "en"
    if plain in _ENGLISH:
        return "en"
    if plain.startswith("moss_audio_"):
        return _MOSS.get(plain[11:19])
    first, underline, rest = plain.partition("_")
    if not underline or (first == "voice" and not rest.startswith("agent_")):
        return None
    return _PREFIXES.get(first.split(" ")[0])


def voice_gender(voice_id: str) -> Gender | None:
    """The gender that a word in the id of a system voice names."""
    if voice_id.endswith(("(F)", "（F)")):
        return "female"
    if voice_id.endswith(("(M)", "（M)")):
        return "male"
    words = _WORD.findall(voice_id)
    if words and words[0].lower() in _PREFIXES:
        words = words[1:]  # "German" ends in "man"
    for word in reversed([word.lower() for word in words]):
        if word.endswith(_FEMALE):
            return "female"
        if word.endswith(_MALE):
            return "male"
    return None
