"""The talk page in Chinese: by the browser, by choice and by an address; nothing on it stays English but names."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import arrived, session_of, speech, type_, wait_for_status, wait_until_played
from tests.web.test_settings import OFFERED
from tests.web.test_tool_calls import call, output

# All that can be read or heard: texts, labels, hints. What people, models and servers say is in any language (lang="").
SAID = """() => {
    const said = [], own = "[lang=''], pre, #server, .type, .tool-name, .tool-brief, script, style, noscript, title";
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!node.parentElement.closest(own)) said.push(node.data);
    }
    for (const name of ["aria-label", "title", "placeholder", "alt", "content"]) {
        for (const element of document.querySelectorAll(`body [${name}], [data-${name}]`)) said.push(element.getAttribute(name) ?? "");
    }
    for (const element of document.querySelectorAll("body *")) {
        for (const side of ["::before", "::after"]) {
            const { content } = getComputedStyle(element, side);
            if (content.startsWith('"')) said.push(content);
        }
    }
    return said.map((text) => text.trim()).filter(Boolean);
}"""
NAMES = (
    "MiniMax-M3", "MINIMAX_API_KEY", "MiniMax", "Realtime", "WebSocket", "English_Graceful_Lady", "English", "localhost", "https", "http",
    "JSON", "Token", "Esc", "F2", "p50", "p95", "kB", "ms", "Lady", "<b>Man</b>", "Mine", "Lisbon", "resp_", "http",
)  # fmt: skip
FITS = "document.documentElement.scrollWidth <= innerWidth && document.querySelector('{}').scrollWidth <= document.querySelector('{}').clientWidth"
EARLIER = {"data": [{"id": "conv_old", "title": "Lisbon", "updated_at": 1795221234}]}


async def assert_chinese(page: Any) -> None:
    """No word in Latin letters is left when the names are taken out."""
    for text in await page.evaluate(SAID):
        left = text
        for name in NAMES:
            left = left.replace(name, "")
        assert not re.search("[A-Za-z]{2}", left), text


async def test_nothing_stays_english(open_page: Any) -> None:
    """Notices, a conversation with all that can happen in it, the drawer, the settings and the key dialog; on a phone."""
    ready = {"sandbox": True, "missing": [{"part": "voice"}]}
    error = {"type": "server_error", "code": "rate_limit_exceeded", "message": "Too many requests."}
    phone = {"width": 375, "height": 667}
    async with serving(Script(reply=speech(1)[: RATE // 2], ready=ready)) as server:
        page = await open_page(f"{server.url}/?greeting=您好", device=False, locale="zh-CN", viewport=phone)
        await page.route(
            "**/v1/capabilities", lambda route: route.fulfill(json=OFFERED | {"conversations": True})
        )
        await page.route("**/v1/conversations", lambda route: route.fulfill(json=EARLIER))
        assert await page.get_attribute("html", "lang") == "zh-CN"
        await wait_for_status(page, "点击开始说话")
        await page.locator("[data-id=sandbox]").wait_for()
        await assert_chinese(page)
        await type_(page, "你好")
        session = await session_of(server)
        await wait_until_played(session)
        cut = {"item_id": session.items[-1], "content_index": 0, "audio_end_ms": 100, "transcript": "Well,"}
        await session.send("conversation.item.truncated", **cut)
        for item in (call(1), output(1, '{"error": "closed"}'), call(2)):
            await session.send("conversation.item.added", item=item, previous_item_id=session.items[-1])
        await session.send("error", error=error)
        await page.locator("[data-id=problem]").wait_for()
        await page.locator(".tool-call summary").first.click()
        await page.click("#latency summary")
        await assert_chinese(page)
        await page.keyboard.press("F2")
        await page.click(".turns summary")
        await page.locator(".event").first.wait_for()
        await assert_chinese(page)
        assert await page.evaluate(FITS.format("#drawer", "#drawer"))
        await page.click("#drawer .close")
        await page.click("#settings-toggle")
        await page.locator(".earlier li").wait_for()
        await page.fill("[type=search] >> nth=-1", "none")
        await page.click("footer >> text=复制链接")
        await assert_chinese(page)
        assert await page.evaluate(FITS.format("#settings", "#settings"))


async def test_a_choice_counts_at_once_and_later(open_page: Any) -> None:
    """Also while the assistant speaks, which it does not notice; in the address it is shared; an address wins for a visit."""
    script = Script(reply=speech(1)[: RATE // 2])
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json=OFFERED))
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        await page.locator(".caption.assistant.final").wait_for()
        await page.click("#settings-toggle")
        await page.locator(".voices .voice").nth(3).wait_for()
        await page.select_option("#settings select:has(option[lang=zh])", "zh")
        await page.locator("#settings >> text=界面语言").wait_for()
        await assert_chinese(page)
        await page.locator("#settings [role=radiogroup] h4:first-of-type >> text='复刻音色'").wait_for()
        assert await page.locator("option[value=zh]").first.inner_text() == "中文"
        await arrived(page, session)
        assert len(session.of("session.update")) == 1, "it is the language of the page alone"
        assert json.loads(await page.evaluate("localStorage['realtime.choices']")) == {"lang": "zh"}
        await page.reload()
        await wait_for_status(page, "点击开始说话")
        assert await page.get_attribute("html", "lang") == "zh-CN"
        await page.goto(f"{server.url}/?lang=en-GB")
        await wait_for_status(page, "Press to talk")
        await page.click("#settings-toggle")
        await page.click("text=Reset all")
        await eventually(lambda: page.evaluate("localStorage.length === 0"), "the reset")
        await page.locator("html[lang=en]").wait_for()


async def test_the_first_language_of_the_browser_that_the_page_has(page: Any) -> None:
    script = """async (wanted) => {
        const { language } = await import("/page/language.js"), before = language.tag;
        const tags = wanted.map((each) => { language.use(each); return language.tag; });
        language.use(before);
        return tags;
    }"""
    wanted = [["fr-FR", "zh-TW", "en"], ["en-US", "zh"], ["fr"], [], "zh", "en", "de"]
    expected = ["zh-CN", "en", "en", "en", "zh-CN", "en", "en"]
    assert await page.evaluate(script, wanted) == expected
    assert await page.evaluate(script, ["zh-Hant-HK", "ZH-cn", "zh_CN", "zha", "en_GB"]) == [
        "zh-CN", "zh-CN", "zh-CN", "en", "en"
    ]  # fmt: skip


async def test_what_stands_for_speech_that_was_not_understood_is_in_the_page_s_language(
    open_page: Any,
) -> None:
    """For a screen reader too, which reads what was said in any language; of page and widget."""
    script = """async () => {
        const { Captions } = await import("/page/captions.js"), { language } = await import("/page/language.js");
        const { Transcript } = await import("/widget/transcript.js"), { textsFor } = await import("/widget/texts.js");
        const item = { id: "a", role: "user", text: "", unread: null, final: false, truncated: false, words: [] };
        const unread = { ...item, final: true, unread: { code: "transcription_failed", message: "" } }, read = { ...item, id: "b", final: true, text: "Hello" };
        const log = document.createElement("div"), captions = new Captions(document.createElement("div"), log), transcript = new Transcript();
        language.use("zh");
        const langs = [...[item, unread].map((each) => {
            captions.draw([each]);
            transcript.draw([each], textsFor("zh"));
            return captions.list.querySelector(".text").lang + transcript.list.querySelector(".text").lang;
        })];
        captions.draw([unread, read]);
        transcript.draw([unread, read], textsFor("zh"));
        language.use("en");
        for (const each of [log, transcript.log]) langs.push(...[...each.querySelectorAll("[lang]")].map(({ lang }) => lang));
        return langs;
    }"""
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        assert await page.evaluate(script) == ["", "zh-CNzh-CN", "zh-CN", "", "zh-CN", ""]


async def test_dates_and_numbers_are_those_of_the_person_s_region(page: Any) -> None:
    """In the page's language; a tag that browsers have and `Intl` refuses costs nothing."""
    script = """async (cases) => {
        const { language } = await import("/page/language.js"), before = language.tag;
        const told = cases.map(([own, tag]) => {
            Object.defineProperty(navigator, "languages", { value: own, configurable: true });
            language.use(tag);
            return [language.locale, new Date(2026, 4, 9, 22, 5).toLocaleString(language.locale, { dateStyle: "medium", timeStyle: "short" })];
        });
        delete navigator.languages;
        language.use(before);
        return told;
    }"""
    cases = [
        [["en-GB", "en"], "en"], [["fr", "en-AU"], "zh"], [["zh-TW"], "zh"], [["en-US@posix"], "en"], [["fr"], "en"],
    ]  # fmt: skip
    told = await page.evaluate(script, cases)
    assert [locale for locale, _ in told] == ["en-GB", "zh-CN", "zh-TW", "en", "en"]
    assert "9 May 2026, 22:05" in told[0][1]
    assert "2026年5月9日 22:05" in told[1][1]


