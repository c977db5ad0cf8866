"""Chromium for the tests of the page. They are skipped if it is missing, or fail if REQUIRE names `chromium`."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

SWITCHES = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
)


def _chromium() -> str:
    path = "/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else shutil.which("chromium")
    if path is None:
        reason = "the browser tests need Chromium: apt-get install chromium"
        if "chromium" in os.environ.get("REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@asynccontextmanager
async def browser_with(*switches: str, device: bool = True, prompt: str = "accept") -> AsyncIterator[Any]:
    """A headless Chromium with a fake microphone. `device` False: no microphone; `prompt` "deny": no permission."""
    path = _chromium()
    fake = ["--use-fake-device-for-media-stream"] if device else []
    ui = "--use-fake-ui-for-media-stream" + ("=deny" if prompt == "deny" else "")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=[*SWITCHES, ui, *fake, *switches]
        )
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture
async def open_page() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """open_page(url, wav=None, device=True, prompt="accept", **context) -> a page; its JavaScript errors fail the test."""
    tabs: list[Any] = []
    async with AsyncExitStack() as stack:

        async def open_(
            url: str, *, wav: Path | None = None, device: bool = True, prompt: str = "accept", **context: Any
        ) -> Any:
            extra = [f"--use-file-for-fake-audio-capture={wav}%noloop"] if wav else []
            browser = await stack.enter_async_context(browser_with(*extra, device=device, prompt=prompt))
            tab = await (await browser.new_context(**context)).new_page()
            tabs.append(tab)
            tab.errors, tab.requests = [], []
            tab.on("pageerror", lambda error: tab.errors.append(str(error)))
            tab.on("console", lambda line: _record_violation(tab, line.text))
            tab.on("request", lambda request: tab.requests.append(request.url))
            await tab.goto(url)
            return tab

        yield open_
    assert [error for tab in tabs for error in tab.errors] == []


def _record_violation(tab: Any, text: str) -> None:
    if "Content Security Policy" in text or "Content-Security-Policy" in text:
        tab.errors.append(text)


async def eventually(check: Callable[[], Any], what: str, within_s: float = 15.0) -> Any:
    """Wait for a true value of `check()`, and return it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline:
        if value := check():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError(f"timeout after {within_s} s: {what}")
