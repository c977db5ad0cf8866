"""A page in the background has no frames: what must happen then, happens without one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.fake_server import Script, serving
from tests.web.test_page import session_of, wait_for_status

# The frames of a hidden page wait until it is shown; also those that were asked for shortly before.
HIDING = """() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => frame((now) => { if (!hidden) draw(now); });
    window.hide = () => { hidden = true; document.dispatchEvent(new Event("visibilitychange")); };
}"""


@pytest.mark.parametrize("before", ["", "realtimeDebug.voice.dispatchEvent(new CustomEvent('change'));"])
async def test_a_refusal_in_the_background_releases_the_microphone(open_page: Any, before: str) -> None:
    """Also where a frame was asked for just before the page was hidden."""
    async with serving(Script(detects=False)) as server:
        page = await open_page(server.url)
        await page.evaluate(HIDING)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await page.evaluate(f"() => {{ {before} hide(); }}")
        await (await session_of(server)).socket.close(code=1008, message=b"session_ended")
        await page.wait_for_function("() => realtimeDebug.voice.connection.state === 'refused'", polling=50)
        await page.wait_for_function("() => realtimeDebug.voice.microphone.state === 'off'", polling=50)
        await page.wait_for_function("() => !document.body.hasAttribute('data-live')", polling=50)