async def test_what_a_person_changes_no_longer_comes_from_the_address(open_page: Any) -> None:
    """A reload keeps the choice; the other parts of the address stay, and so does what else it says."""
    async with serving() as server:
        address = f"{server.url}/?lang=en&instructions=Be%20rude&speed=1.2&own=a%20b"
        page = await open_page(address, device=False, locale="zh-CN")
        await page.locator("[data-id=instructions]").wait_for()
        await page.click("#settings-toggle")
        await page.select_option("#settings select:has(option[lang=zh])", "zh")
        await page.locator("#settings >> text=界面语言").wait_for()
        await page.wait_for_url(f"{server.url}/?instructions=Be+rude&speed=1.2&own=a+b")
        assert await page.locator("[data-id=instructions]").count() == 1
        await page.fill("#settings textarea", "")
        await page.locator("#settings textarea").blur()
        await page.locator("[data-id=instructions]").wait_for(state="detached")
        await page.reload()
        await wait_for_status(page, "点击开始说话")
        assert page.url == f"{server.url}/?speed=1.2&own=a+b"
        assert await page.locator("[data-id=instructions]").count() == 0
        await page.click("#settings-toggle")
        await page.click("text=恢复默认")
        await page.wait_for_url(f"{server.url}/?own=a+b")
        await page.reload()
        assert page.url == f"{server.url}/?own=a+b"


