"""Tools that exit, hang, or give what cannot be written: the model is told, and the server lives."""

import asyncio
import logging
import sys
import threading

import msgspec
import pytest

from realtime import deadlines
from realtime.core.messages import ToolCall
from realtime.tool_results import MAX_OUTPUT_CHARACTERS
from realtime.tool_threads import MAX_THREADS
from realtime.tools import Toolbox
from tests.eventually import eventually
from tests.test_tools import error_of, plain, run

HALF = "\ud83d"  # of an emoji


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Picky(msgspec.Struct):
    city: str

    def __post_init__(self) -> None:
        raise KeyError("no such city")


def quits() -> str:
    sys.exit("usage: booking")


async def quits_as_a_coroutine() -> str:
    sys.exit("usage: booking")


def quits_at_its_result() -> object:
    return quits_as_a_coroutine()


async def interrupts() -> str:
    raise KeyboardInterrupt


async def cancels_itself() -> str:
    raise asyncio.CancelledError


def cancelled_in_a_thread() -> str:
    raise asyncio.CancelledError


def at_its_end() -> str:
    raise StopIteration("empty")


async def wordless() -> str:
    raise Wordless


async def half_an_error() -> str:
    raise ValueError(f"bad {HALF}")


async def an_endless_error() -> str:
    raise ValueError("x" * 200_000)


def picky(place: Picky) -> str:
    return place.city


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (quits, "quits failed: SystemExit: usage: booking"),
        (quits_as_a_coroutine, "SystemExit: usage: booking"),
        (quits_at_its_result, "SystemExit: usage: booking"),
        (interrupts, "KeyboardInterrupt"),
        (cancels_itself, "it was cancelled"),
        (cancelled_in_a_thread, "it was cancelled"),
        (at_its_end, "at_its_end failed:"),
        (wordless, "wordless failed: Wordless"),
        (an_endless_error, "an_endless_error failed: xxx"),
        (picky, "picky failed: 'no such city'"),
    ],
)
def test_whatever_a_tool_raises_is_an_error_for_the_model_and_a_line_in_the_log(broken, message, caplog):
    output = run(Toolbox([broken]), broken.__name__, '{"place":{"city":"Oslo"}}')
    assert message in error_of(output)
    assert len(output) < MAX_OUTPUT_CHARACTERS + 100
    assert f"tool {broken.__name__} failed" in caplog.text


def test_an_error_whose_text_cannot_be_written_is_an_error_for_the_model(monkeypatch):
    # What tests print has to be text that can be written
    monkeypatch.setattr("realtime.tools.log.disabled", True)
    output = run(Toolbox([half_an_error]), "half_an_error", "{}")
    assert "half_an_error failed: bad \ufffd" in error_of(output)


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (f"smile {HALF}", "smile \ufffd"),
        ({"a": [f"{HALF}!"], "b": 1}, '{"a": ["\ufffd!"], "b": 1}'),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_half_a_surrogate_pair_in_a_result_can_be_written(result, output):
    async def smile() -> object:
        return result

    assert run(Toolbox([smile]), "smile", "{}") == output


# -- tools that hang


def test_a_timeout_is_a_line_in_the_log(caplog):
    async def hang() -> str:
        await asyncio.sleep(60)
        return "too late"

    run(Toolbox([hang], timeout_s=0.05), "hang", "{}")
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.WARNING, "tool hang did not answer in 0.05 s")
    ]


async def begun(box: Toolbox, name: str, count: int) -> list[asyncio.Task[str]]:
    """So many calls of this tool."""
    calls = [asyncio.create_task(box.run(ToolCall("c", name, "{}"))) for _ in range(count)]
    await asyncio.sleep(0)
    return calls


def test_a_function_that_hangs_stops_no_other_and_says_at_once_that_it_has_no_thread_left(caplog):
    done = threading.Event()

    def hang() -> str:
        done.wait(60)
        return "too late"

    async def calls() -> list[str]:
        box = Toolbox([hang, plain], timeout_s=1.0)
        first = await begun(box, "hang", MAX_THREADS)
        during = await box.run(ToolCall("c", "plain", '{"text":"at once"}'))
        late = await asyncio.gather(*first)
        refused = await box.run(ToolCall("c", "hang", "{}"))
        after = await box.run(ToolCall("c", "plain", '{"text":"still"}'))
        done.set()
        await eventually(lambda: box._threads["hang"].given_up == 0)
        again = await box.run(ToolCall("c", "hang", "{}"))
        await box.aclose()
        return [during, after, again, error_of(refused), *{error_of(each) for each in late}]

    during, after, again, refused, late = asyncio.run(calls())
    assert (during, after, again) == ("at once", "still", "too late")
    assert late == "hang did not answer in 1 s."
    assert refused == "hang was not run: all its 16 threads are taken by calls that have not ended."
    assert f"tool hang did not answer in 1 s: {MAX_THREADS} of its 16 threads work on in vain" in caplog.text
    assert "tool hang was not run: all its 16 threads are taken" in caplog.text


def test_a_call_waits_for_a_thread_and_its_time_counts_only_from_then_on(monkeypatch):
    monkeypatch.setattr("realtime.tools.THREAD_WAIT_S", 60.0)
    ends, timeouts = threading.Semaphore(0), []
    counting = deadlines.timeout

    def waits() -> str:
        ends.acquire(timeout=60)
        return "done"

    def noted(seconds: float):
        timeouts.append(seconds)
        return counting(seconds)

    async def calls() -> None:
        box = Toolbox([waits], timeout_s=59.0)
        first = await begun(box, "waits", MAX_THREADS)
        await eventually(lambda: timeouts.count(59.0) == 2 * MAX_THREADS)  # of a thread, and of the function
        (last,) = await begun(box, "waits", 1)
        assert timeouts.count(59.0) == 2 * MAX_THREADS + 1, "only its wait for a thread counts"
        ends.release()
        await eventually(lambda: timeouts.count(59.0) == 2 * MAX_THREADS + 2)
        assert not last.done()
        ends.release(MAX_THREADS)
        assert await asyncio.gather(*first, last) == ["done"] * (MAX_THREADS + 1)
        await box.aclose()

    monkeypatch.setattr(deadlines, "timeout", noted)
    asyncio.run(calls())


def test_a_call_waits_a_short_time_for_a_thread(monkeypatch):
    monkeypatch.setattr("realtime.tools.THREAD_WAIT_S", 0.05)
    ends = threading.Event()

    def waits() -> str:
        ends.wait(60)
        return "done"

    async def calls() -> None:
        box = Toolbox([waits], timeout_s=59.0)
        first = await begun(box, "waits", MAX_THREADS)
        (last,) = await begun(box, "waits", 1)
        assert "waits was not run" in error_of(await last)
        assert not any(call.done() for call in first)
        ends.set()
        assert await asyncio.gather(*first) == ["done"] * MAX_THREADS
        await box.aclose()

    asyncio.run(calls())
