"""A flush of the player whose sound thread is late or silent, with a worklet that answers when it is told to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.fake_server import serving

PLAYER = """async () => {
    // A worklet that answers when it is told to.
    window.AudioWorkletNode = class {
        constructor() { window.node = this; this.port = { postMessage: () => {} }; }
        connect(other) { return other; }
    };
    const { Player } = await import("/sdk/player.js");
    const player = new Player();
    await player.open();
    player.push("0:item_1", new Int16Array(24000));
    player.end("0:item_1");
    const report = (outputMs, done) => node.port.onmessage({ data: { type: "report", level: 0, underruns: 0, bufferedMs: 0,
        jitterMs: 0, parts: [{ key: "0:item_1", receivedMs: outputMs, outputMs, sinceMs: 1000, done }] } });
    SCRIPT
}"""


@pytest.mark.parametrize(
    "late", ["report(500, false);", "node.port.onmessage({ data: { type: 'flushed', id: 1, parts: [] } });"]
)
async def test_what_the_sound_thread_says_too_late_starts_nothing_again(open_page: Any, late: str) -> None:
    """A busy page hears a report from before the flush after it has given the sound up."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        script = f"report(400, false); const cut = await player.flush(); {late} return [cut, player.playing];"
        cut, playing = await page.evaluate(PLAYER.replace("SCRIPT", script))
        assert cut == [{"key": "0:item_1", "playedMs": 400, "receivedMs": 1000}]
        assert playing is False


async def test_a_late_flush_leaves_the_next_answer_alone(open_page: Any) -> None:
    """It began while the sound thread was silent: it was not what somebody wanted to stop."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        script = """report(400, false);
            const cut = player.flush();
            player.push("0:item_2", new Int16Array(2400));
            return [await cut, [...player.parts].filter(([, { done }]) => !done).map(([key]) => key)];"""
        cut, left = await page.evaluate(PLAYER.replace("SCRIPT", script))
        assert cut == [{"key": "0:item_1", "playedMs": 400, "receivedMs": 1000}]
        assert left == ["0:item_2"]


async def test_a_flush_ends_with_the_player(open_page: Any) -> None:
    """Whoever waits for it goes on, with what is known by then."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        script = "report(400, false); const cut = player.flush(); await player.close(); return await cut;"
        cut = await page.evaluate(PLAYER.replace("SCRIPT", script))
        assert cut == [{"key": "0:item_1", "playedMs": 400, "receivedMs": 1000}]


@pytest.mark.parametrize("late_ms", [0, 40], ids=["no latency", "a slow device"])
async def test_a_part_that_was_heard_to_its_end_stays_so(open_page: Any, late_ms: int) -> None:
    """Also when the player has forgotten it; of a part that was cut, or that never came, it is not said."""
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        script = f"""for (const name of ["outputLatency", "baseLatency"]) Object.defineProperty(player.context, name, {{ value: {late_ms} / 1000 }});
            const told = [player.heardMs("0:item_1")], tell = (...given) => {{ send(...given); told.push(player.heardMs("0:item_1")); }};
            const send = (parts, sinceMs = 0) => node.port.onmessage({{ data: {{ type: "report", level: 0, underruns: 0, bufferedMs: 0, jitterMs: 0,
                parts: parts.map((outputMs) => ({{ key: "0:item_1", receivedMs: 1000, outputMs, sinceMs, done: outputMs === 1000 }})) }} }});
            tell([500]);
            tell([1000]);
            tell([1000], {late_ms});
            tell([1000], 2000);
            tell([]);
            player.push("0:item_2", new Int16Array(24000));
            player.flush();
            node.port.onmessage({{ data: {{ type: "flushed", id: 1, parts: [{{ key: "0:item_2", playedMs: 300, receivedMs: 1000 }}] }} }});
            return [told.map(String), player.heardMs("0:item_2"), player.heardMs("0:item_3")];"""
        told, cut, unknown = await page.evaluate(PLAYER.replace("SCRIPT", script))
        before = ["500", "Infinity"] if not late_ms else ["460", "960"]
        assert told == ["0", *before, *["Infinity"] * 3]
        assert (cut, unknown) == (300, None)


WAITING = {
    "the answer": ["{ type: 'flushed', id: 1, parts: [{ key: '0:item_1', playedMs: 700, receivedMs: 1000 }] }", 700],
    "a report": ["{ type: 'report', level: 0, parts: [{ key: '0:item_1', receivedMs: 1000, outputMs: 600, sinceMs: 1000, done: false }] }", 600],
}  # fmt: skip


@pytest.mark.parametrize("waiting", WAITING)
async def test_a_page_that_was_busy_reads_first_what_waits(open_page: Any, waiting: str) -> None:
    """Its timer is over, but the sound thread has said meanwhile where the sound was cut, or how far it is."""
    message, ms = WAITING[waiting]
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg")
        script = f"""report(400, false);
            const {{ port1, port2 }} = new MessageChannel(), timers = [], {{ setTimeout }} = window;
            port1.onmessage = ({{ data }}) => node.port.onmessage({{ data }});
            window.setTimeout = (over) => timers.push(over);
            const cut = player.flush();
            window.setTimeout = setTimeout;
            port2.postMessage({message});
            timers[0]();
            return (await cut)[0].playedMs;"""
        assert await page.evaluate(PLAYER.replace("SCRIPT", script)) == ms
