"""Answers on the page: Markdown as elements, words lit as they are heard, copies as the model wrote them, no HTML."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import (
    classes_when_said,
    session_of,
    speech,
    type_,
    wait_for_status,
    wait_until_played,
)

TEXT = """Here is **what matters**, with `inline code` and [a link](https://example.com/a_(b)).

1. Install it:
   ```sh
   pip install example
     --upgrade
   ```
2. Ask *again*

| name | value |
|---|--:|
| C# | 2*3 |

See https://example.com/x?y=1.
"""
HOSTILE = """<img src=x onerror="window.hit=1"> <script>window.hit=1</script>
[a](javascript:window.hit=1) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>window.hit=1</script>)
[d](https://ok.example/"onmouseover="window.hit=1) ![e](https://tracker.example/pixel.png)
[f](vbscript:x) [g](//evil.example) [h](mailto:a@b.org) <https://ok.example/'"> **<b>bold</b>**

```html"><img src=x onerror=window.hit=1>
<b>code</b>
```
| <i>x</i> | <svg onload=window.hit=1> |
|---|---|
"""


def words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\s*\S+\s*", text)) if text.strip() else (text,)


async def answered(open_page: Any, server: Any, text: str, **options: Any) -> Any:
    """A page with this answer, heard to its end."""
    server.script.reply_words = words(text)
    page = await open_page(server.url, device=False, **options)
    await type_(page, "Hello")
    await wait_until_played(await session_of(server))
    await page.wait_for_selector(".caption.assistant.final")
    return page


def quick() -> Script:
    return Script(reply=np.zeros(RATE // 4, np.int16), send_factor=0.02)


async def test_markdown_is_shown_as_elements(open_page: Any) -> None:
    async with serving(quick()) as server:
        page = await answered(open_page, server, TEXT)
        text = page.locator(".caption.assistant .text")
        assert await text.locator("strong").inner_text() == "what matters"
        assert await text.locator("p > code").inner_text() == "inline code"
        assert await text.locator("ol > li").count() == 2
        assert await text.locator("ol em").inner_text() == "again"
        assert await text.locator("pre code").text_content() == "pip install example\n  --upgrade"
        assert await text.locator("th").all_inner_texts() == ["name", "value"]
        assert await text.locator("td").all_inner_texts() == ["C#", "2*3"]
        links = text.locator("a")
        assert await links.evaluate_all("all => all.map((a) => [a.href, a.target, a.rel])") == [
            ["https://example.com/a_(b)", "_blank", "noopener noreferrer"],
            ["https://example.com/x?y=1", "_blank", "noopener noreferrer"],
        ]
        log = await page.inner_text("#spoken")
        assert "**" not in log
        assert "what matters" in log


async def test_an_answer_cannot_run_anything(open_page: Any) -> None:
    """HTML is text, only http, https and mailto become links, and no picture is loaded."""
    async with serving(quick()) as server:
        page = await answered(open_page, server, HOSTILE)
        # A picture that cannot be loaded tells so in a task after those that are queued now. Its address is one that the
        # Content-Security-Policy allows: a blocked one counts as an error of the page.
        await page.evaluate(
            "() => new Promise((done) => { const i = new Image(); i.onerror = done; i.src = 'missing.png'; })"
        )
        assert await page.evaluate("window.hit") is None
        made = await page.eval_on_selector_all(".text *", "all => all.map((element) => element.localName)")
        assert not set(made) & {"img", "script", "svg", "b", "i", "iframe", "style"}
        links = await page.eval_on_selector_all(".text a", "all => all.map((a) => a.getAttribute('href'))")
        assert all(re.match("https?://(ok|tracker)\\.example|mailto:", link) for link in links), links
        handlers = "all => all.flatMap((e) => e.getAttributeNames()).filter((name) => name.startsWith('on'))"
        assert await page.eval_on_selector_all(".text *", handlers) == []
        assert all(url.startswith(server.url) for url in page.requests)
        shown = await page.locator(".text").last.inner_text()
        for kept in ("<img src=x", "<script>", "javascript:window", "vbscript:x", "<b>bold</b>"):
            assert kept in shown


async def test_words_with_marks_light_up_as_they_are_heard(open_page: Any) -> None:
    """The words of the voice are the model's text with its marks; each lights what of it can be seen."""
    async with serving(Script(reply=np.tile(speech(1), 2), send_factor=0.02)) as server:
        server.script.reply_words = (
            "**One ",
            "two** ",
            "`three ",
            "four` ",
            "- - ",
            "five ",
            "[six](https://e.org) ",
            "end",
        )
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        heard = await classes_when_said(page, ".text span", 3)
        assert heard == sorted(heard, key=["said", "saying", ""].index), "lit from the beginning"
        assert heard[-1] == ""
        texts = await page.eval_on_selector_all(".text span", "all => all.map((s) => s.textContent)")
        assert "".join(texts) == "One two three four - - five six end"
        await wait_until_played(await session_of(server))
        await page.wait_for_selector("[data-highlighted=all]")


async def test_an_interrupted_answer_ends_where_it_was_heard(open_page: Any) -> None:
    """What was not heard is gone, also in the middle of bold text, and a copy holds what is left."""
    async with serving(Script(reply=np.tile(speech(1), 4), send_factor=0.02)) as server:
        server.script.reply_words = (
            "**One ",
            "two ",
            "three ",
            "four ",
            "five ",
            "six** ",
            "seven ",
            "eight",
        )
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        await page.wait_for_function("() => document.querySelectorAll('.text .said').length >= 2")
        await page.keyboard.press("Escape")
        await page.wait_for_selector(".caption.truncated")
        left = await page.inner_text(".caption.truncated .text")
        assert left.startswith("One two")
        assert "*" not in left
        assert "eight" not in left
        assert await page.locator(".caption.truncated strong").count() == 1


async def test_buttons_copy_what_the_model_wrote(open_page: Any) -> None:
    """The whole answer with its marks, and a block of code without its indentation in a list."""
    async with serving(quick()) as server:
        page = await answered(open_page, server, TEXT, permissions=["clipboard-read", "clipboard-write"])
        read = "navigator.clipboard.readText()"
        await page.click(".tools .copy")
        await page.locator(".tools .copy", has_text="Copied").wait_for()
        assert await page.get_attribute(".tools .copy", "aria-label") == "Copied", "a screen reader hears it"
        assert await page.evaluate(read) == TEXT
        await page.locator(".tools .copy[aria-label='Copy answer']", has_text="Copy").wait_for()
        await page.click(".code .copy")
        await page.locator(".code .copy", has_text="Copied").wait_for()
        assert await page.evaluate(read) == "pip install example\n  --upgrade"


async def test_copying_works_without_the_clipboard_interface(open_page: Any) -> None:
    """As on http pages: by the browser's own copy command."""
    async with serving(quick()) as server:
        page = await answered(open_page, server, TEXT, permissions=["clipboard-read", "clipboard-write"])
        await page.evaluate("Object.defineProperty(navigator.clipboard, 'writeText', { value: undefined })")
        await page.click(".tools .copy")
        await page.locator(".tools .copy", has_text="Copied").wait_for()
        assert await page.evaluate("navigator.clipboard.readText()") == TEXT


SELECT = """(selector) => {
    const range = document.createRange(), all = document.querySelectorAll(selector);
    range.setStartBefore(all[0]);
    range.setEndAfter(all[all.length - 1]);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
}"""
SELECTIONS = [
    (".caption.assistant .text > *", TEXT),
    (".text > p:first-child strong", "**what matters**"),
    (".text pre code", "pip install example\n  --upgrade"),
    (".text > p:first-child a", "[a link](https://example.com/a_(b))"),
    (".text td", "| C# | 2*3 |"),
    (".caption", "Hello\n\n" + TEXT),
]


async def test_a_selection_is_copied_as_the_model_wrote_it(open_page: Any) -> None:
    async with serving(quick()) as server:
        page = await answered(open_page, server, TEXT, permissions=["clipboard-read", "clipboard-write"])
        for selector, copied in SELECTIONS:
            await page.evaluate("navigator.clipboard.writeText('nothing')")
            await page.evaluate(SELECT, selector)
            await page.keyboard.press("Control+c")
            assert await page.evaluate("navigator.clipboard.readText()") == copied, selector


async def test_the_latency_line_belongs_to_the_turn_on_the_screen(open_page: Any) -> None:
    """It goes when the next turn begins, and does not come back with that of an answer before."""
    script = Script(reply=speech(1)[:RATE])
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "One")
        await page.wait_for_selector("#latency:not([hidden])")
        script.thought.clear()
        script.fail = {"code": "upstream_timeout", "message": "Too late."}
        await type_(page, "Two")
        await wait_for_status(page, "Thinking")
        assert await page.is_hidden("#latency")
        script.thought.set()
        await page.wait_for_selector(".trouble")
        assert await page.is_hidden("#latency")


async def test_who_has_scrolled_up_sees_a_message_that_they_send(open_page: Any) -> None:
    """What others say leaves the place of a reader alone."""
    script = quick()
    async with serving(script) as server:
        page = await answered(open_page, server, "A line.\n\n" * 80)
        await page.evaluate("() => { captions.scrollTop = 100; }")
        await type_(page, "One more")
        await page.locator(".caption.user", has_text="One more").wait_for()
        end = "captions.scrollHeight - captions.scrollTop - captions.clientHeight"
        await page.wait_for_function(f"() => {end} < 5")
        await page.locator(".caption.assistant.final").nth(1).wait_for()
        await page.evaluate("() => { captions.scrollTop = 100; }")
        await page.wait_for_timeout(100)  # the browser tells of the scrolling in its next frame
        session = await session_of(server)
        await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_U9")
        await page.wait_for_function("() => document.body.dataset.status === 'user-speaking'")
        assert await page.evaluate("captions.scrollTop") == 100
