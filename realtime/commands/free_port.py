"""Where the port of a server is taken: another one, and what to type for it."""

from __future__ import annotations

import socket
from collections.abc import Mapping


def free_port(host: str, first: int, tries: int = 50) -> int:
    """A port of this host that nobody listens on now, from this one upwards; 0 (any free one) if there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + tries, 65_536)):
        try:
            socket.create_server((host, port), family=family).close()
        except OSError:
            continue
        return port
    return 0


def port_command(environ: Mapping[str, str], port: int) -> str:
    """What to type to start the server on this port, in the words it was started with."""
    return f"make run PORT={port}" if environ.get("STARTED_BY") == "make" else f"realtime serve --port {port}"
