"""`python -m tests.conformance --url wss://host/v1/realtime --key ...`: run all conversations and print a table.

Exit status 1 if a conversation failed, 2 if no connection succeeded.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from tests.conformance.cases import all_cases
from tests.conformance.driver import Outcome, run
from tests.conformance.script import Case


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument(
        "--url",
        default=os.environ.get("REALTIME_CONFORMANCE_URL"),
        help="default: our own server over the sandbox",
    )
    parser.add_argument(
        "--key", default=os.environ.get("REALTIME_CONFORMANCE_KEY"), help="sent as a bearer token"
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only conversations whose name contains this"
    )
    parser.add_argument(
        "--without-own", action="store_true", help="leave out what the reference does not define"
    )
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    options = parser.parse_args(arguments)
    cases = [c for c in all_cases() if options.only in c.name and not (options.without_own and c.own)]
    if options.list:
        print("\n".join(f"{case.rule:<12} {case.name}" for case in cases))
        return 0
    outcomes = asyncio.run(_run_all(cases, options.url, options.key))
    return _report(outcomes)


async def _run_all(cases: Sequence[Case], url: str | None, key: str | None) -> list[Outcome]:
    async with AsyncExitStack() as stack:
        if url is None:
            from tests.conformance.own_server import own_server

            url = await stack.enter_async_context(own_server())
        outcomes = []
        for case in cases:
            try:
                outcome = await run(case, url, key)
            except pytest.skip.Exception as skipped:  # no recordings
                print(f"skipped {case.name}: {skipped}")
                continue
            outcomes.append(outcome)
            print(_line(outcome), flush=True)
        return outcomes


def _line(outcome: Outcome) -> str:
    case = outcome.case
    kind = "own " if case.own else "ask " if case.asks_model else "    "
    verdict = "FAILED" if outcome.failures else "passed"
    shown = [f"{verdict} {outcome.seconds:6.2f} s  {kind} {case.rule:<12} {case.name}"]
    return "\n".join(shown + [f"         {failure}" for failure in outcome.failures[:5]])


def _report(outcomes: Sequence[Outcome]) -> int:
    failed = [outcome for outcome in outcomes if outcome.failures]
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} conversations passed.")
    if outcomes and all(o.failures and o.failures[0].startswith("no connection") for o in outcomes):
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
