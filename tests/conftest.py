"""Which tests may run side by side, and what the whole run says at its end."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
REAL_TIME = (
    "web",
    "e2e",
    "terminal",
    "stock",
    "conformance",
)  # they listen and wait: one at a time, on one worker


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in REAL_TIME or item.path.name == "test_process.py":
            item.add_marker(pytest.mark.xdist_group("real time"))


def pytest_terminal_summary(terminalreporter):
    """A last table of what was skipped and why, and which recordings spoke."""
    from tests.clips import FOLDER, have_recordings

    where = str(FOLDER) if have_recordings() else "the sandbox's own voice (no recordings found)"
    terminalreporter.write_line(f"speech for the tests: {where}")
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {count:4d}: {reason}")
