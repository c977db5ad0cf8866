"""A session ends in its time, whatever does not let itself be cancelled."""

from __future__ import annotations

import asyncio
import contextlib

from realtime.core.messages import ChatFinish
from realtime.tasks import CANCEL_S
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, call


@scripted
async def test_a_tool_and_a_transcriber_that_refuse_their_cancel_take_one_time_together():
    stop = asyncio.Event()

    async def refuse() -> str:
        """Refuses."""
        while not stop.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await stop.wait()
        return "late"

    class Hears(FakeTranscriber):
        async def transcribe(self, *given, **named):
            await refuse()
            return await super().transcribe(*given, **named)

    chat = FakeChat([[(0.1, call("refuse", "{}")), (0.0, ChatFinish("tool_calls"))]])
    hears = Hears(["x"] * 9)
    async with Talk(chat=chat, transcriber=hears, server_tools=Toolbox([refuse])) as talk:
        await talk.ask("Hello.")
        await talk.silence(1.0)
        await talk.speak(1.0)
        talk._run.cancel()
        await asyncio.wait([talk._run])
        began_s = asyncio.get_running_loop().time()
        await talk.session.aclose()
        assert asyncio.get_running_loop().time() - began_s == CANCEL_S
        stop.set()
        await asyncio.sleep(1.0)
