"""The words of the talk page and of the widget: every key in both languages, none unknown, none unused, no words beside
them, and Chinese as it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from realtime.upstream import CODES, OURS

WEB = Path(__file__).parents[2] / "web"
README = WEB.parent / "README.zh.md"
HAN = re.compile(r"[\u3400-\u9fff]")
VALUE = re.compile(r"\{\w+\}")
SAME = {"export.json"}  # the same in both languages
# English shows what the server says, Chinese our own words: a server speaks English
OTHER_VALUES = {"problem.instead"}
WORDS = {
    "parts",
    "step",
    "what",
    "known",
}  # values that are words of the table; all others are numbers or in any language
BADLY_SET = {
    "a space is missing between Chinese and Latin letters or digits": r"[\u3400-\u9fff][A-Za-z0-9`]|[A-Za-z0-9`%][\u3400-\u9fff]",
    "a mark of half width at Chinese": r"[\u3400-\u9fff] ?[,;:!?()]|[,;:!?()][\u3400-\u9fff]",
    "a space at a mark of full width": r"[\u3400-\u9fff，。；：！？、（）“”] [，。；：！？、（）“”]|[，。；：！？、“”] [\u3400-\u9fffA-Za-z0-9]",
}
OF_THE_SDK = {"content_filter", "max_output_tokens"}  # the end of an answer, which it turns into a problem
KEY = re.compile(r"""["'`]([a-z]+\.[a-z0-9_.-]*(?:\$\{)?)""")
PLACES = {
    "data-label": "aria-label",
    "data-title": "title",
    "data-hint": "placeholder",
    "data-content": "content",
}
NAMES = {"Realtime", "Esc", "0:00"}


