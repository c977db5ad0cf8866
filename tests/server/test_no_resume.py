"""A server that keeps no lost session: `resume` is neither offered nor confirmed, because nobody could keep the promise."""

import aiohttp

from tests.server.harness import open_harness


async def test_a_server_that_keeps_no_session_does_not_confirm_resume():
    async with open_harness(resume_window_s=0) as harness:
        async with (
            aiohttp.ClientSession() as http,
            http.get(harness.server.url + "/v1/capabilities") as answer,
        ):
            assert (await answer.json())["extensions"] == ["playback", "words", "latency"]
        async with harness.connect("?extensions=resume,playback") as wire:
            session = (await wire.until("session.created"))["session"]
            assert session["extensions"] == ["playback"]
            assert "resume_window_s" not in session
            await wire.send("session.update", session={"extensions": ["resume", "words"]})
            updated = await wire.until("session.updated")
            assert updated["session"]["extensions"] == ["words"]
            assert "seq" not in updated
            wire.socket.transport.abort()
            await harness.no_sessions()
