"""Which module plays which role, by name. A module has `create(settings)`, which makes the provider."""

from __future__ import annotations

import importlib
from typing import Any

from realtime.errors import ConfigError

_HOME = "realtime.providers."
_MODULES = {
    ("chat", "minimax"): "minimax.chat",
    ("chat", "openai"): "openai_chat",
    ("speech", "minimax"): "minimax.speech",
    ("store", "memory"): "memory_store",
    ("store", "sqlite"): "sqlite_store",
    ("transcriber", "local"): "whisper.transcriber",
    ("transcriber", "minimax"): "minimax.transcriber",
    ("transcriber", "openai"): "openai_transcriber",
    ("turn", "smart"): "smart_turn",
    ("vad", "silero"): "silero.detector",
}


def load(role: str, name: str) -> Any:
    """The module of this provider. Raises ConfigError naming the known ones if there is none."""
    module = _MODULES.get((role, name))
    if module is None:
        known = ", ".join(other for kind, other in sorted(_MODULES) if kind == role)
        raise ConfigError(f"There is no {role} named {name!r}; there is {known}.")
    return importlib.import_module(_HOME + module)
