"""The end of a process: a deadline for what hangs, and no wait for threads that are abandoned."""

import signal
import threading

import pytest

from realtime.ending import EXIT_LATE, STOP_SIGNALS, Ending, handlers_given_back, taken_signals

TIMEOUT_S = 20.0


class Left:
    """What would end the process: it keeps the status."""

    def __init__(self):
        self.status = None
        self.left = threading.Event()

    def __call__(self, status):
        self.status = status
        self.left.set()


@pytest.fixture
def left():
    return Left()


@pytest.fixture
def ending(left):
    made = Ending(left)
    yield made
    made.reset()


@pytest.fixture
def working():
    """A thread that works until the test is over."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield thread
    over.set()
    thread.join()


def test_what_hangs_is_left_at_the_deadline(ending, left):
    ending.within(0.01)
    assert left.left.wait(TIMEOUT_S)
    assert left.status == EXIT_LATE


@pytest.mark.parametrize("times_s", [(0.01, 3600.0), (3600.0, 0.01)])
def test_the_earliest_deadline_counts(ending, left, times_s):
    for seconds in times_s:
        ending.within(seconds)
    assert left.left.wait(TIMEOUT_S)
    left.left.clear()
    assert not left.left.wait(0.05), "the other one is over"


def test_the_log_says_where_the_main_thread_was(ending, left, caplog):
    ending.within(0.01)
    assert left.left.wait(TIMEOUT_S)
    [record] = caplog.records
    assert "the main thread is in " in record.getMessage()
    assert "threading.py:" in record.getMessage(), "where the line before this one waits"


def test_a_program_that_goes_on_has_no_deadline_until_its_end(ending, left):
    ending.within(0.2)
    ending.disarm()
    assert not left.left.wait(0.4)
    assert ending.end(7) == 7
    assert left.left.wait(TIMEOUT_S), "Python could still wait for a thread"
    assert left.status == 7


def test_without_a_stop_there_is_no_deadline(ending, left):
    assert ending.end(0) == 0
    assert not left.left.wait(0.1)


def test_a_second_server_of_a_program_has_a_deadline_of_its_own(ending, left):
    ending.within(0.01)
    assert left.left.wait(TIMEOUT_S)
    left.left.clear()
    ending.reset()
    ending.within(3600.0)
    assert not left.left.wait(0.1)


def test_nobody_waits_for_an_abandoned_thread(ending, left, working):
    ending.abandon(working)
    ending.end(3)
    assert left.status == 3


def test_other_threads_are_waited_for(ending, left, working):
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    ending.abandon(ended)
    assert ending.end(0) == 0
    assert left.status is None
    assert working.is_alive()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="POSIX")
def test_a_terminal_that_closes_is_a_stop_unless_the_parent_has_it_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        assert taken_signals() == STOP_SIGNALS == (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
        assert taken_signals() == (signal.SIGTERM, signal.SIGINT)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_stop_signals_mean_again_what_they_meant_before():
    """uvloop leaves the handlers of a loop that it has closed."""
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with handlers_given_back():
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: None)
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
