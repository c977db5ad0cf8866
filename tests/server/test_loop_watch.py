"""A loop that somebody blocks is told in the log, with where; and that it runs again."""

import asyncio
import threading

from realtime.server.loop_watch import LoopWatch
from tests.eventually import eventually

TIMEOUT_S = 20.0


async def test_a_blocked_loop_is_told_with_where_it_stands_and_so_is_its_end(caplog):
    told = threading.Event()
    caplog.handler.addFilter(lambda record: told.set() or True)
    with LoopWatch(look_s=0.05, blocked_s=0.3).watching():
        assert told.wait(TIMEOUT_S), "this call blocks the loop"
        await eventually(lambda: len(caplog.records) == 2)
    blocked, runs = caplog.records
    assert (blocked.levelname, runs.levelname) == ("WARNING", "WARNING")
    assert blocked.getMessage().startswith("the event loop is blocked blocked_s=0.3 main_thread=")
    assert "threading.py:" in blocked.getMessage()
    assert runs.getMessage() == "the event loop runs again"


async def test_a_loop_that_runs_is_not_told(caplog):
    with LoopWatch(look_s=0.01, blocked_s=5.0).watching():
        await asyncio.sleep(0.2)
    assert not caplog.records
