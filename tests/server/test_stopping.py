"""What clients and balancers see of a server that stops, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np

from realtime.providers import FakeChat, FakeSpeech, FakeTranscriber, FakeVad
from realtime.server.run import RunningServer, running
from realtime.server.state import DRAIN, METRICS, REGISTRY
from realtime.settings import Settings
from tests.server.door_kit import error_of, rejection
from tests.server.harness import Harness, WireClient, open_harness, open_socket
from tests.server.resuming import disconnect, resume_query
from tests.server.test_persistence import conversation_id

LEAVES = (1012, "server_draining")
LONG_S = 600.0  # nobody waits for its end
SPEECH = (np.sin(np.arange(24_000) / 3) * 12_000).astype("<i2").tobytes()  # one second
SILENT = bytes(48_000)
STORY = "Once there was a small dog, and it lived by the sea."


@asynccontextmanager
async def stopping(server: RunningServer, delay_s: float = 0.0) -> AsyncIterator[None]:
    """The server begins to stop, and has stopped at the end of the block, where nobody waits any more."""
    drain = server.app[DRAIN]
    drain.begin()
    task = asyncio.create_task(drain.run(delay_s))
    try:
        yield
    finally:
        drain.hurry()
        await task


async def status(harness: Harness, path: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(harness.server.url + path) as answer:
        return answer.status


async def test_balancers_and_new_clients_are_told_at_once_and_lost_sessions_are_resumed():
    async with open_harness(drain_s=LONG_S) as harness, harness.connect("?extensions=resume") as before:
        assert (await status(harness, "/readyz"), await status(harness, "/lb")) == (200, 200)
        async with stopping(harness.server, delay_s=LONG_S):
            assert (await status(harness, "/readyz"), await status(harness, "/lb")) == (503, 404)
            assert await status(harness, "/healthz") == 200
            for protocols in ((), ("realtime",)):  # a page, too
                response = await rejection(harness, protocols=protocols)
                assert response.status_code == 503
                assert 1 <= int(response.headers["Retry-After"]) <= 5
                assert error_of(response)["code"] == "server_draining"
            await disconnect(harness, before)
            async with harness.open_socket(resume_query(before)) as after:
                await after.until("session.resumed")
                assert (await after.ask("What is two plus three?"))["status"] == "completed"
                harness.server.app[DRAIN].hurry()
                assert await after.closed() == LEAVES


@asynccontextmanager
async def talking(**settings: Any) -> AsyncIterator[tuple[RunningServer, WireClient]]:
    own = {
        "vad": FakeVad(),
        "transcriber": FakeTranscriber(["Tell me a story."], delay_s=0.0),
        "end_of_turn": None,
        "chat": FakeChat([[(0.0, STORY)]]),
        "speech": FakeSpeech(first_s=0.0, factor=1000),
    }
    settings = {"port": 0, "speculate": "off", **settings}
    async with (
        running(Settings(**settings), providers=own) as server,
        open_socket(server.url.replace("http", "ws", 1) + "/v1/realtime?extensions=playback") as wire,
    ):
        await wire.until("conversation.created")
        yield server, wire


async def test_a_user_in_mid_sentence_is_heard_answered_and_told_then():
    async with talking(drain_s=LONG_S) as (server, wire):
        await wire.append(SPEECH)
        await wire.until("input_audio_buffer.speech_started")
        async with stopping(server):
            await asyncio.sleep(0)
            await wire.append(SPEECH)
            await wire.append(SILENT)
            told = await wire.until("conversation.item.input_audio_transcription.completed")
            assert told["transcript"] == "Tell me a story."
            assert (await wire.until("response.done"))["response"]["status"] == "completed"
            assert wire.close_code is None, "the answer sounds"
            await wire.send(
                "output_audio_buffer.played",
                item_id=wire.of("response.output_audio.delta")[0]["item_id"],
                played_ms=len(wire.audio()) // 48,
                state="drained",
            )
            assert await wire.closed() == LEAVES
        assert wire.count("error") == 0


async def test_an_answer_that_is_cut_at_the_end_has_failed_and_is_kept_as_heard(tmp_path):
    store = f"sqlite:{tmp_path}/c.db"
    async with open_harness("speech.factor=2", store=store, drain_s=0.2) as harness:
        async with harness.connect("?extensions=playback") as wire:
            await wire.say("Count to twenty.")
            await wire.send("response.create")
            item_id = (await wire.until("response.output_audio.delta", 5))["item_id"]
            await wire.send("output_audio_buffer.played", item_id=item_id, played_ms=400)
            await harness.server.app[DRAIN].run(0.0)
            assert len(harness.server.app[REGISTRY]) == 0
            done = (await wire.until("response.done"))["response"]
            assert done["status"] == "failed"
            assert done["status_details"]["error"]["code"] == "server_draining"
            kept = (await wire.until("conversation.item.truncated"))["transcript"]
            assert await wire.closed() == LEAVES
            said = "".join(event["delta"] for event in wire.of("response.output_audio_transcript.delta"))
            assert said.startswith(kept)
            found = conversation_id(wire)
        assert 'realtime_responses_total{code="server_draining",status="failed"} 1.0' in metrics_of(harness)
        assert 'realtime_drained_sessions_total{how="cut"} 1.0' in metrics_of(harness)
    async with open_harness(store=store) as harness, harness.connect(f"?conversation={found}") as wire:
        answer = (await wire.until("conversation.item.done", 2))["item"]
        assert "".join(part["transcript"] for part in answer["content"]) == kept


def metrics_of(harness: Harness) -> str:
    return harness.server.app[METRICS].text().decode()
