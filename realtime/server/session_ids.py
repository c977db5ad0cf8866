"""Ids of a session and of what belongs to it, and the header that tells a balancer which session lives here.

The id of a session is known before the upgrade, because the answer to the handshake is the only thing of a session that
a balancer can read (docs/wire.md 6.6). Knows no socket and no session.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe

HEADER = "Realtime-Session"


def random_id(kind: str) -> str:
    """A new id: `sess_`, `conv_`, `item_` ... and 96 random bits."""
    return f"{kind}_{token_urlsafe(12)}"


def ids_of(session_id: str) -> Callable[[str], str]:
    """Makes the ids of a session whose own id is known already."""
    return lambda kind: session_id if kind == "sess" else random_id(kind)
