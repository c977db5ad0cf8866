"""Takes the pictures of the talk page: `python tools/page_screenshots.py FOLDER [NAME …]`. Needs Chromium.

`page` and `page-chinese` are the pictures in the two READMEs: copy them to `docs/page.png` and `docs/page-zh.png`.
A scripted server of the tests answers, so that the pictures are the same each time. Knows no expectations: look at
them. The Chinese ones need a font (`fonts-wqy-microhei`).
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests have the server

from tests.web.conftest import SWITCHES, chromium
from tests.web.fake_server import RATE, FakeServer, Script, serving
from tests.web.voice_input import replace_microphone

DESKTOP, PHONE = (1100, 760), (390, 844)
ASKED = {
    "en-US": "When is the best time to walk through Paris?",
    "zh-CN": "什么时候去巴黎散步最好？",
}
ENGLISH = """Paris has **two** good seasons for walking:

- **May**, when the chestnuts flower along the river
- **October**, when the light turns soft and the museums are quiet

Would you like a route that fits into one afternoon?"""
CHINESE = """巴黎有**两个**适合散步的季节：

- **五月**，河边的栗树开花
- **十月**，光线变得柔和，博物馆也安静下来

要不要我安排一条半天能走完的路线？"""
SAID = {"en-US": 18, "zh-CN": 30}  # words, up to "soft"
VOICES = [
    {"id": f"{language}-{name[0]}", "name": name, "languages": [language], "kind": "system", "gender": gender}
    for language in ("en", "fr")
    for name, gender in (("Graceful Lady", "female"), ("Insightful Speaker", "male"), ("Radiant Girl", "female"))
]  # fmt: skip
OFFERS = {
    "object": "realtime.capabilities", "default_voice": "en-G", "voices": VOICES, "voice_samples": True,
    "languages": ["en", "fr", "zh"], "conversations": True,
}  # fmt: skip
EARLIER = {"data": [{"id": "conv_1", "title": "A trip to Lisbon in May", "updated_at": 1_795_000_000}]}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the page in the middle of an answer; `press` opens a panel."""

    name: str
    size: tuple[int, int] = DESKTOP
    scheme: str = "light"
    press: str = ""  # a selector
    locale: str = "en-US"  # of the browser


PICTURES = (
    Picture("page"),
    Picture("page-dark", scheme="dark"),
    Picture("page-phone", PHONE),
    Picture("page-phone-dark", PHONE, "dark"),
    Picture("page-drawer", (1440, 900), press="#drawer-toggle"),
    Picture("page-phone-drawer", PHONE, press="#drawer-toggle"),
    Picture("page-settings", press="#settings-toggle"),
    Picture("page-phone-settings", PHONE, "dark", press="#settings-toggle"),
    Picture("page-chinese", locale="zh-CN"),
    Picture("page-chinese-phone", PHONE, locale="zh-CN"),
    Picture("page-chinese-drawer", (1440, 900), press="#drawer-toggle", locale="zh-CN"),
    Picture("page-chinese-settings", PHONE, press="#settings-toggle", locale="zh-CN"),
)


async def take(browser: Any, server: FakeServer, picture: Picture, folder: Path) -> None:
    width, height = picture.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        color_scheme=picture.scheme,
        locale=picture.locale,
    )
    page = await context.new_page()
    page.on("console", lambda line: print(picture.name, line.text) if line.type == "error" else None)
    await page.route("**/v1/capabilities", lambda route: route.fulfill(json=OFFERS))
    await page.route("**/v1/conversations", lambda route: route.fulfill(json=EARLIER))
    await page.goto(server.url)
    await replace_microphone(page)  # a silent one
    await page.click("#talk")
    await page.locator("[data-status=listening]").wait_for()
    await page.fill("#message", ASKED[picture.locale])
    await page.press("#message", "Enter")
    await page.locator("#latency-strip .bar").first.wait_for(state="attached")
    await page.wait_for_function(
        f"() => document.querySelectorAll('.caption .said').length >= {SAID[picture.locale]}"
    )
    if picture.press:
        await page.click(picture.press)
        await page.wait_for_timeout(700)  # the panel is loaded and filled
    await page.screenshot(path=folder / f"{picture.name}.png")
    await context.close()


def spoken(text: str, words: list[str]) -> Script:
    """A server that answers with these words, in 14 seconds of sound."""
    assert "".join(words) == text
    tone = (np.sin(np.arange(14 * RATE) / 20) * 900).astype(np.int16)
    return Script(reply=tone, reply_words=tuple(words), think_s=0)


async def main(folder: Path, names: list[str]) -> None:
    words = re.findall(r"\S+\s*", ENGLISH)
    scripts = {"en-US": spoken(ENGLISH, words), "zh-CN": spoken(CHINESE, re.findall(r"\W*\w\W*", CHINESE))}
    switches = [*SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=switches)
        for picture in PICTURES:
            if not names or picture.name in names:
                async with serving(scripts[picture.locale]) as server:
                    await take(browser, server, picture, folder)
        await browser.close()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
