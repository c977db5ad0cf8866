"""The page plays as loud as the server asks, in Chromium."""

from __future__ import annotations

from typing import Any

import pytest


async def test_the_gain_that_the_server_asks_for_is_the_players_and_another_server_takes_it_back(
    page: Any,
) -> None:
    """-12 dB is a quarter of the amplitude; the player keeps it until it opens. Another server has not lowered anything, in a
    new session or in one that it has restored; the same server goes on with what it has asked for."""
    gains = await page.evaluate("""async () => {
        const { ResponseAudio } = await import("/sdk/response_audio.js");
        const { Player } = await import("/sdk/player.js");
        const player = new Player();
        const audio = new ResponseAudio({ player, send: () => {}, session: () => ({ extensions: ["playback"] }) });
        const gains = [player.gain];
        const change = (gain_db) => audio.handle({ type: "output_audio_buffer.gain_changed", gain_db });
        change(-12);
        gains.push(player.gain);
        await player.open();
        gains.push(player.output.gain.value);
        change(0);
        for (let tries = 0; player.output.gain.value < 0.99 && tries < 600; tries++)
            await new Promise((done) => setTimeout(done, 100));
        gains.push(player.output.gain.value);
        for (const event of [{ type: "session.created" }, { type: "session.resumed" }, { type: "session.resumed", restored: true }]) {
            change(-12);
            audio.handle(event);
            gains.push(player.gain);
        }
        await player.close();
        return gains;
    }""")
    assert gains == pytest.approx([1, 0.251, 0.251, 1, 1, 0.251, 1], abs=0.01)
