"""The address of a server: a socket bound to it, and what to say if it cannot be had."""

from __future__ import annotations

import errno
import os
import socket

from realtime.errors import ConfigError
from realtime.settings import Settings

BACKLOG = 1024  # a crowd waits here in order, instead of trying again after seconds


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
    """A socket that listens at the address of the settings. Raises CannotListen."""
    try:
        return bound_socket(settings.host, settings.port)
    except OSError as error:
        raise cannot_listen(settings, error) from error


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that listens there, the same for one process and for several: all of `::` is IPv4, too.

    Of a name it is one address: with IPv4 if there is one, because that is what others find. Raises OSError.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    sock = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it lets two programs have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
