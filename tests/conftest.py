"""One profile for all property tests, a home for all, a light garbage collector, and the summary at the end of a test run."""

import gc
import os
import signal
import threading

import pytest
from hypothesis import settings

from tests import home

# No test depends on the machine's speed: an example may take as long as it takes.
settings.register_profile("realtime", deadline=None)
settings.load_profile("realtime")

# Whoever starts the tests in the background makes them ignore Ctrl-C, and all programs that they start inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Servers of the tests run on a machine that the tests keep busy: admission by load has tests of its own.
os.environ.setdefault("REALTIME_ADMISSION", "count")

home.use_ours()


def pytest_collection_finish():
    """The tests themselves are half a million objects, which each full collection would visit again: 0.4 s."""
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown():
    """Wait for a thread that sends last spans: it draws random numbers, and Hypothesis takes offence in a later test."""
    for thread in threading.enumerate():
        if thread.name == "last spans":
            thread.join(10.0)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable():
    """What failed reaches the process that prints it: a worker that has half a character in a log would end instead."""
    return encodable((yield))


def encodable(value):
    """The value without half characters, in all that it holds."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {encodable(key): encodable(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(map(encodable, value))
    return value


def pytest_terminal_summary(terminalreporter):
    """Print the skip reasons with their counts, and which recordings were used."""
    from tests.clips import FOLDER, have_recordings

    where = str(FOLDER) if have_recordings() else "the sandbox's own voice (no recordings found)"
    terminalreporter.write_line(f"speech for the tests: {where}")
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {count:4d}: {reason}")
