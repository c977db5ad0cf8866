"""Sound that the system takes away: a phone call stops the page's AudioContext, and it goes on afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import MIC_RATE, RAW, arrived, microphone, session_of, speech, type_, wait_for_status

# As iOS does: the state is "interrupted", resume() is refused while the call lasts, and works after it.
CALL = """() => {
    const state = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "state").get;
    const { resume, suspend } = AudioContext.prototype;
    const contexts = new Set();
    window.call = { on: false, resumed: 0 };
    Object.defineProperty(BaseAudioContext.prototype, "state", {
        configurable: true,
        get() { const own = state.call(this); return own === "suspended" && contexts.has(this) ? "interrupted" : own; },
    });
    const created = window.AudioContext;
    window.AudioContext = class extends created { constructor(...args) { super(...args); call.all.push(this); } };
    call.all = [];
    created.prototype.resume = function () {
        call.resumed += 1;
        if (call.on) return Promise.reject(new DOMException("in a call", "InvalidStateError"));
        contexts.delete(this);
        return resume.call(this);
    };
    call.begin = async () => {
        call.on = true;
        for (const context of call.all) if (context.state === "running") { contexts.add(context); await suspend.call(context); }
    };
    call.end = () => { call.on = false; };
}"""


async def open_with_calls(open_page: Any, url: str, **options: Any) -> Any:
    page = await open_page(url, **options)
    await page.add_init_script(f"({CALL})()")
    await page.reload()
    return page


async def test_the_microphone_goes_on_after_a_call(open_page: Any) -> None:
    """The page says that it is paused, and listens again without a press once the call is over."""
    async with serving() as server:
        page = await open_with_calls(open_page, server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        session = await session_of(server)
        await page.evaluate("call.begin()")
        await wait_for_status(page, "The microphone is paused")
        assert await page.inner_text("#talk-label") == "Stop talking"
        await page.evaluate("call.end()")
        await wait_for_status(page, "Listening")
        received = len(session.received)
        await eventually(lambda: len(session.received) > received + RATE, "more audio")
        assert len(server.sessions) == 1


@pytest.mark.parametrize("gesture", ["button", "page", "key", "shown again"])
async def test_any_gesture_brings_the_microphone_back(open_page: Any, gesture: str) -> None:
    """iOS wants a gesture; the press of the button then does not stop the conversation."""
    async with serving() as server:
        page = await open_with_calls(open_page, server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await page.evaluate("call.begin()")
        await wait_for_status(page, "The microphone is paused")
        before = await page.evaluate("call.resumed")
        await page.evaluate("call.end()")
        match gesture:
            case "button":
                await page.click("#talk")
            case "page":
                await page.click("h1")
            case "key":
                await page.keyboard.press("Shift")
            case _:
                await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_function("(before) => call.resumed > before", arg=before)
        await wait_for_status(page, "Listening")
        assert await page.inner_text("#talk-label") == "Stop talking"


async def test_an_answer_goes_on_after_a_call(open_page: Any) -> None:
    """Playback stops where it was: what was not heard is not acknowledged, and comes after the call."""
    reply = np.concatenate([speech(1), speech(3)])
    async with serving(Script(reply=reply, send_factor=0.05)) as server:
        page = await open_with_calls(open_page, server.url, device=False)
        await type_(page, "Hello")
        await wait_for_status(page, "Speaking")
        session = await session_of(server)
        await eventually(lambda: session.of("output_audio_buffer.played"), "a first acknowledgement")
        await page.evaluate("call.begin()")
        await wait_for_status(page, "The sound is paused")
        await arrived(page, session)
        heard = session.of("output_audio_buffer.played")[-1]["played_ms"]
        await asyncio.sleep(0.5)  # sound is real time: a player that goes on would have told twice by now
        await arrived(page, session)
        assert session.of("output_audio_buffer.played")[-1]["played_ms"] == heard
        await page.evaluate("call.end()")
        await eventually(
            lambda: session.of("output_audio_buffer.played")[-1]["state"] == "drained",
            "the rest of the answer",
        )
        last = session.of("output_audio_buffer.played")[-1]
        assert last["played_ms"] == pytest.approx(len(reply) * 1000 / RATE, abs=5)


async def test_a_call_in_the_middle_of_speech_ends_the_turn(open_page: Any, tmp_path: Path) -> None:
    """No more audio would come, and the server measures time in audio: silence is sent in its place."""
    long = np.tile(speech(0, MIC_RATE), 4)
    wav = microphone(tmp_path, 1.0, long, 2.0)
    async with serving(Script(reply=speech(1)[:RATE])) as server:
        page = await open_with_calls(open_page, server.url, wav=wav)
        await page.evaluate(RAW)
        await page.click("#talk")
        await wait_for_status(page, "You are speaking")
        await page.evaluate("call.begin()")
        session = await session_of(server)
        await eventually(
            lambda: any(event["type"] == "input_audio_buffer.committed" for _, event in session.sent),
            "the end of the turn",
        )


async def test_a_track_that_is_muted_by_the_system_is_told(open_page: Any) -> None:
    async with serving() as server:
        page = await open_page(server.url)
        await page.evaluate("""() => {
            const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (constraints) => {
                const stream = await original(constraints);
                [window.track] = stream.getAudioTracks();
                Object.defineProperty(track, "muted", { get: () => window.taken === true });
                return stream;
            };
        }""")
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await page.evaluate("window.taken = true; track.dispatchEvent(new Event('mute'))")
        await wait_for_status(page, "The microphone is paused")
        await page.evaluate("window.taken = false; track.dispatchEvent(new Event('unmute'))")
        await wait_for_status(page, "Listening")


async def test_a_page_from_the_browsers_cache_starts_again(open_page: Any) -> None:
    """Left and shown again: without microphone and connection, with its conversation, ready for a press."""
    async with serving(Script(reply=speech(1)[:RATE])) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")
        await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        await wait_for_status(page, "Press to talk")
        assert await page.inner_text("#talk-label") == "Start talking"
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        session = await session_of(server, 1)
        await eventually(lambda: len(session.of("conversation.item.create")) == 2, "the conversation so far")
