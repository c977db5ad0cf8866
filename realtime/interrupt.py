"""Ctrl-C while nothing runs yet, and while nothing runs any more: the process ends without a word.

As the first process of a container it also takes SIGTERM: the system ignores that one for a process number 1 without a
handler, so that `docker stop` during the start would wait its 10 s and then kill.

Nothing is imported here but what Python has loaded anyway: until `begin` there is hardly any code that a
KeyboardInterrupt could print a traceback of. Knows signals; knows no command.
"""

import _signal  # type: ignore[import-not-found]  # `signal` makes enums: slower than all of the rest here
import os
import sys

EXIT_INTERRUPTED = 130  # as a shell reports a program that SIGINT has ended
EXIT_TERMINATED = 143  # and one that SIGTERM has ended


def begin() -> None:
    """From here on Ctrl-C ends the process at once: nothing is open yet, and nothing has to be told.

    Only where Ctrl-C means KeyboardInterrupt: a parent that had it ignored (`nohup`, `&`) has decided otherwise.
    """
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, leave)
    if os.getpid() == 1 and _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
        # until a server or another command takes it over
        _signal.signal(_signal.SIGTERM, leave)


def hand_over() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt again: a command runs, and closes what it has opened."""
    if _signal.getsignal(_signal.SIGINT) is leave:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def leave(number: int, frame: object) -> None:
    """The handler: ends the process at once."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a reader that is gone, or a stream in the middle of a write
            continue
    os._exit(EXIT_TERMINATED if number == _signal.SIGTERM else EXIT_INTERRUPTED)
