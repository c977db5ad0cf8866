"""What holds the event loop up in a process that only serves, and need not: the collector of garbage and the allocator.

For the process of the command alone: a program that embeds the server sets its own.
"""

from __future__ import annotations

import ctypes
import gc
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT_BYTES, _MAPPED_BYTES = 16 << 20, 4 << 20


def calm_process() -> None:
    """Once, when everything that lives as long as the process is there."""
    _search_less()
    _keep_memory()


def _search_less() -> None:
    """With 200 conversations a full search for garbage takes 20 to 40 ms and finds next to nothing."""
    gc.collect()
    gc.freeze()  # what is there by now is never searched again
    gc.set_threshold(700, 10, 50)  # the defaults but for the last: every minute or so under such a load


def _keep_memory() -> None:
    """Do not return what the next batch of frames needs again in 4 ms: faulting it in anew took 7 % of a core."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
        if mallopt is not None:
            mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
            mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
