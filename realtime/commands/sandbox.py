"""Run the MiniMax emulator on this machine: the platform's endpoints, limits and quirks, with real speech."""

from realtime.sandbox.cli import add_arguments, run

__all__ = ["add_arguments", "run"]
