"""A speaker that is late (AirPlay: two seconds): what was heard is told when it was heard, and nothing is kept for ever."""

from __future__ import annotations

from typing import Any

import pytest

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import session_of
from tests.web.test_widget import tone

LATE_S = 1.8
ANSWER_S = 0.5
SPEAK = """async (late) => {
    Object.defineProperty(AudioContext.prototype, "outputLatency", { get: () => late });
    const { Realtime } = await import("/sdk/realtime.js");
    window.voice = new Realtime({ url: `ws://${location.host}/v1/realtime` });
    await voice.say("Hello");
}"""


@pytest.mark.parametrize("late_s", [0, LATE_S])
async def test_an_answer_is_told_to_its_end_and_forgotten(open_page: Any, late_s: float) -> None:
    async with serving(Script(reply=tone(ANSWER_S))) as server:
        page = await open_page(f"{server.url}/icon.svg")
        await page.evaluate(SPEAK, late_s)
        session = await session_of(server)
        played = "output_audio_buffer.played"
        await eventually(
            lambda: session.of(played) and session.of(played)[-1]["state"] == "drained", "the end"
        )
        assert session.of(played)[-1]["played_ms"] == ANSWER_S * 1000
        await page.wait_for_function("() => !voice.player.playing && !voice.player.parts.size")
        (sent_at,) = [at for at, event in session.sent if event["type"] == "response.created"]
        ended_at = next(at for at, event in session.events if event.get("state") == "drained")
        assert ended_at - sent_at > late_s + ANSWER_S


async def test_a_finished_part_is_reported_until_it_is_forgotten(page: Any) -> None:
    """How late it is heard only the page knows. One that still waits for sound is not forgotten."""
    reported = await page.evaluate(
        """async (quanta) => {
        const { SampleQueue } = await import("/sdk/sample_queue.js");
        const queue = new SampleQueue(24000), keys = () => queue.report().map(({ key, done }) => [key, done]);
        const pull = () => { for (let i = 0; i < quanta; i++) queue.pull(new Float32Array(128)); };
        queue.push("a", new Float32Array(128));
        queue.end("a");
        queue.push("b", new Float32Array(128));
        pull();
        const before = keys();
        for (const key of ["a", "b", "nobody"]) queue.forget(key);
        return [before, keys()];
    }""",
        10 * RATE // 128,
    )
    assert reported == [[["a", True], ["b", False]], [["b", False]]]
