"""One class for every "no" of the platform.

Knows a code, a message and an HTTP status. Does not know the envelope that they are sent in.
"""

from __future__ import annotations


class Refusal(Exception):
    """The platform refuses: `code` and `message` go into the envelope (None: the code's usual message).

    `status` is the HTTP status, 0: the envelope's own (200 for native endpoints, docs/minimax/README.md 3).
    """

    def __init__(self, code: int, message: str | None = None, status: int = 0) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
