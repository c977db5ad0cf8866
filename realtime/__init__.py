"""Talk with MiniMax in real time.

    async with MiniMax.from_env() as minimax: ...           only the platform's client
    async with running(Settings.from_env()) as server: ...  the voice server, in your process
    app.add_subapp("/voice/", realtime_app(Settings()))     the same, in your own application of aiohttp

Names are imported when they are first used, so `import realtime` is cheap.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as in `typing`, which would be the slowest import of `realtime --help`

__version__ = "0.1.0"

_MODULES = {
    "Account": "realtime.settings",
    "ConfigError": "realtime.errors",
    "MiniMax": "realtime.minimax",
    "ProtocolError": "realtime.errors",
    "ProviderError": "realtime.errors",
    "RealtimeError": "realtime.errors",
    "Settings": "realtime.settings",
    "realtime_app": "realtime.server.app",
    "realtime_runner": "realtime.server.runner",
    "running": "realtime.server.run",
    "serve": "realtime.server.run",
    "tool": "realtime.tools",
}

__all__ = [
    "Account",
    "ConfigError",
    "MiniMax",
    "ProtocolError",
    "ProviderError",
    "RealtimeError",
    "Settings",
    "__version__",
    "realtime_app",
    "realtime_runner",
    "running",
    "serve",
    "tool",
]

if TYPE_CHECKING:
    from typing import Any

    from realtime.errors import ConfigError, ProtocolError, ProviderError, RealtimeError
    from realtime.minimax import MiniMax
    from realtime.server.app import realtime_app
    from realtime.server.run import running, serve
    from realtime.server.runner import realtime_runner
    from realtime.settings import Account, Settings
    from realtime.tools import tool


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'realtime' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
