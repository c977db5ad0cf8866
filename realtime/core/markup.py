"""The markup a chat model may write: what each kind looks like, and how formulas and addresses are said.

Patterns and pure functions only; `normalize.py` and `inline_markup.py` decide where in a stream they apply. A mark is
taken for markup only where it is sure to be: what could be arithmetic, a path, a code name or a placeholder is text.
"""

from __future__ import annotations

import re

from realtime.core.characters import HANGUL, UNSPACED, is_unspaced
from realtime.core.unicode_tables import SEGMENTED, is_segmented

# Letters and digits of a script whose words stand between blanks: a mark between two of them is part of a word, one
# beside a letter of another script (Han, kana, Thai ...) need not be. `touches_word` is the same for one character.
LETTER = rf"[^\W_{UNSPACED}{SEGMENTED}]"
_NO_BLANKS = UNSPACED + SEGMENTED

MAX_CONSTRUCT = 400  # characters; a longer address, formula or table row is taken as it comes
MAX_FENCED = 2000  # of a code block that may still turn out to be text
# Characters in which an opening mark has to close. A first chunk without a clause is about as long.
LOOKAHEAD = 48

_NO_MARK = r"[^\s\\`*_~\[\]!<$&|]++"
PLAIN = re.compile(_NO_MARK)

PLAIN_DELTA = re.compile(rf" ?{_NO_MARK}(?: {_NO_MARK})*+ ?")  # words with single blanks between them
BLANKS = re.compile(r"[ \t\u00a0\u3000\r]+")
CODE_TEXT = re.compile(r"[^`\s]+")
STOP = re.compile(r"[,.;:!?…](?=\s)|[，。！？；：、…](?![*_~])|\n")  # the end of a clause
SENTENCE_STOP = re.compile(r"[.!?](?=\s)|[。！？]|\n")
SENTENCE_STOPS = ".!?…。！？\n"
TERMINAL = '.,;:!?…。！？，；：、—"”’」』'

# -- at the start of a line --------------------------------------------------------------------------------------------

_OF_ATTRIBUTES = r"(?=[^\s`]*[={:./])"
FENCE = re.compile(
    rf"(`{{3,}}|~{{3,}})[ \t]*+(?:(?:{_OF_ATTRIBUTES}|[\w+#./-]*+[ \t]++{_OF_ATTRIBUTES})[^`\n]*+|[\w+#./-]*+)[ \t\r]*+"
)
RULE = re.compile(r"(?:[-*_=:+|][ \t]*){3,}")
RULE_SO_FAR = re.compile(r"[-*_=:+| \t]*")
HEADING = re.compile(r"#{1,6}(?:[ \t]+|\r?$)")
HEADING_END = re.compile(r"[ \t]+#+[ \t\r]*(?=\n|$)")  # "## Title ##"
HEADING_END_SO_FAR = re.compile(r"[ \t]+#*[ \t\r]*")
LINE = re.compile(r"[^\n]+")
BAR = re.compile(r"\|")
BULLETS = "-*+•‣◦▪"
BULLET = re.compile(rf"[{re.escape(BULLETS)}][ \t]+(?:\[[ xX]\][ \t]+)?")
ORDERED = re.compile(r"(\d{1,3})[.)][ \t]+")
QUOTE = re.compile(r">(?![=>\d]|[ \t]+(?:[\d.=$€£]|-\d))")
NUMBERS = re.compile(r"[-+*]? ?[$€£]?[\d.,]+")  # a line of a sum
OPERAND = re.compile(r"[-*+][ \t]+[$€£]?[\d.,]+[ \t\r]*(?:\n|$)")  # a line of a sum, not an item of a list
_PROSE_LINE = re.compile(r"[\"'“‘«¿¡(]?[^\W\d_][^{}<>=\\|`$#;@\[\]\n]*")

# -- inside a line -----------------------------------------------------------------------------------------------------

