"""The entry point: `realtime`, and `python -m realtime`. Ctrl-C is quiet from here on, the imports included."""

import sys

from realtime import interrupt


def main() -> int:
    """Run the command line. While Python shuts down, Ctrl-C is quiet again."""
    interrupt.begin()
    from realtime.cli import main as run

    try:
        return run()
    except KeyboardInterrupt:
        return interrupt.EXIT_INTERRUPTED
    finally:
        interrupt.begin()


if __name__ == "__main__":
    sys.exit(main())
