"""A server that takes each connection and loses it: how often the SDK asks it. The time is made, so nothing waits."""

from __future__ import annotations

from typing import Any

# Sockets that open, begin or resume a session and close after `lives_ms`; timers run in a made time, one after the other
LOSING = """async ({ lives_ms, resumes, losses }) => {
    const { Connection } = await import("/sdk/connection.js");
    const real = { setTimeout, clearTimeout, setInterval, WebSocket, random: Math.random, now: performance.now };
    const timers = new Map();
    let now = 0, number = 0;
    const later = (run, ms = 0) => { timers.set(++number, { at: now + ms, run }); return number; };
    globalThis.setTimeout = later;
    globalThis.setInterval = () => 0;
    globalThis.clearTimeout = (each) => timers.delete(each);
    performance.now = () => now;
    Math.random = () => 0.5;
    const sockets = [];
    globalThis.WebSocket = class {
        constructor(url) {
            sockets.push(this);
            this.protocol = "realtime";
            this.bufferedAmount = 0;
            const session = { id: "s", extensions: resumes ? ["resume"] : [] }, seq = sockets.length;
            const event = new URL(url).searchParams.has("resume")
                ? { type: "session.resumed", session, seq, input_audio_ms: 0, last_event_id: null }
                : { type: "session.created", session, seq };
            later(() => this.onmessage?.({ data: JSON.stringify(event) }));
            later(() => this.onclose?.({ code: 1006, reason: "" }), lives_ms[Math.min(sockets.length, lives_ms.length) - 1]);
        }
        send() {}
        close() {}
    };
    const waits = [];
    try {
        const options = { url: "ws://example.test/v1/realtime", extensions: resumes ? ["resume"] : [] };
        const connection = new Connection(options);
        connection.addEventListener("state", () => {
            if (connection.state === "waiting") waits.push(Math.round(connection.retryAt - now));
        });
        connection.open();
        while (waits.length < losses) {
            await Promise.resolve();
            await Promise.resolve();
            const [each, timer] = [...timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
            if (!timer) continue;
            timers.delete(each);
            now = Math.max(now, timer.at);
            timer.run();
        }
        connection.close();
    } finally {
        Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
        Object.assign(globalThis, { setInterval: real.setInterval, WebSocket: real.WebSocket });
        [Math.random, performance.now] = [real.random, real.now];
    }
    return waits;
}"""
OFTEN, STEADY = 100, 60_000  # ms


async def waits_ms(page: Any, *lives_ms: int, resumes: bool = False, losses: int = 6) -> list[int]:
    """How long it waits after each loss. The last life is that of all others too."""
    return await page.evaluate(LOSING, {"lives_ms": lives_ms, "resumes": resumes, "losses": losses})


async def test_a_server_that_ends_each_session_at_once_is_asked_less_and_less_often(page: Any) -> None:
    assert await waits_ms(page, OFTEN) == [500, 1000, 2000, 4000, 8000, 15_000]


async def test_after_a_session_that_lived_it_is_asked_at_once_again(page: Any) -> None:
    assert await waits_ms(page, OFTEN, OFTEN, OFTEN, STEADY, OFTEN) == [500, 1000, 2000, 500, 1000, 2000]


async def test_a_session_that_is_lost_at_each_return_is_fetched_less_and_less_often(page: Any) -> None:
    assert await waits_ms(page, STEADY, OFTEN, resumes=True) == [150, 150, 1000, 2000, 4000, 8000]


async def test_a_session_that_comes_back_for_good_is_fetched_at_once_each_time(page: Any) -> None:
    assert await waits_ms(page, STEADY, resumes=True, losses=3) == [150, 150, 150]
