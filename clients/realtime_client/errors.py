"""The errors of this package. Each message is one sentence that says what to do."""

from __future__ import annotations


class ClientError(Exception):
    """Base class of all errors of this package."""


class ConnectionFailed(ClientError):
    """The server cannot be reached, or refuses the connection. `code` is its error code, if there is one.

    `retry_after_s`: how long it asks to wait before the next try, if it does.
    """

    def __init__(self, message: str, code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s


class ConnectionLost(ConnectionFailed):
    """The connection of an open conversation broke."""


class DeviceError(ClientError):
    """The microphone or the speaker of this machine cannot be used."""


class FileError(ClientError):
    """An audio file cannot be read or written."""
