"""Why a connection or a session is closed: the close codes and reasons of the server (docs/wire.md).

Also what a session needs of its connection. Knows neither of them.
"""

from __future__ import annotations

from typing import Protocol

DRAINING = (1012, "server_draining")  # the session is over, and a new one is welcome at the next server
RESTARTING = (1012, "server_restarting")  # another server goes on with the session


class Closing(Exception):
    """The connection must close with this code and reason. `resumable`: its session may continue without it."""

    def __init__(self, code: int, reason: str, *, resumable: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.resumable = resumable

    def copy(self) -> Closing:
        """The same, without the trace: one that was raised knows frames, and these know the session."""
        return Closing(self.code, self.reason, resumable=self.resumable)


class AttachedConnection(Protocol):
    """What a session needs of its connection."""

    def close_soon(self, closing: Closing) -> None: ...
