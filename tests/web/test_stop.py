"""Stop, in every order with what the server and the sound do: the answer is over, the page says so, and the host is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.web.fake_server import Script, Session, serving
from tests.web.host_page import hosting
from tests.web.test_interruptions import open_with_calls
from tests.web.test_page import arrived, session_of, wait_for_status, wait_until_played
from tests.web.test_widget import OPEN, tone
from tests.web.widget_page import heard, on, open_widget, type_, until

WORDS = tuple(f"word{number} " for number in range(120))
LONG_S = 60  # nobody hears the end of this
AT_ONCE = 0.01  # of `send_factor`: the response is done while its first word sounds
STOP = "realtime-voice .side[part=stop]"


def long_answer(**fields: Any) -> Script:
    """Half a second for each word: a second of sound has more than one of them."""
    return Script(**{"reply": tone(LONG_S), "reply_words": WORDS, **fields})


async def speaking(page: Any, *, done: bool = False) -> None:
    """A second of the answer has been heard. `done`: and its response is over."""
    await until(page, "[...element.voice.player.parts.values()].some(({ heardMs }) => heardMs > 1000)")
    if done:
        await until(page, "!element.voice.conversation.response")


async def arrived_of(page: Any, session: Session) -> None:
    """Wait until the server has all that the widget has sent so far."""
    await on(page, "element.voice.send({ type: 'test.mark' })")
    await eventually(lambda: session.of("test.mark"), "what the widget has sent")


# --- the widget ---


@pytest.mark.parametrize("factor", [0.5, AT_ONCE], ids=["while it is made", "after response.done"])
@pytest.mark.parametrize("times", [1, 2])
async def test_stop_cuts_the_answer(open_page: Any, factor: float, times: int) -> None:
    """Stop ends the sound; what was not heard leaves the transcript, and the page is told so, once."""
    script = long_answer(send_factor=factor)
    async with serving(script) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Tell me something")
        await speaking(page, done=factor == AT_ONCE)
        await on(
            page,
            f"const stop = root.querySelector('[part=stop]'); for (let i = 0; i < {times}; i++) stop.click();",
        )
        [_, answer] = await heard(page, "message", 2)
        assert answer["interrupted"]
        assert answer["text"].startswith("word0 word1")
        assert WORDS[-1].strip() not in answer["text"]
        await until(page, "element.voice.phase === 'listening' && !element.voice.player.playing")
        await until(page, "root.querySelector('[part=stop]').classList.contains('off')")
        assert len(await heard(page, "message", 2)) == 2


async def test_stop_before_the_first_word_was_heard(open_page: Any) -> None:
    """Of such an answer there is no message: nobody has heard it, and it leaves the transcript."""
    script = long_answer(send_factor=AT_ONCE)
    script.thought.clear()
    async with serving(script) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Tell me something")
        await until(page, "element.voice.player.node")
        await on(
            page,
            "window.context = element.voice.player.context; context.resume = async () => {}; await context.suspend();",
        )
        script.thought.set()
        await until(page, f"element.voice.conversation.items.at(-1)?.words.length === {len(WORDS)}")
        await page.click(STOP)
        await until(page, "element.voice.conversation.items.at(-1).truncated")
        await until(page, "root.querySelector('[part=stop]').classList.contains('off')")
        await until(page, "!root.querySelector('.assistant')")
        await type_(page, "Once more")
        await heard(page, "message", 2)
        assert [one["role"] for one in await heard(page, "message", 2)] == ["user", "user"]


async def test_sound_of_a_lost_session_is_cut_where_it_was_stopped(open_page: Any) -> None:
    """The new server knows nothing of that answer: the page itself says what was heard of it, and asks nobody."""
    async with serving(long_answer(send_factor=AT_ONCE)) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Tell me something")
        await speaking(page, done=True)
        await (await session_of(server)).socket.close()
        again = await session_of(server, 1)
        await until(page, "element.voice.connection.state === 'open'")
        await eventually(lambda: len(again.of("conversation.item.create")) == 2, "the conversation")
        await page.click(STOP)
        [_, answer] = await heard(page, "message", 2)
        assert answer["interrupted"]
        assert answer["text"].startswith("word0 word1")
        assert WORDS[-1].strip() not in answer["text"]
        await until(page, "element.voice.phase === 'listening'")
        await arrived_of(page, again)
        assert not again.of("output_audio_buffer.played")


STOPPED_ANSWER = """async (how) => {
    const { ResponseAudio } = await import("/sdk/response_audio.js");
    const player = new EventTarget(), cuts = [];
    player.parts = new Map([["0:item_A1", { done: false }]]);
    player.flush = async () => [{ key: "0:item_A1", playedMs: 310.4 }];
    player.setGain = player.trim = () => {};
    const session = () => ({ extensions: how === "stock" ? [] : ["playback"] });
    const audio = new ResponseAudio({ player, session, send: () => true, cut: (event) => cuts.push(event) });
    audio.earlier.clear();
    await audio.interrupt();
    const before = cuts.length, part = { item_id: "item_A1", content_index: 0 };
    if (how === "told") audio.handle({ type: "conversation.item.truncated", ...part, audio_end_ms: 310 });
    for (let i = 0; i < 2; i++) audio.handle({ type: "session.created", session: {} });
    return [before, cuts];
}"""


@pytest.mark.parametrize("how", ["playback", "stock", "told"])
async def test_a_stop_that_a_lost_session_has_not_answered_counts(page: Any, how: str) -> None:
    """Also one that was kept for a session which cannot be resumed: the next one is told what was heard, once."""
    cut = {
        "type": "conversation.item.truncated",
        "item_id": "item_A1",
        "content_index": 0,
        "audio_end_ms": 310,
    }
    assert await page.evaluate(STOPPED_ANSWER, how) == [0, [] if how == "told" else [cut]]


# --- while somebody speaks ---

SPEAKING = {"audio_start_ms": 0, "item_id": "item_U1"}  # a television that stays on


@pytest.mark.parametrize("how", ["button", "Escape"])
async def test_an_answer_that_sounds_beside_speech_is_stopped_in_the_widget(open_page: Any, how: str) -> None:
    """It answers what was typed meanwhile. Escape does not close the dialog."""
    async with serving(long_answer()) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await on(page, "element.voice.connect()")
        await (await session_of(server)).send("input_audio_buffer.speech_started", **SPEAKING)
        await until(page, "element.voice.phase === 'user-speaking'")
        await type_(page, "Tell me something")
        await speaking(page)
        await until(page, "!root.querySelector('[part=stop]').classList.contains('off')")
        await (page.click(STOP) if how == "button" else page.press("realtime-voice input", "Escape"))
        await until(page, "!element.voice.answering && !element.voice.player.playing")
        await until(page, "root.querySelector('[part=stop]').classList.contains('off')")
        assert await on(page, "return [element.open, element.voice.phase]") == [True, "user-speaking"]


@pytest.mark.parametrize("how", ["button", "Escape"])
async def test_an_answer_that_sounds_beside_speech_is_stopped_in_the_page(open_page: Any, how: str) -> None:
    async with serving(long_answer()) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        await (await session_of(server)).send("input_audio_buffer.speech_started", **SPEAKING)
        await wait_for_status(page, "You are speaking")
        await page.evaluate("realtimeDebug.voice.say('Hello')")
        await page.wait_for_function("() => realtimeDebug.voice.player.playing")
        await page.wait_for_selector("#interrupt:not([hidden])")
        await (page.click("#interrupt") if how == "button" else page.keyboard.press("Escape"))
        await page.wait_for_function("() => !realtimeDebug.voice.player.playing")
        await page.wait_for_selector("#interrupt", state="hidden")


# --- without a line ---


async def test_sound_that_outlives_its_line_is_cut_where_it_was_stopped(open_page: Any) -> None:
    """No server is told: the next one gets the answer as it was heard."""
    async with serving(long_answer(send_factor=AT_ONCE)) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Tell me something")
        await speaking(page, done=True)
        await server.stop()
        await until(page, "element.voice.connection.state !== 'open'")
        await page.click(STOP)
        await until(page, "!element.voice.answering")
        [_, answer] = await heard(page, "message", 2)
        assert answer["interrupted"]
        assert answer["text"].startswith("word0 word1")
        assert WORDS[-1].strip() not in answer["text"]


# --- between two states ---


async def test_stop_while_an_answer_is_due(open_page: Any) -> None:
    """It has no id yet: it is cancelled as soon as it has one, nothing of it is heard, and the next question is answered."""
    script = long_answer(reply=tone(0.3), think_s=0.0)
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        session = await session_of(server)
        await page.wait_for_function("() => realtimeDebug.voice.connection.state === 'open'")
        script.answering.clear()  # what is typed arrives, and no answer comes
        await page.evaluate("realtimeDebug.voice.say('Hello')")
        await wait_for_status(page, "Thinking")
        await page.click("#interrupt")
        script.thought.clear()
        script.answering.set()
        await eventually(lambda: session.of("response.cancel"), "the end of the answer")
        [created] = [event for _, event in session.sent if event["type"] == "response.created"]
        assert session.of("response.cancel")[0]["response_id"] == created["response"]["id"]
        await page.wait_for_function("() => realtimeDebug.voice.phase === 'listening'")
        script.thought.set()
        await page.evaluate("realtimeDebug.voice.say('And now?')")
        await wait_until_played(session)
        assert len(session.of("response.cancel")) == 1


async def test_who_asks_again_after_stop_is_answered(open_page: Any) -> None:
    """The answer that was not wanted then is the one that is wanted now."""
    script = Script(reply=tone(0.3))
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        session = await session_of(server)
        await page.wait_for_function("() => realtimeDebug.voice.connection.state === 'open'")
        script.answering.clear()
        await page.evaluate("realtimeDebug.voice.say('Hello')")
        await page.evaluate("realtimeDebug.voice.interrupt()")
        await page.evaluate("realtimeDebug.voice.say('Or rather this')")
        script.answering.set()
        await wait_until_played(session)
        await arrived(page, session)
        assert not session.of("response.cancel")


async def test_stop_while_the_sound_stands_still(open_page: Any) -> None:
    """A call has stopped the sound, and the server has nothing more to say: the page no longer says that it speaks."""
    script = long_answer(send_factor=AT_ONCE, settles=False)
    async with serving(script) as server:
        page = await open_with_calls(open_page, server.url, device=False)
        await page.evaluate("realtimeDebug.voice.say('Hello')")
        session = await session_of(server)
        await eventually(lambda: session.of("output_audio_buffer.played"), "the first sound")
        await page.wait_for_function("() => !realtimeDebug.voice.conversation.response")
        await page.evaluate("call.begin()")
        await wait_for_status(page, "The sound is paused")
        await page.click("#interrupt")
        await page.wait_for_function("() => !document.getElementById('state').textContent.includes('paused')")
        assert await page.evaluate("realtimeDebug.voice.phase") == "listening"
