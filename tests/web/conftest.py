"""Chromium for the tests of the page. They are skipped if it is missing, or fail if REQUIRE names `chromium`.

The tests of this folder share one event loop, so that they can share browsers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.eventually import WITHIN_S
from tests.web.fake_server import serving

FOLDER = Path(__file__).parent

SWITCHES = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    # Nobody looks at these pages: no process that emulates a graphics card, and no work in the background.
    "--disable-gpu",
    "--disable-gpu-compositing",
    "--in-process-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
STILL = "reduce"  # of motion: a ring that breathes is drawn sixty times a second


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in one event loop."""
    for item in items:
        if item.path.parent == FOLDER and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def chromium() -> str:
    # The shell is Chromium without windows: half of the CPU time
    path = next(
        filter(None, map(shutil.which, ("chromium-headless-shell", "/usr/bin/chromium", "chromium"))), None
    )
    if path is None:
        reason = "the browser tests need Chromium: apt-get install chromium"
        if "chromium" in os.environ.get("REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@asynccontextmanager
async def browser_with(*switches: str, device: bool = True, prompt: str = "accept") -> AsyncIterator[Any]:
    """A headless Chromium of its own with a fake microphone. `device` False: no microphone; `prompt` "deny": no permission."""
    async with AsyncExitStack() as stack:
        yield await _launch(await _start_driver(stack), stack, *switches, device=device, prompt=prompt)


async def _start_driver(stack: AsyncExitStack) -> Any:
    chromium()
    from playwright.async_api import async_playwright

    return await stack.enter_async_context(async_playwright())


async def _launch(driver: Any, stack: AsyncExitStack, *switches: str, device: bool, prompt: str) -> Any:
    from playwright.async_api import Error

    fake = ["--use-fake-device-for-media-stream"] if device else []
    ui = "--use-fake-ui-for-media-stream" + ("=deny" if prompt == "deny" else "")
    arguments = [*SWITCHES, ui, *fake, *switches]
    try:
        browser = await driver.chromium.launch(executable_path=chromium(), args=arguments)
    except Error:  # on a machine without memory or time to spare it may end while it starts
        browser = await driver.chromium.launch(executable_path=chromium(), args=arguments)
    stack.push_async_callback(browser.close)
    return browser


async def _new_context(browser: Any, **options: Any) -> Any:
    context = await browser.new_context(**{"reduced_motion": STILL, **options})
    context.set_default_timeout(WITHIN_S * 1000)
    return context


class Browsers:
    """Browsers that live as long as the run, and their contexts: to start one takes seconds, and to open a context costs
    more than all that a test does in its page.
    """

    def __init__(self, driver: Any, stack: AsyncExitStack) -> None:
        self.driver = driver
        self._stack = stack
        self._started: dict[tuple[bool, str], Any] = {}
        self._free: dict[Any, list[Any]] = {}  # contexts that are clean again, by their browser

    async def get(self, *, device: bool = True, prompt: str = "accept") -> Any:
        """The browser with such a microphone; it is started at the first call."""
        browser = self._started.get((device, prompt))
        if browser is None or not browser.is_connected():
            browser = await _launch(self.driver, self._stack, device=device, prompt=prompt)
            self._started[device, prompt] = browser
        return browser

    async def context(self, browser: Any) -> Any:
        """A context of this browser that no other test uses meanwhile. Give it to `clean`."""
        free = self._free.setdefault(browser, [])
        if free:
            return free.pop()
        context = await _new_context(browser)
        # It stays open, or the next page would need a new window: a second of CPU time
        await context.new_page()
        return context

    async def clean(self, context: Any) -> None:
        """Close its pages but the first, and remove what they have stored. A context that cannot be cleaned is closed:
        with a page that has crashed, or with the clock of a test, which stays in the context.

        Every server has a port of its own, and so an origin: but the system gives the same port again some day.
        """
        from playwright.async_api import Error

        try:
            as_before = all([await _clean(context, tab) for tab in context.pages[1:]])
            await context.clear_cookies()
        except Error:
            as_before = False
        if as_before:
            self._free[context.browser].append(context)
        else:
            await context.close()


async def _clean(context: Any, tab: Any) -> bool:
    """Close a page; whether it had the browser's own clock."""
    own_clock = bool(await tab.evaluate("() => String(setTimeout).includes('native code')"))
    origins = {"/".join(url.split("/")[:3]) for url in (*getattr(tab, "requests", ()), tab.url)}
    await tab.goto("about:blank")  # or the page could store something at its end
    devtools = await context.new_cdp_session(tab)
    for origin in origins:
        if origin.startswith("http"):
            await devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    await devtools.send("Network.clearBrowserCache")
    await tab.close()
    return own_clock


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers() -> AsyncIterator[Browsers]:
    async with AsyncExitStack() as stack:
        yield Browsers(await _start_driver(stack), stack)


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browsers: Browsers) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """open_page(url, wav=None, device=True, prompt="accept", **options) -> a page; its JavaScript errors fail the test.

    Only a page with a `wav` for its microphone has a browser of its own: the file is a switch of the browser. A page with
    other options has a context of its own.
    """
    tabs: list[Any] = []
    async with AsyncExitStack() as stack:

        async def open_(
            url: str,
            *,
            wav: Path | None = None,
            device: bool = True,
            prompt: str = "accept",
            **options: Any,
        ) -> Any:
            if wav is None:
                browser = await browsers.get(device=device, prompt=prompt)
            else:
                switch = f"--use-file-for-fake-audio-capture={wav}%noloop"
                browser = await _launch(browsers.driver, stack, switch, device=device, prompt=prompt)
            if options or wav is not None:
                context = await _new_context(browser, **options)
                stack.push_async_callback(context.close)
            else:
                context = await browsers.context(browser)
                stack.push_async_callback(browsers.clean, context)
            tab = await context.new_page()
            tabs.append(tab)
            tab.errors, tab.requests = [], []
            tab.on("pageerror", lambda error: tab.errors.append(str(error)))
            tab.on("console", lambda line: _record_violation(tab, line.text))
            tab.on("request", lambda request: tab.requests.append(request.url))
            await tab.goto(url)
            return tab

        yield open_
    assert [error for tab in tabs for error in tab.errors] == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browsers: Browsers) -> AsyncIterator[Any]:
    """An empty page with the origin of a server, to import modules of the SDK."""
    async with serving() as server:
        room = await (await browsers.get()).new_context()
        tab = await room.new_page()
        await tab.goto(f"{server.url}/icon.svg")
        yield tab
        await room.close()


def _record_violation(tab: Any, text: str) -> None:
    if "Content Security Policy" in text or "Content-Security-Policy" in text:
        tab.errors.append(text)
