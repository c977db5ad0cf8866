"""What only looks like markup is text: said as it is written, down to its operators, paths and numbers."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.normalize import SpeechNormalizer
from tests.each import each


def said(text: str, size: int) -> str:
    """What is said of `text`, which comes in deltas of so many characters."""
    normalizer = SpeechNormalizer()
    parts = [normalizer.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join(part.said for part in [*parts, normalizer.finish()])


TEXT = [
    # hashes
    "I would learn C# or F# first. Ticket #42 is about A# minor.",
    "#MiniMax is trending, and so is #voice_ai.",
    "#1 on the list, ##draft, color #ff8800.",
    # arithmetic and operators
    "2 * 3 = 6, 2*3*4 = 24, 2**10 is 1024 and 2 ** 3 is 8.",
    "a*b*c, (a+b)*(c+d)*e, n_1 + n_2, x^2 - y_2 < z and 5 > 3.",
    "It is 5 * (2 + 3) * 4, and 10 % 3 == 1, !a && !b || c.",
    "a | b || c, x |= 1, 1 << 3, 8 >> 1, i++ and --j, a != b.",
    "if x < 5 and y > 3, or 3<x and x<5, then <= and >= hold.",
    "A 4.5* hotel, price* and rate*, 5* or more.",
    "~5 minutes, ~/.bashrc, ~user, about ~20 % of ~300.",
    # code names
    "Pass **kwargs to it. Then *args too.",
    "Call __init__ and __main__, my_long_name, _private and MAX_SIZE_.",
    "The operator **, the glob **/*.txt, the pattern *.py and src/*.c too.",
    "arr[0][1] = dict[key], f[0](x), int[] values, matrix[i][j].",
    "List<String> and Map<K, V>, vector<int> v, std::vector<T>, a->b.",
    "$HOME and $PATH, $HOME/$USER, ${name}, US$5, AU$5 or A$6, $x.",
    "{name}, {{user}}, %s, %d, <name>, <your-key>, [NAME], [INSERT DATE], ____.",
    "^_^, T_T, >_< and *_* are faces.",
    # paths and addresses
    r"C:\Users\me\new, C:\.git, \\server\share, \d+\.\d*, \n and \alpha.",
    "/usr/local/bin, ./run.sh, ../x, /etc/*/conf, src/a_b/c_d.py.",
    "me@example.com, first_last@my-host.org, a.b+c@d.io.",
    "http:, https, www, http:// and www. begin addresses.",
    # tags as words
    "The <think> tag opens the reasoning, and </think> closes it.",
    "Use <b>, <i> or <u> for it, the <p> tag, a <br> and </div>.",
    "<thinking> is text here, <unknown> too, <3 you, a<b, <-- here.",
    # bars and quotes at the start of a line
    "| is the pipe operator, and || is or.",
    "|x| is the absolute value of x.",
    "> 90 means a fever.\n>= 5 is enough.\n>>> print(1)",
    "12\n+ 30\n- 2\n= 40",
    "-5 + 3 = -2",
    "+1 555 0100",
    # regular expressions, escapes and arguments
    "Regex [a-z](\\d+)? is it, [0-9](abc) too, and [a-z](?:x|y) z.",
    "^[A-Z][a-z]*$ and [^abc]* and [^0-9]+ are patterns.",
    "f[i](x) and call[0](a/b) are calls.",
    "f(*args, **kwargs) takes anything.",
    "Pass **kwargs, and **my_options: both.",
    "Use *args and **kwargs in f",
    "Use \\[ and \\] to escape brackets, or \\( and \\) for round ones.",
    "It costs $$ a lot, or $$ more.",
    # bars without a table
    "|x| + |y| >= |x + y|\nThis holds.",
    "| only one row |",
    # marks that never close
    "An opening [bracket, a lone * star, _under, `tick and (paren.",
    "He said *wait. And then nothing. **Never. [link](not closed",
    "The price is $5. Or $6, $seven or $$ a lot.",
    "An <a href= that goes on. <!-- too",
    r"\( is not closed. \[ neither.",
    "&amp without its end, AT&T, R&D, a & b.",
    "``` opens a code block in Markdown. Use it often.",
    "~~~ is a wave. It is ~~ twice.",
]


@each(product(TEXT, [1, 3, 7, 1000]))
def test_what_is_no_markup_is_said_as_it_is(text: str, size: int) -> None:
    assert said(text, size).replace("`", "") == text.replace("`", "").lstrip()


MARKUP = {
    "bold beyond its first word": (
        "**Note: this is important**, so **Yes, do it!**",
        "Note: this is important, so Yes, do it!",
    ),
    "a numbered title": ("**1. First**\n**2. Second**\nGo", "1. First\n2. Second\nGo"),
    "bold in Thai": ("ภาษา**ไทย**ดี, မြန်မာ**စာ**ကောင်း", "ภาษาไทยดี, မြန်မာစာကောင်း"),
    "a summary": ("<details><summary>More</summary>Text</details>", "More Text"),
    "bold": ("**This is bold.** And _this_, *too*.", "This is bold. And this, too."),
    "bold beyond a comma": ("**Be careful, this is hot.** Yes.", "Be careful, this is hot. Yes."),
    "a bold word before a comma": ("It is **hot**, very.", "It is hot, very."),
    "a long bold phrase": (
        "**A phrase in bold that has no mark in it and goes on for a while** ends.",
        "A phrase in bold that has no mark in it and goes on for a while ends.",
    ),
    "bold Chinese": ("这是**重点**内容，*很*重要。", "这是重点内容，很重要。"),
    "bold Chinese beyond a comma": ("**注意！**这**很重要，请看**吧。", "注意！这很重要，请看吧。"),
    "a product in bold": ("**2 * 3*4 is 24**", "2 * 3*4 is 24"),
    "nested": ("**bold *and* more** ***all***", "bold and more all"),
    "a link with marks": ('See [the **docs**, part 2](https://a.b/c "T").', "See [the docs, part 2."),
    "a link in Chinese": ("请看[文档](https://a.b/c)吧", "请看文档吧"),
    "a short address": ("At http://localhost:8080/api/v1?x=1#y.", "At localhost:8080/api/v1."),
    "a long address": ("At https://a.io/9f8e7d6c5b4a39281706f5e4d3c2b1a0/x_y/z.", "At a.io."),
    "an address of mail": ("Write to <me_too@example.com> now.", "Write to me_too@example.com now."),
    "tags": ('<p>One <b>bold</b> <font color="red">red</font></p><p>Two</p>', "One bold red\n\nTwo\n"),
    "a list of tags": ("<ul><li>One</li><li>Two</li></ul>", "One\n\nTwo\n"),
    "formulas": (r"So $a \times b \leq \frac{1}{2}$ and \(f(x, y)\).", "So a × b ≤ 1/2 and f(x, y)."),
    "a formula with a comma": ("Let $f(x, y)$ be.", "Let f(x, y) be."),
    "code with its operators": ("`a ** b` and `<br>` and `# x`", "a ** b and <br> and # x"),
    "numbers in a list": ("- 42\n- 17", "42.\n17."),
    "a comment": ("One <!-- hidden --> two", "One two"),
}


@each((*pair, size) for pair in MARKUP.values() for size in [1, 3, 7, 1000])
def test_markup_is_not_said(text: str, spoken: str, size: int) -> None:
    assert said(text, size) == spoken


_API = "**API** *API* _API_ ~~API~~ `API` <b>API</b> [API][1] [API](https://a.b/c) ![API](a.png) ![API](https://a.b/c_d)"
_TEXT = "$5 $HOME __init__ snake_case_name 2*3*4 a.b http x[0](y)"
INLINE = {
    **dict.fromkeys(_API.split(), "API"),
    **{text: text for text in _TEXT.split()},
    "[^1]": "", "<!-- API -->": "", "&amp;": "&", r"\*": "*", r"\_": "_",
    "<https://a.b/c>": "a.b/c", "www.a.io": "a.io", "WWW.a.io/b": "a.io/b", "http://localhost:80/a": "localhost:80/a",
    "https://www.a.io/b-c/V2?key=66718f6ba427&t=1": "a.io/b-c/V2", "https://a.io/?q=天气&k=6a": "a.io",
    "$E=mc^2$": "E=mc^2", "$x$": "x", r"$\frac{1}{2}$": "1/2", r"$2\pi r$": "2pi r", "$$x$$": "x",
    "$f(x, y)$": "f(x, y)", r"\(x\)": "x", r"\[x\]": "x",
}  # fmt: skip
AROUND = [("请看", "的说明"), ("これは", "です"), ("カタ", "カナ"), ("ดู", "ครับ"), ("ကြည့်", "ပါ")]


@each(product(INLINE.items(), AROUND, [1, 3, 7, 1000]))
def test_markup_in_a_script_without_blanks_is_known_as_beside_blanks(
    markup: tuple[str, str], around: tuple[str, str], size: int
) -> None:
    (written, spoken), (before, after) = markup, around
    assert said(f"{before}{written}{after}。", size) == f"{before}{spoken}{after}。"
    assert said(f"{before} {written} {after}。", size).split() == f"{before} {spoken} {after}。".split()


NO_WORD_IS_LOST = {
    "打开https://a.io/x?k=6就能看到": "打开a.io/x就能看到",
    "打开 https://a.io/x?k=6就能看到。": "打开 a.io/x就能看到。",
    "在https://www.a.io/下载": "在a.io下载",
    "网址以https://开头，也以www.开头。": "网址以https://开头，也以www.开头。",
    "打开https://例子.中国/x?k=6。好": "打开例子.中国/x。好",
    "《https://a.io/x?k=6》和「www.b.io」": "《a.io/x》和「b.io」",
    "앱은 https://a.io/x?k=6에서 받으세요": "앱은 a.io/x에서 받으세요",
    "$HOME是目录，$PATH是路径": "$HOME是目录，$PATH是路径",
    "$x是变量，用$表示": "$x是变量，用$表示",
    "要$5还是$6": "要$5还是$6",
    "传入**kwargs参数，再传**my_options。": "传入**kwargs参数，再传**my_options。",
    "太好了![^1]真的!": "太好了!真的!",
    f"打开https://a.io/x?k={'6' * 500}就能看到": "打开a.io/x就能看到",
}


@each(product(NO_WORD_IS_LOST.items(), [1, 3, 7, 1000]))
def test_words_that_touch_an_address_or_a_sign_are_said(pair: tuple[str, str], size: int) -> None:
    assert said(pair[0], size) == pair[1]


BLOCKS = {
    "code": ("```python\nx = 1\n\ny = f(x)\n```\nDone.", "\nDone."),
    "code with a title": ('```python title="a b.py"\nx = 1\n```\nDone.', "\nDone."),
    "code that breaks off": ("Here:\n```python\ndef f(x):\n    return x +", "Here:\n"),
    "prose after code that nobody closed": (
        "```\nx = 1\n\nThat sets x to one.\nIt is easy.",
        "That sets x to one.\nIt is easy.",
    ),
    "prose behind a fence that nobody closed": (
        "```\nHello there, how are you?",
        "Hello there, how are you?",
    ),
    "a table": ("Look:\n| a | b |\n|---|---|\n| 1, 2 | 3 |\n| a long. cell | 3\nDone.", "Look:\n\nDone."),
    "a table with a long head": ("| A head, in two parts | b |\n|:--|--:|\n| 1 | 2 |\n\nDone.", "Done."),
}


@each((*pair, size) for pair in BLOCKS.values() for size in [1, 3, 7, 1000])
def test_code_and_tables_are_not_said(text: str, spoken: str, size: int) -> None:
    assert said(text, size).lstrip("\n") == spoken.lstrip("\n")


OPENINGS = [
    "*",
    "**",
    "_",
    "~~",
    "[",
    "![",
    "<",
    "<b>",
    "<a href=",
    "<!--",
    "$",
    "$$",
    "\\(",
    "\\[",
    "`",
    "```",
    "|",
    "<think>",
    "&",
]
WORDS = st.lists(st.sampled_from("one two three four five six seven".split()), min_size=9, max_size=14)


@settings(max_examples=300)
@given(st.sampled_from(OPENINGS), st.booleans(), WORDS, st.sampled_from([",", ".", ";", "!"]))
def test_an_opening_mark_delays_nothing_beyond_its_clause(
    opening: str, blank: bool, words: list[str], stop: str
) -> None:
    """A clause and the next word are enough: with a mark that never closes, the clause is said at once."""
    clause = " ".join(words[:4]) + stop
    normalizer = SpeechNormalizer()
    out = normalizer.feed(f"Well {opening}{' ' if blank else ''}{clause} {words[4]} {words[5]} x")
    assert clause in out.said


@settings(max_examples=300)
@given(st.sampled_from(OPENINGS), WORDS)
def test_an_opening_mark_delays_no_words_without_end(opening: str, words: list[str]) -> None:
    """Nor is a first chunk, of eight words without a clause, late for it."""
    text = f"Well {opening}{' '.join(words * 2)}"
    normalizer = SpeechNormalizer()
    assert len(normalizer.feed(text).said.split()) >= 8
