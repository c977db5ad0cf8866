"""Markdown is read twice: for the voice in Python, for the page in JavaScript. Both have to find the same words.

`markdown_said.json` is the list that both read: a `text` of a model, what is `said` of it, and what is `shown` of it (its
visible text, a line for each block, without code blocks and tables, which are only seen).

The rule: the words of both are equal. A word is a run of letters and digits; marks that either side left as text (`* _ ~ \\``
and the backslash) are taken out first, so that they neither join nor part words. Where the two differ on purpose, `differs`
names the reason; each reason is one of DIFFERS.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from realtime.core.normalize import said_of
from tests.each import each

TEXTS: list[dict[str, str]] = json.loads(Path(__file__).with_name("markdown_said.json").read_text("utf-8"))
DIFFERS = {
    "address": "the voice says of an address its host and short words of its path; the page shows it whole",
    "html": "the page shows HTML as text, so that nothing of an answer can run; the voice leaves known tags out",
    "entity": "the page shows every character as it was written; the voice says what an entity stands for",
    "formula": "the voice says a formula without its marks and commands; the page shows it as it was written",
    "note": "numbers of footnotes and references are shown and not said",
    "task": "the `x` of a task that is done is shown and not said",
    "unsafe": "a link that a page must not have is shown with its target, as a warning; the voice says its label",
    "prose": "sentences in a block of code that nobody closed are said",
}
SHOWN = """async (texts) => {
    const { parse } = await import("/sdk/markdown.js");
    const lines = new Set(["paragraph", "heading", "item", "rule"]);
    const shown = (text, node) => {
        if (node.kind === "text") return text.slice(node.start, node.end);
        if (node.kind === "table" || (node.kind === "code" && node.language !== undefined)) return "";
        return node.children.map((child) => shown(text, child)).join("") + (lines.has(node.kind) ? "\\n" : "");
    };
    return texts.map((text) => shown(text, parse(text)));
}"""


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", re.sub(r"[*_~`\\]", "", text))


def test_the_list_is_long_and_has_no_text_twice() -> None:
    assert len({row["text"] for row in TEXTS}) == len(TEXTS) >= 60


@each(TEXTS)
def test_what_is_said(row: dict[str, str]) -> None:
    assert said_of(row["text"]) == row["said"]


async def test_what_is_shown(page: Any) -> None:
    shown = await page.evaluate(SHOWN, [row["text"] for row in TEXTS])
    assert {row["text"]: row["shown"] for row in TEXTS} == dict(
        zip((row["text"] for row in TEXTS), shown, strict=True)
    )


@each(TEXTS)
def test_the_words_that_are_said_are_those_that_are_shown(row: dict[str, str]) -> None:
    """And where a difference is named there is one: it does not outlive its reason."""
    assert row.get("differs") is None or row["differs"] in DIFFERS
    assert (words(row["said"]) == words(row["shown"])) is ("differs" not in row)
