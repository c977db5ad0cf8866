"""Ports that nobody listens at, for programs that choose none themselves and for servers that come back at theirs.

Below those that the system gives to clients: a port that was free a moment ago may be the near end of a connection of
another test by now, and then nobody can listen at it.
"""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

LOWEST, HIGHEST = 15_000, 32_000  # Linux gives clients 32,768 and above, other systems 49,152 and above


def free_ports(count: int) -> list[int]:
    """So many different ones; they are free when this returns."""
    with ExitStack() as stack:
        return [stack.enter_context(_listening()).getsockname()[1] for _ in range(count)]


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def _listening() -> socket.socket:
    while True:
        try:
            return socket.create_server(("127.0.0.1", random.randint(LOWEST, HIGHEST)))
        except OSError:
            continue  # somebody has it
