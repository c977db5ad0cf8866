"""How long the web SDK waits for a silent server whose session can be resumed, on the page's clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from tests.web.test_bad_server import stop_clock

# A watched connection. A probe is answered after `window.answers` ms, if at all; a lost one is watched again at once.
WATCH = """async () => {
    const { Silence } = await import("/sdk/silence.js");
    [window.lost, window.answers] = [[], 0];
    const silence = new Silence({
        look: () => ({ connecting: false, watched: true, resumable: true }),
        ask: () => { if (window.answers) setTimeout(() => silence.heard(), window.answers); return true; },
        changed: () => {},
        lost: () => { lost.push(Math.round(performance.now())); silence.watch(); },
    });
    silence.watch();
    [window.silence, window.began] = [silence, performance.now()];
}"""


@asynccontextmanager
async def watched(page: Any) -> AsyncIterator[None]:
    await stop_clock(page)
    await page.evaluate(WATCH)
    yield
    await page.evaluate("silence.end()")


async def waits_s(page: Any) -> list[float]:
    """The time from each loss to the next one."""
    times = await page.evaluate("[began, ...lost]")
    return [round((after - before) / 1000) for before, after in pairwise(times)]


async def test_a_server_that_stays_silent_is_asked_ever_more_rarely(page: Any) -> None:
    """A second before the probe, then two, four, eight for its answer."""
    async with watched(page):
        await page.clock.run_for(35_000)
        assert await waits_s(page) == [3, 5, 9, 9, 9]


async def test_an_answer_in_time_brings_the_short_limit_back(page: Any) -> None:
    async with watched(page):
        await page.clock.run_for(9_000)
        await page.evaluate("window.answers = 500")
        await page.clock.run_for(20_000)
        await page.evaluate("[window.answers, window.began, lost.length] = [0, performance.now(), 0]")
        await page.clock.run_for(5_000)
        assert (await waits_s(page))[0] <= 5


async def test_an_answer_that_is_late_is_no_loss_once_the_limit_has_grown(page: Any) -> None:
    """A slow server: each answer takes three seconds."""
    async with watched(page):
        await page.evaluate("window.answers = 3000")
        await page.clock.run_for(60_000)
        assert len(await page.evaluate("lost")) == 1
