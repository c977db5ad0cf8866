"""A text that matches a regular expression: words of the prompt that do, else one that is made.

Knows literals, classes, groups, alternatives and repetition. A pattern with look-around may get no match.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

# The standard library's own parser of patterns; it has no public name since Python 3.11.
_parse: Any = import_module("re._parser").parse
MAX_REPEATS = 200
_CANDIDATES = "aA0 _-.@/:,+#!b1中"


def matching(pattern: str, text: str, min_length: int = 0) -> str:
    """The first word or words of `text` that match the pattern, else a text made from it."""
    for word in re.findall(r"[^\s,;，。；]+", text):
        for candidate in (word, word.strip(".!?\"'“”()")):
            if len(candidate) >= min_length and candidate and re.search(pattern, candidate):
                return str(candidate)
    made = _sequence(_parse(pattern))
    return made + made[-1:] * max(0, min_length - len(made))


def _sequence(parsed: Any) -> str:
    return "".join(_one(str(kind), value) for kind, value in parsed)


def _one(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return next(char for char in _CANDIDATES if ord(char) != value)
        case "ANY":
            return "a"
        case "IN":
            return _member(value)
        case "BRANCH":
            return _sequence(value[1][0])
        case "SUBPATTERN":
            return _sequence(value[-1])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            times = min(max(int(value[0]), min(1, int(value[1]))), MAX_REPEATS)
            return _sequence(value[2]) * times
        case "ATOMIC_GROUP":
            return _sequence(value)
        case _:
            return ""  # an anchor or a look-around takes no character


def _member(parts: Any) -> str:
    """One character of a class."""
    negated = str(parts[0][0]) == "NEGATE"
    if not negated:
        kind, value = str(parts[0][0]), parts[0][1]
        if kind == "LITERAL":
            return chr(value)
        if kind == "RANGE":
            return chr(value[0])
    return next((char for char in _CANDIDATES if _in_class(char, parts) != negated), "a")


def _in_class(char: str, parts: Any) -> bool:
    tests = {
        "CATEGORY_DIGIT": r"\d",
        "CATEGORY_NOT_DIGIT": r"\D",
        "CATEGORY_WORD": r"\w",
        "CATEGORY_NOT_WORD": r"\W",
        "CATEGORY_SPACE": r"\s",
        "CATEGORY_NOT_SPACE": r"\S",
    }
    for kind, value in parts:
        match str(kind):
            case "LITERAL" if ord(char) == value:
                return True
            case "RANGE" if value[0] <= ord(char) <= value[1]:
                return True
            case "CATEGORY" if re.fullmatch(tests[str(value)], char):
                return True
    return False
