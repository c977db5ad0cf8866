"""Sound that has to wait or to stop: before the first gesture, and when the conversation goes on in another window."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.eventually import eventually
from tests.web.fake_server import Script, serving
from tests.web.test_page import arrived, session_of, speech, type_, wait_for_status

# A browser that plays nothing before a click, wherever the tests let it play.
NO_AUTOPLAY = """() => {
    const { resume } = AudioContext.prototype, created = window.AudioContext;
    let clicked = false;
    addEventListener("click", () => { clicked = true; }, { capture: true });
    window.AudioContext = class extends created { constructor(...args) { super(...args); this.suspend(); } };
    created.prototype.resume = function () { return clicked ? resume.call(this) : new Promise(() => {}); };
}"""


async def test_an_answer_before_the_first_gesture_waits_for_it(open_page: Any) -> None:
    """The page says so instead of "Speaking", nothing is acknowledged, and after a click all of it is heard."""
    reply = speech(1)
    async with serving(Script(reply=reply)) as server:
        page = await open_page(server.url, device=False)
        await page.add_init_script(f"({NO_AUTOPLAY})()")
        await page.reload()
        await page.evaluate("realtimeDebug.voice.say('Hello')")
        await wait_for_status(page, "The sound is paused. Tap anywhere to go on")
        session = await session_of(server)
        await arrived(page, session)
        assert not session.of("output_audio_buffer.played")
        await page.click("h1")
        await wait_for_status(page, "Speaking")
        await eventually(
            lambda: (
                [event["state"] for event in session.of("output_audio_buffer.played")][-1:] == ["drained"]
            ),
            "the whole answer",
        )


async def test_an_older_window_falls_silent(open_page: Any) -> None:
    """The rest of its answer is struck, as nobody has heard it; a press of the button takes the conversation back."""
    reply = np.concatenate([speech(1), speech(3)])
    words = tuple(f"word{number} " for number in range(20))
    async with serving(Script(reply=reply, reply_words=words, send_factor=0.05)) as server:
        page = await open_page(server.url)
        await type_(page, "Hello")
        session = await session_of(server)
        await eventually(lambda: session.of("output_audio_buffer.played"), "the first word")
        await page.wait_for_function("() => realtimeDebug.voice.conversation.items.at(-1).words.length >= 20")
        await session.socket.close(code=1008, message=b"session_taken_over")
        await wait_for_status(page, "continues in another window")
        await page.wait_for_function("() => !realtimeDebug.voice.player.playing")
        await page.locator(".caption.truncated .unheard", has_text="word19").wait_for()
        assert (await page.inner_text(".caption.truncated .text")).startswith("word0")
        assert await page.locator(".trouble").count() == 0
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        again = await session_of(server, 1)
        await arrived(page, again)
        assert server.asked_for[1] == server.sessions[0].conversation
        assert not again.of("response.create")
