"""The talk page with a scripted server: the audio on both sides, sample by sample, and the visible texts."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clips import RATE as CLIP_RATE
from tests.clips import clips
from tests.eventually import WITHIN_S, eventually
from tests.web.fake_server import RATE, FakeServer, Script, Session, serving
from tests.web.sound import assert_heard, locate, recording, to_rate, write_wav
from tests.web.voice_input import replace_microphone, say

MIC_RATE = 48_000  # Hertz of the fake microphone's file
RAW = """Object.assign(realtimeDebug.voice.microphone.constraints,
    { echoCancellation: false, noiseSuppression: false, autoGainControl: false })"""


def speech(index: int, rate: int = RATE, peak: int = 12_000) -> np.ndarray:
    """A recording that is loud enough for the fake server."""
    fitting = sorted((clip for clip in clips() if 2.0 < clip.seconds < 6.0), key=lambda clip: clip.id)
    chosen = fitting[index % len(fitting)]  # without recordings there are only three
    samples = to_rate(chosen.samples, CLIP_RATE, rate).astype(float)
    return (samples * peak / np.abs(samples).max()).astype(np.int16)


def microphone(path: Path, *parts: float | np.ndarray) -> Path:
    """The file of the fake microphone: recordings, and numbers as seconds of silence."""
    sounds = [np.zeros(int(part * MIC_RATE)) if isinstance(part, float) else part for part in parts]
    return write_wav(path / "microphone.wav", np.concatenate(sounds), MIC_RATE)


def similarity(sent: np.ndarray, recorded: np.ndarray) -> float:
    """The median over loud half seconds: one dropout of the fake device does not fail the test."""
    windows = [sent[at : at + RATE // 2] for at in range(0, len(sent) - RATE // 2, RATE // 4)]
    loud = [window for window in windows if np.abs(window).mean() > 300]
    return float(np.median([locate(window, recorded)[1] for window in loud]))


async def wait_for_status(page: Any, words: str, within_s: float = WITHIN_S) -> None:
    """Wait for a text under the button."""
    try:
        await page.wait_for_function(
            "words => document.getElementById('state').textContent.includes(words)",
            arg=words,
            timeout=within_s * 1000,
        )
    except Exception as error:
        now = await page.inner_text("#state")
        raise AssertionError(f"timeout: the page should show {words!r}, but shows {now!r}") from error


async def shows(page: Any, selector: str, text: str) -> bool:
    return bool(await page.inner_text(selector) == text)


async def classes_when_said(page: Any, selector: str, count: int) -> list[str]:
    """The classes of the words at the moment when at least `count` of them have been said: one look at the page."""
    look = """({ selector, count }) => {
        const all = [...document.querySelectorAll(selector)].map((word) => word.className);
        return all.filter((name) => name === "said").length >= count && all;
    }"""
    found = await page.wait_for_function(look, arg={"selector": selector, "count": count})
    return list(await found.json_value())


async def start_recording(page: Any) -> None:
    await page.evaluate("(async () => { window.recorder = await realtimeDebug.record(); })()")


async def session_of(server: FakeServer, index: int = 0) -> Session:
    await eventually(lambda: len(server.sessions) > index, "a session")
    return server.sessions[index]


async def arrived(page: Any, session: Session) -> None:
    """Wait until the server has all that the page has sent so far: a last event comes after it, on the same socket."""
    mark = f"test.mark.{next(_marks)}"
    await page.evaluate("(type) => realtimeDebug.voice.send({ type })", mark)
    await eventually(lambda: session.of(mark), "what the page has sent")


async def type_(page: Any, text: str) -> None:
    await page.fill("#message", text)
    await page.press("#message", "Enter")


_marks = itertools.count(1)


async def wait_until_played(session: Session, count: int = 1) -> None:
    def all_played() -> bool:
        return sum(e["state"] == "drained" for e in session.of("output_audio_buffer.played")) >= count

    await eventually(all_played, "the end of the answer")


# --- voice ---


@pytest.mark.parametrize("wire", ["binary with extensions", "stock JSON"])
async def test_voice_turn(tmp_path: Path, open_page: Any, wire: str) -> None:
    """The server receives the microphone's file; the page plays all samples of the server, in order and once."""
    stock = wire == "stock JSON"
    said, reply = speech(0, MIC_RATE), speech(1)
    script = Script(
        reply=reply, binary=not stock, extensions=() if stock else ("playback", "words", "latency")
    )
    wav = microphone(tmp_path, 1.0, said, 8.0)
    async with serving(script) as server:
        page = await open_page(server.url, wav=wav)
        await page.evaluate(RAW)
        await start_recording(page)
        await page.click("#talk")
        await wait_for_status(page, "You are speaking")
        await wait_for_status(page, "Speaking")
        session = await session_of(server)
        await wait_for_status(page, "Listening")
        played = await recording(page)
        captions = await page.inner_text("#captions")
        await arrived(page, session)

    received = np.frombuffer(bytes(session.received), np.int16)
    assert similarity(to_rate(said, MIC_RATE), received) >= 0.9
    assert_heard(reply, played)
    assert "What time is it?" in captions
    assert "Well, here you are." in captions
    assert not session.of("conversation.item.truncate")
    if stock:
        assert not session.frames
        assert not session.of("output_audio_buffer.played")
        return
    assert [seq for seq, _ in session.frames] == list(range(len(session.frames)))
    assert session.frames[5] == (5, 100)
    acks = session.of("output_audio_buffer.played")
    assert [ack["state"] for ack in acks[:-1]] == ["playing"] * (len(acks) - 1)
    assert acks[-1]["state"] == "drained"
    assert acks[-1]["played_ms"] == pytest.approx(len(reply) * 1000 / RATE, abs=2)
    steps = [ack["played_ms"] for ack in acks]
    assert steps == sorted(steps)
    assert len(acks) >= len(reply) * 2 // RATE  # one every 200 ms; a busy machine may skip some


