"""What can go wrong for a client of the wire. Each message is one sentence that says what to do."""

from __future__ import annotations


class ClientError(Exception):
    """Base of every error this package raises on purpose."""


class ConnectionFailed(ClientError):
    """The server cannot be reached or does not let us in. `code` is the wire's reason where it gave one."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class ConnectionLost(ConnectionFailed):
    """An open conversation ended without either side asking for it."""


class DeviceError(ClientError):
    """The microphone or the speaker of this machine cannot be used."""


class FileError(ClientError):
    """A sound file cannot be read or written."""
