"""Takes the pictures of the widget: `python tools/screenshots.py FOLDER [NAME …]`. Needs Chromium.

A scripted server of the tests answers, so that the pictures are the same each time. Knows no expectations: look at them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests have the server

from tests.web.conftest import SWITCHES, chromium
from tests.web.fake_server import RATE, FakeServer, Script, serving
from tests.web.host_page import hosting

DESKTOP, PHONE = (1100, 720), (390, 844)
ANSWER = (
    "We ",
    "are ",
    "open ",
    "until ",
    "eight ",
    "this ",
    "evening, ",
    "and ",
    "from ",
    "ten ",
    "to ",
    "six ",
    "on ",
    "Sunday.",
)
ASK = "element.say('When do you close today?')"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the widget on a page of another origin."""

    name: str
    size: tuple[int, int] = DESKTOP
    element: str = '<realtime-voice open label="Garden shop" greeting="Ask me about plants"></realtime-voice>'
    do: str = ""  # with `element`
    wait: Callable[[Any], Awaitable[None]] | None = None
    html: str = '<html lang="en">'
    context: tuple[tuple[str, Any], ...] = ()


async def _mid_answer(page: Any) -> None:
    await page.wait_for_function(
        "() => document.querySelector('realtime-voice').shadowRoot.querySelectorAll('.assistant span:not(.unheard)').length > 6"
    )


async def _listening(page: Any) -> None:
    await page.wait_for_selector("realtime-voice [data-status=listening]")


async def _problem(page: Any) -> None:
    await page.wait_for_selector("realtime-voice .problem:not([hidden])")


DARK = (("color_scheme", "dark"),)
PICTURES = (
    Picture("widget-button", element="<realtime-voice></realtime-voice>"),
    Picture("widget", do=ASK, wait=_mid_answer),
    Picture("widget-start"),
    Picture("widget-listening", do="element.talk()", wait=_listening),
    Picture("widget-dark", do=ASK, wait=_mid_answer, context=DARK),
    Picture("widget-phone", PHONE, do=ASK, wait=_mid_answer),
    Picture("widget-phone-dark", PHONE, do="element.talk()", wait=_listening, context=DARK),
    Picture("widget-chinese", element="<realtime-voice open></realtime-voice>", html='<html lang="zh-CN">'),
    Picture("widget-rtl", do=ASK, wait=_mid_answer, html='<html lang="ar" dir="rtl">'),
    Picture("widget-inline", element='<realtime-voice mode="inline"></realtime-voice>', do=ASK, wait=_mid_answer),
    Picture("widget-problem", element='<realtime-voice open server="http://127.0.0.1:9/"></realtime-voice>', do=ASK, wait=_problem),
    Picture("widget-low", (640, 320), do=ASK, wait=_mid_answer),
    Picture("widget-forced-colors", do=ASK, wait=_mid_answer, context=(("forced_colors", "active"),)),
)  # fmt: skip


async def take(browser: Any, server: FakeServer, picture: Picture, folder: Path) -> None:
    width, height = picture.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2,
        reduced_motion="reduce",
        **dict(picture.context),
    )
    async with hosting(server.url, element=picture.element, html=picture.html) as host:
        page = await context.new_page()
        page.on("console", lambda line: print(picture.name, line.text) if line.type == "error" else None)
        await page.goto(host.url)
        await page.wait_for_function("() => Boolean(customElements.get('realtime-voice'))")
        if picture.do:
            await page.evaluate(
                f"() => {{ const element = document.querySelector('realtime-voice'); {picture.do}; }}"
            )
        if picture.wait:
            await picture.wait(page)
        await page.screenshot(path=folder / f"{picture.name}.png")
    await context.close()


async def main(folder: Path, names: list[str]) -> None:
    tone = (np.sin(np.arange(4 * RATE) / 20) * 900).astype(np.int16)
    script = Script(reply=tone, reply_words=ANSWER, think_s=0)
    switches = [*SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with serving(script) as server, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=switches)
        for picture in PICTURES:
            if not names or picture.name in names:
                await take(browser, server, picture, folder)
        await browser.close()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
