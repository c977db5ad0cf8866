"""A session's starting configuration: the server's settings in the words of the wire."""

from __future__ import annotations

from typing import Any

from realtime.protocol.session_config import (
    EXTENSIONS,
    SessionConfig,
    Transcription,
    apply,
    extensions_from_query,
)
from realtime.providers.base import Providers
from realtime.settings import Settings


def default_config(settings: Settings, providers: Providers) -> SessionConfig:
    """What a client gets that asks for nothing."""
    name = providers.transcriber.name if providers.transcriber is not None else "none"
    return SessionConfig(
        instructions=settings.instructions,
        voice=settings.voice_id,
        transcription=Transcription(model=name),
        offered=offered_extensions(settings),
    )


def offered_extensions(settings: Settings) -> tuple[str, ...]:
    """The extensions that clients can have: `resume` only where a lost session is kept for its client."""
    return tuple(name for name in EXTENSIONS if name != "resume" or settings.resume_window_s > 0)


def new_session_config(
    settings: Settings, providers: Providers, bound: dict[str, Any] | None, extensions: str
) -> SessionConfig:
    """The defaults, then what a client secret binds, then the extensions named in the URL.

    Raises ProtocolError if the bound settings are not valid (they were checked when the secret was made).
    """
    config = default_config(settings, providers)
    if bound:
        config = apply(config, bound)
    return extensions_from_query(config, extensions) if extensions else config
