"""Ctrl-C, SIGTERM and SIGHUP while a command runs: it is cancelled between two steps of the event loop, never within one."""

import asyncio
import errno
import signal
import threading
import time

import pytest

from realtime.commands import interruptible
from realtime.commands.outcome import outcome_of


@pytest.fixture(autouse=True)
def ctrl_c_is_a_keyboard_interrupt():
    """As in a process that has just begun; another test may have left the handler of an event loop."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press():
    signal.raise_signal(signal.SIGINT)


def test_a_command_returns_its_result_and_leaves_the_signal_as_it_was():
    async def add(a, b):
        return a + b

    assert interruptible.run(add, 1, 2) == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_within_a_callback_leaves_its_future_alone():
    """A socket that connects sets a future in such a callback, after it has seen that nobody has cancelled it."""
    failures, closed = [], []

    def connected(future):
        assert not future.done()
        press()
        future.set_result(None)

    async def command():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: failures.append(context))
        future = loop.create_future()
        loop.call_soon(connected, future)
        try:
            await future
            await asyncio.sleep(10)
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        interruptible.run(command)
    assert (failures, closed) == ([], [True])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of POSIX")
def test_ctrl_c_ends_a_loop_that_waits():
    closed, begun_s = [], time.monotonic()

    async def command():
        threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)  # what a command has opened is closed with awaits
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        interruptible.run(command)
    assert closed == [True]
    assert time.monotonic() - begun_s < 8, "it did not wait for the end of the sleep"


def test_ctrl_c_before_the_first_step_cancels_at_the_first_await(monkeypatch):
    begun, run = [], asyncio.Runner.run

    def pressed_first(runner, coroutine):
        press()
        return run(runner, coroutine)

    async def command():
        begun.append(True)
        await asyncio.sleep(10)

    monkeypatch.setattr(asyncio.Runner, "run", pressed_first)
    with pytest.raises(KeyboardInterrupt):
        interruptible.run(command)
    assert begun == [True]


def test_a_handler_that_the_command_sets_stays():
    before = signal.getsignal(signal.SIGINT)

    async def command():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    try:
        interruptible.run(command)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_second_ctrl_c_does_not_wait_for_what_closes():
    async def command():
        try:
            press()
            await asyncio.sleep(10)
        finally:
            press()
            pytest.fail("the second Ctrl-C was not taken at once")

    with pytest.raises(KeyboardInterrupt):
        interruptible.run(command)


def test_ctrl_c_after_the_end_of_a_command_is_a_keyboard_interrupt():
    """While the loop closes, it waits for the tasks that the command has left."""
    tasks = []

    async def stays():
        try:
            await asyncio.sleep(10)
        finally:
            press()

    async def command():
        tasks.append(asyncio.create_task(stays()))
        await asyncio.sleep(0)

    with pytest.raises(KeyboardInterrupt):
        interruptible.run(command)


def test_a_command_that_ends_in_spite_of_ctrl_c_has_its_result():
    async def command():
        press()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "saved"

    assert interruptible.run(command) == "saved"


def test_a_cancellation_that_is_no_ctrl_c_stays_one():
    async def command():
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        interruptible.run(command)


def test_a_signal_that_is_ignored_stays_ignored():
    async def command():
        press()
        await asyncio.sleep(0)
        return "done"

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert interruptible.run(command) == "done"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_command_runs_in_a_thread_too():
    async def command():
        return "done"

    results = []
    thread = threading.Thread(target=lambda: results.append(interruptible.run(command)))
    thread.start()
    thread.join(10)
    assert results == ["done"]


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_who_is_ended_closes_first_and_once(name, status):
    """A window that is closed often sends several signals; what was said is saved meanwhile."""
    number, closed = getattr(signal, name), []

    async def command():
        try:
            signal.raise_signal(number)
            await asyncio.sleep(10)
        finally:
            for again in (signal.SIGTERM, signal.SIGHUP):
                signal.raise_signal(again)
            await asyncio.sleep(0)
            closed.append(True)

    with pytest.raises(interruptible.Terminated) as ended:
        interruptible.run(command)
    assert (ended.value.status, closed) == (status, [True])
    assert outcome_of(ended.value).status == status
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_terminal_that_was_closed_takes_no_last_words():
    async def command():
        try:
            signal.raise_signal(signal.SIGHUP)
            await asyncio.sleep(10)
        finally:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(interruptible.Terminated):
        interruptible.run(command)


def test_ctrl_c_does_not_wait_for_what_closes_after_sigterm():
    async def command():
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(10)
        finally:
            press()
            pytest.fail("Ctrl-C was not taken at once")

    with pytest.raises(KeyboardInterrupt):
        interruptible.run(command)


def test_nohup_stays_in_force():
    async def command():
        signal.raise_signal(signal.SIGHUP)
        await asyncio.sleep(0)
        return "done"

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert interruptible.run(command) == "done"
    finally:
        signal.signal(signal.SIGHUP, before)