async def test_escape_belongs_to_an_input_method_first(open_page: Any) -> None:
    """Who drops the words of an input method does not stop the answer. Safari marks the key by its code alone."""
    press = "(init) => message.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, ...init }))"
    async with serving(Script(reply=np.tile(speech(4), 20))) as server:
        page = await open_page(server.url, device=False, locale="zh-CN")
        await type_(page, "你好")
        session = await session_of(server)
        await wait_for_status(page, "正在回答")
        for init in ({"isComposing": True}, {"keyCode": 229}):
            await page.evaluate(press, init)
        await arrived(page, session)
        assert not session.of("output_audio_buffer.clear") + session.of("response.cancel")
        assert await page.evaluate("realtimeDebug.voice.phase") == "speaking"
        await page.evaluate(press, {})
        await page.wait_for_function("() => realtimeDebug.voice.phase === 'listening'")


async def test_what_the_connection_says_is_said_once(open_page: Any) -> None:
    """The line under the button has it in the page's language; the server's sentence does not stand beside it."""
    error = {
        "type": "invalid_request_error",
        "code": "session_expired",
        "message": "Your session hit the maximum.",
    }
    async with serving() as server:
        page = await open_page(server.url, device=False, locale="zh-CN")
        await page.evaluate("realtimeDebug.voice.connect()")
        session = await session_of(server)
        await page.wait_for_function("() => realtimeDebug.voice.connection.state === 'open'")
        await session.send("error", error=error)
        await session.socket.close(code=1001, message=b"session_expired")
        told = await page.wait_for_function(
            """() => document.getElementById("state").textContent.startsWith("已到单次会话的时长上限")
                && [...document.querySelectorAll(".notice")].map(({ textContent }) => textContent)"""
        )
        assert await told.json_value() == []
