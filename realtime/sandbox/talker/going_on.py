"""Going on with an answer that was cut. Knows the words that ask for it; the answer itself comes from `reply.py`."""

from __future__ import annotations

import re

from .language import Language

_GO_ON = re.compile(
    r"(?:^\W*|[.!?,:]\s+)(?:(?:please|and|ok|okay|yes|well|then|just|can you|could you|you can)\s+)*"
    r"(?:go on|carry on|keep going|continue)\b(?! (?:to|with|in) \w)|"
    r"(?:^|[，。！？])(?:请|好的?[，。]?|那)*(?:你|您)?(?:继续|接着)(?:说|讲)?(?:下去)?(?:吧|[，。！!]|$)",
    re.I,
)


def asks_to_go_on(said: str) -> bool:
    """Whether these words ask for the rest of the last answer."""
    return _GO_ON.search(said) is not None


def rest_of(whole: str, heard: str, language: Language) -> str | None:
    """What is left of a whole answer after its beginning was heard; None if that is not its beginning."""
    if not heard or not whole.startswith(heard):
        return None
    rest = whole[len(heard) :].lstrip()
    if any(map(str.isalnum, rest)):
        return rest
    return "就这些了。" if language == "zh" else "That was all."
