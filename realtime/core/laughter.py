"""Laughing and other sounds of people, as transcribers write them: "Bwahaha", 嘻嘻, ㅋㅋㅋ, "(coughs)". Pure.

Whoever laughs wants no turn. Left out is what says something in some language: "ho ho" is Dutch for stop, "hi hi"
greets, "nahaha" begins like "nah", and はは is a mother. Who asks is `short_words.py`.
"""

from __future__ import annotations

import re

_WORD = re.compile(  # one word of a folded text
    r"(?:[bdgkmty]h?|[bm][wu]|ny)?a*(?:h+a+){2,}h*"  # "ahaha", "bwahaha", "dha-ha-ha"
    r"|[abdghikmouy]{0,4}(?:h+a+){3,}h*|(?:h+u+){3,}h*"  # "yuhu-haha-haha", but "huhu" is a German hello
    r"|(?:te?)?(?:h+e+){2,}h*|(?:je|ji){3,}"
    r"|а?(?:х+[аеиі]+)+х*|(?:χ+α+)+χ*|ه{3,}|(?:ها){2,}ه*|ה{3,}|(?:ח[אה]?){2,}"
    r"|[하허히헤흐호]{2,}|[\u110f\u1112]{2,}|크{2,}"  # ㅋㅋ and ㅎㅎ, as they are folded
    r"|[あアわワがガ](?:[はハ][っッ]?){2,}|(?:[はハ][っッ]?){3,}|(?:[ふフ][っッ]?){2,}|[えエ]?(?:[へヘ][っッ]?){2,}"
    r"|([嘻嘿呵嗬咯咳])\1+|噗嗤|扑哧|[阿啊]嚏"
)
_SEVERAL = re.compile(  # words that say something alone
    r"(?:(?:a|(?:[bdgkmty]h?|[bm]w|[bm]u)a+h*) )?(?:(?:ha+h*|heh) ){2,}|(?:hee? ){3,}"
)
_HE = re.compile(r"(?<![\w'’-])h(?:[éèê]|e[\u0300-\u0302])(?![\w\u0300-\u036f'’-])", re.IGNORECASE)
_SOUNDS = (
    r"laugh(?:s|ing|ter)?|chuckl(?:es?|ing)|giggl(?:es?|ing)|snickers?|cough(?:s|ing)?|sneez(?:es?|ing)|sigh(?:s|ing)?|"
    r"sniff(?:s|les|ing)?|clears (?:his |her |their )?throat|throat clearing|hiccups?|hum(?:s|ming)?|whistl(?:es?|ing)|"
    r"clap(?:s|ping)?|applause|breath(?:es?|ing)?|inhales?|exhales?|gasps?|yawns?|snorts?|groans?|"
    r"lip smack(?:s|ing)?|burps?|大?笑[声聲]?|咳嗽[声聲]?|打?[喷噴]嚏|[叹嘆][气氣]|"
    r"清嗓子|鼓掌|掌[声聲]|口哨[声聲]?|呼吸[声聲]?"
)
_DESCRIBED = re.compile(  # in brackets or stars, which nobody says
    rf"\s*(?:[(\[（【*] ?(?:{_SOUNDS}) ?[)\]）】*][\s.。,，!！]*)+", re.IGNORECASE
)


def is_laughter(folded: str) -> bool:
    """Whether a folded text is nothing but laughter or a cough, in one word or in several."""
    return _WORD.fullmatch(folded) is not None or _SEVERAL.fullmatch(f"{folded} ") is not None


def with_hey(text: str) -> str:
    """With "hey" for "hé" alone: French and Hungarian call somebody with it, and without its accent it would laugh."""
    return _HE.sub("hey", text)


def is_described_sound(text: str) -> bool:
    """Whether the text only describes a sound that people make: "(Laughter)", "[coughs]"."""
    return _DESCRIBED.fullmatch(text) is not None
