"""A server that is killed or frozen in the middle of an answer: its client goes on at another one, and nothing is spoilt."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets

from bench.processes import workers_of
from realtime.core.snapshot import decode_position, decode_record
from realtime.server.state import runtime_of
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.server.harness import WireClient, open_harness
from tests.server.resuming import LONG, last_seq, session_of
from tests.server.test_process import serving

SLOW_S = 60.0


def record_of(server: RedisServer, wire: WireClient) -> tuple[int, Any, Any]:
    """The epoch, the record and the position of its session."""
    from redis import Redis

    with Redis(unix_socket_path=str(server.path)) as client:
        kept = client.hgetall(f"rt:{{{session_of(wire)['id']}}}:session")
    return (
        int(kept.get(b"epoch", 0)),
        decode_record(kept[b"record"]) if b"record" in kept else None,
        decode_position(kept.get(b"position")),
    )


async def opened(url: str, query: str) -> WireClient:
    """Tries until a server is there: one that was killed comes back."""
    async with asyncio.timeout(SLOW_S):
        while True:
            try:
                socket = await websockets.connect(
                    url.replace("http", "ws", 1) + "/v1/realtime" + query, compression=None, proxy=None
                )
            except (OSError, websockets.InvalidHandshake, websockets.InvalidMessage):
                await asyncio.sleep(0.05)
            else:
                return WireClient(socket)


async def in_mid_answer(server: RedisServer, url: str) -> WireClient:
    """A client that hears a long answer, as the journal knows."""
    wire = await opened(url, "?extensions=resume,playback")
    await wire.say(LONG)
    await wire.send("response.create")
    await wire.until("response.output_audio.delta", 3)

    def known() -> bool:
        _, record, position = record_of(server, wire)
        return record is not None and record.reply is not None and position.sent_ms > 0

    await until(known)
    return wire


def back(wire: WireClient) -> str:
    item_id = wire.of("response.output_audio.delta")[0]["item_id"]
    seen = {"resume": session_of(wire)["id"], "last_seq": last_seq(wire), "item_id": item_id}
    return "?extensions=resume,playback&played_ms=100&" + "&".join(f"{k}={v}" for k, v in seen.items())


async def goes_on(wire: WireClient, old: WireClient) -> None:
    assert (await wire.until("session.resumed"))["restored"]
    assert session_of(wire)["id"] == session_of(old)["id"]
    await wire.until("response.created")
    await wire.send("response.cancel")
    await wire.until("response.done")
    question = old.of("conversation.item.done")[0]["item"]
    assert (await wire.retrieve(question["id"]))["content"][0]["text"] == LONG
    await wire.say("Thank you.")
    await wire.until("conversation.item.done")


@pytest.mark.usefixtures("needed")
async def test_workers_that_are_killed_in_mid_answer(kept_server: RedisServer, tmp_path: Path) -> None:
    """`resume` is offered by workers that share a Redis; whoever comes next goes on."""
    async with serving(tmp_path, "--workers", "2", REALTIME_REDIS=kept_server.url) as running:
        old = await in_mid_answer(kept_server, running.url)
        for pid in workers_of(running.process.pid):
            os.kill(pid, signal.SIGKILL)
        await old.closed()
        new = await opened(running.url, back(old))
        await goes_on(new, old)
        await new.aclose()
        await old.aclose()


def asked(wire: WireClient) -> list[str]:
    """What the user has said, as this client was told."""
    items = [event["item"] for event in wire.of("conversation.item.done")]
    return [item["content"][0]["text"] for item in items if item["role"] == "user"]


async def eventually_empty(url: str) -> None:
    """The server has forgotten every session."""
    async with asyncio.timeout(SLOW_S), aiohttp.ClientSession() as http:
        while True:
            async with http.get(url + "/healthz") as answer:
                if not (await answer.json())["sessions"]:
                    return
            await asyncio.sleep(0.05)


async def test_a_frozen_server_that_wakes_up_spoils_nothing(kept_server: RedisServer, tmp_path: Path) -> None:
    settings = {"REALTIME_REDIS": kept_server.url, "REALTIME_STORE": "redis"}
    async with serving(tmp_path, **settings) as one, serving(tmp_path, **settings) as two:
        old = await in_mid_answer(kept_server, one.url)
        one.process.send_signal(signal.SIGSTOP)
        new = await opened(two.url, back(old))
        await goes_on(new, old)

        def all_known() -> bool:
            epoch, record, _ = record_of(kept_server, new)
            return epoch == 2 and record is not None and record.seq >= last_seq(new)

        await until(all_known)
        one.process.send_signal(signal.SIGCONT)
        assert await old.closed() == (1008, "session_taken_over")
        await eventually_empty(one.url)
        epoch, record, _ = record_of(kept_server, new)
        assert epoch == 2
        assert record.seq >= last_seq(new)
        async with websockets.connect(
            two.url.replace("http", "ws", 1)
            + "/v1/realtime?conversation="
            + old.of("conversation.created")[0]["conversation"]["id"],
            proxy=None,
        ) as socket:
            found = WireClient(socket)
            await until(lambda: "Thank you." in asked(found))
            assert asked(found) == [LONG, "Thank you."]
            await found.aclose()
        assert await new.closed() == (1008, "session_taken_over")
        await new.aclose()
        await old.aclose()


RAN: list[str] = []


def get_weather(city: str) -> str:
    """Get the current weather for a city."""
    RAN.append(city)
    return "four degrees"


WEATHER = """
import time
from pathlib import Path
from realtime import tool

