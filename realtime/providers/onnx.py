"""Loads onnxruntime with its telemetry off: this service sends nothing to anybody but the platform.

From 1.31 on it writes a device id and a database into the cache folder of the user as soon as it is imported, and looks
for a server of its maker, unless a variable of the environment forbids it. To forbid it later is too late.
"""

from __future__ import annotations

import os
from typing import Any

TELEMETRY_OFF = "ORT_DISABLE_TELEMETRY"


def onnxruntime() -> Any:
    """The module. An operator's own value of the variable stays. Raises ModuleNotFoundError if it is not installed."""
    os.environ.setdefault(TELEMETRY_OFF, "1")
    import onnxruntime as module

    return module
