"""A microphone that gives no more sound while the conversation goes on: silence ends the turn that may be open."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.web.fake_server import RATE, FakeServer, Script, Session, serving
from tests.web.host_page import hosting
from tests.web.test_page import session_of
from tests.web.test_widget import OPEN
from tests.web.widget_page import on, open_widget, until

SILENCE_BYTES = 4 * RATE * 2
LOSE = """() => {
    const { mediaDevices } = navigator, open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
        if (window.refusal) throw new DOMException("no", refusal);
        const stream = await open(wanted);
        window.track = stream.getAudioTracks()[0];
        return stream;
    };
    window.lose = (error) => { window.refusal = error; track.stop(); track.onended(); };
}"""
TALK = """async () => {
    const { Realtime } = await import("/sdk/realtime.js");
    window.voice = new Realtime({ url: `ws://${location.host}/v1/realtime` });
    await voice.talk();
}"""


async def talking(open_page: Any, server: FakeServer) -> tuple[Any, Session]:
    """A page that talks, and its session, which has some of the sound."""
    page = await open_page(f"{server.url}/icon.svg")
    await page.evaluate(LOSE)
    await page.evaluate(TALK)
    session = await session_of(server)
    await eventually(lambda: session.received, "sound")
    return page, session


def ends_silent(session: Session) -> bool:
    return len(session.received) > SILENCE_BYTES and not any(session.received[-SILENCE_BYTES:])


GONE = {
    "lost": "lose('NotFoundError')",
    "denied": "lose('NotAllowedError')",
    "off": "voice.microphone.stop()",
}


@pytest.mark.parametrize("told", [True, False], ids=["the server has told of it", "not noticed yet"])
@pytest.mark.parametrize("state", GONE)
async def test_speech_is_ended_with_silence_however_the_microphone_goes(
    open_page: Any, state: str, told: bool
) -> None:
    """The server tells of speech when it is certain: the microphone may be gone by then."""
    async with serving(Script(detects=False)) as server:
        page, session = await talking(open_page, server)
        if told:
            await session.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_U1")
            await page.wait_for_function("() => voice.phase === 'user-speaking'")
        await page.evaluate(f"() => {{ {GONE[state]}; }}")
        await page.wait_for_function("(state) => voice.microphone.state === state", arg=state)
        await eventually(lambda: ends_silent(session), "four seconds of silence")


@pytest.mark.parametrize("error", ["NotFoundError", "NotAllowedError"])
async def test_the_button_of_the_page_starts_again_once_the_microphone_is_gone(
    open_page: Any, error: str
) -> None:
    async with serving(Script()) as server:
        page = await open_page(server.url)
        await page.evaluate(LOSE)
        await page.click("#talk")
        await page.wait_for_function("() => realtimeDebug.voice.microphone.state === 'on'")
        await page.wait_for_function("() => document.body.hasAttribute('data-live')")
        await page.evaluate("(error) => lose(error)", error)
        await page.wait_for_function("() => !document.body.hasAttribute('data-live')")
        assert await page.text_content("#talk-label") == "Start talking"


@pytest.mark.parametrize("error", ["NotFoundError", "NotAllowedError"])
async def test_the_button_of_the_widget_starts_again_once_the_microphone_is_gone(
    open_page: Any, error: str
) -> None:
    """One press, and the conversation goes on."""
    async with serving(Script()) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await page.evaluate(LOSE)
        await page.click("realtime-voice .talk")
        await until(page, "element.voice.microphone.state === 'on' && element.voice.talking")
        await page.evaluate("(error) => lose(error)", error)
        await page.locator("realtime-voice .talk[title='Start talking']").wait_for()
        assert await on(page, "return element.voice.talking") is False
        await page.evaluate("() => { window.refusal = null; }")
        await page.click("realtime-voice .talk")
        await until(page, "element.voice.microphone.state === 'on'")
        await page.locator("realtime-voice .talk[title='Stop talking']").wait_for()
        assert await on(page, "return element.voice.connection.state") == "open"


async def test_who_talked_talks_again_when_the_microphone_is_plugged_in(open_page: Any) -> None:
    """Unless the conversation was stopped meanwhile."""
    async with serving(Script()) as server:
        page, _ = await talking(open_page, server)
        talks = "() => [voice.microphone.state, voice.talking]"
        told = [await page.evaluate(talks)]
        for stop in (False, True):
            await page.evaluate("() => { lose('NotFoundError'); }")
            await page.wait_for_function("() => voice.microphone.state === 'lost'")
            told.append(await page.evaluate(talks))
            if stop:
                await page.evaluate("() => voice.stop()")
            await page.evaluate(
                "() => { window.refusal = null; navigator.mediaDevices.dispatchEvent(new Event('devicechange')); }"
            )
            if not stop:
                await page.wait_for_function("() => voice.microphone.state === 'on'")
            told.append(await page.evaluate(talks))
        assert told == [["on", True], ["lost", False], ["on", True], ["lost", False], ["off", False]]


COUNT_SENT = """(end) => {
    let sent = 0;
    voice.connection.sendAudio = () => { sent += 1; };
    end === "stop" ? voice.stop() : voice.microphone.stop();
    return [sent, voice.microphone.state];
}"""


@pytest.mark.parametrize("manual", [False, True], ids=["the conversation ends", "the client ends the turns"])
async def test_no_silence_where_no_turn_waits_for_it(open_page: Any, manual: bool) -> None:
    async with serving(Script(detects=False)) as server:
        page, session = await talking(open_page, server)
        if manual:
            told = session.describe()
            told["audio"]["input"]["turn_detection"] = None
            await session.send("session.updated", session=told)
            await page.wait_for_function(
                "() => voice.conversation.session.audio.input.turn_detection === null"
            )
        assert await page.evaluate(COUNT_SENT, "microphone" if manual else "stop") == [0, "off"]
