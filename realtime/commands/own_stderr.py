"""Standard error for our own sentences: what the C code of a library prints there says nothing to a person.

PortAudio writes six lines of its source when a device vanishes, and the package around it leads descriptor 2 elsewhere
for as long as it starts: for ever, where a sound server hangs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_DESCRIPTOR = 2


@contextlib.contextmanager
def own_stderr(opens_device: bool) -> Iterator[None]:
    """Until the end of the block only Python's `sys.stderr` leads to standard error; its descriptor leads nowhere.

    Not if no device is opened in it.
    """
    ours = sys.stderr
    try:
        if not opens_device or ours.fileno() != _DESCRIPTOR:
            raise OSError
        kept = os.dup(_DESCRIPTOR)
    except (OSError, ValueError, AttributeError):  # not needed, or it leads somewhere else already
        yield
        return
    ours.flush()
    sys.stderr = open(kept, "w", buffering=1, encoding=ours.encoding, errors=ours.errors)  # noqa: SIM115
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _DESCRIPTOR)
    os.close(nowhere)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # a terminal that was closed
            sys.stderr.flush()
        os.dup2(kept, _DESCRIPTOR)
        with contextlib.suppress(OSError):
            sys.stderr.close()
        sys.stderr = ours
