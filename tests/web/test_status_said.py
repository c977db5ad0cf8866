"""What a screen reader is told of the page's state: each new one, and not the seconds of an outage."""

from __future__ import annotations

from typing import Any

from tests.web.fake_server import Script, serving
from tests.web.test_page import wait_for_status

LIVE = "[role=status], [role=alert], [aria-live]:not(#spoken)"
WATCH = """(live) => {
    window.said = [];
    for (const line of document.querySelectorAll(live)) {
        new MutationObserver(() => said.push(line.textContent)).observe(line, { childList: true, subtree: true, characterData: true });
    }
}"""


async def test_an_outage_is_told_once(open_page: Any) -> None:
    """Over several tries, with their seconds; then that it is over."""
    async with serving(Script(detects=False)) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await page.evaluate(WATCH, LIVE)
        await server.stop()
        await page.wait_for_function("() => realtimeDebug.voice.connection.attempts >= 3")
        await wait_for_status(page, " in 2 s")
        outage = await page.evaluate("said")
        await server.start()
        await page.evaluate("realtimeDebug.voice.connection.retryNow()")
        await wait_for_status(page, "Listening")
        assert len(outage) == len(set(outage)) <= 2, outage
        assert not any(character.isdigit() for text in outage for character in text)
        assert not any("Connecting" in text for text in outage)
        assert (await page.evaluate("said"))[len(outage) :] == ["Listening"]
