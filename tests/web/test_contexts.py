"""What a page leaves in its browser does not reach the page of the next test: both may have the same context."""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Browsers
from tests.web.fake_server import FakeServer, Script

STORE = """async () => {
    localStorage.kept = sessionStorage.kept = document.cookie = "kept=1";
    addEventListener("pagehide", () => localStorage.setItem("late", "1"));
    await caches.open("kept");
}"""
STORED = (
    "async () => [localStorage.length, sessionStorage.length, document.cookie, (await caches.keys()).length]"
)


async def opened(context: Any, url: str) -> Any:
    tab = await context.new_page()
    tab.requests = []
    await tab.goto(f"{url}/icon.svg")
    return tab


async def test_a_context_that_is_given_back_is_clean_for_the_same_origin(browsers: Browsers) -> None:
    server = FakeServer(Script())
    await server.start()
    try:
        browser = await browsers.get()
        first = await browsers.context(browser)
        tab = await opened(first, server.url)
        await tab.evaluate(STORE)
        assert await tab.evaluate(STORED) == [1, 1, "kept=1", 1]
        await browsers.clean(first)
        second = await browsers.context(browser)
        assert second is first
        assert len(second.pages) == 1, "the empty one"
        assert await (await opened(second, server.url)).evaluate(STORED) == [0, 0, "", 0]
        await browsers.clean(second)
    finally:
        await server.stop()


async def test_a_context_with_the_clock_of_a_test_is_not_used_again(browsers: Browsers) -> None:
    server = FakeServer(Script())
    await server.start()
    try:
        browser = await browsers.get()
        first = await browsers.context(browser)
        tab = await opened(first, server.url)
        await tab.clock.install()
        await browsers.clean(first)
        second = await browsers.context(browser)
        assert second is not first
        await browsers.clean(second)
    finally:
        await server.stop()
