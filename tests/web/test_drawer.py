"""The engineer's drawer: closed it costs nothing, open it shows every turn, the sound and the events."""

from __future__ import annotations

from typing import Any

from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import session_of, speech, type_, wait_until_played

FILTER = """async (filters) => {
    const { EventLog, filtered, sizeOf } = await import("/page/event_log.js");
    const log = new EventLog({ maxEvents: 4 });
    for (const type of ["gone", "a.delta", "session.update"]) log.add("client", { type });
    log.add("server", { type: "response.output_audio.delta", delta: "x".repeat(900), item_id: "I1" });
    log.add("server", { type: "error", error: { message: "<b>Überlast</b>" } });
    return [...filters.map((filter) => filtered(log.entries, filter).map(({ event }) => event.type)),
        log.entries.map(sizeOf), log.entries.map(({ event }) => "delta" in event)];
}"""


async def test_the_log_is_bounded_and_filtered(page: Any) -> None:
    """The audio itself is not kept, but counts; the filter looks into the events, too."""
    found = await page.evaluate(FILTER, [{}, {"quiet": True}, {"from": "server"}, {"text": "ÜBERLAST"}])
    everything = ["a.delta", "session.update", "response.output_audio.delta", "error"]
    assert found[0] == everything
    assert found[1] == ["session.update", "error"]
    assert found[2] == everything[2:]
    assert found[3] == ["error"]
    assert found[4] == [18, 25, 900 + 53, 55]
    assert not any(found[5])


async def test_the_drawer_shows_turns_and_events(open_page: Any) -> None:
    """Its code is loaded when it is first opened; it stays open over a reload; what a server says is never HTML."""
    script = Script(reply=speech(1)[: RATE // 2])
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        assert not any("drawer.js" in url for url in page.requests), "closed, it is not even loaded"
        await page.keyboard.press("F2")
        await page.locator(".turns li").wait_for()
        await page.locator(".turns .bar.sound").wait_for()
        await page.click(".turns summary")
        await page.locator(".marks", has_text="page: first sound at the speaker").wait_for()
        await session.send("error", error={"code": "odd", "message": "<img src=x onerror=alert(1)>"})
        await page.fill(".log-controls input[type=search]", "onerror")
        await page.click(".events summary")
        await page.locator(".events pre", has_text="<img src=x").wait_for()
        assert await page.locator(".events img").count() == 0
        await page.reload()
        await page.locator("#drawer .numbers dd").first.wait_for()
        await page.click("#drawer .close")
        await page.locator("#drawer-toggle[aria-expanded=false]").wait_for()
        await page.wait_for_function("() => document.activeElement.id === 'drawer-toggle'")
        assert await page.evaluate("localStorage.length") == 0


async def test_latency_is_drawn(open_page: Any) -> None:
    """The marks of the last turn become a strip of bars."""
    async with serving(Script(reply=speech(1)[:RATE])) as server:
        page = await open_page(server.url)
        assert await page.is_hidden("#latency")
        await type_(page, "Hi")
        await page.wait_for_selector("#latency-strip .bar")
        assert await page.inner_text("#latency-summary") == "First sound 948 ms after you stopped speaking"
        await page.click("#latency summary")
        await page.locator("#latency-rows .row", has_text="first word289 ms").wait_for()
