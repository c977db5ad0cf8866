"""Answers questions about the time of day and the date."""

from __future__ import annotations

import re
from datetime import datetime

from .language import Language

_EN_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_EN_MONTHS = "January February March April May June July August September October November December".split()


def tell_time(plain: str, now: datetime, language: Language) -> tuple[str, str] | None:
    """Time of day, day of the week, date or year, and its most important word; None if that is not asked."""
    if language == "zh":
        day = f"星期{'一二三四五六日'[now.weekday()]}"
        if re.search(r"几点|(?:现在|当前)的?时间|什么时间|什么时候了", plain):
            return f"现在是{now.hour}点{now.minute:02d}分。", f"{now.hour}点"
        if re.search(r"星期几|周几|礼拜几", plain):
            return f"今天是{day}。", day
        if re.search(r"今天.{0,3}(?:几号|日期|什么日子|几月)|日期", plain):
            return f"今天是{now.year}年{now.month}月{now.day}日，{day}。", f"{now.day}日"
        return (
            (f"今年是{now.year}年。", str(now.year))
            if re.search(r"(?:今年|现在).{0,3}哪?一?年", plain)
            else None
        )
    day = _EN_DAYS[now.weekday()]
    if re.search(
        r"\bwhat time\b|\bthe time\b(?! (?:of|when|i|you|we))|\bcurrent time\b|\btime is it\b|\bwhat's the hour\b",
        plain,
    ):
        clock = f"{(now.hour - 1) % 12 + 1}:{now.minute:02d} {'AM' if now.hour < 12 else 'PM'}"
        return f"It is {clock}.", clock
    date = f"{_EN_MONTHS[now.month - 1]} {now.day}, {now.year}"
    if re.search(
        r"\b(?:what|which) day\b|\bday of the week\b|\btoday's date\b|"
        r"\b(?:what|which)(?: is|'s)? (?:the |today's )?date\b|"
        r"\bwhat is today\b|\bwhat's today\b|\bthe date today\b|\bcurrent date\b|\bthe date\b",
        plain,
    ):
        return f"Today is {day}, {date}.", day
    if re.search(r"\b(?:what|which) month\b", plain):
        return f"It is {_EN_MONTHS[now.month - 1]}.", _EN_MONTHS[now.month - 1]
    return (f"It is {now.year}.", str(now.year)) if re.search(r"\b(?:what|which) year\b", plain) else None