@pytest.mark.parametrize("wire", ["binary with extensions", "stock JSON"])
async def test_barge_in(tmp_path: Path, open_page: Any, wire: str) -> None:
    """Speech during the answer stops it at once; the page reports what the recording contains.

    The bounds leave room for a busy machine, whose recording has gaps: the answer would go on for many seconds.
    """
    stock = wire == "stock JSON"
    first, second = speech(0, MIC_RATE), speech(2, MIC_RATE)
    reply = np.concatenate([speech(1), speech(3), speech(4)])
    script = Script(
        reply=reply,
        send_factor=0.1,
        binary=not stock,
        extensions=() if stock else ("playback", "words", "latency"),
    )
    wav = microphone(tmp_path, 1.0, first, 3.0, second, 6.0)
    async with serving(script) as server:
        page = await open_page(server.url, wav=wav)
        await page.evaluate(RAW)
        await start_recording(page)
        await page.evaluate("""() => {
            const { context } = realtimeDebug.voice.player.output, { frames } = recorder;
            const now = () => context.currentTime * 24000;
            window.begin = Infinity;  // of the recording, on the context's clock: frames come late, but never early
            frames.push = (pcm) => {
                frames[frames.length] = pcm;
                begin = Math.min(begin, now() - frames.length * 480);
            };
            const state = document.getElementById("state");
            new MutationObserver(() => window.shown?.push(state.textContent)).observe(state, { childList: true });
            realtimeDebug.voice.addEventListener("event", ({ detail }) => {
                if (detail.type === "input_audio_buffer.speech_started" && realtimeDebug.voice.player.playing) {
                    window.cutAt ??= now();
                    window.shown ??= [];  // what the page shows from the interruption on
                }
            });
        }""")
        await page.click("#talk")
        session = await session_of(server)
        kind = "conversation.item.truncate" if stock else "output_audio_buffer.played"
        state = None if stock else "flushed"
        reports = await eventually(
            lambda: [event for event in session.of(kind) if event.get("state") == state], "a report"
        )
        await page.wait_for_selector(".caption.truncated")
        heard = session.transcripts[reports[0]["item_id"]]
        await eventually(lambda: shows(page, ".caption.truncated p", heard), "the words that were heard")
        await page.wait_for_function("() => shown.includes('You are speaking')")
        played, cut_at = await recording(page), await page.evaluate("cutAt - begin")

    at, score = locate(reply[:RATE], played)
    assert score >= 0.9
    stopped = int(np.flatnonzero(played)[-1]) + 1
    assert (stopped - cut_at) * 1000 / RATE <= 500
    (report,) = reports
    reported_ms = report["audio_end_ms" if stock else "played_ms"]
    assert reported_ms == pytest.approx((stopped - at) * 1000 / RATE, abs=250)
    assert reported_ms < len(reply) * 1000 / RATE - 500


