"""Arithmetic and counting, in words or in digits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .language import Language
from .numbers import in_digits, in_words, with_digits

MAX_COUNTED = 200
MAX_TOKENS = 100  # keeps the parser's recursion shallow
LARGEST = Fraction(10**15)

_N = r"-?\d+(?:\.\d+)?"
_REWRITES = (  # on lower-case text whose number words are digits already
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (rf"\b(?:add|sum of|sum)\s+({_N})\s+(?:and|to|with)\s+({_N})", r"\1 + \2"),
    (rf"\bsubtract\s+({_N})\s+from\s+({_N})", r"\2 - \1"),
    (rf"\bmultiply\s+({_N})\s+(?:by|with|and)\s+({_N})", r"\1 * \2"),
    (rf"\bdivide\s+({_N})\s+by\s+({_N})", r"\1 / \2"),
    (rf"({_N})\s*(?:percent|per cent|%) of\s+({_N})", r"(\1 / 100 * \2)"),
    (rf"\bhalf of\s+({_N})", r"(\1 / 2)"),
    (rf"\b(?:double|twice)\s+({_N})", r"(2 * \1)"),
    (rf"({_N})的百分之({_N})", r"(\1 * \2 / 100)"),
    (r"\bplus\b|\badded to\b|加上|加", "+"),
    (r"\bminus\b|\btake away\b|减去|减|−", "-"),
    (r"\btimes\b|\bmultiplied by\b|×|乘以|乘|(?<=\d)\s*x\s*(?=\d)", "*"),
    (r"\bdivided by\b|÷|除以", "/"),
    (r"\bto the power of\b|\*\*|的?次方", "^"),
    (r"\s+squared\b|的平方", "^2"),
    (r"\s+cubed\b|的立方", "^3"),
)
_EXPRESSION = re.compile(r"[(\s-]*\d[\d.\s()+\-*/^]*")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[-+*/^()]")
_CUE = re.compile(
    r"\b(?:what|how much|calculate|compute|solve|equals?|is)\b|=|等于|多少|算|几", re.IGNORECASE
)
_SPOKEN = {
    "en": {"+": " plus ", "-": " minus ", "*": " times ", "/": " divided by ", "^": " to the power of "},
    "zh": {"+": "加", "-": "减", "*": "乘以", "/": "除以", "^": "的次方"},
}


@dataclass(frozen=True, slots=True)
class Sum:
    """One expression found in a text. `value` is None when dividing by zero."""

    expression: str  # digits and + - * / ^ ( ), single blanks around operators
    value: Fraction | None
    worded: bool  # the numbers were words, so the answer is too

    def number(self, value: Fraction, language: Language) -> str:
        """A number in the user's form, words or digits."""
        return in_words(value, language) if self.worded else in_digits(value)

    def spoken(self, language: Language) -> str:
        """The expression with its operators as words."""
        table = _SPOKEN[language]
        tokens = _TOKEN.findall(self.expression)
        parts = [table.get(t) or (t if t in "()" else self.number(Fraction(t), language)) for t in tokens]
        spoken = "".join(parts).replace("(", "").replace(")", "").strip()
        spoken = re.sub(r" to the power of (?:2|two)\b", " squared", spoken)
        return re.sub(r"^(\S+) divided by (?:100|one hundred) times ", r"\1 percent of ", spoken)


@lru_cache(maxsize=64)
def find_sum(text: str) -> Sum | None:
    """The longest expression with an operator in `text`, or None. Dates and phone numbers do not count."""
    plain = with_digits(text.lower())
    for pattern, replacement in _REWRITES:
        plain = re.sub(pattern, replacement, plain)
    found = [match[0].strip(" .") for match in _EXPRESSION.finditer(plain)]
    for candidate in sorted(found, key=len, reverse=True):
        tokens = _TOKEN.findall(candidate)
        if len(tokens) > MAX_TOKENS or not any(token in "+-*/^" for token in tokens[1:]):
            continue
        tight = re.fullmatch(r"[\d/.-]+", candidate) is not None
        if tight and not _CUE.search(text) and candidate != plain.strip(" .?=!。？"):
            continue
        try:
            value: Fraction | None = _Parser(tokens).run()
        except ZeroDivisionError:
            value = None
        except ValueError:
            continue
        return Sum(_tidy(tokens), value, worded=not re.search(r"\d", text))
    return None