@tool
def get_weather(city: str) -> str:
    '''Get the current weather for a city.'''
    with Path("runs.txt").open("a") as runs:
        runs.write("once ")
    time.sleep(2.0)
    return "four degrees"
"""


async def test_a_tool_that_ran_when_its_server_was_frozen_runs_once(
    kept_server: RedisServer, tmp_path: Path
) -> None:
    """The next server tells the model that it may have happened; the frozen one wakes up and says nothing."""
    (tmp_path / "weather.py").write_text(WEATHER)
    settings = {"REALTIME_REDIS": kept_server.url, "REALTIME_TOOLS": "weather"}
    runs = tmp_path / "runs.txt"
    ours = (f"{__name__}:get_weather",)
    async with (
        serving(tmp_path, **settings) as one,
        open_harness(redis=kept_server.url, node="two", tools=ours) as two,
    ):
        await until(lambda: runtime_of(two.server.app).not_ready() is None)
        old = await opened(one.url, "?extensions=resume,playback")
        await old.say("What's the weather in Paris?")
        await old.send("response.create")
        await until(runs.exists)
        one.process.send_signal(signal.SIGSTOP)
        resume = f"?extensions=resume,playback&resume={session_of(old)['id']}&last_seq={last_seq(old)}"
        new = await opened(two.server.url, resume)
        assert (await new.until("session.resumed"))["restored"]
        output = await until_output(new)
        assert "It may have happened" in output
        done = [(await new.until("response.done", count))["response"] for count in (1, 2)]
        assert {each["status"] for each in done} == {"completed"}
        one.process.send_signal(signal.SIGCONT)
        assert await old.closed() == (1008, "session_taken_over")
        await eventually_empty(one.url)
        assert (runs.read_text(), RAN) == ("once ", [])
        items = [event["item"] for event in new.of("conversation.item.done")]
        assert [item["type"] for item in items].count("function_call_output") == 1
        await new.aclose()
        await old.aclose()


async def until_output(wire: WireClient) -> str:
    """What the client is told of a tool of the server."""
    count = 1
    while True:
        item = (await wire.until("conversation.item.done", count))["item"]
        if item["type"] == "function_call_output":
            return str(item["output"])
        count += 1
