"""The summary at the end of a test run."""


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
