"""The markup a chat model may write: what each kind looks like, and how formulas and addresses are said.

Patterns and pure functions only; `normalize.py` decides where in a stream they apply.
"""

from __future__ import annotations

import re

INTERJECTIONS = frozenset(  # docs/minimax/t2a-websocket.md 4
    "laughs chuckle coughs clear-throat groans breath pant inhale exhale gasps sniffs sighs snorts burps "
    "lip-smacking humming hissing emm sneezes whistles crying applause".split()
)
HIDDEN = "think|thinking|thought|reasoning|mm:think|script|style|svg"
MAX_CONSTRUCT = 400  # characters; a longer link, tag or formula is taken as plain text

PLAIN = re.compile(r"[^\s\\`*_~\[!<$&#|(\r]+")
BLANKS = re.compile(r"[ \t\u00a0\u3000\r]+")
ADDRESS_START = re.compile(r"(?<![^\W_])(?:https?://|www\.)", re.I)
ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'`，。！？；：、）】」』”]*", re.I)
LINK = re.compile(r"\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\](?:\((?:[^()\n]|\([^()\n]*\))*\)|\[[^\]\n]*\])")
BRACKETS = re.compile(r"\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]")
FOOTNOTE = re.compile(r"\[(?:\^[^\]\n]+|\d{1,3})\]:?")
TAG = re.compile(r"</?([a-zA-Z][\w:-]*)(?:\s+[\w:@.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*\s*/?>")
AUTOLINK = re.compile(r"<(?:mailto:)?(https?://[^\s<>]+|[\w.+-]+@[\w.-]+)>", re.I)
COMMENT = re.compile(r"<!--.*?-->", re.S)
MAX_FORMULA = 84  # characters between single dollars; a longer one is a price or a variable
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(?![\s\d$])([^$\n]{0,80}[^\s$\\])\$(?!\d)", re.S)
ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
REST_OF_LINE = re.compile(r"(?=\n)")
CODE_TEXT = re.compile(r"[^`\s]+")
FENCE = re.compile(r"(`{3,}|~{3,})[^`\n]*")
RULE = re.compile(r"(?:[-*_=:+|][ \t]*){3,}")
RULE_SO_FAR = re.compile(r"[-*_=:+| \t]*")
HEADING = re.compile(r"#{1,6}(?:[ \t]+|\r?$)")
BULLET = re.compile(r"[-*+•‣◦▪][ \t]+(?:\[[ xX]\][ \t]+)?")
ORDERED = re.compile(r"(\d{1,3})[.)][ \t]+")
TERMINAL = '.,;:!?…。！？，；：、—"”’」』'


def plain_formula(text: str) -> str:
    """A formula without its marks: commands by their names, fractions with a slash."""
    text = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", text)
    text = re.sub(r"\\(?:text|mathrm|mathbf|left|right|displaystyle)\b", "", text)
    text = re.sub(r"\\([a-zA-Z]+)", r"\1", text)
    return re.sub(r"[{}\\]|(?<=\w)_(?=\w)", "", text).strip()


def plain_address(address: str) -> str:
    """The host alone: nobody wants to hear the rest."""
    host = re.sub(r"^(?:https?://)?(?:[^/@]*@)?(?:www\.)?", "", address, flags=re.I)
    return re.split(r"[/?#:]", host)[0]


def address_begun(run: str, previous: str) -> int:
    """How many last characters of `run`, which follows `previous`, could begin an address."""
    for size in range(min(8, len(run)), 0, -1):
        before = run[-size - 1 : -size] or (previous if size == len(run) else "")
        tail = run[-size:].lower()
        if not before.isalnum() and any(start.startswith(tail) for start in ("http://", "https://", "www.")):
            return size
    return 0
