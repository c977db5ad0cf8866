"""Run the MiniMax emulator on this machine: the platform's endpoints, limits and quirks, with real speech."""

import argparse
import sys

from realtime.errors import ConfigError
from realtime.providers import voice_weights
from realtime.sandbox import cli
from realtime.sandbox.cli import add_arguments

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    """Serve until a signal, with the natural voice if it is installed."""
    voice = None
    try:
        if voice_weights.has_voice():
            voice = voice_weights.voice()
    except ConfigError as error:
        print(f"realtime sandbox: {error}", file=sys.stderr)
    return cli.run(args, voice)
