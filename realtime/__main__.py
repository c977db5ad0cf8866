"""The entry point: `realtime`, and `python -m realtime`. Ctrl-C is quiet from here on, the imports included.

What comes before cannot be reached from here, and shows Python's own traceback: Python starts, reads the packages'
`.pth` files, and the script of an installation imports `re`.
"""

import sys

from realtime import interrupt

interrupt.begin()  # not in `main`: the script of an installation has work of its own before it calls that


def main() -> int:
    """Run the command line. While Python shuts down, Ctrl-C is quiet again."""
    from realtime.cli import main as run

    try:
        return _end(run())
    except KeyboardInterrupt:
        return interrupt.EXIT_INTERRUPTED
    finally:
        interrupt.begin()


def _end(status: int) -> int:
    """The status, for a process without threads that nobody waits for; with such a thread it ends here."""
    ending = sys.modules.get("realtime.ending")  # not imported: nothing has begun that could be in the way
    return status if ending is None else int(ending.OF_THIS_PROCESS.end(status))


if __name__ == "__main__":
    sys.exit(main())
