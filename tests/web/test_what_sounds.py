"""What sounds in the page, sample by sample on the timeline of its audio thread: over lost and stalled lines, and when cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.web.broken_line import SLOW, BrokenLine, Wiretap, broken_line
from tests.web.fake_server import serving
from tests.web.tap import RATE, assert_once, last_sound, put_out, tap, tapped

COUNTING = "Count to nine."
NOTICED_MS = 3000  # of the page's clock
TICK_MS = 250  # the page looks so often
MID_ANSWER = 60_000  # bytes, a second of the answer
LEEWAY = RATE // 50  # 20 ms
SILENT_WITHIN_MS = 50
TRIES = 5  # a message to the audio thread of a busy machine may be late; one that is always late is a fault


@pytest.fixture
def wiretap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    return Wiretap().attach(monkeypatch)


async def heard_ms(line: BrokenLine, more_than: int) -> None:
    await line.page.wait_for_function(
        "(ms) => Math.max(0, ...[...voice.player.parts.values()].map(({ heardMs }) => heardMs)) > ms",
        arg=more_than,
    )


async def played(line: BrokenLine) -> np.ndarray:
    """All that the page has put out, once it is quiet."""
    await line.page.wait_for_function("() => !voice.player.playing")
    return (await tapped(line.page)).pcm


async def lost_by_its_clock(line: BrokenLine) -> None:
    """The line is open and silent: the page gives it up after 3 s of its clock."""
    passed_ms = 0
    while await line.page.evaluate("voice.connection.state") == "open":
        assert passed_ms <= NOTICED_MS + TICK_MS
        await line.page.clock.run_for(TICK_MS)
        passed_ms += TICK_MS
    await line.page.clock.resume()


async def start(line: BrokenLine) -> None:
    """Connect, and record what the page puts out."""
    await line.page.evaluate("() => voice.connect()")
    await line.at_least("conversation.created")
    await tap(line.page)


@pytest.mark.parametrize("how", ["cut", "stalled"])
async def test_the_sound_of_an_answer_goes_on_at_its_sample(
    open_page: Any, wiretap: Wiretap, how: str
) -> None:
    """Every sample that the server has sent is put out once, over a line that is lost in mid-answer."""
    async with broken_line(open_page, *SLOW, path="/icon.svg") as line:
        await line.page.clock.install(time=0)
        await start(line)
        if how == "cut":
            line.proxy.cuts = [MID_ANSWER]
        else:
            await line.page.clock.pause_at(3600)
            line.proxy.stalls = [MID_ANSWER]
        await line.page.evaluate("(text) => { voice.say(text); }", COUNTING)
        await heard_ms(line, 300)
        if how == "stalled":
            await lost_by_its_clock(line)
        await line.at_least("session.resumed")
        await line.at_least("response.done")
        assert_once(np.frombuffer(bytes(wiretap.sent), np.int16), await played(line))
        assert await line.count("session.created") == await line.count("response.created") == 1


async def test_the_reported_position_is_where_the_sound_ended(open_page: Any, wiretap: Wiretap) -> None:
    """An interruption: up to the position that the page reports all was put out, and nothing after it, within 20 ms."""
    async with broken_line(open_page, *SLOW, path="/icon.svg") as line:
        await line.page.clock.install(time=0)
        await line.page.evaluate("""() => {
            window.reports = [];
            voice.addEventListener("sent", ({ detail }) => detail.state === "flushed" && reports.push(detail.played_ms));
        }""")
        await start(line)
        line.proxy.stalls = [MID_ANSWER]  # the answer is long, on every machine
        await line.page.evaluate("(text) => { voice.say(text); }", COUNTING)
        await heard_ms(line, 300)
        # A flush has a timeout: what counts is the answer of the audio thread
        await line.page.clock.pause_at(3600)
        await line.page.evaluate("() => voice.interrupt()")
        (reported,) = await line.page.evaluate("reports")
        out = await played(line)
        sent = np.frombuffer(bytes(wiretap.sent), np.int16)
        most = put_out(sent, out)  # silence may follow, as it would have in the answer
        least = last_sound(sent[:most])
        assert least - LEEWAY <= reported * RATE / 1000 <= most + LEEWAY
        assert 300 <= reported < len(sent) * 1000 / RATE - 500


PLAY = """async () => {
    const { Player } = await import("/sdk/player.js");
    const player = new Player();
    window.voice = { player };
    await player.open();
}"""
CUT = """async (pcm) => {
    const { player } = voice, { context } = player;
    player.push("a", Int16Array.from(pcm));
    while (!player.heardMs("a")) await new Promise((done) => player.addEventListener("progress", done, { once: true }));
    const asked = Math.round(context.currentTime * context.sampleRate);
    await player.flush();
    return asked;
}"""


async def test_an_interruption_is_silent_within_50_ms(open_page: Any) -> None:
    """On the timeline of the audio: from the moment in which the page asks to the last sample that sounds."""
    tone = (9000 * np.sin(np.arange(4 * RATE) / 10)).astype(np.int16).tolist()
    late_ms = []
    async with serving() as server:
        page = await open_page(f"{server.url}/icon.svg", bypass_csp=True)
        while not late_ms or (late_ms[-1] > SILENT_WITHIN_MS and len(late_ms) < TRIES):
            await page.evaluate(PLAY)
            await tap(page)
            asked = await page.evaluate(CUT, tone)
            out = await tapped(page)
            late_ms.append((out.begin + last_sound(out.pcm) - asked) * 1000 / RATE)
            await page.evaluate("voice.player.close()")
    assert -20 < min(late_ms) <= SILENT_WITHIN_MS, late_ms
