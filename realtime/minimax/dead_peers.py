"""Lets the system find connections that died without a word: a network that changed, a firewall that forgot them.

Nobody closes such a connection, and what is written to it is acknowledged by nobody. The system knows that: a slow
service acknowledges at once what it has not answered yet. But while its system has no room for more, because it does
not read, the time runs as well: so a request that may not fit there has longer.

Behind an HTTP proxy it is the proxy that acknowledges. A connection that died beyond it is noticed by the time limits
of the request alone, as any service that says nothing.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from asyncio.trsock import TransportSocket
from collections.abc import Callable
from typing import Any

LIVE_LOST_S = 3.0  # somebody waits: what nobody has acknowledged by then goes over another connection
LARGE_LOST_S = 12.0  # for a request with a larger body than this: a gateway may be busy for a while
LARGE_BODY_BYTES = 64 * 1024
_IDLE_S = 15  # an unused connection is probed after that, ...
_PROBE_S = 5  # ... and is gone when two probes in a row got no answer
_PROBES = 2
_LOST = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


def notice_loss(sock: socket.socket, lost_s: float = LIVE_LOST_S) -> None:
    """Let the system close this TCP connection when its peer acknowledges nothing for `lost_s`, and probe it while it
    is unused. Where a system lacks an option, it does what it can."""
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)  # Linux; macOS
    for level, option, value in (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, idle, _IDLE_S),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", None), _PROBE_S),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", None), _PROBES),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", None), int(lost_s * 1000)),
    ):
        if option is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(level, option, value)


def wait_for_body(sock: socket.socket | TransportSocket, size: int | None, lost_s: float) -> None:
    """Set how long nothing may be acknowledged while a body of `size` bytes (None: not known) leaves."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    small = size is not None and size <= LARGE_BODY_BYTES
    if option is not None:
        with contextlib.suppress(OSError):
            time_s = lost_s if small else max(lost_s, LARGE_LOST_S)
            sock.setsockopt(socket.IPPROTO_TCP, option, int(time_s * 1000))


def noticing(lost_s: float) -> Callable[[tuple[Any, ...]], socket.socket]:
    """What makes the sockets of a connection pool, for the library's `socket_factory`."""

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, *_ = address
        sock = socket.socket(family, kind, protocol)
        notice_loss(sock, lost_s)
        return sock

    return make


def died_silently(error: BaseException) -> bool:
    """Whether this failure is a connection that had died so: the others of the same age may have, too."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _LOST:
            return True
        cause = cause.__cause__
    return False
