"""Chromium for the page's tests: a skip with its reason where it is missing, a failure where REQUIRE asks for it."""

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
    """A headless Chromium with a fake microphone; `device` False: with none; `prompt` "deny": it may not be used."""
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
    """open_page(url, wav=None, device=True, prompt="accept", **context) -> a page whose mistakes fail the test."""
    tabs: list[Any] = []
    async with AsyncExitStack() as stack:

        async def open_(
            url: str, *, wav: Path | None = None, device: bool = True, prompt: str = "accept", **context: Any
        ) -> Any:
            extra = [f"--use-file-for-fake-audio-capture={wav}%noloop"] if wav else []
            browser = await stack.enter_async_context(browser_with(*extra, device=device, prompt=prompt))
            tab = await (await browser.new_context(**context)).new_page()
            tabs.append(tab)
            tab.mistakes, tab.asked = [], []
            tab.on("pageerror", lambda error: tab.mistakes.append(str(error)))
            tab.on("console", lambda line: _keep_violation(tab, line.text))
            tab.on("request", lambda request: tab.asked.append(request.url))
            await tab.goto(url)
            return tab

        yield open_
    assert [mistake for tab in tabs for mistake in tab.mistakes] == []


def _keep_violation(tab: Any, text: str) -> None:
    if "Content Security Policy" in text or "Content-Security-Policy" in text:
        tab.mistakes.append(text)


async def eventually(check: Callable[[], Any], what: str, within_s: float = 15.0) -> Any:
    """The first truthy value of `check`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline:
        if value := check():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError(f"never happened within {within_s} s: {what}")