async def tables(page: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """English and Chinese."""
    english, chinese = await page.evaluate(
        """async () => [(await import("/page/texts/english.js")).ENGLISH, (await import("/page/texts/chinese.js")).CHINESE]"""
    )
    return english, chinese


def forms(text: Any) -> list[str]:
    """A text for each number, or the one text."""
    return [text] if isinstance(text, str) else list(text.values())


async def test_both_languages_have_every_text(page: Any) -> None:
    """In their own letters, and with no value that the other language does not have."""
    english, chinese = await tables(page)
    assert list(english) == list(chinese)
    assert (english.pop("tag"), chinese.pop("tag")) == ("en", "zh-CN")
    for key, text in english.items():
        values = set(VALUE.findall("".join(forms(text))))
        for form in forms(text):
            assert form and not HAN.search(form), key  # noqa: PT018
        for form in forms(chinese[key]):
            assert HAN.search(form) or key in SAME or not re.search("[A-Za-z]", VALUE.sub("", form)), key
            assert set(VALUE.findall(form)) <= values or key in OTHER_VALUES, key


def sources() -> str:
    """The page's own code, without comments and without the tables."""
    files = [WEB / "demo.js", WEB / "index.html", *sorted((WEB / "page").glob("*.js"))]
    assert len(files) > 25
    return without_comments(files)


def without_comments(files: list[Path]) -> str:
    return re.sub(r"(?<!:)//.*", "", "\n".join(file.read_text() for file in files))


async def test_every_key_that_the_code_names_is_there_and_used(page: Any) -> None:
    """`who.${role}` in the code stands for all keys that begin with `who.`."""
    english, _ = await tables(page)
    known = set(english) - {"tag"}
    groups = {key.split(".")[0] for key in known if "." in key}
    code = sources()
    named = {key for key in KEY.findall(code) if key.split(".")[0] in groups}
    for key in named:
        begin, wild = key.removesuffix("${"), key.endswith("${")
        assert any(other.startswith(begin) for other in known) if wild else key in known, key
    begins = tuple(key.removesuffix("${") for key in named if key.endswith("${"))
    helps = {f"{key}_help" for key in named}  # the line below a field
    unused = {key for key in known if f'"{key}"' not in code and not key.startswith(begins)} - helps
    assert unused == set()


class Texts(HTMLParser):
    """What index.html says by itself: (key or None, text) of every text and of every attribute that is read."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str | None] = []
        self.found: list[tuple[str | None, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for place, name in PLACES.items():
            if given.get(name) and (place in given or name != "content"):
                self.found.append((given.get(place), given[name] or ""))
        if tag not in ("meta", "link", "img", "input", "path", "rect", "circle"):
            self.open.append("" if tag in ("noscript", "script", "title") else given.get("data-text"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "rect", "circle"):
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and "" not in self.open:
            self.found.append((self.open[-1], data))


async def test_the_document_says_what_the_table_says(page: Any) -> None:
    """Without its modules it speaks English; nothing in it has no key, but names."""
    english, _ = await tables(page)
    parser = Texts()
    parser.feed((WEB / "index.html").read_text())
    assert len(parser.found) > 30
    for key, text in parser.found:
        assert text.strip() in NAMES if key is None else english[key] == text, (key, text)


def literals(code: str) -> Iterator[str]:
    """Texts of the code that look like a sentence: two words with a space between, outside of classes and selectors."""
    for text in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code):
        if re.search(r"[A-Za-z]{2,} [a-z]{2,}", text) and not re.search(r"[.#\[:>]", text):
            yield text


def test_no_sentence_stands_in_the_code() -> None:
    """Neither as a text nor as a label: only in the tables."""
    given = re.sub(r'className: "[^"]*"', "", sources().partition("<!doctype")[0])
    code = "\n".join([given, sources().partition("</html>")[2]])
    no_texts = {
        "no key", "use strict", "noopener noreferrer", "voice detection", "caption call",
        "input, textarea, select", "input, select, textarea", "button, summary, a, pre",
    }  # fmt: skip
    assert set(literals(code)) - no_texts == set()


def test_no_mark_joins_texts_in_the_code() -> None:
    """`${name}: ` has the colon and the space of English; Chinese has others, so they belong to the tables."""
    code = sources() + without_comments(sorted((WEB / "widget").glob("*.js")))
    joined = re.findall(r"\$\{[^}`]*\}[:;,] (?:\$\{[^`]*)?`", code)
    assert joined == []


async def test_chinese_is_set_as_it_is_printed(page: Any) -> None:
    """Marks of full width, and a space between Chinese and Latin letters or digits: page, widget and README."""
    _, chinese = await tables(page)
    widget = await page.evaluate(
        """async () => {
            const { tag, troubles, ...rest } = (await import("/widget/texts.js")).textsFor("zh");
            return { ...rest, ...troubles };
        }"""
    )
    own = [form for text in (chinese | widget).values() for form in forms(text)]
    shown = [VALUE.sub(lambda found: "字" if found[0][1:-1] in WORDS else "7", text) for text in own]
    lines = [line for line in README.read_text().splitlines() if HAN.search(line) and "║" not in line]
    assert len(shown) > 300
    assert len(lines) > 100
    for text in shown + lines:
        for what, sign in BADLY_SET.items():
            assert not re.search(sign, text), (what, text)


async def test_every_failure_of_an_answer_has_words_in_chinese(page: Any) -> None:
    """Whatever a server says of it in English, which an English page shows where it says more."""
    codes = sorted(CODES | OURS | OF_THE_SDK)
    told = await page.evaluate(
        """async (codes) => {
            const { language } = await import("/page/language.js"), { problemText } = await import("/page/texts.js");
            const before = language.tag;
            const texts = ["zh", "en"].map((tag) => {
                language.use(tag);
                return codes.map((code) => problemText({ code, message: "Something was wrong." }));
            });
            language.use(before);
            return texts;
        }""",
        codes,
    )
    for code, chinese, english in zip(codes, *told, strict=True):
        assert HAN.search(chinese), code
        assert not re.search("[A-Za-z]", chinese), code
        assert english, code
