"""The punctuation of all scripts: which marks end a sentence or a clause, which open and close.

From the properties of Unicode (Sentence_Terminal, Terminal_Punctuation: UAX 29), with the few marks that are used
otherwise than these say. Knows marks one by one; what a mark means in a text is for others (`clauses.py`).
"""

from __future__ import annotations

import re

from realtime.core.unicode_tables import having

# Unicode calls these the ends of sections and clauses; people end sentences with them: Tibetan, Thai, Khmer
_ENDS_TOO = "།༎༏༐༑༔๚๛៚"
_NO_MARKS = "-－﹣︲፡"  # hyphens; the Ethiopic word separator stands for a blank

_TERMINAL = having(r"[\p{Terminal_Punctuation}\p{Sentence_Break=SContinue}]")
SENTENCE_MARKS = frozenset(having(r"\p{Sentence_Terminal}") + _ENDS_TOO)  # "." is among them
CLAUSE_MARKS = (frozenset(_TERMINAL) | frozenset("…—")) - SENTENCE_MARKS - frozenset(_NO_MARKS)

JOINING = ".,:;!?–"  # before a letter or a digit they are inside a word: "a.b", "3.5"
MARKS = "".join(sorted(SENTENCE_MARKS | CLAUSE_MARKS))
TOUCHING = frozenset(MARKS) - frozenset(JOINING)  # end something without a blank after them: "。", "।"
DIGIT_JOINING = "：，．،؍٫٬—﹕﹐"  # may stand inside a number, a time or a score, as JOINING may

OPENERS = "".join(dict.fromkeys("\"'¿¡" + having(r"[\p{Ps}\p{Pi}]")))
CLOSERS = "".join(dict.fromkeys("\"'" + having(r"[\p{Pe}\p{Pf}]")))
BRACKETS = OPENERS + CLOSERS

_PAIRS = {
    '"': '"',
    "“": "”",
    "„": '“”"‟',
    "«": "»",
    "»": "«»",
    "「": "」",
    "『": "』",
    "（": "）",
    "【": "】",
    "《": "》",
    "〈": "〉",
    "(": ")",
    "[": "]",
    "{": "}",
}
_CLOSING = frozenset("”»」』）】》〉)]}")
QUOTES = _CLOSING | frozenset(_PAIRS)

_GREEK_LAST = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]$")
_ARMENIAN_LAST = re.compile(r"[\u0531-\u0589]$")


def follow_quotes(still_open: list[str], token: str) -> None:
    """Open and close quotation marks and brackets as `token` does: „Ja“, «oui», »ja«, "yes"."""
    for place, char in enumerate(token):
        if char not in QUOTES or (
            char == '"' and token[place - 1 : place].isalpha() and token[place + 1 : place + 2].isalpha()
        ):
            continue  # as in Hebrew abbreviations
        if still_open and (char in _PAIRS[still_open[-1]] or char in _CLOSING - {"»"}):
            still_open.pop()
        elif char in _PAIRS:
            still_open.append(char)


def ends_sentence(punct: str, last: str) -> bool:
    """Whether a run of marks other than one full stop ends a sentence; `last` is the word before it."""
    if ".." in punct or "…" in punct:
        return False
    if any(char in SENTENCE_MARKS and char != "." for char in punct):
        return True
    if punct[-1] in ".․":
        return True
    if punct[-1] == ";":
        return _GREEK_LAST.search(last) is not None  # a question mark in Greek
    return punct[-1] == ":" and _ARMENIAN_LAST.search(last) is not None  # written for "։"
