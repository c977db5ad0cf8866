"""HTML in an answer: which tags are markup, and which are words about tags or placeholders.

Pure functions. A tag is markup only if HTML knows it and it stands as markup does: `<name>`, `<think>` and "the <b>
tag" are text.
"""

from __future__ import annotations

import re

_ATTRIBUTE = (
    r"(?:[\w:@.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+)|open|checked|disabled|hidden|controls)"
)
_BEGUN = r"[\w:@.-]+\s*(?:=\s*(?:\"[^\"<>]*|'[^'<>]*)?)?"
TAG = re.compile(rf"<(/?)([a-zA-Z][\w:-]*)((?:\s+{_ATTRIBUTE})*)\s*(/?)>")
TAG_SO_FAR = re.compile(rf"</?(?:[^\s<>]*|[a-zA-Z][\w:-]*(?:\s+{_ATTRIBUTE})*(?:\s+(?:{_BEGUN})?)?\s*/?)")
_FORMATTING = frozenset(
    "a abbr b big cite code del dfn em font i ins kbd mark q s small span strong sub sup tt u var".split()
)
_BREAKING = frozenset("blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table tr ul".split())
_OTHER = frozenset(
    "body center details figure figcaption img html section summary tbody td tfoot th thead wbr".split()
)
_VOID = frozenset("br hr img wbr".split())
_OPENING = "([{\"'“‘`"
_KNOWN = _FORMATTING | _BREAKING | _OTHER


def is_known(name: str) -> bool:
    """Whether HTML has this tag, and answers use it."""
    return name.lower() in _KNOWN


def is_formatting(name: str) -> bool:
    """Whether this tag changes how a stretch of a line looks, and has to be closed."""
    return name.lower() in _FORMATTING


def breaks_line(name: str) -> bool:
    """Whether what follows this tag stands in a line of its own."""
    return name.lower() in _BREAKING


def separates(name: str) -> bool:
    """Whether this tag stands between two cells."""
    return name.lower() in ("td", "th", "summary")


def stands_as_markup(tag: re.Match[str], before: str, after: str) -> bool:
    """Whether a known tag between these two characters is markup. One that touches no word is text."""
    if "=" in tag[3] or tag[4]:
        return True
    if tag[1]:
        return before == "\n" or not (before.isspace() or before in _OPENING)
    if tag[2].lower() in _VOID and not (before.isspace() or before in _OPENING or after in ",.;:!?)"):
        return True
    return after.isalnum() or (after in "\n<\"“'*_#[$-" and after != "")
