"""Commands in this process: parsed as the command line parses them, with settings and a state folder of their own."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from unittest import mock

import pytest

from realtime import cli
from realtime.commands.platform import add_platform


def parsed(add_arguments, words: list[str], environ: dict[str, str]) -> argparse.Namespace:
    """The arguments of one command, as `realtime.cli` gives them."""
    parser = argparse.ArgumentParser()
    parser.set_defaults(environ=environ)
    add_arguments(parser)
    return parser.parse_args(words)


def add_all(parser: argparse.ArgumentParser) -> None:
    add_platform(parser, buys=True, waits=True, writes=True)


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(folder), "XDG_STATE_HOME": str(folder), **more}


def at_home(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, **more: str) -> None:
    """From now on this is the current directory and the home, and the platform is at this address, without a key."""
    monkeypatch.chdir(folder)
    for name, value in environment(folder, MINIMAX_BASE_URL=url, **more).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MINIMAX_API_KEY", raising=False)


def run_here(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> tuple[int, str, str]:
    """Run the command line in this process, with this environment and folder: exit status, stdout and stderr."""
    return run_as(lambda: cli.main(words), environ, folder)


def run_as(program: Callable[[], object], environ: Mapping[str, str], folder: Path) -> tuple[int, str, str]:
    """Call a program as if it were a process with this environment and folder: exit status, stdout and stderr.

    The status is what it returns, if that is a number, or the code of its SystemExit; else 0.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environ, clear=True),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            returned = program()
            status = returned if isinstance(returned, int) else 0
        except SystemExit as end:  # of argparse
            status = int(end.code or 0)
    return status, out.getvalue(), err.getvalue()
