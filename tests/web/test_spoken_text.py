"""Answers as elements while they are spoken, of page and widget: what was heard stays lit, what is selected stays selected, and
a delta costs no more in a long answer than in a short one. Modules in an empty page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web.conftest import Browsers
from tests.web.fake_server import serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browsers: Browsers) -> AsyncIterator[Any]:
    """An empty HTML page with the origin of a server."""
    async with serving() as server:
        room = await (await browsers.get()).new_context()
        tab = await room.new_page()
        await tab.route(
            "**/empty", lambda route: route.fulfill(content_type="text/html", body="<!doctype html>")
        )
        await tab.goto(f"{server.url}/empty")
        yield tab
        await room.close()


# An answer with `words` of 100 ms each; `made`: how many elements it has made.
PREPARE = """
    const { SpokenText } = await import("/sdk/spoken_text.js");
    const TAGS = { list: "ul", item: "li", strong: "strong", code: "pre" };
    let made = 0;
    const make = ({ kind }, children) => {
        made += 1;
        const element = document.createElement(TAGS[kind] ?? "p");
        element.append(...children);
        return element;
    };
    const answer = (inside = document.body) => {
        const element = inside.appendChild(document.createElement("div"));
        return new SpokenText(element, { make, classes: { waiting: "waiting", saying: "saying", said: "said" } });
    };
    const timed = (text) => (text.match(/\\S+\\s*/g) ?? []).map((text, at) => ({ text, start_ms: at * 100, end_ms: at * 100 + 100 }));
    const classes = (shown) => [...shown.element.querySelectorAll("span")].map(({ className }) => className);
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
"""


async def run(page: Any, script: str, argument: Any = None) -> Any:
    return await page.evaluate(f"async (argument) => {{ {PREPARE} {script} }}", argument)


async def test_what_was_heard_never_becomes_unheard(page: Any) -> None:
    """A position that goes back, or that nobody knows any more, changes nothing."""
    script = """const shown = answer();
        shown.update("One two three", { words: timed("One two three") });
        shown.light(150);
        const told = [classes(shown)];
        for (const ms of [0, null, 100]) { shown.light(ms); told.push(classes(shown)); }
        shown.update("One two three four", { words: timed("One two three four") });
        return [...told, classes(shown)];"""
    first = ["said", "saying", "waiting"]
    assert await run(page, script) == [first] * 4 + [[*first, "waiting"]]


async def test_an_answer_that_was_heard_to_its_end_is_lit_whatever_comes(page: Any) -> None:
    """Also words that are told later, and that end later than the sound."""
    script = """const shown = answer(), words = timed("One two three");
        shown.update("One two three", { words: words.slice(0, 2) });
        const all = [shown.light(199.7), shown.light(Infinity), shown.light(null)];
        shown.update("One two three", { words });
        return [all, shown.heard, classes(shown)];"""
    assert await run(page, script) == [[False, True, True], True, ["said"] * 3]


async def test_times_that_go_back_light_no_word_out_of_order(page: Any) -> None:
    script = """const shown = answer(), words = timed("One two three");
        [words[1].start_ms, words[1].end_ms] = [0, 0];
        shown.update("One two three", { words });
        const told = [50, 150, 300].map((ms) => (shown.light(ms), classes(shown)));
        return told;"""
    assert await run(page, script) == [
        ["saying", "saying", "waiting"],
        ["said", "said", "waiting"],
        ["said", "said", "said"],
    ]


GROWING = """const shown = answer(); let text = "";
    const costs = [];
    for (let at = 0; at < 120; at += 1) {
        for (const more of [`**Block ${at}** `, "goes ", "on ", "here.", "\\n\\n"]) {
            text += more;
            const before = made;
            shown.update(text, { words: timed(text) });
            shown.light(text.length);
            costs.push(made - before);
        }
    }"""


async def test_a_delta_costs_no_more_at_the_end_of_a_long_answer(page: Any) -> None:
    """Blocks that are over stay the same elements, and are not made again to be compared."""
    early, late, kept = await run(
        page,
        GROWING.replace('text = "";', 'text = ""; let first = null;').replace(
            "costs.push", "first ??= shown.element.firstElementChild; costs.push"
        )
        + "return [Math.max(...costs.slice(10, 30)), Math.max(...costs.slice(-20)), shown.element.firstElementChild === first];",
    )
    assert late <= early <= 6
    assert kept is True


async def test_a_word_costs_no_more_at_the_end_of_a_long_paragraph(page: Any) -> None:
    """As spoken answers are one. Only its last words are made again; with text that comes before its words, too."""
    script = """const shown = answer(), costs = [], all = timed("One **two** three, " + "four ".repeat(400));
        const create = document.createElement.bind(document);
        let spans = 0;
        document.createElement = (...names) => { spans += 1; return create(...names); };
        try {
            for (let at = 1; at <= all.length; at += 1) for (const ahead of [0, 1]) {
                const text = all.slice(0, at + ahead).map(({ text }) => text).join(""), before = spans;
                shown.update(text, { words: all.slice(0, at) });
                shown.light(at * 100 - 150);
                costs.push(spans - before);
            }
        } finally { document.createElement = create; }
        const states = classes(shown);
        return [Math.max(...costs.slice(-700)), states.length, states.slice(-3), states.slice(0, -3).every((name) => name === "said")];"""
    most, count, last, heard = await run(page, script)
    assert most <= 4
    assert (count, last, heard) == (404, ["said", "saying", "waiting"], True)


SELECT = """const range = (node, from, to) => getSelection().setBaseAndExtent(node, from, node, to);
    const selected = () => (root.getSelection?.() ?? getSelection()).toString();"""
ROOTS = {
    "document": "const root = document, inside = document.body;",
    "shadow root": """const host = document.body.appendChild(document.createElement("div"));
        const root = host.attachShadow({ mode: "open" }), inside = root;""",
}


@pytest.mark.parametrize("root", ROOTS)
async def test_what_is_selected_stays_selected_while_more_text_comes(page: Any, root: str) -> None:
    """In the block that grows; what comes is shown at once all the same."""
    script = f"""{ROOTS[root]} {SELECT}
        const shown = answer(inside);
        shown.update("One two **three", {{ words: timed("One two ") }});
        const word = shown.element.querySelectorAll("span")[1].firstChild;
        range(word, 0, 3);
        shown.light(150);
        shown.update("One two **three** four", {{ words: timed("One two **three** ") }});
        shown.light(250);
        shown.update("One two **three** four\\n\\nFive", {{ words: timed("One two **three** four ") }});
        return [selected(), word.isConnected, shown.element.textContent, shown.element.querySelectorAll("strong").length];"""
    assert await run(page, script) == ["two", True, "One two three fourFive", 1]


@pytest.mark.parametrize("root", ROOTS)
async def test_a_block_whose_selected_part_would_change_waits_for_the_end_of_the_selection(
    page: Any, root: str
) -> None:
    script = f"""{ROOTS[root]} {SELECT}
        const shown = answer(inside);
        shown.update("One **two", {{ words: [] }});
        range(shown.element.querySelector("span").firstChild, 4, 8);
        shown.update("One **two** three", {{ words: timed("One **two** three") }});
        const during = [selected(), shown.element.textContent];
        shown.update("One", {{ whole: "One **two** three" }});  // interrupted meanwhile
        shown.light(1000);
        shown.update("One **two** three", {{ words: timed("One **two** three") }});
        getSelection().removeAllRanges();
        for (let tries = 0; tries < 100 && !shown.element.querySelector("strong"); tries += 1) await wait(50);
        return [during, shown.element.textContent, classes(shown)];"""
    assert await run(page, script) == [["**tw", "One **two"], "One two three", ["said"] * 4]


async def test_growing_answers_look_like_those_that_are_drawn_at_once(page: Any) -> None:
    """However their deltas are cut, with words that come before, with or after their text."""
    texts = [
        "One **two** [three](https://e.org) `four` five.",
        "One two three, four *five six* seven eight\nnine ten 2 * 3 * 4 eleven _twelve_ thirteen, fourteen | fifteen\n===\nsixteen",
        "# Title\n- a\n- b\n  - c\n\n1. x\n2. y\n\n> quote\n> more\n\n---\nEnd",
        "```py\nx = 1\n\ny = 2\n```\nThen *it* is over.\n\nAnd | so\nA | b\n--|--\n1 | 2\n",
    ]
    script = """const html = (text, words) => { const shown = answer(); shown.update(text, { words }); return shown.element.innerHTML.replaceAll(' class=""', ""); };
        const wrong = [];
        for (const text of argument) for (const [size, ahead] of [[1, 0], [3, -4], [7, 5]]) {
            const shown = answer(), all = timed(text);
            for (let end = 0; end <= text.length + size; end += size) {
                const part = text.slice(0, end), words = all.slice(0, Math.max(0, timed(part).length + ahead));
                shown.update(part, { words });
                if (shown.element.innerHTML.replaceAll(' class=""', "") !== html(part, words)) wrong.push([size, ahead, part]);
            }
        }
        return wrong;"""
    assert await run(page, script, texts) == []


async def test_a_paragraph_whose_words_or_text_change_looks_like_one_that_is_drawn_at_once(page: Any) -> None:
    """Other times, fewer words, another text, a text that is cut and goes on."""
    script = """const text = "One two three four five six seven eight", all = timed(text), shown = answer(), wrong = [];
        const late = all.map((word) => ({ ...word, start_ms: word.start_ms + 500, end_ms: word.end_ms + 500 }));
        const steps = [[text.slice(0, 20), all.slice(0, 3)], [text, all.slice(0, 3)], [text, all], [text, [...all.slice(0, 3), ...late.slice(3)]], [text, all.slice(0, 5)],
            [text.slice(0, 11), all.slice(0, 2), text], [text, all], ["One two other four five", []], ["One two other four five six", timed("One two ")],
            ["Six", []], [text, all.slice(0, 6)], [`${text} nine`, [...all.slice(0, 4), ...late.slice(4, 6)]]];
        const bare = ({ innerHTML }) => innerHTML.replaceAll(' class=""', "");
        for (const [step, [text, words, whole = text]] of steps.entries()) {
            shown.update(text, { words, whole });
            shown.light(150);
            const fresh = answer();
            fresh.update(text, { words, whole });
            fresh.light(150);
            const places = (of) => JSON.stringify(of.pieces.map(({ node, start, end, span, word }) => [node.data, start, end, word, span.isConnected, span.contains(node)]));
            if (bare(shown.element) !== bare(fresh.element) || places(shown) !== places(fresh)) wrong.push([step, bare(shown.element), bare(fresh.element)]);
        }
        return wrong;"""
    assert await run(page, script) == []


VIEWS = """async () => {
    const { Captions } = await import("/page/captions.js"), { language } = await import("/page/language.js");
    const { Transcript } = await import("/widget/transcript.js"), { textsFor } = await import("/widget/texts.js");
    const words = [{ text: "One ", start_ms: 0, end_ms: 500 }, { text: "two.", start_ms: 500, end_ms: 1040 }];
    const item = { id: "a", role: "assistant", text: "One two.", words, unread: null, final: true, truncated: false };
    const captions = new Captions(document.createElement("div"), document.createElement("div")), transcript = new Transcript();
    const draw = (tag) => { language.use(tag); captions.draw([item]); transcript.draw([item], textsFor(tag)); };
    const told = [], tell = () => told.push([captions.list.querySelector(".caption").dataset.highlighted ?? null,
        captions.list.querySelectorAll(".said").length, transcript.list.querySelectorAll(".unheard").length]);
    draw("en");
    for (const step of [() => 400, () => 1000.4, END, () => null, () => 0]) {
        if (step === "finish") [captions, transcript].forEach((view) => view.finish());
        else [captions, transcript].forEach((view) => view.highlight(step));
        tell();
    }
    draw("zh");  // in other words of its own the same answer is filled anew
    tell();
    return told;
}"""


@pytest.mark.parametrize("end", ["() => Infinity", '"finish"'], ids=["heard to its end", "stopped"])
async def test_page_and_widget_keep_lit_what_was_heard(page: Any, end: str) -> None:
    """The last word ends later than the sound; afterwards the player knows nothing of it."""
    told = await page.evaluate(VIEWS.replace("END", end))
    assert told == [[None, 0, 1], [None, 1, 0], *[["all", 2, 0]] * 4]


GROWS = """async () => {
    const { Captions } = await import("/page/captions.js");
    const { Transcript } = await import("/widget/transcript.js"), { textsFor } = await import("/widget/texts.js");
    const captions = new Captions(document.createElement("div"), document.createElement("div")), transcript = new Transcript();
    const item = (text, at) => ({ id: "a", role: "assistant", text, unread: null, final: false, truncated: false,
        words: [{ text: text.slice(0, at), start_ms: 0, end_ms: 100 * at }] });
    const draw = (item) => { captions.draw([item]); transcript.draw([item], textsFor("en")); };
    draw(item("One", 1));
    const records = [], watch = new MutationObserver((all) => records.push(...all));
    for (const { list } of [captions, transcript]) watch.observe(list, { attributes: true, subtree: true });
    draw(item("One two", 3));
    await null;
    return records.filter(({ target }) => target.localName !== "span").map(({ attributeName }) => attributeName);
}"""


async def test_a_delta_sets_nothing_around_the_words_again(page: Any) -> None:
    """The browser would look at the style of all of them."""
    assert set(await page.evaluate(GROWS)) <= {"data-cut"}


BEGINNINGS = [
    ("abc", 3, "abc", "abc"),
    ("abcd", 3, "abc", "abc…"),
    ("ab😀d", 3, "ab", "ab…"),
    ("ab😀d", 4, "ab😀", "ab😀…"),
    ("a👩‍👩‍👧b", 5, "a", "a…"),
    ("ae\u0301x", 2, "a", "a…"),
]


async def test_a_text_that_is_too_long_ends_with_a_whole_character(page: Any) -> None:
    script = """async (cases) => {
        const { beginning, shortened } = await import("/sdk/beginning.js");
        return cases.map(([text, most]) => [beginning(text, most), shortened(text, most)]);
    }"""
    told = await page.evaluate(script, [case[:2] for case in BEGINNINGS])
    assert [tuple(one) for one in told] == [case[2:] for case in BEGINNINGS]
