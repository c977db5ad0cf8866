"""Ends a TCP connection whose peer does not read. Knows no protocol above TCP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

# SO_LINGER: on, 0 s (Windows: short)
_RESET = struct.pack("hh" if hasattr(socket, "SIO_RCVALL") else "ii", 1, 0)


def reset(transport: asyncio.Transport) -> None:
    """End the connection now, with what is unsent. Does nothing if it has ended.

    `abort` alone closes the file, and the system goes on for minutes to offer what it has to a peer that reads nothing.
    """
    # Something is unsent, so the file is open: its number is not another connection's
    if transport.get_write_buffer_size() > 0:
        with contextlib.suppress(OSError, AttributeError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def reset_in(transport: asyncio.Transport, seconds: float) -> None:
    """End the connection then, if it has not ended by itself: a transport that is closed waits until its peer reads."""
    asyncio.get_running_loop().call_later(seconds, reset, transport)
