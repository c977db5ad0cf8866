"""The packages of the extra `sandbox` that make pictures and films, and the error where they are missing.

It knows how to import them late, so that the sandbox starts without them. The speech library is loaded in
`voice_engine`.
"""

from __future__ import annotations

import importlib
from typing import Any

COMMAND = "run pip install 'minimax-realtime[sandbox]'"


class ExtraMissing(RuntimeError):
    """A package of the extra `sandbox` is missing; the message ends in the install command."""


def pillow(module: str) -> Any:
    """A module of Pillow, such as `Image`. Raises ExtraMissing."""
    return _load(f"PIL.{module}", "the sandbox cannot draw pictures")


def av() -> Any:
    """PyAV. Raises ExtraMissing."""
    return _load("av", "the sandbox cannot encode films")


def _load(module: str, trouble: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExtraMissing(f"{trouble}: {COMMAND}") from error