_ADDRESS_MARK = r"(?:https?://|www\.)"
ADDRESS_START = re.compile(rf"(?<!{LETTER}){_ADDRESS_MARK}", re.I)
MAYBE_ADDRESS = re.compile(rf"(?<!{LETTER})(?:https?://|www\.|(?:h|ht|htt|https?:?/?|ww?w?)\Z)", re.I)
# Words of a script without blanks may follow an address at once, so their letters end it: but in a host that begins
# with them, and where a value or a place in a page does.
_HOST = rf"[{UNSPACED}{HANGUL}-]{{1,20}}"
_ENDS = r"\s<>\"'`，。！？；：、（）【】「」『』《》〈〉“”…"
_LETTERS = f"{_NO_BLANKS}{HANGUL}"
_GOES_ON = rf"(?:[^{_ENDS}{_LETTERS}]|(?<=[=#{_LETTERS}])[{_LETTERS}])*"
ADDRESS = re.compile(rf"{_ADDRESS_MARK}(?:(?<=//){_HOST}\.[^\W_])?{_GOES_ON}", re.I)
ADDRESS_REST = re.compile(rf"[^{_ENDS}{_LETTERS}]+")
HOST_SO_FAR = re.compile(rf"https?://(?:{_HOST}\.?)?", re.I)
NO_HOST = re.compile(rf"{_ADDRESS_MARK}(?:(?!{LETTER})|(?=[{HANGUL}]))(?!(?<=//){_HOST}\.[^\W_])", re.I)
AUTOLINK = re.compile(r"<(?:mailto:)?((?:https?://|[\w.+-]+@)[^\s<>]+)>", re.I)
BRACKET_END = re.compile(r"\]")
# No pattern may have two ways to read one text: they would be tried in all combinations.
DESTINATION = re.compile(
    r"\]\([ \t]*(<[^<>\n]*>|[^\s()<>]*+(?:\([^\s()]*+\)[^\s()]*+)*+)(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)"
)
DESTINATION_SO_FAR = re.compile(
    r"\](?:\([ \t]*(?:<[^<>\n]*>?|[^\s()<>]*+(?:\([^\s()]*+\)?[^\s()]*+)*+)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"?|'[^'\n]*'?)?)?[ \t]*)?"
)
# the brackets of a regular expression: "[a-z](x)", "[^abc]*", "[A-Z][a-z]"
CHARACTER_CLASS = re.compile(r"\[\^?(?:(?:[a-z]-[a-z]|[A-Z]-[A-Z]|\d-\d)|\\[a-zA-Z.])[^\[\]\s]{0,40}\]")
GROUP = re.compile(r"\]\((?:\?[:=!<]|[^()\s/]*[\\|^$])")  # no destination of a link
WHOLE_ADDRESS = re.compile(r"\]\([ \t]*<?(?:[a-z]+:|\.{0,2}/)", re.I)
QUANTIFIED = re.compile(r"\[\^[^\]\s]{1,40}\][*+?{\[($]")
REFERENCE = re.compile(r"\]\[[^\[\]\n]{0,40}\]")
REFERENCE_SO_FAR = re.compile(r"\](?:\[[^\[\]\n]{0,40})?")
FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,40}\]:?")
COMMENT_END = re.compile(r"-->")
_SMALL = r"(?:\([^()\n$]*\)|[,.;:!?](?!\s)|[^$\n,.;:!?(，。；：！？])"
_MONEY = r"\d++(?!\\(?:[a-zA-Z]|$))"  # and no number with a command: "$2\pi r$"
_NAME = rf"[A-Za-z_][A-Za-z0-9_]*[{_NO_BLANKS}]"  # "$HOME是 ...": words follow a name
_WORDS = r"(?<=[\s$(\[])[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]{2,}"  # no formula has them
_LARGE = rf"(?:(?!\n\s*\n|[.!?;:]\s|{_WORDS})[^$])"
_ROUND = rf"(?:(?!\\\)|[.!?;:]\s|{_WORDS})[^\n])"
_SQUARE = rf"(?:(?!\\\]|\n\s*\n|[.!?;:]\s|{_WORDS}).)"
FORMULAS = {  # by their opening mark: what one looks like, what could become one, and how long it may be
    "$": (
        re.compile(rf"\$(?![\s$]|{_MONEY}|{_NAME})({_SMALL}+)(?<![\s\\])\$(?![_{{$]|{LETTER})"),
        re.compile(rf"\$(?!{_MONEY}|{_NAME})(?:{_SMALL}|\([^()\n$]*$)*"),
        64,
    ),
    "$$": (re.compile(rf"\$\$({_LARGE}+)\$\$"), re.compile(rf"\$\$({_LARGE}+)\$?"), MAX_CONSTRUCT),
    "\\(": (re.compile(rf"\\\(({_ROUND}+)\\\)"), re.compile(rf"\\\(({_ROUND}+)\\?"), 200),
    "\\[": (
        re.compile(rf"\\\[({_SQUARE}+)\\\]", re.S),
        re.compile(rf"\\\[({_SQUARE}+)\\?", re.S),
        MAX_CONSTRUCT,
    ),
}
MONEY_SO_FAR = re.compile(r"\$\d+")
ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
NUMBER_OF_ITEM = re.compile(r"\d{1,3}[.)][ \t]+")  # as the first thing in bold text
CODE_ARGUMENT = re.compile(  # after its "**"
    rf"(?:kwargs|kw|[a-zA-Z][a-zA-Z0-9_]*_[a-zA-Z0-9_]+)(?![_-]|{LETTER})|[a-z_][a-zA-Z0-9_]*$"
)
JUST_WORDS = re.compile(r"[ \t]+(?:[a-z]{2,}[ \t]+)+")  # between two marks of a formula that are meant
CODE_NAME = re.compile(rf"__[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__(?!_|{LETTER})")

