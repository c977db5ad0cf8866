"""Run the MiniMax emulator on this machine: the platform's endpoints, limits and quirks, with real speech."""

import argparse
import sys

from realtime import logs
from realtime.errors import ConfigError
from realtime.providers import voice_weights, weights
from realtime.sandbox import cli
from realtime.sandbox.cli import add_arguments
from realtime.settings.load import settings_from_env

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    """Serve until a signal, with the natural voice if it is installed."""
    voice = None
    with logs.configured("warning", "text"):  # a reader of its errors that stands still would hold it up
        try:
            weights.use_cache(settings_from_env({}).cache_dir)
            if voice_weights.has_voice():
                voice = voice_weights.voice()
        except ConfigError as error:
            print(f"realtime sandbox: {error}", file=sys.stderr)
        return cli.run(args, voice)
