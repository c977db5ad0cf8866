"""What the words of a prompt offer to the fields of a structured answer: numbers, names, dates, choices.

Knows text and field names. Does not know schemas. Each number and each name is given to one field.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from .talker.language import HAN
from .talker.numbers import with_digits

_DATE = re.compile(r"\b(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
_TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\b")
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH_FIRST = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (\d{{4}}))?\b", re.I)
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)})(?: (\d{{4}}))?\b", re.I)
_DAYS = {"the day after tomorrow": 2, "后天": 2, "tomorrow": 1, "明天": 1, "yesterday": -1, "昨天": -1}
_NUMBER = re.compile(r"(?<![\w.,])(?<!\w-)-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\d:])(?!-\d)", re.ASCII)
_QUOTED = re.compile(r"[\"“「](.+?)[\"”」]|(?<!\w)'([^']+)'(?!\w)")
_PROPER = r"[A-Z\u00c0-\u00de][\w'’&-]*(?: (?:(?:of|de|la|van|von) )?[A-Z\u00c0-\u00de][\w'’&-]*)*"
_AFTER_LABEL = re.compile(
    rf"(?:'s)?\s*(?:[:=：]|\bis\b|\bare\b|\bwas\b|\bnamed\b|\bcalled\b|是|为)\s*"
    rf"(?:[\"“「](?P<quoted>.+?)[\"”」]|(?P<proper>{_PROPER})|(?P<rest>[^\s,.;，。；\n][^,.;，。；\n]{{0,59}}))"
)
_NOT_NAMES = frozenset(  # capitalised words that name nothing, most at the start of a sentence
    (
        "a about add an and another answer as at book but buy by call can choose classify could create "
        "describe do eur extract fill find for friday from generate get give he hello here how i if in "
        "invoice is it json let list mail make monday my no note now of ok on or order our parse pick play "
        "please put read remind reply return saturday say see send set she show so some summarise "
        "summarize sunday take tell that the then there these they this those thursday to today tomorrow "
        "total translate tuesday turn usd use wants we wednesday what when where which who why will with "
        "write wrong yes yesterday you your"
    ).split()
) | frozenset(_MONTHS)
_NO = re.compile(r"\b(?:not?|never|without|isn't|aren't|don't|off|false|cancelled)\b|不|没|无|否", re.I)


def words_of_name(name: str) -> list[str]:
    """`dueDate`, `due_date` and `due-date` are `due` and `date`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_]+", parted.lower()) if word]


def _label(name: str) -> re.Pattern[str]:
    return re.compile(rf"\b{r'[ _-]?'.join(map(re.escape, words_of_name(name))) or 'x^'}s?", re.I | re.ASCII)