def _tidy(tokens: list[str]) -> str:
    text = " ".join(tokens).replace("( ", "(").replace(" )", ")")
    return re.sub(r"(^|[(*/+^-] ?)- (?=\d)", r"\1-", text)


class _Parser:
    """Recursive descent with the usual precedence. Raises ValueError if it is not an expression."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def run(self) -> Fraction:
        value = self._sum()
        if self._at != len(self._tokens):
            raise ValueError(self._tokens)
        return value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _sum(self) -> Fraction:
        value = self._product()
        while self._peek() in ("+", "-"):
            value = value + self._product() if self._next() == "+" else value - self._product()
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while self._peek() in ("*", "/"):
            value = value * self._power() if self._next() == "*" else value / self._power()
            _bounded(value)
        return value

    def _power(self) -> Fraction:
        value = self._atom()
        if self._peek() != "^":
            return value
        self._next()
        exponent = self._power()
        if exponent.denominator != 1 or abs(exponent) > 64:
            raise ValueError(exponent)
        return _bounded(value ** int(exponent))

    def _atom(self) -> Fraction:
        match self._next():
            case "-":
                return -self._atom()
            case "(":
                value = self._sum()
                if self._next() != ")":
                    raise ValueError(self._tokens)
                return value
            case token:
                return _bounded(Fraction(token))


def _bounded(value: Fraction) -> Fraction:
    if abs(value) > LARGEST:
        raise ValueError(value)
    return value


def answer_sum(found: Sum, language: Language) -> tuple[str, str]:
    """The spoken answer and its single word."""
    if found.value is None:
        return ("不能除以零。", "不能") if language == "zh" else ("You cannot divide by zero.", "undefined")
    result = found.number(found.value, language)
    joint = "等于" if language == "zh" else " is "
    stop = "。" if language == "zh" else "."
    text = found.spoken(language) + joint + result + stop
    return text[0].upper() + text[1:], result


_COUNT = (
    re.compile(
        r"\bcount(?:ing)?\b[^\d]*?(?:from\s+)?(\d+)\s*(?:up |down |back )?(?:to|until|through)\s+(\d+)"
    ),
    re.compile(r"从\s*(\d+)\s*(?:开始)?倒?数到\s*(\d+)"),
)
_COUNT_TO = (
    re.compile(r"\bcount(?:ing)?\b[^\d]*?\b(?:to|until|down from|backwards from|back from)\s+(\d+)"),
    re.compile(r"(?:倒?数到|倒数)\s*(\d+)"),
)
_DOWN = re.compile(r"\bdown\b|\bbackwards?\b|倒")


def find_count(text: str, language: Language) -> str | None:
    """The requested counting (`count from one to ten`, `从一数到十`), at most 200 numbers, or None."""
    plain = with_digits(text.lower())
    ends: tuple[int, int] | None = None
    for pattern in _COUNT:
        if match := pattern.search(plain):
            ends = int(match[1]), int(match[2])
    if ends is None:
        for pattern in _COUNT_TO:
            if match := pattern.search(plain):
                ends = (int(match[1]), 1) if _DOWN.search(plain) else (1, int(match[1]))
    if ends is None:
        return None
    first, last = ends
    step = 1 if last >= first else -1
    numbers = list(range(first, last + step, step))[:MAX_COUNTED]
    worded = not re.search(r"\d", text)
    spoken = [in_words(n, language) if worded else str(n) for n in numbers]
    line = ("，" if language == "zh" else ", ").join(spoken) + ("。" if language == "zh" else ".")
    return line[0].upper() + line[1:]
