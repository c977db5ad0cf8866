"""Several workers as processes: one server to its clients, replaced when killed, gone when their parent is."""

import asyncio
import dataclasses
import json
import os
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from bench.processes import everybody_of, parents, workers_of
from realtime.server.workers import OWN_MEMORY, notes_of, settings_of, share, with_workers
from realtime.settings import Settings
from realtime.settings.accounts import with_default
from realtime.settings.model import Account
from tests.eventually import eventually
from tests.ports import free_port
from tests.server.test_metrics_sum import values
from tests.server.test_process import serving, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

WAIT_S = 60.0


async def metrics_with(http: aiohttp.ClientSession, url: str, **expected: float) -> dict[str, float]:
    """The metrics, when they have these values."""
    async with asyncio.timeout(WAIT_S):
        while True:
            async with http.get(url + "/metrics") as answer:
                assert answer.status == 200
                seen = values(await answer.text())
            if all(seen.get(name) == value for name, value in expected.items()):
                return seen
            await asyncio.sleep(0.05)


async def sessions_of_each(http: aiohttp.ClientSession, url: str, together: int) -> list[float]:
    """As the table of the workers has them, which each writes ten times a second; [] until all are in it."""
    async with http.get(url + "/healthz") as answer:
        in_all = (await answer.json())["sessions"]
    seen = await metrics_with(http, url)
    each = [seen[f"realtime_worker_sessions{{worker={number}}}"] for number in (0, 1)]
    return each if sum(each) == in_all == together else []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
async def test_two_workers_are_one_server_until_their_parent_is_killed(tmp_path):
    async with (
        serving(tmp_path, "--workers", "2", "--port", str(free_port()), REALTIME_ADMISSION="count") as server,
        aiohttp.ClientSession() as http,
    ):
        url, port = server.url, int(server.url.rpartition(":")[2])
        sockets = [await server.connect() for _ in range(6)]
        for each in sockets:
            created = await until(each, "session.created")
            assert "extensions" not in created["session"]
        update = {
            "type": "session.update",
            "session": {"type": "realtime", "extensions": ["resume", "words"]},
        }
        await sockets[0].send(json.dumps(update))
        assert (await until(sockets[0], "session.updated"))["session"]["extensions"] == ["words"]
        await metrics_with(http, url, realtime_sessions=6, realtime_sessions_opened_total=6)
        each_has = await eventually(lambda: sessions_of_each(http, url, together=6))

        workers = workers_of(server.process.pid)
        assert len(workers) == 2
        os.kill(workers.pop(), signal.SIGKILL)
        seen = await metrics_with(http, url, realtime_workers_replaced_total=1, realtime_workers=2)
        assert seen["realtime_sessions_opened_total"] == 6, "what the dead one counted stays"
        assert seen["realtime_sessions"] in each_has

        everybody = everybody_of(server.process.pid)
        assert workers < everybody
        os.kill(*workers, signal.SIGSTOP)
        server.process.kill()
        await server.ended()
        await eventually(lambda: not everybody & set(parents()))
        with socket.create_server(("127.0.0.1", port)):
            pass
        for each in sockets:
            await each.close()


def test_the_shares_of_the_workers_are_the_whole():
    for whole in (1, 2, 7, 60, 1000):
        for workers in (1, 2, 3, 8):
            shares = [share(whole, number, workers) for number in range(workers)]
            assert sum(shares) == whole
            assert max(shares) - min(shares) <= 1


def test_the_workers_together_use_what_the_account_allows_and_keep_no_lost_session():
    settings = Settings(api_key="sk-x", speech_rpm=61, chat_rpm=200, speech_connections=3, max_sessions=1000)
    each = [settings_of(settings, number, 4) for number in range(4)]
    for name in ("speech_rpm", "chat_rpm", "max_sessions"):
        assert sum(getattr(one, name) for one in each) == getattr(settings, name)
    assert [one.speech_connections for one in each] == [1, 1, 1, 1], "none can do without"
    assert {one.resume_window_s for one in each} == {0}


def test_the_workers_divide_each_of_several_accounts():
    accounts = Account("one", "k1", speech_rpm=60, chat_rpm=10), Account("two", "k2", speech_rpm=3)
    settings = with_default(Settings(accounts=accounts, speech_connections=8))
    each = [settings_of(settings, number, 4).accounts for number in range(4)]
    assert [sum(one.speech_rpm for one, _ in each), sum(one.chat_rpm for one, _ in each)] == [60, 10]
    assert [two.speech_rpm for _, two in each] == [1, 1, 1, 1], "a share is at least 1"
    assert sum(two.speech_connections for _, two in each) == 8
    together = dataclasses.replace(settings, redis="redis://here")
    assert settings_of(together, 0, 4).accounts == settings.accounts


def test_workers_with_redis_have_names_of_their_own_and_the_whole_budget_together():
    settings = Settings(api_key="sk-x", speech_rpm=61, speech_connections=8, redis="redis://h", node="one")
    each = [settings_of(settings, number, 4) for number in range(4)]
    assert {one.speech_rpm for one in each} == {61}, "Redis counts for all"
    assert {one.speech_connections for one in each} == {8}, "each takes its part of them"
    assert {one.resume_window_s for one in each} == {30}, "and any of them can go on with a lost session"
    assert notes_of(settings) == [OWN_MEMORY]
    assert with_workers("block", 2, []).endswith(" 2")
    assert [one.node for one in each] == ["one/0", "one/1", "one/2", "one/3"]


def test_each_worker_has_a_sandbox_of_its_own():
    settings = Settings(max_sessions=3)
    each = [settings_of(settings, number, 2) for number in range(2)]
    assert {one.speech_rpm for one in each} == {settings.speech_rpm}
    assert [one.max_sessions for one in each] == [2, 1]
