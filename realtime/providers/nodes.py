"""What a server is called among those that share its account. Knows no Redis."""

from __future__ import annotations

import secrets
import socket

from realtime.settings import Settings


def node_of(settings: Settings) -> str:
    """The same name again after a restart, so that no share is kept aside for a server that is back."""
    return settings.node or f"{socket.gethostname()}:{settings.port or secrets.token_hex(4)}"