@dataclass(slots=True)
class Words:
    """The words of one prompt. `said` is what the talker would have answered without a schema."""

    text: str
    said: str
    now: datetime
    found: int = 0  # how many values came from the text: the evidence for one choice against another
    numbers: list[tuple[int, float]] = field(init=False)  # place in the digit text, value
    names: list[str] = field(init=False)
    _digits: str = field(init=False)

    def __post_init__(self) -> None:
        blanked = self.text
        for pattern in (_DATE, _TIME, _MONTH_FIRST, _DAY_FIRST):
            blanked = pattern.sub(lambda match: " " * len(match[0]), blanked)
        self._digits = with_digits(blanked)
        self.numbers = [
            (match.start(), float(match[0].replace(",", ""))) for match in _NUMBER.finditer(self._digits)
        ]
        quoted = [(m.start(), m[1] or m[2], m.end()) for m in _QUOTED.finditer(self.text)]
        inside = [range(start, end) for start, _, end in quoted]
        proper = [
            (m.start(), _without_common(m[0]))
            for m in re.finditer(_PROPER, self.text)
            if not any(m.start() in place for place in inside)
        ]
        both = sorted([*((start, text) for start, text, _ in quoted), *proper])
        self.names = list(dict.fromkeys(text for _, text in both if text))

    def without(self, labels: set[str]) -> Words:
        """The same words; capitalised labels of fields are no names."""
        self.names = [name for name in self.names if "_".join(words_of_name(name)) not in labels]
        return self

    def copy(self) -> Words:
        """The same words with what is left of them."""
        twin = copy(self)
        twin.numbers, twin.names = list(self.numbers), list(self.names)
        return twin

    def become(self, other: Words) -> None:
        """Take over what a copy has left."""
        self.found, self.numbers, self.names = other.found, other.numbers, other.names

    def named_number(self, name: str) -> tuple[int, float] | None:
        """The number beside the field's name: `total 12.50`, `3 apples`, `30 years old` for no field."""
        for match in _label(name).finditer(self._digits):
            after = [n for n in self.numbers if 0 <= n[0] - match.end() <= 14]
            gap = self._digits[match.end() : after[0][0]] if after else ""
            if after and not re.search(r"[,;\n]|[.] ", gap):
                return after[0]
            before = re.search(r"(-?[\d.,]*\d) ?$", self._digits[: match.start()])
            if before and (found := next((n for n in self.numbers if n[0] == before.start(1)), None)):
                return found
        return None

    def take_number(self, name: str, claimed: set[int], whole: bool) -> float | None:
        """The field's own number, else the next one that no sibling has claimed."""
        own = self.named_number(name)
        free = [n for n in self.numbers if n[0] not in claimed and (not whole or n[1].is_integer())]
        chosen = own if own and (not whole or own[1].is_integer()) else next(iter(free), None)
        if chosen is None:
            return None
        self.numbers.remove(chosen)
        self.found += 1
        return chosen[1]

    def mentions(self, name: str) -> bool:
        """Whether the field's name stands in the text."""
        return _label(name).search(self.text) is not None

    def says_yes(self, name: str) -> bool:
        """Whether the field's name stands in the text and the words before it do not deny it."""
        match = _label(re.sub(r"^(?:is|has|was)_?(?=[A-Z_]|[a-z]{3})", "", name)).search(self.text)
        if match is None:
            return False
        self.found += 1
        return _NO.search(self.text[max(0, match.start() - 12) : match.end() + 8]) is None

    def labelled(self, name: str) -> str | None:
        """The text after the field's name: `title: Emma`, `customer is Ada`."""
        for match in _label(name).finditer(self.text):
            value = _AFTER_LABEL.match(self.text, match.end())
            if value:
                text = value["quoted"] or value["proper"] or value["rest"]
                self.names = [known for known in self.names if known != text]
                self.found += 1
                return text.strip()
        return None

    def take_name(self) -> str | None:
        """The next quoted or capitalised words."""
        if not self.names:
            return None
        self.found += 1
        return self.names.pop(0)

    def choice(self, values: list[object]) -> object | None:
        """The value of an enum that the text mentions first; None if it mentions none."""
        plain = self.text.lower()
        places: list[tuple[int, object]] = []
        for value in values:
            written = re.escape(str(value).lower()).replace("_", "[ _-]")
            edge = "" if re.search(f"[{HAN}]", written) else r"\b"
            if value is not None and (match := re.search(f"{edge}{written}{edge}", plain, re.ASCII)):
                places.append((match.start(), value))
        if not places:
            return None
        self.found += 1
        return min(places, key=lambda place: place[0])[1]

    def day(self) -> date | None:
        """A date of the text, or a day told from today."""
        if match := _DATE.search(self.text):
            return _date(int(match[1]), int(match[2]), int(match[3]))
        if match := _MONTH_FIRST.search(self.text):
            return _date(int(match[3] or self.now.year), _MONTHS.index(match[1].lower()) + 1, int(match[2]))
        if match := _DAY_FIRST.search(self.text):
            return _date(int(match[3] or self.now.year), _MONTHS.index(match[2].lower()) + 1, int(match[1]))
        days = next((days for word, days in _DAYS.items() if word in self.text.lower()), None)
        return None if days is None else self.now.date() + timedelta(days=days)

    def clock(self) -> tuple[int, int, int] | None:
        """A time of day of the text."""
        match = _TIME.search(self.text)
        return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None

    def listed(self, name: str) -> list[str]:
        """A list after the field's name: `tags: red, green and blue`."""
        for match in _label(name).finditer(self.text):
            rest = re.match(r"\s*(?:[:=：]|\bare\b|是|有)?\s*([^.;。；\n]+)", self.text[match.end() :])
            parts = re.split(r",\s*(?:and |or )?|\s+(?:and|or)\s+|、|，|和", rest[1]) if rest else []
            kept = [part.strip(" \"'“”") for part in parts if part.strip()]
            if len(kept) > 1:
                self.names = [known for known in self.names if known not in kept]
                self.found += 1
                return kept
        return []


def _without_common(phrase: str) -> str:
    """The capitalised words without the common ones at their start: `Please Order Emma` is `Emma`."""
    words = phrase.replace("'s", "").split()
    while words and words[0].lower() in _NOT_NAMES:
        words.pop(0)
    while words and words[-1].lower() in _NOT_NAMES:
        words.pop()
    return " ".join(words)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
