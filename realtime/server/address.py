"""The address of a server: a socket bound to it, and what to say if it cannot be had."""

from __future__ import annotations

import errno
import os
import socket

from realtime.errors import ConfigError
from realtime.settings import Settings

BACKLOG = 1024  # connections that wait until a worker accepts them


class CannotListen(ConfigError):
    """The address cannot be listened on. `port_taken`: something else listens there."""

    def __init__(self, message: str, *, port_taken: bool) -> None:
        super().__init__(message)
        self.port_taken = port_taken


def cannot_listen(settings: Settings, error: OSError) -> CannotListen:
    """One sentence with the reason, and the flag that helps."""
    unknown_name = isinstance(error, socket.gaierror)  # its number is not one of `errno`
    reason = error.strerror if unknown_name or error.errno is None else os.strerror(error.errno)
    flag = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
    message = f"Cannot listen on {settings.host}:{settings.port} ({reason}): choose another {flag}."
    return CannotListen(message, port_taken=error.errno == errno.EADDRINUSE)


def listening_socket(settings: Settings) -> socket.socket:
    """A socket that listens at the address of the settings, for several processes. Raises CannotListen."""
    sock = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise cannot_listen(settings, error) from error
    return sock
