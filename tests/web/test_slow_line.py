"""A slow line, with real sound and in steps without a clock; and a conversation that two tabs want."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.server.run import running
from realtime.settings import Settings
from tests.web.broken_line import Wiretap, broken_line
from tests.web.tap import assert_once, tap, tapped
from tests.web.test_page import type_, wait_for_status

RATE = 24_000  # Hertz
QUANTUM = 128  # samples
LATENCY_S = 0.2
BYTES_PER_S = 60_000.0  # speech has 48,000
FRAME = 960  # samples, 40 ms
ANSWER = 6 * RATE // QUANTUM  # quanta from one answer to the next


@pytest.fixture
def wiretap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    return Wiretap().attach(monkeypatch)


async def test_an_answer_over_a_slow_line_is_put_out_whole(open_page: Any, wiretap: Wiretap) -> None:
    """200 ms of latency, and hardly more bandwidth than speech needs."""
    async with broken_line(open_page, "speech.factor=8", path="/icon.svg") as line:
        line.proxy.latency_s, line.proxy.bytes_per_s = LATENCY_S, BYTES_PER_S
        await tap(line.page)
        await line.page.evaluate("() => voice.say('What is two plus three?')")
        await line.at_least("response.done")
        await line.page.wait_for_function("() => !voice.player.playing")
        assert_once(np.frombuffer(bytes(wiretap.sent), np.int16), (await tapped(line.page)).pcm)
        assert await line.count("session.resumed") == 0


# Only what is measured: half a million samples would take their time on the way to the test.
PLAYOUT = """async (script) => {
    const { SampleQueue } = await import("/sdk/sample_queue.js");
    const queue = new SampleQueue(24000), out = new Float32Array(128), underruns = {};
    for (const [verb, key, count] of script) {
        if (verb === "push") queue.push(key, new Float32Array(count).fill(0.5));
        if (verb === "end") queue.end(key);
        if (verb === "pull") for (let i = 0; i < key; i++) queue.pull(out);
        if (verb === "note") underruns[key] = queue.underruns;
    }
    return { underruns, jitter: queue.jitter };
}"""


def over_the_line(key: str, start: int) -> list[tuple[int, list[Any]]]:
    """(quantum, step) of 4 s of audio: sent at twice its speed, on a line that is 10 % faster than speech and that stops
    now and then, as one does that sends again what was lost."""
    arrivals, free_s = [], 0.0
    for number in range(100):
        free_s = max(free_s, number * 0.02) + FRAME / RATE / 1.1 + (0.15 if number % 50 == 10 else 0.0)
        arrivals.append((start + int(free_s * RATE / QUANTUM), ["push", key, FRAME]))
    last = arrivals[-1][0]
    return [*arrivals, (last, ["end", key]), (start + ANSWER - 1, ["note", key])]


async def test_a_slow_line_stutters_only_until_the_jitter_buffer_has_grown(page: Any) -> None:
    """The second and the third answer over the same line play without a gap."""
    script: list[list[Any]] = []
    now = 0
    for number, key in enumerate("abc"):
        for at, step in over_the_line(key, number * ANSWER):
            script += [["pull", at - now]] if at > now else []
            now = max(now, at)
            script.append(step)
    result = await page.evaluate(PLAYOUT, script)
    assert result["underruns"] == {"a": 1, "b": 1, "c": 1}
    assert 0.05 * RATE < result["jitter"] <= 0.2 * RATE


async def test_the_newer_of_two_tabs_has_the_conversation(open_page: Any, tmp_path: Path) -> None:
    """The older one says where it goes on, and does not fight for it; it can have it back."""
    settings = Settings(port=0, transcriber="none", store=f"sqlite:{tmp_path}/kept")
    async with running(settings) as server:
        older = await open_page(server.url, device=False)
        await type_(older, "My name is Ada.")
        await older.wait_for_selector(".caption.assistant.final")
        newer = await open_page(server.url, device=False)
        id = await older.evaluate("realtimeDebug.voice.conversation.id")
        await newer.evaluate(
            "(id) => { realtimeDebug.voice.restore({ id, items: [] }); realtimeDebug.voice.connect(); }", id
        )
        await newer.locator(".caption.user", has_text="My name is Ada.").wait_for()
        await wait_for_status(older, "This conversation continues in another window.")
        assert await older.evaluate("realtimeDebug.voice.connection.retryAt") is None
        await type_(newer, "What is my name?")
        # The first one came with the conversation
        await newer.locator(".caption.assistant.final").nth(1).wait_for()
        await type_(older, "And what is two plus three?")
        await wait_for_status(newer, "This conversation continues in another window.")
        await older.locator(".caption.assistant.final").nth(2).wait_for()
        texts = await older.locator(".caption.user .text").all_inner_texts()
        assert texts == ["My name is Ada.", "What is my name?", "And what is two plus three?"]
        for page in (older, newer):
            await page.close()
