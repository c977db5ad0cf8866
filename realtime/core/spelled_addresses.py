"""Whether a mail or a web address that is told may go on: "john dot", "john.smith@", wang艾特.

It is whole when its domain has an end (".com", "dot org", 点com). Before that people are silent between its parts, as
between the groups of a number. What joins two parts is known alone; a name ("john") where such an address was named or
asked for. Knows English and Chinese. Pure.
"""

from __future__ import annotations

import re

from realtime.core.han_variants import in_simple_characters
from realtime.core.number_requests import ADDRESSES, HAN_ADDRESSES, asks_for_address
from realtime.core.short_words import is_backchannel, is_whole_answer, takes_turn

_ENDS = "com|net|org|edu|gov|io|co|info|biz|me|app|dev|ai|cn|uk|de|fr|es|it|nl|ru|jp|kr|in|au|ca|us|eu|ch|at|se|pl|br"
_WHOLE = re.compile(
    rf"\S@[\w-]+(?:\.[\w-]+)*\.[a-z]{{2,}}$|\w\.(?:{_ENDS})$|\bdot\s*(?:{_ENDS})$|点\s*(?:{_ENDS}|康姆?|靠姆)$"
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
_LONGEST_PART = 6  # words: names, letters and what joins them
_NO_PART = frozenset(  # of an address: somebody says something else
    "i i'm i'd i'll i've you we we're it they he she no none nothing not don't dont do does have haven't same as "
    "before sorry wait what why how which who hold please yes yeah sure okay ok thanks thank that this there is are "
    "can could will would should never mind one moment second let me".split()
)
_NO_PART_HAN = re.compile("[我你您他她没不跟和同还等吗呢吧了]|一样|微信")


def address_goes_on(text: str, asked: str) -> bool:
    """Whether such an address is not whole. `asked`: the last sentence of the other, perhaps a question for one."""
    told = in_simple_characters(" ".join(text.lower().replace("’", "'").split())).rstrip(" .,、。，")
    if _WHOLE.search(told):
        return False
    if _NO_DOMAIN_YET.search(told) or _JOINED.search(told) or _JOINED_HAN.search(told):
        return True
    if _INSIDE.search(told) and _is_part(told):
        return True
    if is_whole_answer(told) or is_backchannel(told) or takes_turn(told):
        return False
    named = list(_NAMED.finditer(told))
    if not named and not asks_for_address(asked):
        return False
    return _is_part(told[named[-1].end() :] if named else _LEAD_IN.sub("", told, count=1))


def _is_part(told: str) -> bool:
    """Whether it is names, letters and what joins them, and nobody says anything else."""
    words = re.findall(r"[^\s,，]+", told)
    return 0 < len(words) <= _LONGEST_PART and _NO_PART.isdisjoint(words) and not _NO_PART_HAN.search(told)
