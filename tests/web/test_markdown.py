"""The SDK's reader of Markdown: what is a mark and what is text, and that no character of an answer is lost."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHOW = """async (texts) => {
    const { parse } = await import("/sdk/markdown.js");
    const show = (text, node) => {
        if (node.kind === "text") return text.slice(node.start, node.end);
        const more = node.level ?? node.href ?? node.language ?? (node.header ? "header" : "");
        return `<${node.kind}${more === "" ? "" : ` ${more}`}>${node.children.map((child) => show(text, child)).join("")}</>`;
    };
    return texts.map((text) => parse(text).children.map((node) => show(text, node)).join(""));
}"""
PLAIN = [  # shown character for character
    "I would learn C# or F# first. Ticket #42 is #1.",
    "2 * 3 * 4 = 24, and 2*3*4 is 24, and 2**3**4 is large.",
    "def f(*args, **kwargs): return __name__",
    "snake_case_name and _private and __init__.py",
    "*.py and *.js, or *.py,*.js, or src/**/test_*.py",
    "a < b and c > d, <think> is a tag, <b>this</b> too",
    r"C:\_temp\*.txt and \(x_1 + x_2\) and \[y\]",
    "[x](javascript:alert(1)) and [y](data:text/html,z) and [z]( www.a.b c )",
    "![x](javascript:alert(1)) [a] (b) [ ] [1]",
    "- 5 + 3 = -2",
    "> 5 is what we want",
    "It was in\n2024. Then it was over.",
    "| a bar alone",
    "a | b\nc | d",
    "**not closed, and `neither",
    "~5 or ~10 minutes, ~/.config/x",
    "5 * 3 ** 2 and a*b, c*d",
    "user_name@example.com and https//broken",
    "#hashtag and #!/bin/sh",
    "1.5 and 3) and -x and +y",
    "ftp://example.com and file:///etc/passwd",
]
MARKED = {
    "**bold** and *it* and ***both***": "<strong>bold</> and <emphasis>it</> and <strong><emphasis>both</></>",
    "*a **b** c* **a *b***": "<emphasis>a <strong>b</> c</> <strong>a <emphasis>b</></>",
    "_it_ ~~old~~ `a*b*c` ``x`y``": "<emphasis>it</> <struck>old</> <code>a*b*c</> <code>x`y</>",
    "这是**重点**内容，**重点：**内容": "这是<strong>重点</>内容，<strong>重点：</>内容",
    "**Note:** one\n**Two:** more": "<strong>Note:</> one\n<strong>Two:</> more",
    "**`code`** and *[l](https://a.b)*": "<strong><code>code</></> and <emphasis><link https://a.b>l</></>",
    "[y](https://e.org/a_(b)) <https://x.org>": "<link https://e.org/a_(b)>y</> <link https://x.org>https://x.org</>",
    "(see https://e.org/a?b=1), ok": "(see <link https://e.org/a?b=1>https://e.org/a?b=1</>), ok",
    "访问https://e.org/a。好": "访问<link https://e.org/a>https://e.org/a</>。好",
    "[mail](mailto:a@b.org) ![p](https://e.org/p.png)": "<link mailto:a@b.org>mail</> <link https://e.org/p.png>p</>",
    r"\*stars\* and snake\_case": "<escape>*</>stars<escape>*</> and snake<escape>_</>case",
}
BLOCKS = {
    "# One\ntwo\n\n### Three ###": "<heading 1>One</><paragraph>two</><heading 3>Three</>",
    "- a\n  - b\n- c": "<list><item><paragraph>a</><list><item><paragraph>b</></></></><item><paragraph>c</></></>",
    "1. a\n2. b": "<list><item><marker>1.</><paragraph>a</></><item><marker>2.</><paragraph>b</></></>",
    "Numbers:\n- 5 apples\n- 6 pears":
        "<paragraph>Numbers:</><list><item><paragraph>5 apples</></><item><paragraph>6 pears</></></>",
    "1. **A**\n   text\n\n2. B\n   ```sh\n   ls\n     -l\n   ```":
        "<list><item><marker>1.</><paragraph><strong>A</>\ntext</></>"
        "<item><marker>2.</><paragraph>B</><code sh>ls\n  -l</></></>",
    "> q **w\n> v** z": "<quote><paragraph>q <strong>w\nv</> z</></>",
    "```python\nif a:\n    b\n```\nend": "<code python>if a:\n    b</><paragraph>end</>",
    "~~~\n```\n~~~": "<code>```</>",
    "```js\nlet x": "<code js>let x</>",
    "| a | b |\n|---|:-:|\n| 1 | **2** |\n| 3 |":
        "<table><row><cell header>a</><cell header>b</></><row><cell>1</><cell><strong>2</></></><row><cell>3</></></>",
    "one\n\n---\n\ntwo": "<paragraph>one</><rule></><paragraph>two</>",
    "": "",
    "\n \n": "",
}  # fmt: skip


async def test_text_that_only_looks_like_markup_is_shown_as_it_is(page: Any) -> None:
    shown = await page.evaluate(SHOW, PLAIN)
    assert shown == [f"<paragraph>{text}</>" for text in PLAIN]


async def test_marks_within_a_paragraph(page: Any) -> None:
    shown = await page.evaluate(SHOW, list(MARKED))
    assert shown == [f"<paragraph>{tree}</>" for tree in MARKED.values()]


async def test_blocks(page: Any) -> None:
    assert await page.evaluate(SHOW, list(BLOCKS)) == list(BLOCKS.values())


BITS = ["**", "*", "_", "__", "~~", "`", "```", "\n", "\n\n", "- ", "1. ", "2) ", "# ", "> ", "|", "|---|---|\n", "a",
        "b c", "5", "[x](https://e.org)", "[", "](", "http://e.org/z", ")", "\\", "  ", "    ", "字", "é", "<", ">",
        "!", "~~~", "- - -", "\r\n", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]  # fmt: skip
LAWS = """async (texts) => {
    const { clip, copyOf, leaves, parse } = await import("/sdk/markdown.js");
    const broken = [];
    for (const text of texts) {
        const root = parse(text), own = [...leaves(root)];
        const shown = new Uint8Array(text.length).fill(0);
        let last = 0;
        for (const { start, end } of own) {
            if (start < last || end < start || end > text.length) broken.push(["order", text]);
            shown.fill(1, start, end);
            last = end;
        }
        const hidden = (node) => {  // the address of a link and the language of code are not shown as text
            if (node.kind === "link" || node.kind === "label") shown.fill(1, node.start, node.end);
            if (node.language !== undefined) shown.fill(1, node.start, (text + "\\n").indexOf("\\n", node.start));
            for (const child of node.children ?? []) {
                if (child.start < node.start || child.end > node.end) broken.push(["nesting", text]);
                hidden(child);
            }
        };
        hidden(root);
        for (let at = 0; at < text.length; at++) {
            if (!shown[at] && /[\\p{L}\\p{N}\\p{So}]/u.test(text[at])) broken.push(["lost", text, at]);
        }
        if (own.length) {
            const copied = copyOf(text, root, own[0].start, own.at(-1).end);
            const visible = own.map(({ start, end }) => text.slice(start, end)).join("");
            if (copied !== text && copied !== visible) broken.push(["copy", text, copied]);
        }
        const half = text.length >> 1;
        if ([...leaves(clip(root, half))].some(({ end }) => end > half)) broken.push(["clip", text]);
    }
    return broken;
}"""


async def test_no_character_is_lost_and_everything_can_be_copied(page: Any) -> None:
    """Leaves stand in order, nodes within their parents; no letter or digit is hidden but in addresses and languages;
    a selection of everything is the whole text; nothing at or after a cut remains."""
    texts: list[str] = []

    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(BITS), max_size=16).map("".join))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    assert await page.evaluate(LAWS, texts) == []


@pytest.mark.parametrize(
    "piece",
    ["*a ", "[", "`a ``b ", "- a\n", "> ", "| a ", "\\*", "http://a ", "_a", "***a", "a\n1. ", "![", "<h"],
)
async def test_no_answer_stops_the_page(page: Any, piece: str) -> None:
    """Twenty thousand characters of anything are read in less than the time of one long answer."""
    script = """async (text) => {
        const { parse } = await import("/sdk/markdown.js");
        const began = performance.now();
        parse(text);
        return performance.now() - began;
    }"""
    assert await page.evaluate(script, piece * (20_000 // len(piece))) < 3000


COPIES = [  # the text, what is selected on the screen, what is copied
    ("a **bold** word", "bold", "**bold**"),
    ("a **bold** word", "a bold", "a **bold**"),
    ("a **bold** word", "bo", "bo"),
    ("use `x = 1` now", "x = 1", "x = 1"),
    ("use `x = 1` now", "use x = 1", "use `x = 1`"),
    ("see [the page](https://e.org) now", "the page", "[the page](https://e.org)"),
    ("# Title\n\ntext", "Title", "# Title"),
    ("```py\na = 1\n```\n", "a = 1", "a = 1"),
    ("Do:\n\n```py\na = 1\n```\n", "Do:a = 1", "Do:\n\n```py\na = 1\n```\n"),
    ("- one\n- two\n", "one", "- one"),
    ("- one\n- two\n", "onetwo", "- one\n- two\n"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "12", "| 1 | 2 |"),
]


@pytest.mark.parametrize(("text", "visible", "copied"), COPIES)
async def test_a_selection_is_copied_with_its_marks(page: Any, text: str, visible: str, copied: str) -> None:
    script = """async ({ text, visible }) => {
        const { copyOf, leaves, parse } = await import("/sdk/markdown.js");
        const root = parse(text);
        const places = [...leaves(root)].flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
        const at = places.map((place) => text[place]).join("").indexOf(visible);
        return copyOf(text, root, places[at], places[at + visible.length - 1] + 1);
    }"""
    assert await page.evaluate(script, {"text": text, "visible": visible}) == copied


LINES = ["a", "a | b", "--|--", "-|-|-", "- x", "- 5", "-", "+ 6", "1. y", "2. z", "3.", "> q", "> 5", ">", "# h", "---", "```", "```py", "",
         "  in", "    deep", "**b", "c**", "\r", "`", "2024. Then"]  # fmt: skip
GROWN = """async (texts) => {
    const { parse, parseOn } = await import("/sdk/markdown.js");
    return texts.filter((text) => {
        let tree = parse("");
        for (let end = 1; end <= text.length; end += 1) {
            const part = text.slice(0, end);
            tree = parseOn(part, tree);
            if (JSON.stringify(tree) !== JSON.stringify(parse(part))) return true;
        }
        return false;
    });
}"""


async def test_a_text_that_grows_is_read_as_if_it_came_at_once(page: Any) -> None:
    """Whatever its last line becomes: only the last two blocks are read again."""
    dice = random.Random(1)
    texts = ["\n".join(dice.choices(LINES, k=dice.randint(2, 9))) for _ in range(4000)]
    assert await page.evaluate(GROWN, texts) == []
