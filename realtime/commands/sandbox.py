"""Run the MiniMax emulator: the platform's addresses, limits and quirks on this machine, with real speech."""

from realtime.sandbox.cli import add_arguments, run

__all__ = ["add_arguments", "run"]
