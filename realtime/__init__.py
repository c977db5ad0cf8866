"""Talk with MiniMax in real time.

    async with MiniMax.from_env() as minimax: ...           only the platform's client
    async with running(Settings.from_env()) as server: ...  the voice server, in your process

Names are imported when they are first used, so `import realtime` is cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_MODULES = {
    "ConfigError": "realtime.errors",
    "MiniMax": "realtime.minimax",
    "ProtocolError": "realtime.errors",
    "ProviderError": "realtime.errors",
    "RealtimeError": "realtime.errors",
    "Settings": "realtime.settings",
    "running": "realtime.server.app",
    "serve": "realtime.server.app",
    "tool": "realtime.tools",
}

__all__ = [
    "ConfigError",
    "MiniMax",
    "ProtocolError",
    "ProviderError",
    "RealtimeError",
    "Settings",
    "__version__",
    "running",
    "serve",
    "tool",
]

if TYPE_CHECKING:
    from realtime.errors import ConfigError, ProtocolError, ProviderError, RealtimeError
    from realtime.minimax import MiniMax
    from realtime.server.app import running, serve
    from realtime.settings import Settings
    from realtime.tools import tool


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'realtime' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
