"""`realtime sandbox` as a process."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys

import pytest

from realtime.errors import as_typed, own_command
from realtime.sandbox.cli import ROBOT, add_arguments, run
from realtime.sandbox.faults import FAULTS
from realtime.sandbox.options import VALUES
from tests import programs
from tests.sandbox.chat_kit import OPENAI, body, post

START = (
    "import argparse, sys; from realtime.sandbox.cli import add_arguments, run; "
    "p = argparse.ArgumentParser(); add_arguments(p); sys.exit(run(p.parse_args()))"
)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="realtime sandbox")
    add_arguments(made)
    return made


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
async def test_it_prints_its_url_answers_and_stops_on_a_signal(number: signal.Signals) -> None:
    process = await programs.start(
        *("--port", "0", "--set", "chat.first_ms=0", "--fault", "chat.error=2064"), code=START,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": ""},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
    match = re.fullmatch(r"MiniMax sandbox ready: (http://127\.0\.0\.1:\d+)\n", line)
    assert match is not None
    assert (await post(match[1], OPENAI, body())).status == 529
    process.send_signal(number)
    async with asyncio.timeout(60):
        assert await process.wait() == 0
    own_command.cache_clear()  # a test before may have asked in another folder
    assert (await process.stdout.read()).decode() == f"{as_typed(ROBOT)}\n"


def test_its_errors_are_lines_of_the_log(tmp_path) -> None:
    """Written by a thread, so that nobody who reads them holds it up."""
    code = (
        "import logging; from realtime.commands import sandbox; "
        "sandbox.cli.run = lambda *given: logging.getLogger('aiohttp.server').error('broken'); sandbox.run(None)"
    )
    assert re.fullmatch(
        r"20\S+Z ERROR aiohttp.server: broken\n", programs.run(code=code, cwd=tmp_path).stderr
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--set", "chat.frist_ms=3"], "did you mean 'chat.first_ms'?"),
        (["--fault", "chat.stal"], "did you mean 'chat.stall'?"),
        (["--port", "0", "--host", "256.1.1.1"], "cannot listen on 256.1.1.1:0"),
        (["--port", "99999"], "cannot listen on 127.0.0.1:99999"),
        (["--port", "-1"], "cannot listen on 127.0.0.1:-1"),
    ],
)
def test_a_wrong_argument_gives_one_sentence_and_status_2(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(parser().parse_args(arguments)) == 2
    output = capsys.readouterr()
    assert problem in output.err
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_the_help_page_lists_every_setting_and_fault() -> None:
    page = parser().format_help()
    for name in (*VALUES, *FAULTS):
        assert re.search(rf"^  {re.escape(name)}\b", page, re.MULTILINE), name
