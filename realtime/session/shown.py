"""The session as the wire shows it: JSON that all events share until the configuration changes."""

from __future__ import annotations

import math

import msgspec

from realtime.context import Context
from realtime.protocol.session_config import SessionConfig, to_wire


class ShownSession:
    """`expires_unix_s`: when the session ends at the latest."""

    def __init__(self, context: Context, expires_unix_s: int) -> None:
        self.expires_unix_s = expires_unix_s
        self._context = context
        self._shown: tuple[SessionConfig, msgspec.Raw] | None = None

    def __repr__(self) -> str:
        return f"<ShownSession {self._context.session_id}>"

    def now(self) -> msgspec.Raw:
        """With the configuration in force."""
        config = self._context.config
        if self._shown is None or self._shown[0] is not config:
            wire = to_wire(
                config,
                session_id=self._context.session_id,
                expires_at=self.expires_unix_s,
                model=self._context.providers.chat.name,
                resume_window_s=math.ceil(self._context.settings.resume_window_s),
            )
            self._shown = (config, msgspec.Raw(msgspec.json.encode(wire)))
        return self._shown[1]
