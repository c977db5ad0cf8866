"""Whether a text looks like a whole sentence: by its last mark, its last words, and lists and digits that may go on.

A yes, a no or a command alone is whole without a mark, and so is what answers a question (`asked_answers.py`): of short
sounds the transcriber writes none. What follows for the end of a turn is `turn_end.py`. Knows English and Chinese, and
the short answers of all languages of `short_words.py`; hears nothing and has no clock.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal, NamedTuple

from realtime.core.asked_answers import Answers, answers
from realtime.core.characters import HAN, KANA
from realtime.core.folding import fold, scripts_apart, units
from realtime.core.full_stops import FullStops
from realtime.core.han_endings import dangles, may_end
from realtime.core.han_variants import in_simple_characters
from realtime.core.languages.guess import guess_languages
from realtime.core.punctuation import CLAUSE_MARKS, SENTENCE_MARKS
from realtime.core.scripts import weigh_scripts
from realtime.core.short_words import is_whole_answer
from realtime.core.spelled_out import LOOKED_AT, Spelled, spelled_out
from realtime.core.unicode_tables import ranges
from realtime.core.whole_amounts import is_whole_amount

Eagerness = Literal["low", "medium", "high", "auto"]


class Completeness(Enum):
    """Whether the text looks like a whole sentence."""

    COMPLETE = 0
    OPEN = 1  # could be complete
    INCOMPLETE = 2  # ends where no sentence ends
    DANGLING = 3  # ends with a mark after a word that ends few sentences: as complete as the mark is sure
    LIKELY = 4  # answers without a mark what was asked, and may be told more exactly
    SHORT = 5  # ends with too few digits for the number that was named or asked for, whatever mark follows


class Judged(NamedTuple):
    """What a text looks like. `alone`: doubts about it count for nothing. Nobody needs a mark to know a short answer,
    and Chinese that ends with 的 or 这个 is doubted as much where it is all as where more follows."""

    looks: Completeness
    alone: bool = False


LONGEST = 300  # characters: what stands before these says nothing about the end
_ENDS = re.compile(rf"(?:[{ranges(''.join(SENTENCE_MARKS))}]|(?<=[\u0370-\u03ff]);)[\"'”’)）」』\]]*\s*$")
_TRAILS_OFF = re.compile(rf"(?:\.{{2,}}|(?!(?<=[\u0370-\u03ff]);)[{ranges(''.join(CLAUSE_MARKS))}\-])\s*$")
_ASKS = ("?", "!", "？", "！", "؟")
_LAST_STOP = re.compile(r"(?<![^\W\d_])([^\W\d_]+)\.$")
_DANGLING = frozenset(  # words that rarely end what somebody says
    "a an the and or but nor so if because although though while when where which who whose that than as of to in on "
    "at by for from with without into about over under between my your his her its our their this these those is are "
    "was were be been am do does did will would can could should shall may might must not very really just i we they "
    "he she um uh er like well until till unless whether during via per except every against toward towards upon "
    "onto".split()
)
# "I think it's", "My name's", "and then we'll", "And then", "Let me"; "It's my sister's" is whole
_LEADS_ON = re.compile(
    r"\b(?:i'm|(?:i|you|we|they|he|she|it|that|this|there|here|these|those|who|what|where|when|how|which|why|one|name)"
    r"'(?:s|ll|re|ve|d))$|\b(?:and|so|but) then$|^(?:\w+ )?let me$|"
    r"^(?:(?:and|so|but|because|then|well|if) )*"
    r"(?:(?:i|you|we|they) (?:need|want|have|had)|(?:he|she|it) (?:needs|wants|has|had))$"
)
_ANSWERS = re.compile(  # end in a dangling word and are whole all the same, after a yes or a no: "Yes, I do."
    r"^(.+?)(?:[,.!，。！]\s*|\s)(?:i|you|he|she|it|we|they|that|there) "
    r"(?:do|does|did|am|is|are|was|were|will|would|can|could|should|must|may|might|have|has|had)(?: not)?[.!。！]?$",
    re.IGNORECASE,
)
# Nothing ends with these, whatever mark a transcriber puts after them: "um.", "the."
_HUMS = frozenset("uhm umm uh erm hmm".split())
_FILLERS = frozenset("um er a an the and or but because if my your our their".split())
# Of these, words of other languages: "Il y en a.", "Ik ben er."
_ELSEWHERE = frozenset("um er a an or but if my".split())
# Of those, the ones that end sentences also where nothing tells the language: "Licht an.", "Quero um."
_MAY_END = frozenset("um er an".split())
# English words, letters, and parts of names that tell another language only beside others of it: "Los Angeles is"
_ENGLISH_TOO = re.compile(
    r"\b(?:ten|man|men|sun|pan|pot|pod|son|visa|care|die|dove|door|dame|car|hat|hay|kung|lang|pour|par|per|pro|sin|till|"
    r"toe|war|want|van|von|yang|yo|met|sam|jan|kim|kay|ada|ali|mia|ella|elle|los|las|san|la|le|el|de|di|da|dos|al|[a-z])\b"
)
_ENGLISH = re.compile(
    r"n't\b|\w'(?:d|ll|ve|re|m)\b|\b(?:like|think|thought|know|well|yeah|really|going|need|the|you|my|and|of)\b|"
    # Words of other languages elsewhere: "want" is Dutch, "but" French
    r"\b(?:i|you|we|they) want\b|^(?:if|but)\b|"
    # Words that are English alone, and verbs that ask for what may have a foreign name: "Play La Vie en Rose by"
    r"^(?:what|how|where|when|why|who|could|should|would|there|this|that|it|she|they)\b|"
    r"^(?:(?:please|can you|could you|hey|ok|okay),? )*"
    r"(?:play|find|translate|call|set|send|read|tell|text|message|remind|book|add|show|order|navigate|directions)\b"
)
# Elsewhere words of the same look lead on as well: "Wir treffen uns um", "E-Mail an", "preciso de um", "un mensaje a"
_LEADS_ON_ELSEWHERE = re.compile(
    r"\b(?:treff\w*|trifft|weck\w*|termin\w*|komm\w*|beginn\w*|fängt)\b[^.!?,]* um$|"
    r"\b(?:\w+tag|mittwoch|heute|morgen|abend|früh|so|etwa|ungefähr|vielleicht|erst|auf) um$|"
    r"\b(?:mail|nachricht|sms|brief|denke?n?|denkst|(?:schicke?|sende?)(?: es| das)?|erinnere? mich) an$|"
    r"\b(?:com|(?<!mais )de|preciso(?: comprar)?) um$|"
    r"\b(?:mensaje|messaggio|mensagem|message|mail|email|correo|voy|vas|va|vamos|vado|vais|vou|sono) a$"
)
_LAST_WORD = re.compile(r"^(.*?)([\w']+)\W*$", re.DOTALL)
_LAST_ITEMS = frozenset("and or thanks thank please".split())  # "Yes, please, thanks." is no list
_MARKS = re.compile(r"[\s，。！？,.!?]+$")
_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile(f"[{KANA}]")
_KANA_COUNT = 6  # half as many kana as Han characters, of which each weighs three, are Japanese

_COMPLETENESS = {  # by dangling, and ended by a mark: transcribers end fragments with a full stop, too
    (False, True): Completeness.COMPLETE,
    (False, False): Completeness.OPEN,
    (True, True): Completeness.OPEN,
    (True, False): Completeness.INCOMPLETE,
}


def completeness_of(text: str, before: str = "") -> Completeness:
    """Whether the text looks like a whole sentence. `before`: what the other said last, perhaps a question."""
    return judge(text, before).looks


def judge(text: str, before: str = "") -> Judged:
    """Whether the text looks like a whole sentence, and why. `before`: what the other said last, perhaps a question."""
    text = text.strip()
    short, text = len(text) <= LONGEST, text[-LONGEST:]
    asks = text.endswith(_ASKS)
    spelled = Spelled.NOT if asks else spelled_out(text, before)
    if spelled is Spelled.SHORT:
        return Judged(Completeness.SHORT)
    if not text or _TRAILS_OFF.search(text):
        return Judged(Completeness.INCOMPLETE)
    ended = bool(_ENDS.search(text))
    if spelled is Spelled.GOES_ON:
        return Judged(Completeness.INCOMPLETE if _ends_with_title(text) else _COMPLETENESS[True, ended])
    answer = answers(text, before) if short else Answers.NOT
    # Asked before the titles: "OK." and "Red." are titles in some language
    known = short and answer is not Answers.PART and (is_whole_answer(text) or is_whole_amount(text))
    if answer is Answers.WHOLE or known:
        return Judged(Completeness.COMPLETE, alone=True)
    if _ends_with_title(text):
        return Judged(Completeness.INCOMPLETE)
    if not ended and answer in (Answers.PERHAPS, Answers.PART):
        return Judged(Completeness.LIKELY)
    if _ends_in_han(text):
        chinese = _MARKS.sub("", in_simple_characters(text))
        dangling = not asks and dangles(chinese) and not _is_japanese(text, before)
        if ended and dangling and may_end(chinese, before):
            # Nor may a doubted stop cost more than none, where the text is a likely answer without it
            return Judged(Completeness.DANGLING, alone=answer not in (Answers.PERHAPS, Answers.PART))
        looks = _COMPLETENESS[dangling, ended]
    else:
        looks = _in_spaced_script(scripts_apart(text), before, ended=ended, asks=asks)
    asks_for_time = answer is Answers.TIME and not asks
    return Judged(Completeness.DANGLING if asks_for_time and looks is Completeness.COMPLETE else looks)


def _ends_in_han(text: str) -> bool:
    return _HAN.match(next(filter(str.isalnum, reversed(text)), "")) is not None


def _in_spaced_script(text: str, before: str, *, ended: bool, asks: bool) -> Completeness:
    """Of a text whose last word is written in a script with blanks, whatever stands before it."""
    found = _LAST_WORD.search(text.lower().replace("’", "'"))
    leading, last = (found[1].strip(), found[2]) if found else ("", "")
    dangling = Completeness.DANGLING if ended else Completeness.INCOMPLETE
    languages = _languages(leading, last, before)
    other = bool(languages) and "en" not in languages
    paused = leading[-1:] in CLAUSE_MARKS
    if _LEADS_ON_ELSEWHERE.search(f"{leading} {last}"):
        return Completeness.COMPLETE if asks else Completeness.INCOMPLETE
    if last in _HUMS or (last in _FILLERS and (paused or not (other and last in _ELSEWHERE))):
        told = languages or paused or not leading or leading[-1] in SENTENCE_MARKS or _HAN.search(leading)
        return dangling if last in _MAY_END and not told else Completeness.INCOMPLETE
    if asks or _is_answer_with_verb(text):
        return _COMPLETENESS[False, ended]
    if _is_list(text[-LOOKED_AT:]):
        return _COMPLETENESS[True, ended]
    if not other and (last in _DANGLING or _LEADS_ON.search(f"{leading} {last}".strip())):
        return dangling
    return _COMPLETENESS[False, ended]


def _languages(leading: str, last: str, before: str) -> frozenset[str]:
    """Of a text in small letters up to its last word, which may be a word of several; or of what was said before."""
    if _ENGLISH.search(leading or last):
        return frozenset(("en",))
    return guess_languages(_ENGLISH_TOO.sub("", leading)) or guess_languages(before[-LONGEST:])


def _is_japanese(text: str, before: str) -> bool:
    """Whether it is written in Japanese, or answers what was: kana are no Chinese."""
    scripts = weigh_scripts(before[-LONGEST:])
    return bool(_KANA.search(text)) or scripts["KANA"] * _KANA_COUNT >= max(1, scripts["HAN"])


def _is_answer_with_verb(text: str) -> bool:
    found = _ANSWERS.search(text)
    return found is not None and is_whole_answer(found[1])


def _is_list(text: str) -> bool:
    """Whether the text ends with three items of a list without "and" before the last."""
    items = [units(fold(item)) for item in re.split("[,，]", text.rstrip(" .。"))]
    if len(items) < 3:
        return False
    second, third = items[-2:]
    short = 0 < len(second) <= 2 and 0 < len(third) <= 2
    return short and second != third and third[0] not in _LAST_ITEMS


def _ends_with_title(text: str) -> bool:
    """Whether the last word is an abbreviation that leads on: "I need to see Dr."."""
    last = _LAST_STOP.search(text)
    return last is not None and FullStops(text, final=False).is_title(last.start(), last.group(1))
