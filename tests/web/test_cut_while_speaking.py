"""The line is cut while the user speaks, with a real server: what was said arrives whole and is answered once."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import numpy as np
import pytest

from realtime.server.run import running
from realtime.server.state import REGISTRY
from tests.clips import RATE as CLIP_RATE
from tests.clips import clips
from tests.eventually import eventually
from tests.web.broken_line import MANUAL, BrokenLine, Listener, Wiretap, broken_line
from tests.web.sound import RATE, to_rate
from tests.web.voice_input import RATE as MICROPHONE_RATE
from tests.web.voice_input import replace_microphone, say

QUESTION = "What is two plus three?"
ENDED = bytes(4 * RATE * 2)  # the silence that follows where the server finds the end of turns
RAW_TEXT = re.compile(r"[a-z]+_[a-z_]+|Error\b|[{}\[\]<>]|undefined|null")


@pytest.fixture
def wiretap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    return Wiretap().attach(monkeypatch)


def sentence() -> np.ndarray:
    """A short recording for the microphone."""
    shortest = min((clip for clip in clips() if clip.seconds > 2), key=lambda clip: clip.seconds)
    return to_rate(shortest.samples, CLIP_RATE, MICROPHONE_RATE)


async def listen(line: BrokenLine, session: dict[str, Any] | None = None) -> None:
    """Start the microphone and wait until the server gets its audio."""
    await replace_microphone(line.page)
    if session:
        await line.page.evaluate("(session) => voice.update(session)", session)
    await line.page.evaluate("() => voice.talk()")
    await line.at_least("session.updated")
    await line.page.wait_for_function("() => spoken.length > 10")


async def all_spoken(line: BrokenLine) -> bytes:
    """Stop the microphone, and wait until the server has all of it."""
    await line.page.evaluate("() => voice.microphone.stop()")
    await line.arrived()
    return await line.spoken()


def assert_whole(spoken: bytes, taken: bytes) -> None:
    """Check that the server has what the microphone gave, each sample once, from some time before the speech on."""
    assert np.any(np.frombuffer(taken, np.int16))
    # Of bytes: more than half of what the microphone has at twice the rate
    assert len(taken) > len(sentence())
    assert spoken.endswith(taken)


async def test_what_is_said_while_the_line_breaks_arrives_once(open_page: Any, wiretap: Wiretap) -> None:
    """Cut twice in one sentence: once with a pause of the line, once without."""
    transcriber = Listener(QUESTION)
    async with broken_line(open_page, transcriber=transcriber) as line:
        await listen(line)
        speaking = asyncio.create_task(say(line.page, sentence()))
        await line.at_least("input_audio_buffer.speech_started")
        await line.cut()
        line.mend()
        await line.at_least("session.resumed")
        line.proxy.reset()
        await speaking
        await line.at_least("session.resumed", 2)
        await line.at_least("response.done")
        spoken = await all_spoken(line)
        (taken,) = wiretap.sessions
        assert_whole(spoken + ENDED, taken)
        assert await line.count("session.created") == await line.count("response.created") == 1
        assert (await line.captions())[0] == QUESTION
        assert await line.page.locator(".caption.user:not([hidden])", has_text=QUESTION).count() == 1


@pytest.mark.parametrize("server", ["new", "forgetful"])
async def test_a_turn_is_ended_by_hand_in_a_new_session(
    open_page: Any, wiretap: Wiretap, server: str
) -> None:
    """Push to talk: the session is lost in the middle of the sentence, and its end is said without a line."""
    transcriber = Listener(QUESTION)
    async with broken_line(open_page, transcriber=transcriber, resume_window_s=0.05) as line:
        await listen(line, MANUAL)
        speaking = asyncio.create_task(say(line.page, sentence()))
        before = len(await line.spoken())
        await line.page.wait_for_function("() => spoken.length > 40")
        await line.cut()
        await speaking
        await line.page.evaluate("""() => {
            voice.send({ type: "input_audio_buffer.commit" });
            voice.send({ type: "response.create" });
        }""")
        if server == "new":
            async with running(line.server.runtime.settings, providers={"transcriber": transcriber}) as other:
                line.mend(other)
                await assert_answered_once(line, wiretap, before)
                await line.page.close()
        else:
            await eventually(lambda: not len(line.server.app[REGISTRY]), "the end of the window")
            line.mend()
            await assert_answered_once(line, wiretap, before)


async def assert_answered_once(line: BrokenLine, wiretap: Wiretap, before: int) -> None:
    await line.at_least("response.done")
    spoken = await all_spoken(line)
    taken = wiretap.sessions[-1]
    assert spoken.endswith(taken)
    assert len(taken) >= len(spoken) - before
    assert await line.count("session.created") == 2
    assert await line.count("input_audio_buffer.committed") == await line.count("response.created") == 1
    assert (await line.captions())[0] == QUESTION


async def test_after_the_window_the_conversation_goes_on_by_voice(open_page: Any, wiretap: Wiretap) -> None:
    """The server has forgotten the session: it is told the conversation, the captions stay, and no raw error is shown."""
    transcriber = Listener("What is my name?")
    async with broken_line(open_page, transcriber=transcriber, resume_window_s=0.05) as line:
        await listen(line)
        await line.ask("My name is Ada.")
        await line.page.wait_for_function("() => voice.phase === 'listening'")
        before = await line.captions()
        await line.cut()
        await eventually(lambda: not len(line.server.app[REGISTRY]), "the end of the window")
        assert await line.captions() == before
        line.mend()
        await line.at_least("session.created", 2)
        await line.page.wait_for_function(
            "() => received.some(({ error }) => error?.code === 'session_not_resumable')"
        )
        await say(line.page, sentence())
        await line.at_least("response.done", 2)
        after = await line.captions()
        assert after[: len(before)] == before
        assert after[len(before)] == "What is my name?"
        assert "Ada" in after[len(before) + 1]
        shown = await line.page.evaluate("[...shown]")
        assert len(shown) > 2
        assert [text for text in shown if RAW_TEXT.search(text)] == []