async def test_mute_sends_silence(open_page: Any) -> None:
    """While muted, the page keeps sending silence, because the server measures time in audio; and nothing that is said."""
    async with serving(Script(reply=speech(1))) as server:
        page = await open_page(server.url)
        await replace_microphone(page)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await page.click("#mute")
        await wait_for_status(page, "Muted")
        session = await session_of(server)
        await arrived(page, session)
        before = len(session.received)
        await say(page, speech(0, MIC_RATE)[: MIC_RATE * 3 // 2])
        await eventually(lambda: len(session.received) - before > RATE * 2, "a second of silence")
        assert not np.any(np.frombuffer(bytes(session.received[before:]), np.int16))
        assert await page.get_attribute("#mute", "aria-pressed") == "true"
        await page.click("#mute")
        await say(page, speech(0, MIC_RATE)[: MIC_RATE * 3 // 2])  # it would have been received
        await eventually(lambda: np.any(np.frombuffer(bytes(session.received[before:]), np.int16)), "speech")


async def test_a_pause_of_the_network_loses_no_audio(open_page: Any) -> None:
    """A pause during the answer is audible, but all samples after it are played."""
    reply = speech(1)
    script = Script(reply=reply, send_factor=0.9, stalls={20: 0.8})
    async with serving(script) as server:
        page = await open_page(server.url)
        await start_recording(page)
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        played = await recording(page)
        assert await page.evaluate("realtimeDebug.voice.player.underruns") >= 1
    assert session.of("output_audio_buffer.played")[-1]["played_ms"] == len(reply) * 1000 // RATE
    assert similarity(reply, played) >= 0.9
    assert_heard(reply, played)


# --- text ---


async def test_text_turn_without_microphone(open_page: Any) -> None:
    """Without permission the user types. The answer is spoken, with highlighted words; all requests are same-origin."""
    reply = speech(1)
    async with serving(Script(reply=reply)) as server:
        page = await open_page(server.url, prompt="deny")
        await start_recording(page)
        await type_(page, "What can you do?")
        session = await session_of(server)
        classes = await classes_when_said(page, ".caption.assistant p > span", 1)
        assert classes[0] == "said"
        assert "said" not in classes[2:]  # only the first word has been played
        await wait_until_played(session)
        played = await recording(page)
        assert_heard(reply, played)
        (create,) = session.of("conversation.item.create")
        assert create["item"]["content"] == [{"type": "input_text", "text": "What can you do?"}]
        assert len(session.of("response.create")) == 1
        assert not session.received
        await page.locator("#spoken p").nth(1).wait_for(state="attached")
        assert await page.eval_on_selector_all("#spoken p", "all => all.map((p) => p.textContent)") == [
            "You: What can you do?",
            "Answer: Well, here you are.",
        ]
        assert all(url.startswith(server.url) for url in page.requests)


async def test_typing_interrupts_the_answer(open_page: Any) -> None:
    """A second message first stops the audio and the generation of the first answer; what was heard of it stays."""
    # so long that a slow machine types in time, too
    script = Script(reply=np.concatenate([speech(1), speech(3)] * 4), send_factor=0.9)
    script.reply_words = tuple(f"word{number} " for number in range(120))
    async with serving(script) as server:
        page = await open_page(server.url)
        await type_(page, "One")
        await classes_when_said(page, ".caption.assistant p > span", 1)
        await type_(page, "Two")
        session = await session_of(server)
        await eventually(lambda: len(session.of("response.create")) == 2, "the second question")
        order = [event["type"] for _, event in session.events if event.get("state") != "playing"]
        cancel = order.index("response.cancel")
        assert order[cancel + 1 :][:3] == [
            "output_audio_buffer.played", "conversation.item.create", "response.create",
        ]  # fmt: skip
        await wait_for_status(page, "Speaking")
        await page.wait_for_selector(".caption.truncated")
        assert await page.locator(".caption.truncated").count() == 1
        assert (await page.inner_text(".caption.truncated .text")).startswith("word0")


async def test_an_answer_of_which_nothing_was_heard_is_not_shown(open_page: Any) -> None:
    """Its first word is stopped before its middle: the page shows only the questions."""
    # one word of many seconds: half of it is never heard, on no machine
    script = Script(reply=np.concatenate([speech(1), speech(3)] * 4), send_factor=0.9, reply_words=("Well.",))
    async with serving(script) as server:
        page = await open_page(server.url)
        await type_(page, "One")
        await wait_for_status(page, "Speaking")
        await type_(page, "Two")
        await page.locator(".caption.truncated").wait_for(state="attached")
        assert await page.locator(".caption.truncated").is_hidden()
        assert await page.locator(".caption.user .text").all_inner_texts() == ["One", "Two"]


async def test_escape_stops_the_audio_after_generation_has_ended(open_page: Any) -> None:
    """The server has sent everything; Escape still stops the audio, and the page reports how much was heard."""
    # so long that a slow machine presses Escape in time, too
    long = np.concatenate([speech(1), speech(3)] * 4)
    script = Script(reply=long, send_factor=0.02)
    script.reply_words = tuple(f"word{number} " for number in range(240))
    async with serving(script) as server:
        page = await open_page(server.url)
        await type_(page, "One")
        await wait_for_status(page, "Speaking")
        session = await session_of(server)
        await page.wait_for_function(
            "() => realtimeDebug.log.some(({ event }) => event.type === 'response.done')"
        )
        acks = "output_audio_buffer.played"
        await eventually(lambda: any(ack["played_ms"] > 300 for ack in session.of(acks)), "some words heard")
        await page.keyboard.press("Escape")
        await eventually(lambda: session.of("output_audio_buffer.clear"), "clear")
        await eventually(session.flushed.is_set, "the flush")
        ack = session.of("output_audio_buffer.played")[-1]
        assert ack["state"] == "flushed"
        assert 300 < ack["played_ms"] < 1000 * len(long) / RATE
        await page.wait_for_selector(".caption.truncated")
        assert not session.of("response.cancel")


# --- keys, stop ---


async def test_space_starts_and_stops_but_not_while_typing(open_page: Any) -> None:
    """The space bar types a space in the text field and presses the button elsewhere; stop closes everything."""
    async with serving() as server:
        page = await open_page(server.url)
        await page.click("#message")
        await page.keyboard.type("a b")
        assert not server.sessions
        assert await page.input_value("#message") == "a b"
        await page.locator("#message").blur()
        await page.keyboard.press("Space")
        await wait_for_status(page, "Listening")
        session = await session_of(server)
        await page.keyboard.press("Space")
        await wait_for_status(page, "Press to talk")
        await eventually(lambda: session.socket.closed, "the closed socket")
        assert session.socket.close_code == 1000
        assert await page.evaluate("realtimeDebug.voice.microphone.state") == "off"


async def test_stop_during_an_answer_stops_the_audio_at_once(open_page: Any) -> None:
    """The button stops the audio, the generation and the connection."""
    async with serving(Script(reply=np.tile(speech(1), 20))) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        await type_(page, "Hi")
        await wait_for_status(page, "Speaking")
        await start_recording(page)
        session = await session_of(server)
        await page.click("#talk")
        await wait_for_status(page, "Press to talk")
        frames = await page.evaluate("recorder.frames.length")
        # 20 ms each
        await page.wait_for_function("(enough) => recorder.frames.length >= enough", arg=frames + 20)
        played = await recording(page)
        assert not np.any(played[-RATE // 5 :])
        await eventually(lambda: session.of("response.cancel"), "the end of the generation")


async def test_the_newest_line_stays_visible(open_page: Any) -> None:
    """Captions scroll with the conversation, also when the latency list opens, but not if the user scrolled up."""
    script = Script(
        reply=speech(1), send_factor=0.02, reply_words=tuple(f"word{number} " for number in range(120))
    )
    async with serving(script) as server:
        page = await open_page(server.url, viewport={"width": 390, "height": 700})
        await type_(page, "Hi")
        await page.wait_for_selector("#latency-strip", state="attached")
        await page.wait_for_selector(".caption.assistant.final")
        left = "() => { const l = document.getElementById('captions'); return l.scrollHeight - l.scrollTop - l.clientHeight }"
        await page.click("#latency summary")
        await page.wait_for_function(f"() => ({left})() < 2")
        await type_(page, "Again")
        await page.locator(".caption.assistant").nth(1).wait_for(state="attached")
        await page.evaluate("document.getElementById('captions').scrollTop = 0")
        await page.locator(".caption.assistant.final").nth(1).wait_for(state="attached")
        assert await page.evaluate(left) > 50
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