_SYMBOLS = {
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "neq": "≠", "ne": "≠", "approx": "≈", "infty": "∞", "sqrt": "√", "sum": "∑", "prod": "∏", "int": "∫",
    "to": "→", "rightarrow": "→", "Rightarrow": "⇒", "in": "∈", "circ": "°", "ldots": "…", "dots": "…", "cdots": "…",
}  # fmt: skip


def touches_word(char: str) -> bool:
    """Whether this is a letter or digit of a script whose words stand between blanks."""
    return char.isalnum() and not (is_unspaced(char) or is_segmented(char))


def plain_formula(text: str) -> str:
    """A formula without its marks: operators as signs, other commands by their names, fractions with a slash."""
    text = re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1/\2", text)
    text = re.sub(r"\\(?:text|mathrm|mathbf|left|right|displaystyle)(?![a-zA-Z])", "", text)
    text = re.sub(r"\\([a-zA-Z]+)", lambda command: _SYMBOLS.get(command[1], command[1]), text)
    text = re.sub(r"\\\\", " ", text)
    text = re.sub(r"[{}]|\\(?=[^\w\s])|(?<=\w)_(?=\w)", "", text)
    return " ".join(text.split())


def plain_address(address: str) -> str:
    """The host, and the path where it is short words; nobody wants to hear the rest."""
    rest = re.sub(r"^(?:https?://)?(?:[^/@]*@)?(?:www\.)?", "", address, flags=re.I)
    host, slash, path = re.split(r"[?#]", rest)[0].partition("/")
    path = path.rstrip("/")
    worded = len(path) <= 40 and all(
        re.fullmatch(r"[^\W_]{1,16}(?:[-_.~][^\W_]{1,16}){0,4}", part) for part in path.split("/")
    )
    return host + slash + path if path and worded else host


def address_begun(run: str, previous: str) -> int:
    """How many last characters of `run`, which follows `previous`, could begin an address."""
    for size in range(min(8, len(run)), 0, -1):
        before = run[-size - 1 : -size] or (previous if size == len(run) else "")
        tail = run[-size:].lower()
        if not touches_word(before) and any(
            start.startswith(tail) for start in ("http://", "https://", "www.")
        ):
            return size
    return 0


def is_prose(line: str) -> bool:
    """Whether this line, found where code was expected, is a sentence to the eye."""
    words = line.split()
    return len(words) >= 3 and _PROSE_LINE.fullmatch(line.strip()) is not None


def ends_prose(line: str) -> bool:
    """Whether a sentence ends with this line."""
    return line.rstrip().endswith(tuple('.!?…。！？”"'))
