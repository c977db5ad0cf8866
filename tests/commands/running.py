"""Commands in this process: parsed as the command line parses them, with settings and a state folder of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

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
